"""The commands for projects that no longer fit their files, or that are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.base.errors import DamagedProjectError, ProjectError
from core.cli.console import Bar, progress_bar, stop_on_signal
from core.cli.projects import existing_project
from core.cli.shared import AsJson, show
from core.project import resized
from core.project.claim import COMMAND, claim
from core.project.places import apply_move, find_moved, lost_folders
from core.project.rescue import rescue


def relocate(
    project: Annotated[Path, typer.Option("--project", help="The project whose images were moved.")],
    new: Annotated[Path, typer.Argument(help="The folder where they lie now.")],
    old: Annotated[
        Path | None,
        typer.Option("--from", help="Where they lay; needed only where several folders are gone."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the project where a folder of images lies now.

    Boxes, reviews and trainings stay.
    """
    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_relocate(project, new, old, bar=bar, cancelled=stop.is_set)
    show(result, as_json, result.pop("text"))


def repair(
    project: Annotated[Path, typer.Option("--project", help="The project that is damaged.")],
    as_json: AsJson = False,
) -> None:
    """Save what can be read of a damaged project.

    The damaged file is kept beside it.
    """
    try:
        existing_project(project, to_read=True).close()
    except DamagedProjectError:
        with claim(project, COMMAND):
            saved = rescue(project)
        result: dict[str, Any] = {
            "images": saved.images, "boxes": saved.boxes, "lost": saved.lost, "copy": str(saved.copy)
        }  # fmt: skip
        show(result, as_json, saved.sentence())
    else:
        show({"copy": None}, as_json, f"“{project.name}” is whole; nothing was changed.")


def run_relocate(path: Path, new: Path, old: Path | None, *, bar: Bar, cancelled: Any) -> dict[str, Any]:
    """Find the images of a lost folder in ``new``; ``text`` says how many there are."""
    bar.part("Looking", 1.0)
    with claim(path, COMMAND), existing_project(path) as project:
        root = old if old is not None else _only_lost(path, [one.root for one in lost_folders(project)])
        move = find_moved(project, root, new, on_progress=bar.count, cancelled=cancelled)
        apply_move(project, move)
        records = {record.id: str(record.path) for record in project.images()}
        former = resized.former_sizes(project)
    text = " ".join(filter(None, [move.sentence(), resized.summary(former)]))
    return {
        "text": text, "old": str(root), "new": str(move.new), "found": len(move.files) + len(move.sizes),
        "missing": [records[i] for i in move.missing], "other_size": [records[i] for i in move.sizes],
    }  # fmt: skip


def _only_lost(path: Path, lost: list[Path]) -> Path:
    if not lost:
        raise ProjectError(f"Every folder of “{path.name}” is where it was; name one with --from to move it.")
    if len(lost) > 1:
        names = ", ".join(f"“{root}”" for root in lost)
        raise ProjectError(f"Several folders of “{path.name}” are gone: {names}; name one with --from.")
    return lost[0]
