"""What commands say: which preset has which option, what was left out, and what to run first."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_support import run

from core.images.sample import draw_sample
from core.project.store import Project

FAST = ("--image-size", 224, "--threads", 1, "--device", "cpu")
SMALL = ("--steps", 1, "--image-size", 32, "--width", 8, "--batch-size", 4, "--device", "cpu")
VALUES = {
    "--method": "ddt", "--features": "timm/vit", "--weights": "mine.safetensors", "--sample": 9,
    "--threads": 1, "--objective": "hinge", "--steps": 3, "--minutes": 1, "--batch-size": 8, "--width": 8,
    "--crop-size": 32, "--background": 2, "--adversarial": 2, "--framing": 1, "--precision": "fp32",
    "--seed": 3, "--device": "cpu",
}  # fmt: skip
SWITCHES = ("--download", "--keep-aspect", "--no-keep-aspect", "--fine-heat-map", "--no-augmentation")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve drawn photos, and one that is torn."""
    folder = draw_sample(tmp_path / "my photos", count=12, seed=1).parent / "images"
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    return folder


def sections(help_text: str) -> dict[str, set[str]]:
    """The options of a help page by heading."""
    found: dict[str, set[str]] = {}
    for line in help_text.splitlines():
        if re.fullmatch(r"\w.*:", line):
            options = found.setdefault(line[:-1], set())
        elif line.startswith("  -"):
            options |= set(re.findall(r"--[a-z-]+", line.split("   ")[0]))
    return found


@pytest.mark.parametrize("preset", ["features", "scratch", "generator", "paper", "quick", "balanced"])
def test_a_preset_takes_the_options_that_the_help_lists_for_it_and_refuses_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], preset: str
) -> None:
    headings = sections(run(capsys, "train", "--help")[1])
    assert {"--project", "--seed", "--image-size"} <= headings["Options"]
    own = "scratch" if preset in ("quick", "balanced") else preset
    for name, value in (*VALUES.items(), *((switch, None) for switch in SWITCHES)):
        (heading,) = [heading for heading, options in headings.items() if name in options]
        named = re.findall(r"features|scratch|generator|paper", heading)
        arguments = (name,) if value is None else (name, value)
        if (name, own) == ("--background", "paper"):
            arguments = (*arguments, "--crop-size", 32)  # it compares windows
        if (name, own) == ("--objective", "scratch"):
            arguments = (*arguments, "--adversarial", 1)
        project = tmp_path / "a.boxscout"
        code, _, err = run(
            capsys, "train", tmp_path / "none", "--project", project, "--preset", preset, *arguments
        )
        assert code == 1
        if named and own not in named:
            told = f"{name} belongs to the preset"
            assert err.startswith(told) and err.endswith(f", not to {own}: choose one with --preset.\n"), err
            assert all(one in err for one in named)
        elif name not in ("--weights", "--download"):  # the default's weights are its own: refused as before
            assert "none does not exist" in err, (name, err)
        assert not project.exists()


