"""The commands that measure: ``evaluate``, ``compare`` and ``curve``, and their tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core.base.atomic import keep_other_kinds, os_errors, write_atomically
from core.base.errors import BoxscoutError
from core.boxes.rules import DEFAULT_RULE, RULES
from core.cli.console import console, progress_bar, say
from core.cli.shared import (
    BoxFile,
    ImagesFolder,
    JsonFile,
    OptionalBoxFile,
    SetName,
    Split,
    TruthPath,
    one_of,
)


def evaluate(
    truth: TruthPath,
    boxes: OptionalBoxFile = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help="Measure its boxes instead, on images that nobody has reviewed."),
    ] = None,
    images: ImagesFolder = None,
    set_: SetName = None,
    split: Split = None,
    json_file: JsonFile = None,
) -> None:
    """Compare BOXES with the truth, beside simple baselines.

    These need no training: the whole image, its middle, the best fixed box.
    """
    from core.cli.commands import run_evaluate, run_evaluate_project

    how: dict[str, Any] = {"images": images, "set_name": set_, "split": split}
    note = ""
    if project is not None and boxes is None:
        result, note = run_evaluate_project(project, truth, **how)
    elif boxes is not None and project is None:
        result = run_evaluate(boxes, truth, **how)
    else:
        raise typer.BadParameter("Give BOXES or --project, one of the two.")
    _save(result.to_dict(), json_file)
    print_report(result)
    if note:
        say(note)


def compare(
    a: BoxFile,
    b: BoxFile,
    truth: TruthPath,
    images: ImagesFolder = None,
    set_: SetName = None,
    split: Split = None,
    json_file: JsonFile = None,
) -> None:
    """Compare the box files A and B on the same images.

    Their difference comes with its interval.
    """
    from core.cli.commands import run_compare

    result = run_compare(a, b, truth, images=images, set_name=set_, split=split)
    _save(result.to_dict(), json_file)
    print_rows(f"Accuracy at IoU 0.5 on {result.n} images (95 % interval)", result.rows)
    for line in result.remarks():
        say(line)


def curve(
    project: Annotated[Path, typer.Option("--project", help="The project whose heat maps are measured.")],
    truth: TruthPath,
    rule: Annotated[str, one_of(RULES, "How a heat map becomes a box.")] = DEFAULT_RULE,
    step: Annotated[float, typer.Option(min=0.001, max=0.5, help="From one threshold to the next.")] = 0.01,
    masks: Annotated[
        Path | None,
        typer.Option(help="A folder of PNG masks named as the images, black where no object is: adds PxAP."),
    ] = None,
    set_: SetName = None,
    split: Split = None,
    json_file: JsonFile = None,
) -> None:
    """Accuracy of the project's heat maps at every threshold.

    That of the rule's own threshold comes first.
    """
    from core.cli.commands import run_curve

    with progress_bar() as bar:
        result, precision = run_curve(
            project, truth, rule=rule, step=step, set_name=set_, split=split, masks=masks, bar=bar
        )
    _save({**result.to_dict(), "px_ap": precision}, json_file)
    print_report(result.fixed, f"at the fixed threshold {result.fixed_threshold:g} of “{rule}”")
    _print_table("Accuracy by threshold", result.table())
    _print_table(
        "Thresholds and boxes chosen by looking at the truth: no result of their own", result.peeking_table()
    )
    if precision is not None:
        say(f"PxAP, the average precision of the heat maps' pixels against the masks: {precision:.1%}.")


def print_report(report: Any, note: str = "") -> None:
    """An accuracy table with intervals and baselines."""
    what = " ".join(filter(None, [report.measure, note]))
    print_rows(f"{what} on {report.n} images (95 % interval)", report.rows)
    if precision := report.precision_table():
        _print_table("Average precision: every box counts, false positives too", precision)
    for line in report.remarks():
        say(line)


def print_rows(title: str, rows: Iterable[Any]) -> None:
    """Accuracies with their intervals as a table."""
    body = [
        (row.method, f"{row.accuracy:.1%}", f"{row.low:.1%} - {row.high:.1%}", f"{row.correct}/{row.n}")
        for row in rows
    ]
    _print_table(title, [("Boxes", "Accuracy", "Interval", "Images"), *body])


def _print_table(title: str, rows: Sequence[Sequence[str]]) -> None:
    """The first row is the heading, the first column is text and the others are numbers."""
    table = Table(title=Text(title), title_justify="left")
    for i, heading in enumerate(rows[0]):
        table.add_column(heading, justify="right" if i else "left")
    for name, *values in rows[1:]:
        table.add_row(Text(name), *values)
    console.print(table)


def _save(content: dict[str, Any], path: Path | None) -> None:
    if path is None:
        return
    with os_errors(BoxscoutError, "{path} cannot be written: {reason}.", path=path):
        keep_other_kinds(path)
        write_atomically(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
