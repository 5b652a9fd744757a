"""Snapshots from the command line: listed, proposed without labels, and used to find boxes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_support import run

from core.images.sample import draw_sample
from core.learn.snapshots import kept_steps, snapshot_file
from core.project.store import Project

QUICK = ("--preset", "quick", "--image-size", "32", "--batch-size", "8", "--device", "cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_sample(tmp_path / "photos", count=16, seed=1).parent / "images"


def test_snapshots_are_listed_and_used(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "a.boxscout"
    train = ("train", folder, "--project", project, *QUICK)
    assert run(capsys, *train, "--steps", 53)[0] == 0
    files = project.with_name("a.boxscout-data") / "runs" / "1" / "snapshots"
    assert kept_steps(files) == (50, 53)

    code, out, _ = run(capsys, "snapshots", "--project", project, "--json")
    assert code == 0
    result = json.loads(out)
    assert [row["step"] for row in result["snapshots"]] == [50, 53]
    proposed = result["proposed"]["step"]
    assert [row["step"] for row in result["snapshots"] if row["proposed"]] == [proposed]

    code, out, _ = run(capsys, "snapshots", "--project", project)
    assert code == 0
    assert [line for line in out.splitlines() if "proposed" in line and str(proposed) in line]
    assert result["proposed"]["reason"] in out
    assert "- ± -" not in out  # a preset without a generator has no samples to measure

    boxes = {}
    for at, step in (("last", 53), ("50", 50), ("proposed", proposed)):
        code, out, _ = run(capsys, "localize", folder, "--project", project, "--at", at, "--json")
        assert code == 0
        assert json.loads(out)["step"] == step
        with Project.open(project) as opened:
            assert opened.heat_maps_step() == step
            heat = opened.heat_map(opened.images()[0].id)
            assert heat is not None
            boxes.setdefault(step, heat.tobytes())
    assert boxes[50] != boxes[53]
    code, out, _ = run(capsys, "localize", folder, "--project", project, "--at", "proposed")
    assert result["proposed"]["reason"] in out

    for at, words in (("51", "the steps that are: 50, 53"), ("50", "damaged")):
        snapshot_file(files, 50).write_bytes(b"damage")
        code, _, err = run(capsys, "localize", folder, "--project", project, "--at", at)
        assert code == 1
        assert words in err
        assert len(err.strip().splitlines()) == 1


def test_what_cannot_be_listed_or_chosen_is_said_in_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "a.boxscout"
    code, _, err = run(capsys, "snapshots", "--project", project)
    assert code == 1
    assert "no project" in err
    Project.open_or_create(project).close()
    code, _, err = run(capsys, "snapshots", "--project", project)
    assert code == 1
    assert "run 'train' first" in err
    for wrong in (("--at", "best"), ("--at", "-3"), ("--model", "cam", "--at", "50")):
        assert run(capsys, "localize", folder, "--project", project, *wrong)[0] == 2
