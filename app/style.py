"""One restrained style for the whole window, light and dark with the system.

``apply`` sets the palette and a small style sheet; ``colours`` gives painted widgets the same tokens;
``icon`` and ``set_icon`` tint the program's own SVG files, and follow when the system changes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal
from weakref import WeakKeyDictionary

from PySide6.QtCore import QByteArray, QDir, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QIcon, QImage, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QWidget

import resources

GAP = 4
SPACING = 8
MARGIN = 12
ICON_SIZE = 18
_BUTTON_ICON = 16
ICON_SIZES = (16, 18, 20, 24, 32, 36, 40, 48, 64, 96, 128)

Scheme = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Colours:
    """The style's colours as ``#rrggbb``."""

    window: str
    base: str
    raised: str
    hover: str
    text: str
    muted: str
    faint: str
    border: str
    accent: str
    accent_hover: str
    focus: str
    ring: str
    link: str
    on_accent: str
    canvas: str
    error: str
    warning: str
    good: str
    d_loss: str
    g_loss: str
    diversity: str


_LIGHT_AND_DARK = {
    "window": ("#f5f6f8", "#202327"),
    "base": ("#ffffff", "#181a1e"),
    "raised": ("#ffffff", "#2b2f35"),
    "hover": ("#edf0f4", "#353a41"),
    "text": ("#1c2027", "#e7e9ec"),
    "muted": ("#5f6773", "#a0a7b2"),
    "faint": ("#848c98", "#7a828e"),
    "border": ("#d3d7dd", "#3c4149"),
    "accent": ("#2f6fde", "#3573dc"),
    "accent_hover": ("#245fc6", "#2c66cb"),
    "focus": ("#2f6fde", "#6ea6ff"),
    "ring": ("#0e2f6e", "#bcd4fb"),
    "link": ("#2160cc", "#7fb0ff"),
    "on_accent": ("#ffffff", "#ffffff"),
    "canvas": ("#e3e6ea", "#131518"),
    "error": ("#b3261e", "#ff8a80"),
    "warning": ("#8f5f00", "#e7b549"),
    "good": ("#187634", "#5fc878"),
    "d_loss": ("#2f6fde", "#6ea6ff"),
    "g_loss": ("#d9730d", "#ffab5e"),
    "diversity": ("#7a4fcf", "#b79bff"),
}
LIGHT, DARK = (Colours(**{name: pair[i] for name, pair in _LIGHT_AND_DARK.items()}) for i in (0, 1))

# Drawn over photographs, so the same in light and dark.
OUTLINE_DARK = QColor(12, 14, 18, 225)
OUTLINE_LIGHT = QColor(255, 255, 255)
# Told apart by people who see no red, no green or no blue, too: they differ in lightness as well.
OUTLINE_AUTOMATIC = QColor(76, 155, 255)
OUTLINE_ACCEPTED = QColor(43, 224, 160)
OUTLINE_EDITED = QColor(255, 138, 30)
OUTLINE_REJECTED = QColor(213, 216, 222)
OUTLINE_TRUTH = QColor(247, 168, 224)  # and dashed
CUT_DARK, CUT_LIGHT = QColor(12, 14, 18, 110), QColor(255, 255, 255, 220)
HANDLE = QColor(47, 111, 222)
TAG_BACKGROUND = QColor(12, 14, 18, 205)
TAG_SOLID = QColor(22, 25, 30)
TAG_TEXT = QColor(255, 255, 255)


_Iconed = QAction | QAbstractButton
_iconed: WeakKeyDictionary[_Iconed, tuple[str, str]] = WeakKeyDictionary()
_watched: list[QApplication] = []


def is_dark() -> bool:
    palette = QGuiApplication.palette()
    return palette.window().color().lightness() < palette.windowText().color().lightness()


def colours() -> Colours:
    return DARK if is_dark() else LIGHT


