"""Colours, icons and the style sheet."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

import resources
from app import style

ICONS = sorted(path.stem for path in (resources.ROOT / "icons").glob("*.svg"))


def luminance(colour: str) -> float:
    """WCAG 2 relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("c", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_every_text_can_be_read(c: style.Colours) -> None:
    for text in (c.text, c.muted, c.error, c.warning, c.good, c.link):
        for ground in (c.window, c.base, c.raised, c.hover):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(c.muted, c.canvas) >= 4.5
    for ground in (c.accent, c.accent_hover):
        assert contrast(c.on_accent, ground) >= 4.5
    for ground in (c.window, c.base, c.raised, c.hover):
        assert contrast(c.focus, ground) >= 3, "who has the focus is seen everywhere"
    for ground in (c.window, c.base):
        assert contrast(c.faint, ground) >= 3  # what cannot be used now is still read
        assert contrast(c.ring, ground) >= 3
    for curve in (c.d_loss, c.g_loss, c.diversity):
        assert contrast(curve, c.window) >= 2.9


@pytest.mark.parametrize("c", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_every_rule_of_the_style_sheet_has_contrast(c: style.Colours) -> None:
    """The text of a rule on its own ground, or on every ground that may be below it."""
    sheet = resources.path("style/boxscout.qss").read_text(encoding="utf-8")
    tokens = asdict(c)
    checked = 0
    for selector, body in re.findall(r"([^{}]+)\{([^}]*)\}", sheet):
        text = re.search(r"(?<![\w-])color: @(\w+)", body)
        if text is None or ":disabled" in selector:
            continue  # what cannot be used is exempt (WCAG 2.1, 1.4.3)
        ground = re.search(r"background: @(\w+)", body)
        for below in [ground[1]] if ground else ["window", "base", "raised"]:
            checked += 1
            assert contrast(tokens[text[1]], tokens[below]) >= 4.5, (selector.strip(), below)
    assert checked > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scheme_is_applied(qapp: QApplication, scheme: style.Scheme) -> None:
    style.apply(qapp, scheme)
    assert style.is_dark() == (scheme == "dark")
    assert style.colours() is (style.DARK if scheme == "dark" else style.LIGHT)
    assert qapp.palette().window().color().name() == style.colours().window
    assert "@" not in qapp.styleSheet()


def test_the_system_decides_unless_told_otherwise(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    style.apply(qapp, "system")
    dark = qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark
    assert style.is_dark() == dark


def test_the_style_sheet_names_only_what_there_is() -> None:
    sheet = resources.path("style/boxscout.qss").read_text(encoding="utf-8")
    known = {field.name for field in fields(style.Colours)}
    assert set(re.findall(r"@(\w+)", sheet)) <= known
    for file in re.findall(r"url\(boxscout:([^)]+)\)", sheet):
        assert resources.path(file).is_file()


@pytest.mark.parametrize("name", ICONS)
def test_every_icon_is_drawn(name: str, qapp: QApplication) -> None:
    image = style.icon(name, "#ff0000").pixmap(QSize(24, 24), 2.0).toImage()
    assert image.width() == 48
    drawn = sum(image.pixelColor(x, y).alpha() > 128 for x in range(48) for y in range(48))
    assert drawn > 20


def test_an_icon_follows_light_and_dark(qapp: QApplication, qtbot: QtBot) -> None:
    button, action = QPushButton(), QAction()
    qtbot.addWidget(button)
    for target in (button, action):
        style.set_icon(target, "stop")

    def tint(icon: QIcon) -> str:
        image = icon.pixmap(QSize(24, 24), 1.0).toImage()
        return image.pixelColor(12, 12).name()

    assert {tint(button.icon()), tint(action.icon())} == {style.LIGHT.text}
    style.apply(qapp, "dark")
    assert {tint(button.icon()), tint(action.icon())} == {style.DARK.text}
    style.remove_icon(button)
    assert button.icon().isNull()


def test_gone_targets_are_forgotten(qapp: QApplication) -> None:
    import gc

    button = QPushButton()
    style.set_icon(button, "play")
    button.deleteLater()
    del button
    gc.collect()
    QApplication.processEvents()
    style.apply(qapp, "dark")


def test_an_ampersand_stays_one() -> None:
    assert style.without_mnemonic("Salt & pepper") == "Salt && pepper"


def test_colours_are_colours() -> None:
    for c in (style.LIGHT, style.DARK):
        assert all(QColor(value).isValid() and len(value) == 7 for value in asdict(c).values())


def test_resources_are_beside_the_code() -> None:
    assert resources.path("icons/boxscout.svg").is_file()
    assert isinstance(resources.path("x"), Path)


# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
_EYES = {
    "all colours": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "no red": (0.1523, 1.0526, -0.2049, 0.1145, 0.7863, 0.0992, -0.0039, -0.0481, 1.052),
    "no green": (0.3673, 0.8606, -0.228, 0.2801, 0.6725, 0.0474, -0.0118, 0.0429, 0.969),
    "no blue": (1.2555, -0.0767, -0.1788, -0.0784, 0.9308, 0.1476, 0.0047, 0.6914, 0.3039),
}


def _linear(colour: QColor) -> np.ndarray:
    share = np.array(colour.toTuple()[:3]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = to_xyz @ np.clip(linear, 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", _EYES)
def test_boxes_are_told_apart_by_colour_blind_eyes(eyes: str) -> None:
    """ten times in Lab that is just seen, between any two that a person says something by."""
    colours = style.OUTLINE_AUTOMATIC, style.OUTLINE_ACCEPTED, style.OUTLINE_EDITED, style.OUTLINE_TRUTH
    seen = [_lab(np.reshape(_EYES[eyes], (3, 3)) @ _linear(colour)) for colour in colours]
    apart = [np.linalg.norm(a - b) for a, b in combinations(seen, 2)]
    assert min(apart) > 23


def test_lines_and_words_over_photos_have_contrast() -> None:
    """3:1 for a line beside its dark one, 4.5:1 for words on a tag over a white photo (WCAG 2.1 AA)."""

    def light(linear: np.ndarray) -> float:
        return float(np.array([0.2126, 0.7152, 0.0722]) @ linear) + 0.05

    lines = style.OUTLINE_AUTOMATIC, style.OUTLINE_ACCEPTED, style.OUTLINE_EDITED, style.OUTLINE_REJECTED
    dark = light(_linear(style.OUTLINE_DARK))
    assert min(light(_linear(line)) / dark for line in lines) > 3
    tag = style.TAG_BACKGROUND
    ground = np.array(tag.toTuple()[:3]) * tag.alphaF() + 255 * (1 - tag.alphaF())
    assert light(_linear(style.TAG_TEXT)) / light(_linear(QColor(*ground.astype(int).tolist()))) > 4.5
