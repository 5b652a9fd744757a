"""Which projects a command makes, leaves alone and reads."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from command_support import run

from core.images.sample import draw_sample

SMALL = ("--steps", "2", "--image-size", "32", "--batch-size", "8", "--device", "cpu")
QUICK = ("--preset", "scratch", *SMALL)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return draw_sample(tmp_path / "sample", count=12, seed=1).parent / "images"


def _damaged(folder: Path) -> Path:
    folder.mkdir()
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    return folder


def _bytes_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("command", "options"), [("train", ()), ("train", QUICK), ("train-cam", SMALL)])
def test_a_training_that_cannot_begin_leaves_no_project(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    options: tuple[str, ...],
) -> None:
    place = tmp_path / "here"
    place.mkdir()
    project = place / "q.boxscout"
    (tmp_path / "empty").mkdir()
    unusable = _damaged(tmp_path / "unusable")
    for folder in (tmp_path / "typo", tmp_path / "empty", unusable):
        code, _, err = run(capsys, command, folder, "--project", project, *options)
        assert (code, len(err.strip().splitlines()) <= 3) == (1, True), err
        assert list(place.iterdir()) == [], folder
    if options:  # what learns in a minute begins where there is nothing to resume
        code, _, _ = run(capsys, command, photos, "--project", project, "--resume", *options)
        assert code == 1 and list(place.iterdir()) == []

    kept = place / "q.boxscout-data" / "checkpoint.pt"  # of a project that is gone, or a person's own
    kept.parent.mkdir()
    kept.write_bytes(b"precious")
    assert run(capsys, command, tmp_path / "typo", "--project", project, *options)[0] == 1
    assert (list(place.iterdir()), kept.read_bytes()) == ([kept.parent], b"precious")


def test_a_project_cannot_be_made_on_a_read_only_disk(
    photos: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    code, _, err = run(capsys, "train", photos, "--project", small_disk / "q.boxscout", *QUICK)
    assert (code, len(err.splitlines())) == (1, 1)
    assert "read-only" in err


def test_a_project_that_was_there_stays_where_a_training_cannot_begin(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "a.boxscout"
    assert run(capsys, "train", photos, "--project", project, *QUICK)[0] == 0
    before = _bytes_below(tmp_path / "a.boxscout-data")
    for folder in (tmp_path / "typo", _damaged(tmp_path / "unusable")):
        assert run(capsys, "train", folder, "--project", project, "--restart", *QUICK)[0] == 1
    assert _bytes_below(tmp_path / "a.boxscout-data") == before
    assert run(capsys, "localize", photos, "--project", project)[0] == 0

    shutil.rmtree(tmp_path / "a.boxscout-data")  # with all that was learned: it is a project all the same
    assert run(capsys, "train", tmp_path / "typo", "--project", project, *QUICK)[0] == 1
    code, out, _ = run(capsys, "export", "--project", project, "--format", "csv", "--out", tmp_path / "x.csv")
    assert code == 0 and "12 boxes" in out

    nothing = tmp_path / "nothing.boxscout"  # a link that points nowhere is somebody's, too
    nothing.symlink_to(tmp_path / "away.boxscout")
    assert run(capsys, "train", tmp_path / "typo", "--project", nothing, *QUICK)[0] == 1
    assert nothing.is_symlink()


def test_a_training_whose_disk_is_away_is_a_sentence(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "a.boxscout-data"
    data.mkdir()
    (data / "checkpoint.pt").symlink_to(tmp_path / "away" / "checkpoint.pt")
    train = ("train", photos, "--project", tmp_path / "a.boxscout", "--preset", "scratch")
    code, _, err = run(capsys, *train, "--resume")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "no training of the preset scratch to resume" in err


def test_what_only_reads_reads_a_project_on_a_read_only_disk(
    unprivileged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = draw_sample(unprivileged / "sample", count=12, seed=1)
    photos, place, out = truth.parent / "images", unprivileged / "shut", unprivileged / "out"
    place.mkdir()
    out.mkdir()
    project = place / "a.boxscout"
    assert run(capsys, "train", photos, "--project", project, *QUICK)[0] == 0
    assert run(capsys, "localize", photos, "--project", project)[0] == 0
    reading = (
        ("snapshots", "--project", project, "--json"),
        ("curve", "--project", project, "--truth", truth),
        ("export", "--project", project, "--format", "csv", "--out", out / "boxes.csv"),
        ("export", "--project", project, "--format", "yolo", "--out", out / "yolo"),
        ("repair", "--project", project),
    )
    says = [run(capsys, *command)[:2] for command in reading]
    csv = (out / "boxes.csv").read_bytes()
    shutil.rmtree(out)
    out.mkdir()
    before = _bytes_below(place)
    for path in (project, place):
        path.chmod(0o555)
    try:
        assert [run(capsys, *command)[:2] for command in reading] == says
        assert (out / "boxes.csv").read_bytes() == csv
        for command in (("localize", photos), ("import", "boxes", out / "boxes.csv")):
            code, _, err = run(capsys, *command, "--project", project)
            assert (code, len(err.splitlines())) == (1, 1)
            assert "cannot be changed" in err
        assert _bytes_below(place) == before
    finally:
        place.chmod(0o755)
    assert {code for code, _ in says} == {0}
    no_training = place / "b.boxscout"
    assert run(capsys, "train", photos, "--project", no_training, *QUICK)[0] == 0
    shutil.rmtree(place / "b.boxscout-data")
    place.chmod(0o555)
    code, _, err = run(capsys, "snapshots", "--project", no_training)
    place.chmod(0o755)
    assert code == 1 and "is missing" in err and "b.boxscout-data" in err


@pytest.mark.parametrize("format_name", ["yolo", "crops", "drawn"])
def test_an_export_into_the_photos_becomes_no_photos(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], format_name: str
) -> None:
    project, out = tmp_path / "a.boxscout", photos / "sub" / "out"
    out.parent.mkdir()
    assert run(capsys, "train", photos, "--project", project, *QUICK)[0] == 0
    assert run(capsys, "localize", photos, "--project", project)[0] == 0
    export = ("export", "--project", project, "--format", format_name, "--out", out)
    assert run(capsys, *export)[0] == 0
    assert any(path.suffix == ".png" for path in out.rglob("*"))
    code, said, _ = run(capsys, "localize", photos, "--project", project, "--json")
    result = json.loads(said)
    assert (code, result["boxes"], [one["file"] for one in result["failed"]]) == (0, 12, [str(out)])
    assert "exported-by-boxscout.txt" in result["failed"][0]["reason"]
    code, said, _ = run(capsys, "localize", out, "--project", project, "--json")  # chosen by itself
    assert (code, json.loads(said)["boxes"]) == (0, 12)
