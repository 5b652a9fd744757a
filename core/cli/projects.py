"""How commands open the project that they are given: to read it, to change it, or to make it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.base.errors import ProjectError
from core.project.claim import COMMAND, claim
from core.project.file import absolute
from core.project.migration import FILES
from core.project.store import Project
from core.project.workflow import command_line


def existing_project(path: Path, *, to_read: bool = False) -> Project:
    """Open the project at ``path``; ProjectError where there is none.

    ``to_read`` opens one that may not be changed as well.
    """
    if not path.exists():
        line = command_line("train PHOTOS", path)
        raise ProjectError(f"There is no project at {path}; run 'train' first: {line}")
    return Project.open_to_read(path) if to_read else Project.open(path)


@contextmanager
def project_to_train(path: Path) -> Iterator[Project]:
    """The project at ``path``, claimed, and made where there is none.

    One that is made here goes again where the body fails before anything was learned: a mistyped folder
    leaves no empty project behind.
    """
    path = absolute(path)
    with claim(path, COMMAND):
        data = path.with_name(f"{path.name}-data")
        made = [place for place in (path, data) if not os.path.lexists(place)]
        learned = _trainings(data)
        try:
            with Project.open_or_create(path) as project:
                yield project
        except BaseException:
            if path in made and _trainings(data) == learned:
                _remove(made)
            raise


def _trainings(data: Path) -> dict[Path, int]:
    files = (file for name in FILES.values() for file in data.rglob(name))
    return {file: file.stat().st_mtime_ns for file in files if file.exists()}


def _remove(places: list[Path]) -> None:
    for place in places:
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            with suppress(OSError):  # a read-only disk says that it is one even of what is not there
                place.unlink()
