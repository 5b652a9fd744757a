"""One line of keys and what they do, for people who look through images without a mouse on buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app import style
from app.views.controls import plain_label, push_button
from app.views.layouts import clear_layout, hbox
from core.base.language import tr


class KeyBar(QWidget):
    """Keys on the left, as many as there is room for; on the right the way out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hints: list[QWidget] = []
        self._texts: tuple[tuple[str, str], ...] = ()
        self._row = QHBoxLayout()
        self._row.setSpacing(style.MARGIN)
        self.leave = push_button(tr("Leave review mode"), role="link")
        margins = (style.MARGIN, style.GAP, style.SPACING, style.GAP)
        hbox(self._row, (QWidget(), 1), self.leave, on=self, margins=margins, spacing=style.SPACING)

    def set_hints(self, hints: Sequence[tuple[str, str]]) -> None:
        """Show keys, as this system writes them, each with what it does."""
        if tuple(hints) == self._texts:
            return
        self._texts = tuple(hints)
        clear_layout(self._row)
        self._hints = []
        for key, text in hints:
            hint = QWidget()
            hbox(plain_label(key, "key"), plain_label(text, "muted"), on=hint, spacing=style.GAP)
            self._row.addWidget(hint)
            self._hints.append(hint)
        self.setAccessibleName(", ".join(f"{key}: {text}" for key, text in hints))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - self.leave.sizeHint().width() - 2 * style.MARGIN - 2 * style.SPACING
        for hint in self._hints:
            room -= hint.sizeHint().width() + style.MARGIN
            hint.setVisible(room >= 0)
