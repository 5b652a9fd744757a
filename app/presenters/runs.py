"""Draw the project's trainings in their row of the panel."""

from __future__ import annotations

from app.controllers.workbench import Workbench
from app.models.training import Kind
from app.presenters.part import Presenter
from app.views import dialogs
from app.views.runs_picker import RunOption, RunsPicker, RunsState
from app.wiring import follow
from core.base.language import tr
from core.project.runs import Run


class RunsPresenter(Presenter):
    """Draws and wires the row."""

    def __init__(self, bench: Workbench, picker: RunsPicker) -> None:
        super().__init__(bench, picker)
        self._picker, session = picker, self._session
        picker.chosen.connect(bench.runs.show)
        picker.take_requested.connect(bench.runs.take)
        picker.find_requested.connect(lambda: bench.localization.find_boxes())
        picker.delete_requested.connect(self._ask_to_delete)
        jobs = session.learning.changed, session.activity_changed, session.project_changed
        follow(self._show, session.runs.changed, session.results.labelled.changed, *jobs)
        follow(self._show, session.results.kind_changed)
        self._show()

    def _ask_to_delete(self, run_id: int) -> None:
        run = self._session.runs.find(run_id)
        if run is not None:
            dialogs.ask_to_delete(self._picker.window(), run.name, lambda: self._bench.runs.delete(run_id))

    def _show(self) -> None:
        session, runs, kind = self._session, self._session.runs, self._session.results.kind
        shown, current = runs.of(kind), runs.current
        running = session.is_training
        idle = not (running or session.activities or session.only_looks)
        other = shown is not None and not shown.current
        is_ready = shown is not None and shown.id in runs.listed.ready
        self._picker.box.setEnabled(not running)
        self._picker.set_state(
            RunsState(
                options=tuple(RunOption(run.id, _title(run)) for run in reversed(runs.listed.runs)),
                shown=None if shown is None else shown.id,
                source="" if current is None else _source(current, shown),
                can_take=idle and other and is_ready,
                can_find=idle and other and not is_ready and current is not None,
                can_delete=idle and other,
            )
        )


def _source(current: Run, shown: Run | None) -> str:
    text = tr("The boxes come from {run}.").format(run=current.name)
    if shown is not None and shown.id != current.id:
        text += " " + tr("Dashed: boxes found by {run}.").format(run=shown.name)
    return text


def _title(run: Run) -> str:
    kinds = {Kind.CAM.value: tr("Class labels"), Kind.FEATURES.value: tr("Frozen features")}
    parts = [run.name, run.day, kinds.get(run.kind, "")]
    parts.append(tr("boxes in use") if run.current else "" if run.finished else tr("not finished"))
    return " · ".join(filter(None, parts))
