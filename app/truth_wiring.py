"""The part of the window that is about truth: the panel, the curve, true boxes, and taking them away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow

from app.controllers.workbench import Workbench
from app.views import dialogs
from app.views.accuracy_panel import AccuracyPanel
from app.views.canvas_bar import CanvasBar
from app.views.dock import add_dock
from app.views.image_canvas import ImageCanvas
from app.views.truth_presenter import TruthPresenter
from core.base.language import tr
from core.project.browse import Order
from core.project.exchange import ImportSummary


class TruthWiring(QObject):
    """Shows its panel once truth has come in, and hides it when there is none any more."""

    def __init__(self, bench: Workbench, canvas: ImageCanvas, bar: CanvasBar, window: QMainWindow) -> None:
        super().__init__(window)
        self._bench, self._window = bench, window
        self._actions: Mapping[str, QAction] = {}
        self._had_truth = False
        self.panel = AccuracyPanel()
        self.dock = add_dock(window, "accuracy_dock", tr("Accuracy"), self.panel)
        self.panel.windowTitleChanged.connect(self._name)
        TruthPresenter(bench.session, self.panel, bar.threshold_plot, canvas, self)
        self.panel.worst_first_requested.connect(self._worst_first)
        self.panel.remove_requested.connect(bench.measuring.remove_truth)
        bench.importing.truth_imported.connect(self._on_imported)

    def handlers(self) -> dict[str, Callable[..., None]]:
        """What the actions do, by their ids."""
        session = self._bench.session
        return {
            "show_truth": lambda on: session.change_view(show_truth=on),
            "show_accuracy": self.dock.setVisible,
            "remove_truth": self._bench.measuring.remove_truth,
            "worst_first": self._worst_first,
        }

    def connect(self, actions: Mapping[str, QAction]) -> None:
        session = self._bench.session
        self._actions = actions
        session.measures.changed.connect(self._update)
        session.project_changed.connect(self._update)
        session.view_changed.connect(self._update)
        self.dock.visibilityChanged.connect(self._update)
        self._update()

    def _update(self) -> None:
        session = self._bench.session
        has_truth = session.measures.standing is not None
        if has_truth != self._had_truth:
            self._had_truth = has_truth
            self.dock.setVisible(has_truth)
            self._window.resizeDocks([self.dock], [1], Qt.Orientation.Vertical)  # no higher than it must be
        for name in ("show_truth", "worst_first"):
            self._actions[name].setEnabled(has_truth)
        self._actions["remove_truth"].setEnabled(has_truth and not session.only_looks)
        self._actions["show_accuracy"].setEnabled(session.project is not None)
        for name, on in (
            ("show_truth", session.view.show_truth),
            ("show_accuracy", not self.dock.isHidden()),
        ):
            action = self._actions[name]
            if action.isChecked() != on:
                action.blockSignals(True)
                action.setChecked(on)
                action.blockSignals(False)

    def _name(self, what: str) -> None:
        name = tr("Accuracy")
        self.dock.setWindowTitle(f"{name}: {what}" if what else name)

    def _on_imported(self, summary: ImportSummary) -> None:
        dialogs.show_imported(self._window, summary)

    def _worst_first(self) -> None:
        session = self._bench.session
        session.change_view(browse=replace(session.view.browse, order=Order.WORST, descending=False))
