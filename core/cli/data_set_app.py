"""The command ``sample``, and the option of those that take a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.console import progress_bar, stop_on_signal
from core.cli.shared import AsJson, ProjectFile, show

DataSet = Annotated[
    Path | None, typer.Option("--dataset", help="The folder of a data set that 'localize --out' made.")
]


def sample(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="What 'localize --out' made.")],
    project: ProjectFile,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many images.")] = 200,
    least_sure: Annotated[
        bool, typer.Option("--least-sure", help="Those of the lowest scores, instead of any.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed draws the same images.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Take some images of a data set into a project, to review them.

    Images of a local folder stay where they are; others are fetched into a folder beside the project. What
    you correct there teaches: 'learn', then 'localizer save', then 'localize --localizer' into a second data
    set. 'export --reviewed' keeps what you approved.
    """
    from core.cli.data_set_commands import run_sample

    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_sample(dataset, project, count, is_least_sure=least_sure, seed=seed, bar=bar, stop=stop)
    show(result, as_json, result.pop("text"))
