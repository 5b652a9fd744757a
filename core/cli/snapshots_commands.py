"""What the command ``snapshots`` does; the result is a plain dictionary, fit for JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.base.errors import ProjectError
from core.cli.projects import existing_project
from core.learn import checkpoint
from core.learn.snapshots import kept_signals, snapshots_dir
from core.learn.stopping import propose
from core.project.runs import newest_run
from core.project.store import Project
from core.project.workflow import command_line, saved_run


def run_snapshots(project_path: Path) -> dict[str, Any]:
    """The signals of every kept snapshot of the project's training, and the proposal.

    Raises
    ------
    ProjectError
        There is no such project, or no training in it that keeps snapshots.
    CheckpointError
        The training is damaged.
    TrainingError
        No snapshot is kept yet.
    """
    with existing_project(project_path, to_read=True) as project:
        _refuse_features(project)
        path = saved_run(project, "gan").file
    signals = kept_signals(checkpoint.load(path), snapshots_dir(path))
    proposal = propose(signals)
    rows = [
        {
            **asdict(signal),
            "relative_ms_ssim": signal.relative.mean if signal.relative else None,
            "relative_error": signal.relative.error if signal.relative else None,
            "proposed": signal.step == proposal.step,
        }
        for signal in signals
    ]
    return {"snapshots": rows, "proposed": asdict(proposal)}


def _refuse_features(project: Project) -> None:
    """ProjectError where all that was learned is from frozen features, which takes no steps."""
    run = newest_run(project, "features")
    if run is not None and newest_run(project, "gan") is None:
        line = command_line("runs", project.path)
        raise ProjectError(
            f"{run.name} learned from frozen features and has no snapshots; 'runs' lists it: {line}"
        )