def apply(app: QApplication, scheme: Scheme = "system") -> None:
    """Style ``app``; ``system`` follows the desktop now and whenever it changes."""
    QDir.setSearchPaths("boxscout", [str(resources.ROOT)])
    if app not in _watched:
        # Once: Qt deletes the style before, and a widget that Python still holds may point to it.
        app.setStyle("Fusion")
    app.setWindowIcon(QIcon(str(resources.path("icons/boxscout.svg"))))
    app.setProperty("boxscoutScheme", scheme)
    font = app.font()
    if 0 < font.pointSizeF() < 10 and QGuiApplication.platformName() not in ("windows", "cocoa"):
        font.setPointSizeF(10)
        app.setFont(font)
    _set_colours(app)
    if app not in _watched:
        _watched.append(app)
        app.styleHints().colorSchemeChanged.connect(lambda _: _set_colours(app))


def _set_colours(app: QApplication) -> None:
    wanted = app.property("boxscoutScheme")
    dark = wanted == "dark" or (wanted == "system" and app.styleHints().colorScheme() == Qt.ColorScheme.Dark)
    chosen = DARK if dark else LIGHT
    app.setPalette(_palette(chosen))
    sheet = resources.path("style/boxscout.qss").read_text(encoding="utf-8")
    # Longest first: "accent_hover" must not be eaten by "accent".
    for name, value in sorted(asdict(chosen).items(), key=lambda item: -len(item[0])):
        sheet = sheet.replace(f"@{name}", value)
    app.setStyleSheet(sheet)
    for target, (name, colour) in list(_iconed.items()):
        _give_icon(target, name, colour)


def _palette(c: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette(QColor(c.raised), QColor(c.window))
    for which, colour in {
        role.Window: c.window,
        role.WindowText: c.text,
        role.Base: c.base,
        role.AlternateBase: c.window,
        role.Text: c.text,
        role.Button: c.raised,
        role.ButtonText: c.text,
        role.ToolTipBase: c.base,
        role.ToolTipText: c.text,
        role.PlaceholderText: c.muted,
        role.Highlight: c.accent,
        role.HighlightedText: c.on_accent,
        role.Accent: c.accent,
        role.Link: c.link,
        role.BrightText: c.error,
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(c.faint))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(c.faint))
    return palette


def icon(name: str, colour: str | None = None) -> QIcon:
    """The icon ``resources/icons/<name>.svg`` tinted with ``colour`` (the text colour when None)."""
    made = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, colour or colours().text), (QIcon.Mode.Disabled, colours().faint)):
        for picture in _rendered(name, tint):
            made.addPixmap(QPixmap.fromImage(picture), mode)
    return made


@cache
def _rendered(name: str, tint: str) -> tuple[QImage, ...]:
    """One picture for each of :data:`ICON_SIZES`; kept, since every window draws them all."""
    svg = resources.path(f"icons/{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", tint).encode()))
    pictures = []
    for size in ICON_SIZES:
        picture = QImage(QSize(size, size), QImage.Format.Format_ARGB32_Premultiplied)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        pictures.append(picture)
    return tuple(pictures)


def set_icon(target: _Iconed, name: str, colour: str = "text") -> None:
    """Give a button or action the icon of a file in ``resources/icons``; it follows light and dark.

    ``colour`` is a field of :class:`Colours`.
    """
    _iconed[target] = (name, colour)
    if isinstance(target, QPushButton):
        # Wider than high: the style leaves too little between an icon and its text.
        target.setIconSize(QSize(_BUTTON_ICON + 6, _BUTTON_ICON))
    _give_icon(target, name, colour)


def remove_icon(target: _Iconed) -> None:
    if _iconed.pop(target, None) is not None:
        target.setIcon(QIcon())


def _give_icon(target: _Iconed, name: str, colour: str) -> None:
    try:
        target.setIcon(icon(name, getattr(colours(), colour)))
    except RuntimeError:  # its C++ half is already gone
        _iconed.pop(target, None)


def without_mnemonic(text: str) -> str:
    """``text`` for an action, button or tab, where a lone ``&`` would mark a key."""
    return text.replace("&", "&&")


def mark(widget: QWidget, role: str) -> None:
    """Let the style sheet know ``widget`` by a role such as ``primary``, ``muted`` or ``title``."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
