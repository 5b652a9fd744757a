"""The commands ``learn`` and ``localizer``: what reviewed images teach, and where that goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.console import progress_bar, stop_on_signal
from core.cli.runs_app import RunNumber
from core.cli.shared import AsJson, ExistingProject, ProjectFile, Weights, show

localizer = typer.Typer(no_args_is_help=True, help="Take what was learned to other images.")


def learn(
    project: ExistingProject,
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="Take in these boxes as corrections first; in any format of 'import'."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")] = 0,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Learn from the images that you reviewed.

    These are accepted, edited, or emptied as showing no object. A new run departs from what was learned
    without labels; 'localize' finds boxes by it. What was reviewed stays as it is. Rejected images and true
    boxes teach nothing.
    """
    from core.cli.learn_commands import run_learn

    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_learn(project, from_, seed=seed, weights=weights, bar=bar, stop=stop)
    show(result, as_json, result.pop("text"))


@localizer.command()
def save(
    project: ExistingProject,
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    run: RunNumber = None,
    as_json: AsJson = False,
) -> None:
    """Write what a run has learned to a file."""
    from core.cli.learn_commands import run_save

    result = run_save(project, out, run_id=run)
    show(result, as_json, result.pop("text"))


@localizer.command()
def use(
    file: Annotated[Path, typer.Argument(help="A file that 'localizer save' wrote.")],
    project: ProjectFile,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Take what was learned elsewhere into a project, as a run of its own."""
    from core.cli.learn_commands import run_use

    with progress_bar() as bar:
        result = run_use(file, project, weights=weights, bar=bar)
    show(result, as_json, result.pop("text"))
