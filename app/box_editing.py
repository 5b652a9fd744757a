"""Wires the canvas to the workbench: boxes, undo, and how the image is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.controllers.workbench import Workbench
from app.views.box_editor import Change, Delete, Draw, Intent
from app.views.canvas_bar import CanvasBar
from app.views.class_chooser import ClassChooser
from app.views.display_popup import DisplayPopup
from app.views.image_canvas import ImageCanvas
from app.views.status_strip import StatusStrip
from core.base.language import tr
from core.images.display import Display

_MENU = ("draw", "class", "delete_box", "zoom_to_box", "", "automatic", "clear")


class BoxEditing(QObject):
    """The part of the window that is about the image in view."""

    def __init__(
        self, bench: Workbench, canvas: ImageCanvas, bar: CanvasBar, strip: StatusStrip, window: QWidget
    ) -> None:
        super().__init__(window)
        self._bench, self._canvas, self._bar, self._strip = bench, canvas, bar, strip
        self._actions: Mapping[str, QAction] = {}
        self.chooser = ClassChooser(window)
        self.popup = DisplayPopup(window)
        self.menu = QMenu(window)
        self._labelled = 0

    def handlers(self) -> dict[str, Callable[..., None]]:
        """What the actions do, by their ids."""
        session, editing, canvas = self._bench.session, self._bench.editing, self._canvas
        return {
            "undo": editing.undo,
            "redo": editing.redo,
            "draw": canvas.start_drawing,
            "class": self._choose_class,
            "next_box": canvas.select_next_box,
            "previous_box": lambda: canvas.select_next_box(-1),
            "delete_box": canvas.delete_selected,
            "clear": editing.clear,
            "automatic": editing.replace_by_automatic,
            "threshold_of_many": self._bench.browsing.set_threshold_of_many,
            "zoom_to_box": canvas.zoom_to_box,
            "side_by_side": lambda on: session.change_view(side_by_side=on),
            "display": self._show_display,
            "plain_display": lambda: self._set_display(Display()),
        }

    def connect(self, actions: Mapping[str, QAction]) -> None:
        session, canvas, bar, editing = self._bench.session, self._canvas, self._bar, self._bench.editing
        self._actions = actions
        for name in _MENU:
            if name:
                self.menu.addAction(actions[name])
            else:
                self.menu.addSeparator()
        canvas.edit_asked.connect(self._on_edit_asked)
        canvas.drag_changed.connect(self._strip.set_drag)
        canvas.menu_asked.connect(lambda at: self.menu.popup(at))
        canvas.selection_changed.connect(self.update)
        self.chooser.chosen.connect(lambda label: editing.relabel(self._labelled, label))
        self.popup.changed.connect(self._set_display)
        bar.threshold_held.connect(editing.hold)
        bar.threshold_settled.connect(editing.settle)
        bar.side_by_side_toggled.connect(lambda on: session.change_view(side_by_side=on))
        bar.display_requested.connect(self._show_display)
        for changed in (
            editing.history_changed,
            session.boxes_changed,
            session.current_changed,
            session.selection_changed,
            session.project_changed,
        ):
            changed.connect(self.update)
        session.view_changed.connect(self._check)
        self.update()
        self._check()

    def update(self) -> None:
        """Which commands make sense now, what undo would take back, and the sides of the selected box."""
        session, editing, canvas = self._bench.session, self._bench.editing, self._canvas
        boxes, is_kept = bool(session.boxes), not session.only_looks
        is_shown = canvas.viewport_state is not None
        enabled = {
            "undo": bool(editing.undo_text),
            "redo": bool(editing.redo_text),
            **dict.fromkeys(("display", "plain_display", "side_by_side"), is_shown),
            **dict.fromkeys(("next_box", "previous_box", "zoom_to_box"), is_shown and boxes),
            **dict.fromkeys(("class", "clear"), is_shown and boxes and is_kept),
            "draw": is_shown and is_kept,
            "delete_box": canvas.selected_box is not None and is_kept,
            "automatic": session.held and is_kept,
            "threshold_of_many": len(session.selection) > 1 and session.heat_map is not None,
        }
        for name, on in enabled.items():
            self._actions[name].setEnabled(on)
        for name, title, what in (
            ("undo", tr("&Undo"), editing.undo_text),
            ("redo", tr("&Redo"), editing.redo_text),
        ):
            self._actions[name].setText(f"{title}: {what}" if what else title)
        self._strip.set_boxes(session.boxes, canvas.selected_box)

    def _check(self) -> None:
        action, on = self._actions["side_by_side"], self._bench.session.view.side_by_side
        if action.isChecked() != on:
            action.blockSignals(True)
            action.setChecked(on)
            action.blockSignals(False)

    def _on_edit_asked(self, intent: Intent) -> None:
        editing = self._bench.editing
        if isinstance(intent, Draw):
            editing.draw(intent.box)
        elif isinstance(intent, Change):
            editing.change(intent.index, intent.box, nudged=intent.nudged)
        elif isinstance(intent, Delete):
            editing.delete(intent.index)

    def _choose_class(self) -> None:
        """For the selected box, else for the first."""
        if not self._canvas.boxes:
            return
        self._labelled = self._canvas.selected_box or 0
        record = self._canvas.boxes[self._labelled]
        self.chooser.ask(self._bench.editing.labels(), record.label, self._canvas.place_of(self._labelled))

    def _show_display(self) -> None:
        button = self._bar.display_button
        above = button.mapToGlobal(QPoint(0, 0)) - QPoint(0, self.popup.sizeHint().height())
        self.popup.ask(self._bench.session.view.display, above)

    def _set_display(self, display: Display) -> None:
        self._bench.session.change_view(display=display)
