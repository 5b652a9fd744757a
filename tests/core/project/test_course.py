"""Accuracy over a training against the commands that localize with each snapshot and evaluate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.base.errors import BoxscoutError, Cancelled
from core.cli.app import main
from core.images.sample import draw_sample
from core.learn.snapshots import kept_steps
from core.project.course import course
from core.project.exchange import import_truth, plan_import
from core.project.store import Project

QUICK = ("--steps", "6", "--width", "8", "--batch-size", "8", "--image-size", "32", "--device", "cpu")


def run(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


@pytest.mark.parametrize("preset", ["paper", "quick"])
def test_every_point_is_what_localize_and_evaluate_say(preset: str, tmp_path: Path) -> None:
    truth = draw_sample(tmp_path / "photos", count=24, seed=1)
    images, path = truth.parent / "images", tmp_path / "a.boxscout"
    run("train", images, "--project", path, "--preset", preset, *QUICK)
    run("train", images, "--project", path, "--resume", "--steps", 9)
    steps = kept_steps(tmp_path / "a.boxscout-data" / "runs" / "1" / "snapshots")
    assert steps == (6, 9)
    rule = "component" if preset == "paper" else "fitted"
    with Project.open(path) as project:
        view = replace(project.load_view(), rule=rule, threshold=0.3)
        with pytest.raises(BoxscoutError, match="ground truth"):
            course(project, view.options)
        import_truth(project, plan_import(project, truth))
        found = course(project, view.options)
        with pytest.raises(Cancelled):
            course(project, view.options, cancelled=lambda: True)
    assert [step for step, _ in found.points] == list(steps)
    for step, row in found.points:
        run("localize", images, "--project", path, "--at", step, "--rule", rule, "--threshold", 0.3)
        out, report = tmp_path / f"{step}.json", tmp_path / f"{step}-report.json"
        run("export", "--project", path, "--format", "coco", "--out", out)
        run("evaluate", out, "--truth", truth, "--images", images, "--json", report)
        ours, *baselines = json.loads(report.read_text())["rows"]
        assert (row.correct, row.n, row.low) == (ours["correct"], ours["n"], ours["low"])
        assert [(b.method, b.correct) for b in found.baselines] == [
            (b["method"], b["correct"]) for b in baselines
        ]
