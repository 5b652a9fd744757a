"""Connects the panel on the right with the trainings and with the choice of what heat maps come from."""

from __future__ import annotations

from app.controllers.workbench import Workbench
from app.models.training import Kind
from app.views import dialogs
from app.views.runs_presenter import RunsPresenter
from app.views.train_panel import TrainPanel
from app.views.train_presenter import SourcePresenter, TrainPresenter
from core.base.errors import BoxscoutError


def connect_training(bench: Workbench, panel: TrainPanel) -> None:
    """Intent goes from the panel to the workbench, state from the session to the panel."""
    TrainPresenter(bench.session, panel, panel)
    SourcePresenter(bench.session, panel, panel)
    RunsPresenter(bench.session, panel.runs, panel)
    results = bench.session.results

    def count_folders() -> None:
        if results.kind is Kind.CAM and bench.session.images.total:
            bench.class_training.count_folders()

    def look() -> None:
        try:
            bench.training.look(panel.form.config())
        except BoxscoutError:
            return  # the form says so

    def ask_to_delete(run_id: int) -> None:
        run = bench.session.runs.find(run_id)
        if run is not None:
            dialogs.ask_to_delete(panel.window(), run.name, lambda: bench.runs.delete(run_id))

    panel.kind_chosen.connect(lambda kind: results.set_kind(Kind(kind)))
    panel.start_requested.connect(bench.start_training)
    panel.resume_requested.connect(lambda: bench.resume_training(panel.config()))
    panel.pause_requested.connect(lambda: bench.run.pause())
    panel.unpause_requested.connect(lambda: bench.run.unpause())
    panel.stop_requested.connect(lambda: bench.run.stop())
    panel.source.chosen.connect(bench.localization.choose)
    panel.source.unit_chosen.connect(bench.localization.choose_unit)
    panel.runs.chosen.connect(bench.runs.show)
    panel.runs.take_requested.connect(bench.runs.take)
    panel.runs.find_requested.connect(bench.localization.find_boxes)
    panel.runs.delete_requested.connect(ask_to_delete)
    panel.gallery.real_wanted.connect(look)
    results.kind_changed.connect(count_folders)
    bench.session.activity_changed.connect(lambda: None if bench.session.activities else count_folders())
