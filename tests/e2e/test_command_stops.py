"""Ctrl-C: exit code 130 from every command, one sentence on what is kept, and nothing half done."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_support import interrupt_when
from PIL import Image

from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.cli.app import main
from core.images.sample import draw_sample
from core.images.scan import scan_folder
from core.project.store import Project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a child otherwise on Windows")

IMAGES = 24
QUICK = ("--preset", "scratch", "--image-size", "32", "--batch-size", "8", "--device", "cpu")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_sample(tmp_path_factory.mktemp("sample"), count=IMAGES, seed=1)


@pytest.fixture(scope="module")
def project(truth: Path) -> Path:
    """One with boxes."""
    path, photos = truth.parent / "a.boxscout", str(truth.parent / "images")
    assert main(["train", photos, "--project", str(path), "--steps", "2", *QUICK]) == 0
    assert main(["localize", photos, "--project", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(20):
        Image.new("RGB", (60, 50)).save(folder / f"{number}.png")
    return folder


def _stopped(begun: str, *arguments: object) -> str:
    """The one sentence of a command that is interrupted once the part ``begun`` has begun."""
    code, out, said = interrupt_when(f"^{begun}", *map(str, arguments))
    assert code == 130, (out, said)
    assert not any("Traceback" in line for line in said), said
    return (out or said[-1]).strip()


def test_a_first_training_stopped_while_it_reads_leaves_nothing(photos: Path, tmp_path: Path) -> None:
    said = _stopped("Reading", "train", photos, "--project", tmp_path / "p.boxscout", *QUICK)
    assert said == "Stopped before all images were prepared; what was saved before is kept."
    assert list(tmp_path.iterdir()) == []


def test_localize_keeps_what_it_found(truth: Path, project: Path) -> None:
    said = _stopped("Finding", "localize", truth.parent / "images", "--project", project)
    assert said == "The search was stopped. Boxes found so far are kept."
    with Project.open(project) as opened:
        assert len(opened.all_boxes()) == IMAGES


def test_an_export_that_is_stopped_writes_nothing(photos: Path, tmp_path: Path) -> None:
    project, out = tmp_path / "p.boxscout", tmp_path / "out"
    with Project.open_or_create(project) as made:
        made.add_images(scan_folder([photos]).images)
        for record in made.images():
            made.set_boxes(record.id, [BoxRecord(Box(10, 20, 50, 45), source=Source.EDITED)])
    export = ("export", "--project", project, "--format", "drawn", "--out", out)
    assert _stopped("Writing", *export) == "Stopped; nothing was exported."
    assert list(tmp_path.iterdir()) == [project]


def test_measuring_ends_at_once(truth: Path, project: Path, tmp_path: Path) -> None:
    result = tmp_path / "curve.json"
    curve = ("curve", "--project", project, "--truth", truth, "--step", "0.001", "--json", result)
    assert _stopped("Measuring", *curve) == "Stopped at once; what was saved before is kept."
    assert list(tmp_path.iterdir()) == []


def test_a_demo_keeps_its_training(tmp_path: Path) -> None:
    demo = ("demo", "--out", tmp_path / "demo", "--count", 16, "--steps", 2000)
    assert _stopped("Training", *demo).startswith("Stopped at step ")
    assert (tmp_path / "demo" / "demo.boxscout-data" / "runs" / "1" / "checkpoint.pt").is_file()
