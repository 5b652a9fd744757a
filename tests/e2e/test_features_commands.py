"""The default by commands: frozen features, from photos to a box file, and every way it can go wrong."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image
from scene_support import draw_empty

from core.base.annotations import Status
from core.base.presets import FEATURES_PRESETS
from core.boxes.no_object import peak_levels
from core.cli.app import main
from core.cli.console import Bar
from core.cli.job import run_train
from core.images.sample import draw_sample
from core.maps.localizer import save_localizer
from core.project.frozen import other_runtime
from core.project.learning import features_for, saved_unit
from core.project.runs import begin_run, current_run, runs
from core.project.store import Project

ROOT = Path(__file__).parents[2]
FAST = ("--image-size", "224", "--threads", "1", "--device", "cpu")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The truth of 24 drawn photos, which lie in ``images`` beside it."""
    return draw_sample(tmp_path / "my photos", count=24, seed=1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 drawn photos for all tests that leave them as they are."""
    return draw_sample(tmp_path_factory.mktemp("photos"), count=24, seed=1).parent / "images"


@pytest.fixture(scope="module")
def learned_once(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("learned") / "a.boxscout"
    assert main(["train", str(photos), "--project", str(project), *FAST]) == 0
    return project


@pytest.fixture
def learned(learned_once: Path, tmp_path: Path) -> Path:
    """A project of one's own in which the ``photos`` have been learned from, and no box was found yet."""
    project = tmp_path / learned_once.name
    shutil.copyfile(learned_once, project)
    shutil.copytree(f"{learned_once}-data", f"{project}-data")
    return project


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("method", ["ddt", "object"])
def test_photos_to_boxes(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    photos, project, out = sample.parent / "images", tmp_path / "a.boxscout", tmp_path / "out.json"
    train = ("train", photos, "--project", project, "--method", method, *FAST, "--json")
    code, said, err = run(capsys, *train, *(("--resume",) if method == "ddt" else ()))
    assert code == 0, f"nothing was saved, so that it begins: {err}"
    result = json.loads(said)
    assert (result["images"], result["config"]["method"], result["run"]) == (24, method, 1)
    assert len(result["sha256"]) == 64 and "onnxruntime" in result["runtime"]
    code, said, err = run(capsys, "localize", photos, "--project", project, "--json")
    assert code == 0, err
    assert (json.loads(said)["boxes"], json.loads(said)["rule"]) == (24, "object")
    assert run(capsys, "export", "--project", project, "--format", "coco", "--out", out)[0] == 0
    report = tmp_path / "report.json"
    assert run(capsys, "evaluate", out, "--truth", sample, "--images", photos, "--json", report)[0] == 0
    ours, *blind = json.loads(report.read_text())["rows"]
    assert ours["correct"] > 1.5 * max(row["correct"] for row in blind), "far from what looks at nothing"
    with Project.open(project) as opened:
        (only,) = runs(opened)
        assert only.kind == "features" and only.finished and only.current
        assert len(opened.select("SELECT 1 FROM taken")) == 24, "headers were read as photos were decoded"
        survey = opened.load_survey()
        assert survey.complete and survey.source.unit == "features" and survey.runtime == result["runtime"]
        unit = saved_unit(only)
        assert unit.method == method and unit.sha256 == result["sha256"] and unit.images == 24


def test_images_without_an_object_are_told_and_keep_their_boxes(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, project = sample.parent / "images", tmp_path / "a.boxscout"
    assert run(capsys, "train", photos, "--project", project, *FAST)[0] == 0
    with Project.open(project) as opened:
        levels = saved_unit(runs(opened)[0]).levels
        assert levels is not None and levels.objects > levels.background + 3
    localize = ("localize", photos, "--project", project)
    code, out, _ = run(capsys, *localize)
    assert code == 0 and "no object" not in out, "every photo has a beetle"
    with Project.open(project) as opened:
        found = peak_levels(opened.heat_map(image.id) for image in opened.images())
    assert (levels.objects, levels.background) == pytest.approx((found.objects, found.background), abs=0.01)
    empty = draw_empty(photos, 3)
    with Project.open(project) as opened:
        accepted = opened.images()[0].id
        opened.set_statuses({accepted: Status.ACCEPTED})
        kept = opened.boxes(accepted)
    code, out, _ = run(capsys, *localize)
    assert code == 0 and "Found 27 boxes in 27 images" in out
    assert out.strip().endswith("\n3 images may show no object (probability above 50 %).")
    assert json.loads(run(capsys, *localize, "--json")[1])["may_show_no_object"] == 3
    with Project.open(project) as opened:
        assert opened.boxes(accepted) == kept

    table, coco = tmp_path / "out.csv", tmp_path / "out.json"
    for kind, file in (("csv", table), ("coco", coco)):
        assert run(capsys, "export", "--project", project, "--format", kind, "--out", file)[0] == 0
    with table.open(newline="", encoding="utf-8") as rows:
        told = {row["filename"]: float(row["no_object"]) for row in csv.DictReader(rows)}
    assert len(told) == 27 and {name for name, share in told.items() if share > 0.5} == set(empty)
    assert {one["file_name"]: one["no_object"] for one in json.loads(coco.read_text())["images"]} == told


def test_a_run_of_before_finds_boxes_and_says_nothing_of_empty_images(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, project, out = sample.parent / "images", tmp_path / "a.boxscout", tmp_path / "out.csv"
    draw_empty(photos, 3)
    assert run(capsys, "train", photos, "--project", project, *FAST)[0] == 0
    with Project.open(project) as opened:
        (only,) = runs(opened)
    save_localizer(only.file, replace(saved_unit(only), levels=None))  # as it was saved then
    code, said, _ = run(capsys, "localize", photos, "--project", project)
    assert code == 0 and "Found 27 boxes in 27 images" in said and "no object" not in said
    assert run(capsys, "export", "--project", project, "--format", "csv", "--out", out)[0] == 0
    assert out.read_text().splitlines()[0].endswith(",source,status")


def test_the_same_seed_gives_the_same_boxes_whatever_the_threads(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for threads in (1, 2):
        project = tmp_path / f"{threads}.boxscout"
        options = ("--image-size", 224, "--threads", threads, "--device", "cpu")
        for command in (("train", *options), ("localize",)):
            name, *more = command
            code, _, err = run(capsys, name, sample.parent / "images", "--project", project, *more)
            assert code == 0, err
        with Project.open(project) as opened:
            found.append([image.boxes for image in opened.image_boxes()])
    assert found[0] == found[1]


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch is not to be loaded here")
sys.meta_path.insert(0, Block())
from core.cli.app import main
photos, project, out = sys.argv[1:]
for arguments in (
    ["train", photos, "--project", project, "--image-size", "224", "--device", "cpu"],
    ["localize", photos, "--project", project],
    ["export", "--project", project, "--format", "coco", "--out", out],
    ["runs", "--project", project],
):
    assert main(arguments) == 0, arguments
assert "torch" not in sys.modules
"""


def test_no_step_needs_torch(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, sample.parent / "images", tmp_path / "a.boxscout", out],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(json.loads(out.read_text())["annotations"]) == 24


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--steps", 30), "--steps belongs to the presets scratch, generator and paper, not to features"),
        (("--no-augmentation", "--width", 8), "--width, --no-augmentation belong to the presets scratch"),
        (("--image-size", 64), "Image size must be one of 224"),
        (
            ("--preset", "scratch", "--method", "ddt"),
            "--method belongs to the preset features, not to scratch",
        ),
        (("--features", "resnet"), "There are no features “resnet”"),
        (("--sample", 0), "Sample must lie between 1"),
        (("--weights", "mine.safetensors"), "brings its own weights, so leave out --weights: that is for"),
        (("--download",), "brings its own weights, so leave out --download"),
    ],
)
def test_an_option_of_another_preset_is_one_sentence(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[object, ...],
    sentence: str,
) -> None:
    project = tmp_path / "a.boxscout"
    code, _, err = run(capsys, "train", photos, "--project", project, *options)
    assert code == 1 and sentence in err and "Traceback" not in err
    assert not project.exists()


def test_a_run_that_is_there_is_not_learned_again_unasked(
    photos: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ("train", photos, "--project", learned, *FAST)
    for ways in ((), ("--resume",)):
        code, _, err = run(capsys, *train, *ways)
        assert code == 1 and "add --restart for a new run beside it" in err
    assert run(capsys, *train, "--restart")[0] == 0
    with Project.open(learned) as project:
        assert [one.finished for one in runs(project)] == [True, True]


def _train_from_scratch(photos: Path, project: Path, *more: object) -> tuple[object, ...]:
    return ("train", photos, "--project", project, "--preset", "scratch", "--device", "cpu", *more)


def test_a_training_from_scratch_goes_on_beside_a_newer_run_of_features(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, project = sample.parent / "images", tmp_path / "a.boxscout"
    small = ("--framing", 0, "--image-size", 32, "--width", 8, "--batch-size", 4)
    assert run(capsys, *_train_from_scratch(photos, project, "--steps", 1, *small))[0] == 0
    assert run(capsys, "train", photos, "--project", project, *FAST)[0] == 0
    code, _, err = run(capsys, *_train_from_scratch(photos, project, "--steps", 2))
    assert code == 1 and "add --resume" in err
    code, out, err = run(capsys, *_train_from_scratch(photos, project, "--steps", 2, "--resume", "--json"))
    assert code == 0, err
    assert (json.loads(out)["run"], json.loads(out)["step"]) == (1, 2)
    code, _, err = run(capsys, "train", photos, "--project", project, "--preset", "paper", "--resume")
    assert code == 1 and "no training of the preset paper to resume" in err


def test_train_takes_the_place_of_a_damaged_run_as_localize_says(
    photos: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, train = learned, ("train", photos, "--project", learned, *FAST)
    with Project.open(project) as opened:
        file = runs(opened)[0].file
    file.write_bytes(file.read_bytes()[:100])
    code, _, err = run(capsys, "localize", photos, "--project", project)
    assert code == 1 and "train again" in err
    assert run(capsys, *train)[0] == 0
    code, out, _ = run(capsys, "localize", photos, "--project", project)
    assert code == 0 and "with Run 2" in out


def test_a_killed_run_goes_when_the_next_begins_and_finds_nothing_before(
    photos: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = learned
    with Project.open(project) as opened:  # as kill -9 leaves them
        killed, away = begin_run(opened, "features"), begin_run(opened, "features")
    (killed.folder / ".boxscout-0123456789ab.tmp").write_bytes(b"half")
    away.folder.rmdir()
    code, _, err = run(capsys, "localize", photos, "--project", project, "--run", killed.id)
    assert code == 1 and "Run 2 holds no training: choose another run, or train again." in err
    assert run(capsys, "train", photos, "--project", project, *FAST, "--restart")[0] == 0
    with Project.open(project) as opened:
        assert [one.id for one in runs(opened)] == [1, away.id, 4], "a missing folder may come back"
    assert not killed.folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a child differently on Windows")
def test_ctrl_c_leaves_nothing_and_the_command_begins_again(tmp_path: Path) -> None:
    photos = draw_sample(tmp_path / "many", count=100, seed=2).parent / "images"
    project = tmp_path / "a.boxscout"
    command = [sys.executable, "-m", "core.cli", "train", str(photos), "--project", str(project)]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("Learning"):
            break
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "nothing was saved, the same command begins again" in err
    assert not project.exists(), "a project that was made for it goes again"


def test_few_and_odd_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = draw_sample(tmp_path / "two", count=2, seed=4)
    photos = truth.parent / "images"
    (photos / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    for count, chosen in ((1, sorted(photos.glob("*.jpg"))[0]), (2, photos)):
        project = tmp_path / f"{count}.boxscout"
        assert run(capsys, "train", chosen, "--project", project, *FAST)[0] == 0
        code, out, _ = run(capsys, "localize", chosen, "--project", project)
        some = "1 box in 1 image with" if count == 1 else "2 boxes in 2 images with"
        assert code == 0 and f"Found {some}" in out
        assert ("torn.png" in out) is (count == 2)


def test_no_photo_that_can_be_used_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    code, _, err = run(capsys, "train", folder, "--project", tmp_path / "a.boxscout", *FAST)
    assert code == 1 and "none of 1 files can be used. The first: Damaged" in err


def test_photos_that_are_all_alike_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (80, 80, 3), np.uint8)
    for i in range(3):
        Image.fromarray(pixels).save(folder / f"{i}.png")
    project = tmp_path / "a.boxscout"
    assert run(capsys, "train", folder, "--project", project, *FAST)[0] == 0
    assert run(capsys, "localize", folder, "--project", project)[0] == 0
    with Project.open(project) as opened:
        assert len({boxes[0].box for boxes in opened.all_boxes().values()}) == 1


def test_boxes_stay_when_another_runtime_computes(
    photos: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = learned
    assert run(capsys, "localize", photos, "--project", project)[0] == 0
    with Project.open(project) as opened:
        survey, first = opened.load_survey(), opened.images()[0]
        now = survey.runtime
        opened.save_survey(replace(survey, runtime="onnxruntime 0.9, CPUExecutionProvider, threads 1"))
        # What that one has found differs a little: it is to be seen whether it stays.
        kept = opened.heat_map(first.id) * np.float32(0.5)
        opened.set_heat_maps({first.id: kept}, step=survey.step, source=survey.source)
    code, out, _ = run(capsys, "localize", photos, "--project", project)
    assert code == 0 and "onnxruntime 0.9" in out and "--again" in out
    with Project.open(project) as opened:
        np.testing.assert_array_equal(opened.heat_map(first.id), kept)
        assert opened.load_survey().runtime.startswith("onnxruntime 0.9")
    code, out, _ = run(capsys, "localize", photos, "--project", project, "--again")
    assert code == 0 and "onnxruntime 0.9" not in out
    with Project.open(project) as opened:
        assert opened.load_survey().runtime == now
        assert np.abs(opened.heat_map(first.id) - 2 * kept).max() < 1e-6
        unit, config = saved_unit(current_run(opened)), opened.load_view().config
        for threads in (1, 2):
            version = features_for(unit, config.with_(threads=threads)).version
            assert other_runtime(opened.load_survey(), version) == "", "threads change no bit"


def test_weights_that_are_other_ones_are_one_sentence(
    photos: Path,
    learned: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = learned
    (tmp_path / "weights.pth").write_bytes(b"nothing")
    monkeypatch.setenv("BOXSCOUT_WEIGHTS", str(tmp_path / "weights.pth"))
    for command in ("train", "localize"):
        restart = ("--restart",) if command == "train" else ()
        code, _, err = run(capsys, command, photos, "--project", project, *restart)
        assert code == 1 and "weights.pth" in err and "Traceback" not in err
        assert "unset it" in err and "pip install" not in err, "an installed file would not be asked for"


def test_what_a_run_lacks_is_one_sentence(
    photos: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = learned
    code, _, err = run(
        capsys, "localize", photos, "--project", project, "--looks", "plain", "--long-side", 64
    )
    assert code == 1 and "Run 1 has no --looks, --long-side" in err
    code, _, err = run(capsys, "localize", photos, "--project", project, "--weights", "mine.safetensors")
    assert code == 1 and "brings its own weights" in err


def test_options_of_the_former_version_are_accepted(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, project = sample.parent / "images", tmp_path / "a.boxscout"
    old = (
        "--steps",
        1,
        "--preset",
        "quick",
        "--framing",
        0,
        "--image-size",
        32,
        "--width",
        8,
        "--batch-size",
        4,
    )
    assert run(capsys, "train", photos, "--project", project, *old)[0] == 0
    code, out, _ = run(capsys, "localize", photos, "--project", project, "--looks", "plain", "--json")
    assert code == 0 and json.loads(out)["rule"] == "fitted"


def test_another_preset_of_frozen_features_is_used(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEATURES_PRESETS, "few", FEATURES_PRESETS["features"].with_(sample=9, method="ddt"))
    project = tmp_path / "a.boxscout"
    result = run_train(
        [photos], project, "few", {"image_size": 224}, resume=False, restart=False,
        bar=Bar(None, None), stop=Event(),
    )  # fmt: skip
    assert (result["images"], result["config"]["sample"], result["config"]["method"]) == (9, 9, "ddt")
    with Project.open(project) as opened:
        assert [one.preset for one in runs(opened)] == ["few"]


def test_a_seed_that_changes_nothing_is_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ("train", photos, "--project", tmp_path / "a.boxscout", "--seed", 3, *FAST)
    code, _, err = run(capsys, *train, "--method", "ddt")
    assert code != 0
    assert "--seed changes nothing with --method ddt" in err
    assert run(capsys, *train)[0] == 0
