"""Measuring from the command line: sets by name, compare, curve, import, YOLO truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from core.cli.app import main
from core.formats.tiny_imagenet import SETS
from core.project.store import Project

QUICK = ("--preset", "scratch", "--image-size", "32", "--batch-size", "8", "--device", "cpu")


def _run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return code, " ".join(output.out.split()), output.err


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Two sets in the layout of Tiny ImageNet; the cats, and only they, have no boxes."""
    root = tmp_path / "tiny"
    rng = np.random.default_rng(0)

    def draw(path: Path) -> tuple[int, int, int, int]:
        x, y = (int(v) for v in rng.integers(0, 30, 2))
        ends = (x, y, x + int(rng.integers(15, 33)), y + int(rng.integers(15, 33)))
        image = Image.fromarray(rng.integers(0, 60, (64, 64, 3), np.uint8))
        ImageDraw.Draw(image).rectangle(ends, fill=(250, 200, 40))
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
        return ends

    val = []
    for name in ("bottle", "cat"):
        for wnid in SETS[name]:
            rows = []
            for i in range(8):
                ends = draw(root / "train" / wnid / "images" / f"{wnid}_{i}.JPEG")
                rows.append("\t".join(map(str, [f"{wnid}_{i}.JPEG", *ends])))
            if name == "bottle":
                (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("\n".join(rows) + "\n")
            for _ in range(3):
                file = f"val_{len(val)}.JPEG"
                ends = draw(root / "val" / "images" / file)
                val.append("\t".join(map(str, [file, wnid, *(ends if name == "bottle" else ())])))
    (root / "val" / "val_annotations.txt").write_text("\n".join(val) + "\n")
    return root


def test_a_set_by_name_from_training_to_comparison(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "bottle.boxscout"
    code, out, err = _run(
        capsys, "train", tiny, "--set", "bottle", "--project", project, "--steps", 3, *QUICK
    )
    assert code == 0, err
    assert "on 16 images" in out  # 2 classes of 8; val is not trained on
    files = []
    for rule in ("moments", "component"):
        assert _run(capsys, "localize", tiny, "--set", "bottle", "--project", project, "--rule", rule)[0] == 0
        files.append(tmp_path / f"{rule}.csv")
        assert _run(capsys, "export", "--project", project, "--format", "csv", "--out", files[-1])[0] == 0
    names = pd.read_csv(files[0]).filename
    train = [f"train/{wnid}/images/{wnid}_{i}.JPEG" for wnid in SETS["bottle"] for i in range(8)]
    assert sorted(names) == sorted(train + [f"val/images/val_{i}.JPEG" for i in range(6)])

    code, out, _ = _run(
        capsys, "compare", *files, "--truth", tiny, "--set", "bottle", "--split", "val",
        "--json", tmp_path / "compare.json",
    )  # fmt: skip
    assert code == 0
    for words in ("A: moments.csv", "B: component.csv", "centred 80 %", "A less B", "10,000 resamples"):
        assert words in out
    compared = json.loads((tmp_path / "compare.json").read_text())
    assert compared["n"] == 6
    accuracies = [row["accuracy"] for row in compared["rows"][:2]]
    assert compared["difference"]["difference"] == pytest.approx(accuracies[0] - accuracies[1])

    code, out, _ = _run(
        capsys, "curve", "--project", project, "--truth", tiny, "--set", "bottle", "--split", "val",
        "--rule", "component", "--step", "0.05", "--json", tmp_path / "curve.json",
    )  # fmt: skip
    assert code == 0
    order = [out.index(words) for words in ("fixed threshold 0.2", "colour contrast", "MaxBoxAcc")]
    assert order == sorted(order)
    curve = json.loads((tmp_path / "curve.json").read_text())
    # The project's heat maps at the rule's own threshold are the boxes that were exported.
    assert curve["fixed"]["rows"][0]["accuracy"] == accuracies[1]
    assert curve["fixed_threshold"] == 0.2
    assert curve["px_ap"] is None
    assert len(curve["thresholds"]) == 20
    # Every baseline stands beside, colour contrast too, whose photos lie with the truth.
    baselines = curve["fixed"]["rows"][1:]
    assert [row["method"] for row in baselines][2] == "colour contrast"
    assert compared["rows"][2:] == baselines
    report = tmp_path / "report.json"
    common = ("--set", "bottle", "--split", "val", "--json", report)
    assert _run(capsys, "evaluate", files[1], "--truth", tiny, *common)[0] == 0
    assert json.loads(report.read_text())["rows"] == curve["fixed"]["rows"]


def test_the_photos_of_a_truth_that_is_a_file_are_told(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "truth.csv"
    rows = [f"val/images/val_{i}.JPEG,64,64,bottle,8,8,48,48" for i in range(6)]
    truth.write_text("\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *rows]) + "\n")
    for options, told in (((), False), (("--images", tiny), True)):
        for command in (("evaluate", truth), ("compare", truth, truth)):
            code, out, err = _run(capsys, *command, "--truth", truth, *options)
            assert code == 0, err
            assert ("colour contrast" in out) == told


def test_a_set_without_boxes_is_localized_and_exported_all_the_same(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, boxes = tmp_path / "cat.boxscout", tmp_path / "cat.csv"
    assert _run(capsys, "train", tiny, "--set", "cat", "--project", project, "--steps", 2, *QUICK)[0] == 0
    assert _run(capsys, "localize", tiny, "--set", "cat", "--project", project)[0] == 0
    assert _run(capsys, "export", "--project", project, "--format", "csv", "--out", boxes)[0] == 0
    assert len(pd.read_csv(boxes)) == 4 * (8 + 3)
    for arguments in (
        ("evaluate", boxes, "--truth", tiny, "--set", "cat"),
        ("evaluate", boxes, "--truth", tiny, "--set", "cat", "--split", "val"),
        ("compare", boxes, boxes, "--truth", tiny, "--set", "cat"),
        ("curve", "--project", project, "--truth", tiny, "--set", "cat"),
    ):
        code, _, err = _run(capsys, *arguments)
        assert code == 1
        assert "no true boxes for the set “cat”" in err
        assert len(err.strip().splitlines()) == 1


def test_curve_with_masks_adds_pxap(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, masks = tmp_path / "a.boxscout", tmp_path / "masks"
    images = tiny / "train" / SETS["bottle"][0] / "images"
    masks.mkdir()
    for path in images.iterdir():  # the left half is the object
        half = np.zeros((64, 64), np.uint8)
        half[:, :32] = 255
        Image.fromarray(half).save(masks / f"{path.stem}.png")
    curve = (
        "curve",
        "--truth",
        tiny,
        "--set",
        "bottle",
        "--step",
        "0.5",
        "--masks",
        masks,
        "--project",
        project,
    )
    code, _, err = _run(capsys, *curve)
    assert code == 1
    assert "no project" in err
    assert _run(capsys, "train", images, "--project", project, "--steps", 1, *QUICK)[0] == 0
    code, _, err = _run(capsys, *curve)
    assert code == 1
    assert "run 'localize'" in err
    assert _run(capsys, "localize", images, "--project", project)[0] == 0
    with Project.open(project) as opened:  # heat on the left alone: every pixel in order
        heat = np.zeros((8, 8), np.float32)
        heat[:, :4] = 1
        opened.set_heat_maps({record.id: heat for record in opened.images()}, step=1)
    code, out, err = _run(capsys, *curve, "--json", tmp_path / "curve.json")
    assert code == 0, err
    assert "PxAP" in out
    assert json.loads((tmp_path / "curve.json").read_text())["px_ap"] > 0.99


def test_import_makes_folders_that_train_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    records = rng.integers(0, 256, (20, 3073), np.uint8)
    records[:, 0] = rng.integers(0, 10, 20)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "data_batch_1.bin").write_bytes(records.tobytes())
    out = tmp_path / "cifar"
    code, text, _ = _run(capsys, "import", "cifar10", tmp_path / "bin", "--out", out)
    assert code == 0
    assert "20 images" in text
    project = tmp_path / "a.boxscout"
    code, text, _ = _run(capsys, "train", out, "--project", project, "--steps", 1, *QUICK)
    assert code == 0
    assert "on 20 images" in text
    code, _, err = _run(capsys, "import", "cifar10", tmp_path / "bin", "--out", out)
    assert code == 1
    assert "not empty" in err
    code, _, err = _run(capsys, "import", "imagenet", tmp_path / "bin", "--out", tmp_path / "x")
    assert code == 2
    assert "cifar10" in err


def test_truth_may_be_yolo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    Image.new("RGB", (100, 50)).save(tmp_path / "images" / "a.png")
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .5 1\n")
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("filename,width,height,class,xmin,ymin,xmax,ymax\na.png,100,50,cat,25,0,75,50\n")
    code, out, err = _run(capsys, "evaluate", boxes, "--truth", tmp_path)
    assert code == 0, err
    assert "100.0%" in out


def test_names_and_shares_of_other_computers_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MegaDetector's shares by Windows paths against a VOC truth without endings; one box is no box."""
    sides = "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>"
    size = "<size><width>100</width><height>100</height></size>"
    for name in ("a", "b"):
        thing = f"<object><name>x</name>{sides}</object>"
        xml = f"<annotation><filename>{name}</filename>{size}{thing}</annotation>"
        (tmp_path / "truth").mkdir(exist_ok=True)
        (tmp_path / f"truth/{name}.xml").write_text(xml)
    found = [
        {"file": f"D:\\cards\\{name}.JPG", "detections": [{"category": "1", "conf": 0.9, "bbox": box}]}
        for name, box in (("A", [0.1, 0.2, 0.3, 0.4]), ("B", ["?", 0, 1, 1]))
    ]
    (tmp_path / "md.json").write_text(json.dumps({"detection_categories": {"1": "animal"}, "images": found}))
    code, _, err = _run(
        capsys, "evaluate", tmp_path / "md.json", "--truth", tmp_path / "truth", "--json", tmp_path / "r.json"
    )
    assert code == 0
    assert "md.json has a box whose numbers cannot be read" in err
    rows = json.loads((tmp_path / "r.json").read_text())["rows"]
    assert (rows[0]["correct"], rows[0]["n"]) == (1, 2)


def test_set_wants_the_one_folder_that_holds_it(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "a.boxscout"
    code, _, err = _run(capsys, "train", tiny, tiny, "--set", "dog", "--project", project)
    assert code == 1
    assert "one folder" in err
    code, _, err = _run(capsys, "train", tiny, "--set", "dog", "--project", project)
    assert code == 1
    assert "no images of the set “dog”" in err
    code, _, err = _run(capsys, "train", tiny, "--set", "dogs", "--project", project)
    assert code == 2
    assert "artiodactyla" in err
    assert not project.exists()


def test_the_real_sets_reach_the_project(
    unzipped: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = unzipped("tiny-imagenet-six")
    project = tmp_path / "bottle.boxscout"
    assert _run(capsys, "train", root, "--set", "bottle", "--project", project, "--steps", 2, *QUICK)[0] == 0
    code, out, _ = _run(capsys, "localize", root, "--set", "bottle", "--project", project)
    assert code == 0
    assert "1,100 boxes" in out
    code, out, _ = _run(
        capsys, "curve", "--project", project, "--truth", root, "--set", "bottle", "--split", "val"
    )
    assert code == 0
    assert "on 100 images" in out
    for figure in ("38.0%", "40.0%"):  # the whole image and the centred 80 %, as published
        assert figure in out
