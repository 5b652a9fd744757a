"""A strip above the image that says one thing and offers what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QWidget

from app import style
from app.views.controls import plain_label, push_button
from app.views.layouts import hbox

Offer = tuple[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Notice:
    """What the strip says, and what it offers; an empty text for nothing."""

    text: str
    offers: tuple[Offer, ...] = ()
    sign: str = "warning"


class NoticeBar(QFrame):
    """Hidden until there is something to say. It blocks nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign, self._sign_name = QLabel(), "warning"
        style.mark(self, "notice")
        self.text = plain_label(wrap=True, selectable=True)
        # A long path must not hold the window wide.
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.buttons: list[QPushButton] = []
        self._row = hbox(
            self._sign,
            (self.text, 1),
            on=self,
            margins=(style.MARGIN, style.GAP, style.MARGIN, style.GAP),
            spacing=style.SPACING,
        )
        self.hide()

    def say(self, text: str, offers: Sequence[Offer] = (), *, sign: str = "warning") -> None:
        """Show ``text`` with a button for each of ``offers``, the first one as the usual answer."""
        if not text:
            self.hide()
            return
        titles = [title for title, _ in offers]
        is_same = text == self.text.text() and titles == [button.text() for button in self.buttons]
        if is_same and not self.isHidden():
            return  # a button may have the focus
        self._sign_name = sign
        self._draw_sign()
        self.text.setText(text)
        self.setAccessibleName(text)
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = [push_button(*offer) for offer in offers]
        for button in self.buttons:
            self._row.addWidget(button)
        if self.buttons:
            style.mark(self.buttons[0], "primary")
        self.show()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_sign()
        super().changeEvent(event)

    def _draw_sign(self) -> None:
        colours = style.colours()
        colour = colours.warning if self._sign_name == "warning" else colours.accent
        icon = style.icon(self._sign_name, colour)
        self._sign.setPixmap(icon.pixmap(QSize(style.ICON_SIZE, style.ICON_SIZE), self.devicePixelRatioF()))
