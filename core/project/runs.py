"""A project's trainings: each is a run with a place of its own, and stays until a person deletes it.

Boxes and heat maps in the project itself are those of the *current* run. What another run finds lies in
its own folder (:mod:`core.project.results`) until a person takes it.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.base.atomic import is_temporary
from core.base.errors import ProjectError
from core.base.language import tr
from core.project.file import from_db, make_folder, to_db
from core.project.migration import FILES, RUNS, data_folder

if TYPE_CHECKING:
    from core.project.store import Project

_COLUMNS = "id, name, created, kind, preset, folder, finished, current"


@dataclass(frozen=True, slots=True)
class Run:
    """One training of a project.

    ``created`` is in seconds since 1970, ``kind`` a key of :data:`core.project.migration.FILES`, ``preset``
    what it was set up from, empty where that is not known. ``folder`` holds the files of its training. It is
    ``finished`` once its training has come to its end. ``current`` says that the project's boxes are its.
    """

    id: int
    name: str
    created: int
    kind: str
    preset: str
    folder: Path
    finished: bool
    current: bool

    @property
    def file(self) -> Path:
        """What its training is saved in."""
        return self.folder / FILES[self.kind]

    @property
    def is_saved(self) -> bool:
        """Whether anything of its training is there."""
        return self.file.exists()

    @property
    def day(self) -> str:
        """The day it was begun on, such as 2026-11-30; empty where that is not known."""
        return datetime.fromtimestamp(self.created).strftime("%Y-%m-%d") if self.created else ""


def runs(project: Project) -> list[Run]:
    """All runs of ``project``, the oldest first."""
    rows = project.select(f"SELECT {_COLUMNS} FROM run ORDER BY id")
    return [_run(project, row) for row in rows if row[3] in FILES]


def run_of(project: Project, run_id: int) -> Run:
    """One run by its id; ProjectError where there is none."""
    found = next((run for run in runs(project) if run.id == run_id), None)
    if found is None:
        raise ProjectError(
            tr("Run {number} is not in “{name}” any more.").format(number=run_id, name=project.path.name)
        )
    return found


def current_run(project: Project) -> Run | None:
    """The run that the project's boxes come from; None before the first boxes."""
    return next((run for run in runs(project) if run.current), None)


def newest_run(project: Project, kind: str) -> Run | None:
    """The newest run of this ``kind`` that is saved; None where there is none."""
    return next(iter(_saved(project, kind)), None)


def newest_finished_run(project: Project, kind: str) -> Run | None:
    """The newest run of this ``kind`` whose training came to its end; where none did, the newest one."""
    saved = _saved(project, kind)
    return next((run for run in saved if run.finished), saved[0] if saved else None)


def newest_to_resume(project: Project, kind: str, preset: str | None) -> Run | None:
    """The newest saved run of this ``kind`` to go on with: of ``preset`` where one is named.

    What was begun in the window, or in a former version, may have been of any preset.
    """
    return next((run for run in _saved(project, kind) if not preset or run.preset in ("", preset)), None)


def _saved(project: Project, kind: str) -> list[Run]:
    """The saved runs of this ``kind``, the newest first."""
    return [run for run in reversed(runs(project)) if run.kind == kind and run.is_saved]


def lost_run(project: Project, kind: str | None = None) -> Run | None:
    """Where nothing that was learned is there any more, the run that had come to its end or made the boxes.

    Of ``kind`` where one is named. The folder for what is too large for the project file was left behind,
    as a rule; boxes and heat maps are in the project itself.
    """
    own = [run for run in runs(project) if kind in (None, run.kind)]
    if any(run.is_saved for run in own):
        return None
    return next((run for run in reversed(own) if run.current or run.finished), None)


def lost_sentence(project: Project, run: Run) -> str:
    """What a person is told where what ``run`` has learned is gone."""
    return tr(
        "What {run} learned is missing: the folder “{folder}” beside the project held it. Boxes and heat "
        "maps are still here."
    ).format(run=run.name, folder=data_folder(project.path).name)


def begin_run(project: Project, kind: str, *, preset: str = "") -> Run:
    """A new run, with its folder; all others stay as they are.

    Raises
    ------
    ProjectError
        The folder cannot be made.
    """
    with project.transaction() as db:
        row = db.execute(
            "INSERT INTO run (created, kind, preset, folder) VALUES (?, ?, ?, '')",
            (int(time.time()), kind, to_db(preset)),
        )
        run_id = int(row.lastrowid or 0)
        folder = f"{RUNS}/{run_id}"
        db.execute("UPDATE run SET folder = ? WHERE id = ?", (folder, run_id))
        make_folder(project.data_dir / folder, shown=folder)
    return run_of(project, run_id)


def set_finished(project: Project, run: Run, *, finished: bool = True) -> None:
    """Say whether the training of ``run`` has come to its end."""
    with project.transaction() as db:
        db.execute("UPDATE run SET finished = ? WHERE id = ?", (int(finished), run.id))


def set_current(project: Project, run: Run | None) -> None:
    """Say that the project's boxes are those of ``run``."""
    with project.transaction() as db:
        db.execute("UPDATE run SET current = (id = ?)", (0 if run is None else run.id,))


def delete_run(project: Project, run: Run) -> None:
    """Delete ``run`` with its training, its snapshots and all that it found; boxes of the project stay.

    Raises
    ------
    ProjectError
        The project's boxes are its.
    """
    if run_of(project, run.id).current:
        raise ProjectError(
            tr("The boxes come from {run}: take those of another run before you delete it.").format(
                run=run.name
            )
        )
    with project.transaction() as db:
        db.execute("DELETE FROM run WHERE id = ?", (run.id,))
    _remove_files(project, run)


def forget_if_empty(project: Project, run: Run) -> None:
    """Delete a run that was begun and has learned nothing."""
    if not run.is_saved and not run_of(project, run.id).current:
        delete_run(project, run)


def forget_killed(project: Project) -> None:
    """Delete the runs whose program was killed before it saved anything; nothing may be training meanwhile.

    Their folders are empty. One that is missing says nothing: it may come back with its disk.
    """
    for run in runs(project):
        if run.folder.is_dir() and all(map(is_temporary, run.folder.iterdir())):
            forget_if_empty(project, run)


def _remove_files(project: Project, run: Run) -> None:
    data = data_folder(project.path)
    if run.folder == data:  # of a project of the first version, beside what is not its own
        run.file.unlink(missing_ok=True)
        if run.kind == "gan":
            shutil.rmtree(data / "snapshots", ignore_errors=True)
    shutil.rmtree(data / RUNS / str(run.id), ignore_errors=True)


def _run(project: Project, row: tuple[Any, ...]) -> Run:
    run_id, name, created, kind, preset, folder, finished, current = row
    shown = from_db(name) or tr("Run {number}").format(number=run_id)
    place = data_folder(project.path) / folder
    return Run(run_id, shown, created, kind, from_db(preset), place, bool(finished), bool(current))
