"""Draw the project's trainings in their row of the panel."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.models.session import Session
from app.models.training import Kind
from app.views.runs_picker import RunOption, RunsPicker, RunsState
from core.base.language import tr
from core.project.runs import Run


class RunsPresenter(QObject):
    """Keeps the row as the session says."""

    def __init__(self, session: Session, picker: RunsPicker, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._picker = session, picker
        for changed in (
            session.runs.changed,
            session.training_changed,
            session.activity_changed,
            session.results.labelled_changed,
            session.results.kind_changed,
            session.project_changed,
        ):
            changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        session, runs, kind = self._session, self._session.runs, self._session.results.kind
        shown, current = runs.of(kind), runs.current
        running = session.training.phase.running or session.results.labelled.phase.running
        idle = not (running or session.activities or session.only_looks)
        other = shown is not None and not shown.current
        is_ready = shown is not None and shown.id in runs.listed.ready
        self._picker.box.setEnabled(not running)
        self._picker.set_state(
            RunsState(
                options=tuple(RunOption(run.id, _title(run)) for run in reversed(runs.listed.runs)),
                shown=None if shown is None else shown.id,
                source="" if current is None else self._source(current, shown, running),
                can_take=idle and other and is_ready,
                can_find=idle and other and not is_ready and current is not None,
                can_delete=idle and other,
            )
        )

    def _source(self, current: Run, shown: Run | None, running: bool) -> str:
        text = tr("The boxes come from {run}.").format(run=current.name)
        if shown is not None and shown.id != current.id:
            text += " " + tr("Dashed: what {run} finds, for now.").format(run=shown.name)
        return text


def _title(run: Run) -> str:
    parts = [run.name, run.day, tr("Class labels") if run.kind == Kind.CAM.value else ""]
    parts.append(tr("boxes in use") if run.current else "" if run.finished else tr("not finished"))
    return " · ".join(filter(None, parts))
