"""All commands with their keys, menu by menu, to read."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QSizePolicy, QWidget

from app import actions, style
from app.actions import ActionSpec
from app.views.controls import FitScroll, plain_label
from app.views.layouts import hbox, vbox
from core.base.language import tr

_HIGHEST = 720
_BAR = 16  # pixels for a scroll bar beside the keys


class ShortcutsDialog(QDialog):
    """Two columns of menus, each with a heading and a row for every command that has a key."""

    def __init__(self, made: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        self._made = made
        self._key_width = max(
            (self.fontMetrics().horizontalAdvance(actions.key_text(action)) for action in made.values()),
            default=0,
        )
        page = QWidget()
        left, right = self._halves()
        hbox(left, right, on=page, margins=(0, 0, _BAR, 0), spacing=4 * style.SPACING)
        scroll = FitScroll(page)
        scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        scroll.setMinimumWidth(page.sizeHint().width())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        margin = 2 * style.MARGIN
        vbox((scroll, 1), buttons, on=self, margins=margin, spacing=2 * style.SPACING)
        others = 2 * margin + 2 * style.SPACING + buttons.sizeHint().height()
        self.resize(self.sizeHint().width(), min(page.sizeHint().height() + others, _HIGHEST))

    def _halves(self) -> tuple[QWidget, QWidget]:
        """The menus in two columns of about the same height."""
        menus = {menu: self._with_keys(menu) for menu in actions.menu_titles()}
        rows = sum(len(specs) + 1 for specs in menus.values())
        halves: tuple[list[str], list[str]] = [], []
        above = 0
        for menu, specs in menus.items():
            halves[above + (len(specs) + 1) / 2 > rows / 2].append(menu)
            above += len(specs) + 1
        return self._column(halves[0], menus), self._column(halves[1], menus)

    def _with_keys(self, menu: str) -> list[ActionSpec]:
        return [spec for spec in actions.ACTIONS if spec.menu == menu and self._made[spec.id].shortcuts()]

    def _column(self, names: list[str], menus: Mapping[str, list[ActionSpec]]) -> QWidget:
        column = QWidget()
        grid = QGridLayout(column)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(3 * style.SPACING)
        grid.setVerticalSpacing(style.GAP)
        grid.setColumnMinimumWidth(1, self._key_width)
        titles = actions.menu_titles()
        row = 0
        for name in names:
            if row:
                grid.setRowMinimumHeight(row, style.SPACING)
            grid.addWidget(plain_label(titles[name], "title"), row + 1, 0, 1, 2)
            row += 2
            for spec in menus[name]:
                grid.addWidget(plain_label(actions.plain_title(spec).rstrip("…")), row, 0)
                grid.addWidget(plain_label(actions.key_text(self._made[spec.id]), "muted"), row, 1)
                row += 1
        grid.setRowStretch(row, 1)
        grid.setColumnStretch(0, 1)
        return column
