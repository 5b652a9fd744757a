"""A strip above the image that says one thing and offers what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app import style
from app.views.controls import plain_label

Offer = tuple[str, Callable[[], object]]


class NoticeBar(QFrame):
    """Hidden until there is something to say. It blocks nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        style.mark(self, "notice")
        self.text = plain_label()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # A long path must not hold the window wide.
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._sign = QLabel()
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(style.MARGIN, style.SPACING, style.MARGIN, style.SPACING)
        self._row.setSpacing(style.SPACING)
        self._row.addWidget(self._sign)
        self._row.addWidget(self.text, 1)
        self.hide()

    def say(self, text: str, offers: Sequence[Offer] = (), *, sign: str = "warning") -> None:
        """Show ``text`` with a button for each of ``offers``, the first one as the usual answer."""
        if not text:
            self.hide()
            return
        if text == self.text.text() and not self.isHidden():
            return  # a button may have the focus
        colour = style.colours().warning if sign == "warning" else style.colours().accent
        icon = style.icon(sign, colour)
        self._sign.setPixmap(icon.pixmap(QSize(style.ICON_SIZE, style.ICON_SIZE), self.devicePixelRatioF()))
        self.text.setText(text)
        self.setAccessibleName(text)
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = [self._button(*offer) for offer in offers]
        if self.buttons:
            style.mark(self.buttons[0], "primary")
        self.show()

    def _button(self, title: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(title, self)
        button.clicked.connect(lambda: slot())
        self._row.addWidget(button)
        button.show()
        return button