def test_an_objective_is_refused_where_no_generator_is_trained(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ("train", photos, "--project", tmp_path / "a.boxscout", "--objective", "hinge", *SMALL)
    for preset, ways in (("scratch", ()), ("quick", ()), ("generator", ("--adversarial", 0))):
        code, _, err = run(capsys, *train, "--preset", preset, *ways)
        assert code == 1 and "--objective is for a generator, which is not trained here" in err
    code, out, err = run(capsys, *train, "--preset", "quick", "--adversarial", 1, "--json")
    assert code == 0, err
    assert json.loads(out)["config"]["objective"] == "hinge"


def test_weights_that_are_here_are_not_downloaded_as_well(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ("--features", "timm/resnet18", "--weights", tmp_path / "mine.safetensors", "--download")
    code, _, err = run(capsys, "train", photos, "--project", tmp_path / "a.boxscout", *own)
    assert code == 1 and "so leave out --download" in err


@pytest.mark.parametrize(
    "command",
    [("train", *FAST), ("train", "--preset", "quick", "--framing", 0, *SMALL), ("train-cam", *SMALL)],
)
def test_training_names_the_files_that_it_left_out(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[object, ...]
) -> None:
    (photos / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(20))
    if command[0] == "train-cam":  # the folders are the classes
        for i, photo in enumerate(sorted(photos.iterdir())):
            folder = photos / f"kind{i % 2}"
            folder.mkdir(exist_ok=True)
            photo.rename(folder / photo.name)
    name, *options = command
    train = (name, photos, "--project", tmp_path / "a.boxscout", *options)
    code, out, err = run(capsys, *train)
    assert code == 0, err
    first, *lines = out.splitlines()
    assert first.endswith("Files that could not be used: 2.")
    assert sorted(line.split("”")[0].split("/")[-1] for line in lines) == ["phone.heic", "torn.png"]
    assert all(line.startswith("Left out “") and line.endswith(".") for line in lines)
    code, out, _ = run(capsys, *train, "--restart", "--json")
    assert sorted(Path(one["file"]).name for one in json.loads(out)["failed"]) == ["phone.heic", "torn.png"]
    for odd in photos.rglob("*"):
        if odd.name in ("torn.png", "phone.heic"):
            odd.unlink()
    assert "could not be used" not in run(capsys, *train, "--restart")[1]


def commands(photos: Path, project: Path) -> tuple[tuple[object, ...], ...]:
    """Every command that reads a project's training or boxes."""
    return (
        ("localize", photos, "--project", project),
        ("localize", photos, "--project", project, "--run", 1),
        ("export", "--project", project, "--format", "csv", "--out", project.with_name("x.csv")),
        ("curve", "--project", project, "--truth", photos.parent),
        ("snapshots", "--project", project),
    )


def test_without_a_project_or_a_training_it_is_said_what_to_type(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere, empty = tmp_path / "no where.boxscout", tmp_path / "empty.boxscout"
    Project.open_or_create(empty).close()
    for project, what in ((nowhere, "There is no project at"), (empty, "holds no training")):
        for arguments in commands(photos, project):
            code, _, err = run(capsys, *arguments)
            assert code == 1 and what in err and len(err.splitlines()) == 1, (arguments, err)
            assert re.search("run 'train( --preset scratch)?' first: python3 main.py train ", err)
            assert err.endswith(f"--project '{project}'\n" if " " in str(project) else f" {project}\n")
    assert not nowhere.exists()


def test_what_to_type_works(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command says the next one, from nothing to measured boxes."""
    project, boxes = tmp_path / "a.boxscout", tmp_path / "boxes.json"
    export = ("export", "--project", project, "--format", "coco", "--out", boxes)
    code, _, err = run(capsys, "evaluate", boxes, "--truth", photos.parent)
    assert code == 1 and "run 'train' and 'localize' first, then 'export'" in err
    assert f"--out {boxes} " in err
    assert "run 'train' first" in run(capsys, *export)[2]
    assert run(capsys, "train", photos, "--project", project, *FAST)[0] == 0
    code, _, err = run(capsys, *export)
    assert code == 1
    assert f"run 'localize' first: python3 main.py localize PHOTOS --project {project}" in err
    assert run(capsys, "localize", photos, "--project", project)[0] == 0
    code, _, err = run(capsys, "evaluate", project, "--truth", photos.parent)
    assert code == 1 and "is a project, not a file of boxes; run 'export' first" in err
    assert run(capsys, *export)[0] == 0
    assert run(capsys, "evaluate", boxes, "--truth", photos.parent)[0] == 0


def test_snapshots_of_frozen_features_are_none_and_runs_lists_them(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "a.boxscout"
    assert run(capsys, "train", photos, "--project", project, *FAST)[0] == 0
    code, _, err = run(capsys, "snapshots", "--project", project)
    assert code == 1 and len(err.splitlines()) == 1
    assert "Run 1 learned from frozen features and has no snapshots" in err
    assert err.endswith(f"python3 main.py runs --project {project}\n")
    assert "Run 1" in run(capsys, "runs", "--project", project)[1]
    small = ("--preset", "quick", "--framing", 0, *SMALL)
    assert run(capsys, "train", photos, "--project", project, *small)[0] == 0
    assert run(capsys, "snapshots", "--project", project)[0] == 0, "of the training from scratch beside it"
