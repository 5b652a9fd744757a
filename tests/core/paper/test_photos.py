"""Which photos a job needs and goes on with, on the drawn Tiny ImageNet."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from core.cli.app import main
from core.evaluate.report import evaluate
from core.formats import reading, tiny_imagenet

SMALL = ("--steps", "2", "--width", "8", "--batch-size", "8", "--device", "cpu")


def table(data: Path, out: Path, sets: str = "dog") -> int:
    arguments = ["--data", str(data), "--out", str(out), "--sets", sets, "--methods", "dcgan", *SMALL]
    return main(["reproduce", "table2", *arguments])


@pytest.mark.parametrize("what", ["table2", "figure2", "figure6", "precision"])
def test_a_set_that_is_missing_is_said_before_anything_is_trained(
    what: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = "bird" if what == "precision" else "dog,bird"
    arguments = ["--data", str(data), "--out", str(tmp_path / "out"), "--sets", sets, *SMALL]
    assert main(["reproduce", what, *arguments]) == 1
    assert "has no images of the set “bird”" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_goes_on_with_its_own_photos_wherever_they_lie_and_with_no_others(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert table(data, tmp_path / "out") == 0
    content = json.loads((tmp_path / "out" / "table2.json").read_text())
    moved = shutil.copytree(data, tmp_path / "moved")
    assert table(moved, tmp_path / "out") == 0
    again = json.loads((tmp_path / "out" / "table2.json").read_text())
    assert again["rows"][0]["accuracy"] == content["rows"][0]["accuracy"]
    wnid = tiny_imagenet.SETS["dog"][0]
    Image.new("RGB", (64, 64), "green").save(moved / "train" / wnid / "images" / f"{wnid}_0.JPEG")
    assert table(moved, tmp_path / "out") == 1
    assert "was trained on other images" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "table2.json").read_text()) == again
    assert table(moved, tmp_path / "other") == 0


def test_exported_boxes_give_the_tables_numbers(data: Path, tmp_path: Path) -> None:
    """By ``moments`` too, whose edges lie between pixels: rounded, some boxes change sides at IoU 0.5."""
    assert table(data, tmp_path) == 0
    (row,) = json.loads((tmp_path / "table2.json").read_text())["rows"]
    truth = tiny_imagenet.read(data, wnids=tiny_imagenet.SETS["dog"], split="val")
    boxes = reading.read_truth(tmp_path / row["boxes"]["moments"])
    assert any(not record.box.x0.is_integer() for image in boxes for record in image.boxes)
    expected = evaluate(boxes, truth)
    assert row["accuracy"]["moments"]["rows"][0]["accuracy"] == expected.rows[0].accuracy
    assert row["accuracy"]["moments"]["r_cx"] == expected.r_cx
    assert row["accuracy"]["moments"]["r_cy"] == expected.r_cy


def test_a_table_on_fewer_images_than_published_says_so(data: Path, tmp_path: Path) -> None:
    assert table(data, tmp_path, "dog,bottle") == 0
    text = (tmp_path / "table2.md").read_text("utf-8")
    assert "(on 12 train and 12 val images; the publication has 3,000 and 300)" in text
    assert "(on 8 train and 8 val images; the publication has 1,000 and 100)" in text
