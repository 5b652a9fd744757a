"""The command ``runs``, and the option that names one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.shared import AsJson, ExistingProject, show

RunNumber = Annotated[int | None, typer.Option("--run", min=1, help="Which training; 'runs' lists all.")]


def runs(
    project: ExistingProject,
    use: Annotated[
        int | None,
        typer.Option("--use", min=1, metavar="RUN", help="Take the boxes that this run has found."),
    ] = None,
    delete: Annotated[
        int | None,
        typer.Option("--delete", min=1, metavar="RUN", help="Delete this run with its snapshots and boxes."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the project's trainings, or take the boxes of one.

    With --use, boxes that were accepted or edited stay.
    """
    result = run_runs(project, use=use, delete=delete)
    show(result, as_json, result.pop("text"))


def run_runs(path: Path, *, use: int | None, delete: int | None) -> dict[str, Any]:
    """What the command does; the result is fit for JSON."""
    from core.cli.projects import existing_project
    from core.project.claim import COMMAND, claim
    from core.project.results import take
    from core.project.runs import delete_run, run_of
    from core.project.runs import runs as all_runs

    if use is None and delete is None:
        with existing_project(path, to_read=True) as project:
            found = all_runs(project)
    else:
        with claim(path, COMMAND), existing_project(path) as project:
            if use is not None:
                take(project, run_of(project, use))
            if delete is not None:
                delete_run(project, run_of(project, delete))
            found = all_runs(project)
    rows = [
        {
            "id": run.id,
            "name": run.name,
            "day": run.day,
            "kind": run.kind,
            "preset": run.preset,
            "finished": run.finished,
            "current": run.current,
            "folder": str(run.folder),
            "saved": run.is_saved,
        }
        for run in found
    ]
    return {"text": "\n".join(map(_line, rows)) or "This project holds no training yet.", "runs": rows}


def _line(run: dict[str, Any]) -> str:
    parts = [run["name"], run["day"], run["kind"], run["preset"]]
    parts += ["" if run["finished"] else "not finished", "its boxes are shown" if run["current"] else ""]
    parts.append("" if run["saved"] else f"what it learned is missing: {run['folder']}")
    return " · ".join(filter(None, parts))
