"""The command ``snapshots``, and the option that names one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core.cli.console import console, say
from core.cli.shared import AsJson


def _check_step(value: str) -> str:
    if value not in ("last", "proposed") and not (value.isascii() and value.isdigit() and len(value) < 9):
        raise typer.BadParameter(f"{value!r} is neither last nor proposed nor a step.")
    return value


SnapshotStep = Annotated[
    str,
    typer.Option(
        "--at",
        callback=_check_step,
        metavar="last|proposed|STEP",
        help="With gan: which snapshot; 'snapshots' lists them.",
    ),
]


def snapshots(
    project: Annotated[Path, typer.Option("--project", help="The project whose training is looked at.")],
    as_json: AsJson = False,
) -> None:
    """List the training's snapshots, and propose one.

    With each stands what was measured of it, without any label.
    """
    from core.cli.snapshots_commands import run_snapshots

    result = run_snapshots(project)
    if as_json:
        print(json.dumps(result, allow_nan=False))  # noqa: T201
        return
    console.print(_table(result["snapshots"]))
    say(result["proposed"]["reason"])


def _table(rows: list[dict[str, Any]]) -> Table:
    real, error = rows[-1]["real_ms_ssim"], rows[-1]["real_ms_ssim_error"]
    title = f"Snapshots; MS-SSIM of the real images: {real:.3f} ± {error:.3f}"
    table = Table(title=Text(title), title_justify="left")
    for heading in ("Step", "MS-SSIM", "Relative to real", "Map difference", "Separation"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(
            str(row["step"]),
            _number(row["ms_ssim"]),
            _number(row["relative_ms_ssim"], row["relative_error"]),
            f"{row['map_difference']:.2f}",
            _number(row["separation"]),
            "proposed" if row["proposed"] else "",
        )
    return table


def _number(*values: float | None) -> str:
    """A value, and its error if given; a dash where there is no generator to measure."""
    return " ± ".join(f"{value:.3f}" for value in values if value is not None) or "-"
