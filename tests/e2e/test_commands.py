"""The main job from the command line, as a person or a program would do it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_support import ROOT, interrupt_after_a_step, run
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.base.annotations import Source
from core.base.presets import PRESETS
from core.cli.app import main
from core.images.sample import draw_sample
from core.learn import checkpoint
from core.project.fitting import fitted_to, sentence, summarized
from core.project.queries import framings
from core.project.store import ImageRecord, Project

GENERATOR = ("--preset", "generator", "--steps", "2")
QUICK = ("--preset", "scratch", "--image-size", "32", "--width", "8", "--batch-size", "8", "--device", "cpu")


@pytest.fixture
def sample(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of drawn images and its truth."""
    truth = draw_sample(tmp_path / "my photos", count=24, seed=1)
    return truth.parent / "images", truth


def test_folder_to_boxes(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, truth = sample
    project = tmp_path / "a.boxscout"
    code, out, _ = run(capsys, "train", folder, "--project", project, "--steps", 4, *QUICK)
    assert code == 0
    assert re.search(r"Trained 4 steps on 24 images in \d+ s\.", out)

    code, out, _ = run(capsys, "localize", folder, "--project", project, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["boxes"] == 24
    assert found["sureness"]["images"] == 24

    for name, file in (("csv", "boxes.csv"), ("coco", "boxes.json")):
        code, out, _ = run(capsys, "export", "--project", project, "--format", name, "--out", tmp_path / file)
        assert code == 0
        assert "24" in out

    frame = pd.read_csv(tmp_path / "boxes.csv")
    assert len(frame) == 24
    assert (frame.xmax > frame.xmin).all()
    assert (frame.xmax <= frame.width).all()
    assert set(frame.filename) == {path.name for path in folder.iterdir()}

    code, out, _ = run(
        capsys, "evaluate", tmp_path / "boxes.json", "--truth", truth, "--json", tmp_path / "report.json"
    )
    assert code == 0
    assert "centred 80" in out.lower()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["n"] == 24

    by_csv = run(capsys, "evaluate", tmp_path / "boxes.csv", "--truth", truth)
    assert by_csv[0] == 0


def test_the_default_follows_the_folder_and_a_persons_own_choice_wins(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = sample
    project = tmp_path / "a.boxscout"
    fast = ("--preset", "scratch", "--minutes", "0.01", "--device", "cpu", "--restart")
    code, out, err = run(capsys, "train", folder, "--project", project, *fast, "--json")
    result = json.loads(out)
    summary = summarized(_records(project))
    expected = fitted_to(PRESETS["scratch"], summary)
    assert summary.images == 24
    assert err.splitlines()[0] == result["fitted"] == expected.sentence
    assert result["config"] == expected.config.with_(minutes=0.01, device="cpu").to_dict()

    own = ("--steps", 2, "--batch-size", 5, "--device", "cpu", "--restart")
    scratch = ("--preset", "scratch")
    code, out, err = run(capsys, "train", folder, "--project", project, *scratch, *own, "--json")
    assert code == 0
    config = expected.config.with_(steps=2, batch_size=5, device="cpu")
    assert json.loads(out)["config"] == config.to_dict()
    assert err.splitlines()[0] == sentence(config, summary)
    code, out, err = run(capsys, "train", folder, "--project", project, "--preset", "paper", *own, "--json")
    assert json.loads(out)["fitted"] == ""
    assert json.loads(out)["config"]["width"] == 64


@pytest.mark.parametrize(
    ("given", "learns"), [((), True), (("--framing", 1), True), (("--framing", 0), False)]
)
def test_framing_is_learned_unless_it_is_turned_off(
    sample: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: tuple[object, ...],
    learns: bool,
) -> None:
    project = tmp_path / "a.boxscout"
    train = ("train", sample[0], "--project", project, "--steps", 2, *QUICK, "--json")
    code, out, err = run(capsys, *train, *given)
    assert code == 0, err
    assert json.loads(out)["config"]["framing"] == (given[1] if given else PRESETS["scratch"].framing)
    state = checkpoint.load(tmp_path / "a.boxscout-data" / "runs" / "1" / "checkpoint.pt")
    assert (state.discriminator.framing is not None) is learns
    assert run(capsys, "localize", sample[0], "--project", project)[0] == 0
    with Project.open(project) as opened:
        assert len(framings(opened, [record.id for record in opened.images()])) == (24 if learns else 0)
    code, _, err = run(capsys, *train[:4], "--resume", "--framing", 2)
    assert code == 1
    assert "leave out --framing" in err


def test_augmentation_finer_maps_width_and_precision_are_options(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = (*QUICK, "--preset", "paper", "--steps", 2, "--width", 8)
    sides = {}
    for name, options, side in (
        ("a", (), 4),
        ("b", ("--fine-heat-map", "--no-augmentation", "--precision", "fp32"), 8),
    ):
        project = tmp_path / f"{name}.boxscout"
        assert run(capsys, "train", sample[0], "--project", project, *paper, *options)[0] == 0
        config = checkpoint.load(tmp_path / f"{name}.boxscout-data" / "runs" / "1" / "checkpoint.pt").config
        assert (config.width, config.augmentation, config.fine_heat_map) == (8, name == "a", name == "b")
        assert config.precision == ("auto" if name == "a" else "fp32")
        localize = ("localize", sample[0], "--project", project, "--looks", "plain")
        assert run(capsys, *localize)[0] == 0
        with Project.open(project) as opened:
            sides[side] = opened.heat_map(opened.images()[0].id).shape
    assert sides == {4: (4, 4), 8: (8, 8)}
    train = ("train", sample[0], "--project", tmp_path / "b.boxscout", "--resume", "--steps", 3)
    code, _, err = run(capsys, *train, "--no-augmentation")
    assert code == 1
    assert "leave out --no-augmentation" in err


def test_one_photo_is_trained_on_and_gets_its_box(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, project = sorted(sample[0].iterdir())[0], tmp_path / "one.boxscout"
    train = ("train", photo, "--project", project, "--preset", "scratch")
    code, _, err = run(capsys, *train, "--steps", 2, "--device", "cpu")
    assert code == 0, err
    assert err.startswith("1 image of ")
    assert run(capsys, "localize", photo, "--project", project)[0] == 0
    with Project.open(project) as opened:
        (boxes,) = opened.all_boxes().values()
        (record,) = opened.images()
    assert len(boxes) == 1
    assert 0 < boxes[0].box.area < record.width * record.height


def test_an_export_after_another_training_says_that_its_boxes_are_of_an_earlier_one(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = sample
    project = tmp_path / "a.boxscout"
    train = ("train", folder, "--project", project)
    find = ("localize", folder, "--project", project)
    export = ("export", "--project", project, "--format", "csv", "--out", tmp_path / "x.csv", "--json")

    def warned() -> bool:
        code, out, err = run(capsys, *export)
        assert code == 0, err
        assert json.loads(out)["boxes"] == 24
        return err.count("earlier training") == 1

    assert run(capsys, *train, "--steps", 2, *QUICK)[0] == 0
    assert run(capsys, *find)[0] == 0
    assert not warned()
    assert "complete" in run(capsys, *train, "--resume")[1]  # no step was made
    assert not warned()
    assert run(capsys, *train, "--resume", "--steps", 3)[0] == 0
    assert warned()
    assert run(capsys, *find)[0] == 0
    assert not warned()
    assert run(capsys, *train, "--restart", "--steps", 3, *QUICK)[0] == 0
    assert warned()
    with Project.open(project) as opened:
        for record in opened.images():
            opened.set_boxes(record.id, [replace(b, source=Source.EDITED) for b in opened.boxes(record.id)])
    assert not warned(), "a person's boxes are of no training"


def _records(path: Path) -> list[ImageRecord]:
    with Project.open(path) as project:
        return project.images()


def test_several_boxes_from_several_looks_are_found_exported_and_measured(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, truth = sample
    project, boxes = tmp_path / "a.boxscout", tmp_path / "boxes.json"
    assert run(capsys, "train", folder, "--project", project, "--steps", 2, *QUICK)[0] == 0
    with Project.open(project) as opened:
        images = len(opened.images())
    localize = ("localize", folder, "--project", project, "--rule", "component", "--threshold", "0.8")
    shapes = {}
    for looks in (("--looks", "plain"), ("--long-side", "96", "--looks", "averaged")):
        code, out, err = run(capsys, *localize, "--max-boxes", 5, *looks)
        assert code == 0, err
        assert "When an image is mirrored or shifted," in out
        with Project.open(project) as opened:
            heat_map = opened.heat_map(opened.images()[0].id)
            shapes[looks[0]] = heat_map.shape
            found = sum(len(of_image) for of_image in opened.all_boxes().values())
            assert opened.load_view().max_boxes == 5
        assert f"Found {found} boxes in {images} images" in out
        assert found > images
    assert shapes["--looks"] != shapes["--long-side"]
    assert run(capsys, "export", "--project", project, "--format", "coco", "--out", boxes)[0] == 0
    code, out, _ = run(capsys, "evaluate", boxes, "--truth", truth, "--json", tmp_path / "report.json")
    assert code == 0
    for words in ("Average precision", "AP 0.5-0.95", "false", "centred 80 %", "Score ranks IoU with rho ="):
        assert words in out
    ours = json.loads((tmp_path / "report.json").read_text())["precision"][0]
    assert ours["found"] == found
    assert ours["right"] + ours["false_positives"] == found


def test_exported_coco_scores_one_against_itself(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = sample
    project, out = tmp_path / "a.boxscout", tmp_path / "boxes.json"
    assert main(["train", str(folder), "--project", str(project), "--steps", "2", *QUICK]) == 0
    assert main(["localize", str(folder), "--project", str(project)]) == 0
    assert main(["export", "--project", str(project), "--format", "coco", "--out", str(out)]) == 0
    truth = COCO(str(out))
    found = truth.loadRes([
        {"image_id": a["image_id"], "category_id": a["category_id"], "bbox": a["bbox"], "score": 1.0}
        for a in json.loads(out.read_text())["annotations"]
    ])  # fmt: skip
    judge = COCOeval(truth, found, "bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    capsys.readouterr()
    assert judge.stats[0] == pytest.approx(1.0)


def test_same_seed_same_boxes(sample: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = sample
    boxes = []
    for name in ("a", "b"):
        project = tmp_path / f"{name}.boxscout"
        assert (
            main(["train", str(folder), "--project", str(project), "--steps", "3", "--seed", "5", *QUICK])
            == 0
        )
        assert main(["localize", str(folder), "--project", str(project)]) == 0
        with Project.open(project) as opened:
            boxes.append([image.boxes for image in opened.image_boxes()])
    assert boxes[0] == boxes[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a child differently on Windows")
def test_ctrl_c_saves_and_resume_goes_on(sample: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = sample
    project = tmp_path / "a.boxscout"
    code, out = interrupt_after_a_step(
        "train", str(folder), "--project", str(project), "--steps", "100000", *QUICK
    )
    assert code == 130
    assert "saved; add --resume" in out
    path = project.with_name("a.boxscout-data") / "runs" / "1" / "checkpoint.pt"
    step = checkpoint.load(path).step
    assert step >= 1
    assert main(["train", str(folder), "--project", str(project), "--resume", "--steps", str(step + 2)]) == 0
    assert checkpoint.load(path).step == step + 2


def test_a_training_is_never_overwritten_unasked(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = sample
    train = ("train", folder, "--project", tmp_path / "a.boxscout", "--steps", 2)
    assert run(capsys, *train, *QUICK)[0] == 0
    code, _, err = run(capsys, *train, *QUICK)
    assert code == 1
    assert "--resume" in err
    assert "--restart" in err
    code, _, err = run(capsys, *train, "--resume", "--seed", 3)
    assert code == 1
    assert "--seed" in err
    code, out, _ = run(capsys, *train, "--resume")
    assert code == 0
    assert "complete" in out
    assert run(capsys, *train, *QUICK, "--restart")[0] == 0


def _folder_of(tmp_path: Path, count: int) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(count):
        Image.fromarray(np.full((40, 30, 3), i, np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.mark.parametrize(("count", "sentence"), [(0, "no image"), (7, "at least 8")])
def test_too_few_images_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, sentence: str
) -> None:
    folder = _folder_of(tmp_path, count)
    code, _, err = run(capsys, "train", folder, "--project", tmp_path / "a.boxscout", *GENERATOR)
    assert code == 1
    assert sentence in err
    assert "Traceback" not in err


def test_odd_images_are_reported_and_the_rest_is_used(
    unzipped: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unzipped("odd-images")  # type: ignore[operator]
    project = tmp_path / "a.boxscout"
    assert run(capsys, "train", folder, "--project", project, "--steps", 2, *QUICK)[0] == 0
    code, out, _ = run(capsys, "localize", folder, "--project", project, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["boxes"] > 15
    assert result["failed"]
    assert all(entry["reason"] for entry in result["failed"])


def test_a_file_that_cannot_be_used_is_named_with_its_reason(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = sample
    for number in range(7):  # what a phone calls its photos, and nothing here reads
        (folder / f"IMG_{number}.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    (folder / "torn.png").write_bytes((next(folder.glob("*.png"))).read_bytes()[:60])
    (folder / "notes.txt").write_text("not worth a word")
    project = tmp_path / "a.boxscout"
    assert run(capsys, "train", folder, "--project", project, "--steps", 2, *QUICK)[0] == 0
    wanted = {*(str(folder / f"IMG_{number}.HEIC") for number in range(7)), str(folder / "torn.png")}
    code, out, _ = run(capsys, "localize", folder, "--project", project, "--json")
    assert (code, {entry["file"] for entry in json.loads(out)["failed"]}) == (0, wanted)
    (folder / "IMG_6.HEIC").unlink()
    code, out, _ = run(capsys, "localize", folder, "--project", project)
    assert code == 0
    assert "Files that could not be used: 7." in out
    named = [line for line in out.splitlines() if line.startswith("Left out “")]
    assert len(named) == 5 and all(line.endswith(".") for line in named)
    assert sum(path in out for path in wanted) == 5 and "Left out besides: 2; " in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_under_the_output_is_one_sentence(tmp_path: Path, more: list[str]) -> None:
    command = [sys.executable, "-c", "import sys; from core.cli.app import main; sys.exit(main())"]
    Project.open_or_create(tmp_path / "a.boxscout").close()
    command += ["runs", "--project", str(tmp_path / "a.boxscout")]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*command, *more], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "The output could not be written: the disk is full.\n")


def test_a_reader_that_has_seen_enough_and_no_output_at_all_are_no_error_of_ours(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; from core.cli.app import main; sys.exit(main())"]
    Project.open_or_create(tmp_path / "a.boxscout").close()
    shown = ["runs", "--project", str(tmp_path / "a.boxscout")]
    for arguments in (shown, [*shown, "--json"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [*command, *arguments], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True
        )
        os.close(write)
        assert (done.returncode, done.stderr) == (1, "")
    shell = f'exec "{sys.executable}" -c "from core.cli.app import main; main([\'--version\'])" >&-'
    closed = subprocess.run(["sh", "-c", shell], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "x", "--project", "p", "--preset", "huge"],
        ["train", "x", "--project", "p", "--resume", "--restart"],
        ["train", "x", "--project", "p", "--steps", "5", "--minutes", "1"],
        ["localize", "x", "--project", "p", "--threshold", "2"],
        ["localize", "x", "--project", "p", "--max-boxes", "0"],
        ["localize", "x", "--project", "p", "--looks", "twice"],
        ["export", "--project", "p", "--format", "docx", "--out", "o"],
        ["unknown"],
    ],
)
def test_wrong_use_exits_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert err


def test_errors_name_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder_of(tmp_path, 9)
    nothing, stranger = tmp_path / "no.boxscout", tmp_path / "photo.boxscout"
    stranger.write_bytes(b"\x89PNG\r\n not a project" * 50)
    damaged = tmp_path / "d.boxscout"
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("filename,width,height,class,xmin,ymin,xmax,ymax\na.png,30,40,object,1,2,9,9\n")
    assert run(capsys, "train", folder, "--project", damaged, "--steps", 1, *QUICK)[0] == 0
    checkpoint_file = tmp_path / "d.boxscout-data" / "runs" / "1" / "checkpoint.pt"
    checkpoint_file.write_bytes(checkpoint_file.read_bytes()[:500])
    for arguments, words in (
        (("localize", folder, "--project", nothing), "no project"),
        (("train", folder, "--project", stranger), "not a Boxscout project"),
        (("train", folder, "--project", tmp_path / "no" / "where.boxscout"), "does not exist"),
        (("train", tmp_path / "missing", "--project", tmp_path / "n.boxscout"), "missing"),
        (("train", folder, "--project", tmp_path / "o.boxscout", *QUICK, "--steps", 0), "Steps"),
        (("localize", folder, "--project", damaged), "damaged"),
        (("export", "--project", damaged, "--format", "csv", "--out", tmp_path / "x.csv"), "no box"),
        (("evaluate", tmp_path / "none.csv", "--truth", folder), "none.csv"),
        (("evaluate", boxes, "--truth", boxes, "--json", tmp_path / "no" / "r.json"), "cannot be written"),
    ):
        code, _, err = run(capsys, *arguments)
        assert code == 1, (arguments, err)
        assert words in err, (arguments, err)
        assert "Traceback" not in err
        assert len(err.strip().splitlines()) <= 2, err
    assert not (tmp_path / "x.csv").exists()


def test_demo_leaves_everything_it_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    code, text, _ = run(capsys, "demo", "--out", out, "--steps", 3, "--count", 16)
    assert code == 0, text
    assert {p.name for p in out.iterdir()} >= {
        "images",
        "boxes.csv",
        "boxes.json",
        "sheet.png",
        "demo.boxscout",
    }
    with Image.open(out / "sheet.png") as sheet:
        assert min(sheet.size) > 600
        assert np.asarray(sheet.convert("L")).std() > 20
    assert "whole image" in text.lower()
    assert run(capsys, "demo", "--out", out, "--steps", 2, "--count", 16)[0] == 0


def test_the_help_says_in_whole_sentences_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    commands = [line for line in out.partition("Commands:")[2].splitlines() if line]
    assert code == 0 and len(commands) == 18
    assert all(line.endswith(".") and not line.endswith("..") for line in commands), commands
    for command in ("train", "localize", "export"):
        makes_one = "made where there is none" in run(capsys, command, "--help")[1]
        assert makes_one is (command == "train")  # the others refuse a project that is not there


def test_version_and_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--version")
    assert code == 0
    assert out.startswith("boxscout 0.")
    code, out, _ = run(capsys, "doctor", "--json")
    names = {check["name"].lower() for check in json.loads(out)}
    assert any("torch" in name for name in names)
    assert any("memory" in name for name in names)


def test_commands_run_where_there_is_no_qt(sample: tuple[Path, Path], tmp_path: Path) -> None:
    """As on a server with a graphics card, whose own torch is used."""
    broken = tmp_path / "without" / "PySide6"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('there is no Qt here')\n")
    project = tmp_path / "a.boxscout"
    commands = (
        ("train", sample[0], "--project", project, "--steps", "2", *QUICK),
        ("localize", sample[0], "--project", project),
        ("export", "--project", project, "--format", "csv", "--out", tmp_path / "boxes.csv"),
    )
    code = (
        "import json, sys; from core.cli.app import main; sys.exit(sum(map(main, json.loads(sys.argv[1]))))"
    )
    words = json.dumps([list(map(str, one)) for one in commands])
    environment = {**os.environ, "PYTHONPATH": str(broken.parent)}
    for command in (["-c", code, words], ["-m", "core.cli", "--version"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert len(pd.read_csv(tmp_path / "boxes.csv")) == 24
