"""The options of ``localize`` that fill a data set instead of a project, and what they start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.base.errors import BoxscoutError
from core.cli.console import progress_bar, stop_on_signal
from core.cli.shared import one_of, show

if TYPE_CHECKING:
    from core.boxes.options import BoxOptions

Places = Annotated[
    list[str], typer.Argument(metavar="FOLDERS", help="Folders (with subfolders) or image files.")
]
DataSetOut = Annotated[
    Path | None, typer.Option("--out", help="Boxes go to this data set, a folder; what it has stays.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, max=1024, help="With --out: processes of this machine.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="With --out: the workers of this scheduler of Dask."),
]
LocalizerFile = Annotated[
    Path | None, typer.Option("--localizer", help="With --out: what 'localizer save' wrote finds the boxes.")
]
LearnFrom = Annotated[
    str | None,
    one_of(
        ("sample", "all"),
        "With --out: learn first from a sample, as 'train' does, or by DDT from all images; default: sample.",
        "--learn-from",
    ),
]
ShardSize = Annotated[
    int | None, typer.Option("--shard", min=1, max=100_000, help="With --out: images in a file; default 256.")
]


@dataclass(frozen=True, kw_only=True)
class DataSetOptions:
    """What ``localize`` takes for a data set, as the command's help has it.

    ``project``, ``run`` and ``weights`` are those of its usual options.
    """

    project: Path | None
    run: int | None
    weights: Path | None
    out: Path | None
    workers: int | None
    scheduler: str | None
    localizer: Path | None
    learn_from: str | None
    shard: int | None

    def check_idle(self) -> None:
        """typer.BadParameter where an option was given that counts for a data set alone."""
        for name in ("workers", "scheduler", "localizer", "learn_from", "shard"):
            if getattr(self, name) is not None:
                raise typer.BadParameter(f"--{name.replace('_', '-')} needs --out, a folder for a data set.")


def fill_data_set(
    places: Sequence[str],
    options: DataSetOptions,
    how: BoxOptions,
    *,
    as_json: bool,
) -> None:
    """Do what was asked for, and show what came of it."""
    from core.cli.scale_commands import run_data_set

    if len(places) != 1:
        raise BoxscoutError("--out takes one folder, address or list: name several in a list.")
    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_data_set(places[0], options, how, as_json=as_json, bar=bar, stop=stop)
    show(result, as_json, result.pop("text"))
    if result["missing"]:
        raise typer.Exit(1)
