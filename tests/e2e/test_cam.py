"""The weakly supervised baseline from the command line: folders as classes, the same boxes and exports."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_support import interrupt_after_a_step, run
from PIL import Image

from core.cli.app import main
from core.learn import class_training as classify
from core.project.store import Project

QUICK = ("--image-size", "32", "--batch-size", "8", "--width", "8", "--device", "cpu")


def _saved(place: Path) -> Path:
    return place / "a.boxscout-data" / "runs" / "1" / "classifier.pt"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two folders of 8 drawn images: a red or a blue square on grey noise."""
    rng = np.random.default_rng(0)
    for name, colour in (("cats", (250, 20, 20)), ("dogs", (20, 20, 250))):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(8):
            image = rng.integers(90, 150, (48, 48, 3), np.uint8)
            x, y = rng.integers(0, 32, 2)
            image[y : y + 16, x : x + 16] = colour
            Image.fromarray(image).save(tmp_path / "pets" / name / f"{i}.png")
    return tmp_path / "pets"


def test_folders_of_classes_to_boxes(pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, out = tmp_path / "a.boxscout", tmp_path / "boxes.csv"
    train = ("train-cam", pets, "--project", project, "--steps", 4, *QUICK, "--no-augmentation")
    code, text, _ = run(capsys, *train)
    assert code == 0
    assert not classify.load(
        tmp_path / "a.boxscout-data" / "runs" / "1" / "classifier.pt"
    ).config.augmentation
    assert "Trained 4 steps on 16 images of 2 classes" in text
    code, text, _ = run(capsys, "localize", pets, "--project", project, "--model", "cam", "--json")
    assert code == 0
    result = json.loads(text)
    assert (result["boxes"], result["step"], result["model"], result["other_classes"]) == (16, 4, "cam", 0)
    with Project.open(project) as opened:
        assert opened.heat_maps_step() == 4
        heat = opened.heat_map(opened.images()[0].id)
        assert heat is not None
        assert heat.shape == (8, 8)
    assert run(capsys, "export", "--project", project, "--format", "csv", "--out", out)[0] == 0
    assert len(out.read_text().splitlines()) == 17
    code, _, _ = run(capsys, "evaluate", out, "--truth", out)
    assert code == 0


def test_gan_and_cam_live_side_by_side(
    pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each localization replaces the boxes of the other, and neither touches the other's training."""
    project = tmp_path / "a.boxscout"
    gan = ("--image-size", "32", "--batch-size", "8", "--device", "cpu")
    assert run(capsys, "train", pets, "--project", project, "--steps", 2, *gan)[0] == 0
    code, _, err = run(capsys, "localize", pets, "--project", project, "--model", "cam")
    assert code == 1
    assert "run 'train-cam' first" in err
    assert run(capsys, "train-cam", pets, "--project", project, "--steps", 3, *QUICK)[0] == 0
    boxes = []
    for model, step in (("gan", 2), ("cam", 3), ("gan", 2)):
        assert run(capsys, "localize", pets, "--project", project, "--model", model)[0] == 0
        with Project.open(project) as opened:
            assert opened.heat_maps_step() == step
            boxes.append([image.boxes for image in opened.image_boxes()])
    assert boxes[0] == boxes[2]
    assert boxes[0] != boxes[1]


def test_the_own_class_the_predicted_one_and_images_of_neither(
    pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "a.boxscout"
    both = (pets / "cats", pets / "dogs")
    assert run(capsys, "train-cam", *both, "--project", project, "--steps", 2, *QUICK)[0] == 0
    assert classify.load(tmp_path / "a.boxscout-data" / "runs" / "1" / "classifier.pt").classes == (
        "cats",
        "dogs",
    )
    (pets / "newts").mkdir()
    Image.new("RGB", (48, 48), "green").save(pets / "newts" / "0.png")
    localize = ("localize", "--project", project, "--model", "cam")
    code, out, _ = run(capsys, *localize, pets, "--json")
    assert code == 0
    assert (json.loads(out)["boxes"], json.loads(out)["other_classes"]) == (16, 1)
    code, out, err = run(capsys, *localize, pets / "newts")
    assert code == 1
    assert "(cats, dogs)" in err
    assert "--predicted-class" in err
    code, out, _ = run(capsys, *localize, pets / "newts", "--predicted-class", "--json")
    assert code == 0
    assert json.loads(out)["boxes"] == 1
    code, _, err = run(capsys, "localize", pets, "--project", project, "--predicted-class")
    assert code == 2
    assert "--model cam" in err


def test_one_class_and_strays_are_one_sentence(
    pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ("train-cam", "--project", tmp_path / "a.boxscout", "--steps", 2, *QUICK)
    code, _, err = run(capsys, *train, pets / "cats")
    assert code == 1
    assert "at least two folders" in err
    assert "Traceback" not in err
    (pets / "dogs").rename(tmp_path / "dogs")
    code, _, err = run(capsys, *train, pets)
    assert code == 1
    assert "all images here are of the class 'cats'" in err
    (tmp_path / "dogs").rename(pets / "dogs")
    (pets / "dogs" / "0.png").rename(pets / "stray.png")
    code, out, _ = run(capsys, *train, pets)
    assert code == 0
    assert "15 images of 2 classes" in out
    assert "no class's folder: 1." in out


def test_a_training_is_never_overwritten_unasked_and_keeps_its_classes(
    pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ("train-cam", "--project", tmp_path / "a.boxscout", "--steps", 2)
    assert run(capsys, *train, pets, *QUICK)[0] == 0
    code, _, err = run(capsys, *train, pets, *QUICK)
    assert code == 1
    assert "--resume" in err
    code, out, _ = run(capsys, *train, pets, "--resume")
    assert code == 0
    assert "complete" in out
    code, _, err = run(capsys, *train, pets, "--resume", "--width", 16)
    assert code == 1
    assert "leave out --width" in err
    (pets / "dogs").rename(pets / "newts")
    code, _, err = run(capsys, "train-cam", pets, "--project", tmp_path / "a.boxscout", "--resume")
    assert code == 1
    assert "'dogs' was trained and is not here" in err
    assert run(capsys, *train, pets, *QUICK, "--restart")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a child differently on Windows")
def test_ctrl_c_saves_and_resume_goes_on(pets: Path, tmp_path: Path) -> None:
    project = tmp_path / "a.boxscout"
    code, out = interrupt_after_a_step(
        "train-cam", str(pets), "--project", str(project), "--steps", "100000", *QUICK
    )
    assert code == 130
    assert "saved; add --resume" in out
    path = _saved(tmp_path)
    step = classify.load(path).step
    assert step >= 1
    resume = ["train-cam", str(pets), "--project", str(project), "--resume", "--steps", str(step + 2)]
    assert main(resume) == 0
    assert classify.load(path).step == step + 2


@pytest.mark.long
def test_a_set_of_tiny_imagenet(
    unzipped: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained on the classes of a set; its val images get the map of the class that their list names."""
    root, project = unzipped("tiny-imagenet-six"), tmp_path / "bottle.boxscout"
    common = ("--project", project, "--set", "bottle", "--json")
    code, out, _ = run(capsys, "train-cam", root, *common, "--steps", 2, *QUICK)
    assert code == 0
    result = json.loads(out)
    assert result["classes"] == ["n02823428", "n03983396"]
    assert (result["images"], result["other_images"]) == (1000, 0)
    code, out, _ = run(capsys, "localize", root, *common, "--model", "cam")
    assert code == 0
    result = json.loads(out)
    assert (result["boxes"], result["other_classes"]) == (1100, 0)
