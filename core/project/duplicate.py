"""A copy of a project under another name, with what its runs have learned."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from core.base.atomic import os_errors
from core.base.errors import ProjectError
from core.base.language import tr
from core.project.migration import RUNS, data_folder
from core.project.runs import runs

if TYPE_CHECKING:
    from core.project.store import Project, ProjectView


def save_copy(project: Project, view: ProjectView, path: Path) -> None:
    """Save ``project`` as ``path``, seen as ``view`` has it. Caches stay behind; they are made anew.

    Raises
    ------
    ProjectError
        As :meth:`core.project.database.Database.backup`, or what was learned cannot be copied.
    """
    project.save_view(view)
    project.backup(path)
    old, new = data_folder(project.path), data_folder(path)
    text = tr("“{name}” was saved without what was learned: {reason}.")
    with os_errors(ProjectError, text, name=path.name):
        shutil.rmtree(new / RUNS, ignore_errors=True)  # of a project that had this name before
        for run in runs(project):
            place = new / run.folder.relative_to(old)
            if run.folder != old and run.folder.is_dir():
                shutil.copytree(run.folder, place)
            elif run.is_saved:  # of a project of the first version
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy2(run.file, place)
