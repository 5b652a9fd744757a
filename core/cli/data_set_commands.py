"""What is done with a data set once it has boxes; results are plain dictionaries, fit for JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

from core import PROGRAM
from core.base.errors import Cancelled
from core.base.language import short
from core.cli.console import Bar
from core.cli.job import images_text
from core.cli.projects import existing_project, project_to_train
from core.formats import FORMATS, Selection, WriteOptions
from core.project.workflow import command_line
from core.scale.dataset import open_data_set
from core.scale.exporting import NONE, export_data_set, reviewed_in
from core.scale.review import add_sample, choose

_SHOWN = 5


def run_export_data_set(
    folder: Path,
    format_name: str,
    out: Path,
    *,
    selection: Selection,
    options: WriteOptions,
    reviewed: Path | None,
    bar: Bar,
    stop: Event,
) -> dict[str, Any]:
    """Write the boxes of the data set in ``folder``; ``text`` says what was written."""

    def on_image(done: int, total: int) -> None:
        if stop.is_set():
            raise Cancelled("Stopped; nothing was exported.")
        bar.count(done, total)

    data_set, said = open_data_set(folder), NONE
    if reviewed is not None:
        with existing_project(reviewed, to_read=True) as project:
            said = reviewed_in(project)
    bar.part("Writing", 1.0)
    summary = export_data_set(
        data_set, out,
        format=FORMATS[format_name], selection=selection, options=options, reviewed=said, on_image=on_image,
    )  # fmt: skip
    return {"text": "\n".join(summary.lines()), "reviewed": len(said), **summary.to_dict()}


def run_sample(
    folder: Path, path: Path, count: int, *, is_least_sure: bool, seed: int, bar: Bar, stop: Event
) -> dict[str, Any]:
    """Put ``count`` images of the data set in ``folder`` into the project at ``path``."""

    def on_image(done: int, total: int) -> None:
        if stop.is_set():
            raise Cancelled("Stopped; the project is as it was.")
        bar.count(done, total)

    data_set = open_data_set(folder)
    bar.part("Choosing", 0.5)
    chosen = choose(data_set, count, is_least_sure=is_least_sure, seed=seed)
    bar.part("Reading", 0.5)
    with project_to_train(path) as project:
        found = add_sample(project, data_set, chosen, on_image=on_image)
    told = [f"{images_text(found.images)} of {folder} are in {path} now, with their boxes."]
    told += [f"Left out “{short(one.name)}”: {one.reason}." for one in found.left_out[:_SHOWN]]
    more = len(found.left_out) - _SHOWN
    told += [f"Left out for such reasons too: {more:,}."] if more > 0 else []
    told += [
        f"Review them in the window: {PROGRAM} {path}",
        f"Then teach the localizer: {command_line('learn', path)}",
    ]
    left_out = [asdict(one) for one in found.left_out]
    return {"text": "\n".join(told), "images": found.images, "left_out": left_out}
