"""The open project's trainings, and which of each kind the panel shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from app.models.training import Kind
from core.project.corrections import PRESET
from core.project.results import is_complete
from core.project.runs import Run, lost_run, lost_sentence, runs
from core.project.store import Project
from core.project.teaching import taught_from


@dataclass(frozen=True, slots=True)
class Listed:
    """All ``runs`` of which there is anything, and the ids of those whose boxes are ``ready`` to be taken.

    ``taught`` is how many reviewed images have taught at most. ``lost`` says that nothing of what was learned
    is there any more; empty where it is, and where nothing was.
    """

    runs: tuple[Run, ...] = ()
    ready: frozenset[int] = frozenset()
    taught: int = 0
    lost: str = ""

    @property
    def taught_runs(self) -> frozenset[int]:
        """The ids of those that corrections have taught."""
        return frozenset(run.id for run in self.runs if run.preset == PRESET)


class Runs(QObject):
    """Controllers change it, views are told."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.listed = Listed()
        self._shown: dict[Kind, int] = {}

    def reset(self) -> None:
        self._shown.clear()
        self.set_listed(Listed())

    def set_listed(self, listed: Listed) -> None:
        self.listed = listed
        self.changed.emit()

    def show(self, run: Run) -> None:
        """Let the panel show this run; it may be one that has just begun."""
        self._shown[Kind(run.kind)] = run.id
        if self.find(run.id) is None:
            self.listed = replace(self.listed, runs=(*self.listed.runs, run))
        self.changed.emit()

    def set_current(self, run_id: int) -> None:
        """The boxes come from this run now; what others have found is listed a moment later."""
        runs = tuple(replace(run, current=run.id == run_id) for run in self.listed.runs)
        self.set_listed(Listed(runs, taught=self.listed.taught))

    def find(self, run_id: int | None) -> Run | None:
        return next((run for run in self.listed.runs if run.id == run_id), None)

    @property
    def current(self) -> Run | None:
        return next((run for run in self.listed.runs if run.current), None)

    def of(self, kind: Kind) -> Run | None:
        """The run of this kind that is shown: the chosen one, else the current one, else the newest."""
        return self.find(self._shown.get(kind)) or default_run(self.listed.runs, kind)

    def is_provisional(self, kind: Kind) -> bool:
        """Whether the boxes come from another run than the one that is shown."""
        shown, current = self.of(kind), self.current
        return shown is not None and current is not None and shown.id != current.id


def default_run(all_runs: Sequence[Run], *kinds: Kind) -> Run | None:
    """Of these kinds the run whose boxes are shown, else the newest."""
    own = [run for run in all_runs if Kind(run.kind) in kinds]
    return next((run for run in own if run.current), own[-1] if own else None)


def read_runs(project: Project) -> Listed:
    known = tuple(run for run in runs(project) if run.is_saved or run.current)
    ready = (run.id for run in known if not run.current and is_complete(project, run))
    lost = lost_run(project)
    told = "" if lost is None else lost_sentence(project, lost)
    return Listed(known, frozenset(ready), taught_from(project), told)
