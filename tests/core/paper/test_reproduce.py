"""The published table and figures on a drawn Tiny ImageNet of a few images, two steps for each run."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import statistics
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image

from core.base.annotations import ImageBoxes
from core.base.errors import BoxscoutError, Cancelled, TrainingError
from core.boxes.batches import find_box
from core.cli.app import main
from core.evaluate.report import evaluate
from core.formats import reading, tiny_imagenet
from core.learn import checkpoint
from core.paper import table
from core.paper.plan import Job, plan, shares
from core.paper.published import FIGURE_METHODS, METHODS, TABLE, published
from core.paper.rows import means_of
from core.paper.table import make_table
from core.project.drawing import fit
from core.project.store import Project

METHOD_MD = Path(__file__).parents[4] / "shared" / "design" / "method.md"
SMALL = ("--steps", "2", "--width", "8", "--batch-size", "8", "--device", "cpu")


class Meter:
    """Counts what it is told, and may ask to stop at the first step."""

    def __init__(self, stop: Event | None = None) -> None:
        self.stop, self.shares, self.last = stop, 0.0, 0.0

    def part(self, title: str, share: float) -> None:
        self.shares += share

    def update(self, fraction: float, detail: str = "") -> None:
        self.last = fraction
        if self.stop is not None and detail.startswith("step 1/"):
            self.stop.set()

    def count(self, done: int, total: int) -> None:
        self.update(done / total)


@pytest.fixture(scope="module")
def lab(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``reproduce table2`` has done Dog with every method."""
    out = tmp_path_factory.mktemp("lab")
    assert main(["reproduce", "table2", "--data", str(data), "--out", str(out), "--sets", "dog", *SMALL]) == 0
    return out


def job_of(data: Path, out: Path, **changes: object) -> Job:
    job = Job(what="table2", data=data, out=out, sets=("dog",), methods=("dcgan",), steps=2, width=8,
              batch_size=8, device="cpu")  # fmt: skip
    return dataclasses.replace(job, **changes)


def checkpoints(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(out.glob("runs/*-data/runs/1/c*.pt"))}


# --- what is published --------------------------------------------------------------------------------


def test_published_numbers() -> None:
    assert published("dog", "dcgan-aug") == 60.8
    assert published("artiodactyla", "cam") == 53.4
    assert published("all", "dcgan") == 41.4
    assert published("dog", "wgan-gp") is None
    assert (TABLE["vehicle"].train, TABLE["vehicle"].val) == (4000, 400)
    assert set(tiny_imagenet.SETS) < set(TABLE)


@pytest.mark.skipif(not METHOD_MD.is_file(), reason="the shared notes are not here")
def test_every_published_number_is_that_of_the_notes() -> None:
    rows = re.findall(r"^\| ([\w ]+?) \((\w+)/(\w+)\) \|(.+)\|$", METHOD_MD.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(TABLE)
    for title, train, val, cells in rows:
        line = next(one for one in TABLE.values() if one.title == title)
        assert [line.train, line.val] == [int(n.replace("k", "000")) for n in (train, val)]
        for method, cell in zip(("dcgan", "dcgan-aug", "dragan", "cam"), cells.split("|"), strict=False):
            assert line.accuracies.get(method) == (None if cell.strip() == "-" else float(cell))


# --- the plan -----------------------------------------------------------------------------------------


def test_budget_scales_the_published_steps(tmp_path: Path) -> None:
    job = job_of(
        tmp_path, tmp_path, methods=tuple(METHODS), seeds=(0, 1), steps=None, budget=0.01, width=None
    )
    runs = plan(job)
    assert len({run.name for run in runs}) == len(runs) == 10
    assert {run.method: run.config.steps for run in runs} == {
        "dcgan": 2000, "dcgan-aug": 2000, "dragan": 2000, "wgan-gp": 2000, "cam": 1000,
    }  # fmt: skip
    assert [run.config.augmentation for run in runs[::2]] == [False, True, True, True, True]
    assert runs[0].config.width == 64
    assert sum(shares(runs)) == pytest.approx(1.0)
    assert "--budget 0.01" in job.command


def test_the_settings_are_the_published_ones_whatever_the_defaults(tmp_path: Path) -> None:
    job = job_of(tmp_path, tmp_path, methods=tuple(METHODS), steps=None, width=None, batch_size=None)
    gans = [run.config for run in plan(job) if run.method != "cam"]
    assert len(gans) == 4
    for config in gans:
        settings = config.to_dict()
        assert {
            "image_size": 64, "width": 64, "batch_size": 128, "steps": 200_000, "latent_size": 100,
            "fine_heat_map": False, "learning_rate": None, "beta1": None, "beta2": None, "minutes": None,
        }.items() <= settings.items()  # fmt: skip
        # What the product adds to the published method stays out of it.
        assert not settings.get("background")
        assert settings.get("adversarial", True)
    (cam,) = (run.config for run in plan(job) if run.method == "cam")
    assert (cam.width, cam.batch_size, cam.steps, cam.learning_rate) == (64, 256, 100_000, 0.1)


def test_the_command_of_a_job_does_the_same_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(
        tmp_path, tmp_path / "o", methods=("cam", "dragan"), seeds=(3, 1), cam={"steps": 5, "batch_size": 9}
    )
    done: list[Job] = []
    monkeypatch.setattr(table, "make_table", lambda job, **_: done.append(job) or [])
    python, program, *arguments = shlex.split(job.command)
    assert (python, program) == ("python3", "main.py")
    assert main(arguments) == 0
    assert done == [job]
    assert [(run.method, run.config.steps, run.config.batch_size) for run in plan(job)[::2]] == [
        ("cam", 5, 9), ("dragan", 2, 8),
    ]  # fmt: skip


# --- the table ----------------------------------------------------------------------------------------


def test_rows_are_what_evaluate_says(lab: Path, data: Path) -> None:
    content = json.loads((lab / "table2.json").read_text())
    truth = tiny_imagenet.read(data, wnids=tiny_imagenet.SETS["dog"], split="val")
    assert [row["method"] for row in content["rows"]] == list(METHODS)
    for row in content["rows"]:
        boxes = reading.read_truth(lab / row["boxes"]["component"])
        expected = evaluate(boxes, truth, images_root=data).to_dict()
        assert row["accuracy"]["component"] == json.loads(json.dumps(expected))
        with Project.open(lab / row["run"]["project"]) as project:
            named = {record.path.name: project.heat_map(record.id) for record in project.images()}
        moments = [
            ImageBoxes(
                t.name, 64, 64, (find_box(named[Path(t.name).name], width=64, height=64, rule="moments"),)
            )
            for t in truth
        ]
        assert row["accuracy"]["moments"]["rows"][0]["correct"] == evaluate(moments, truth).rows[0].correct


def test_a_row_tells_how_it_was_made(lab: Path) -> None:
    content = json.loads((lab / "table2.json").read_text())
    text = (lab / "table2.md").read_text("utf-8")
    for row in content["rows"]:
        ours = row["accuracy"]["component"]["rows"][0]
        if row["published"] is not None:
            inside = 100 * ours["low"] <= row["published"] <= 100 * ours["high"]
            assert row["published_inside_interval"] is inside
            said = f"published {row['published']:.1f} lies {'inside' if inside else 'outside'} our interval"
            assert said in row["statement"]
        assert "% of the published steps" in row["statement"]
        assert row["statement"] in text
        (session,) = row["run"]["sessions"]
        assert (session["from_step"], session["to_step"]) == (0, 2)
        assert session["commit"]
        assert session["device"].startswith("CPU")
        assert session["command"] == content["command"]
        assert row["run"]["complete"]
        assert row["run"]["seconds"] > 0
        assert row["run"]["config"]["width"] == 8
    for words in ("whole image", "centred 80 %", "colour contrast", "tuned on truth", "(0.001 % of 200,000)"):
        assert words in text


def test_sets_without_truth_are_localized_and_exported(data: Path, tmp_path: Path) -> None:
    (row,) = make_table(
        job_of(data, tmp_path, sets=("bottle",), methods=("cam",)), meter=Meter(), stop=Event()
    )
    assert not row.reports and not means_of([row, row])
    assert "No true boxes" in row.statement
    assert len(reading.read_truth(tmp_path / row.boxes["moments"])) == 8
    text = (tmp_path / "table2.md").read_text("utf-8")
    assert "| Bottle | CAM, class labels | 2 | 0 | no truth in the data | 34.3 |" in text
    assert "Which snapshot" not in text  # a classifier has its end alone


def test_a_training_that_breaks_down_is_a_row_and_stops_no_other(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do = table.complete

    def breaking(job, run, share, meter, stop):
        if run.config.seed == 0:
            raise TrainingError("Training broke down.")
        return do(job, run, share, meter, stop)

    monkeypatch.setattr(table, "complete", breaking)
    job = job_of(data, tmp_path, methods=("cam",), seeds=(0, 1))
    rows = make_table(job, meter=Meter(), stop=Event())
    assert [bool(row.failure) for row in rows] == [True, False]
    assert json.loads((tmp_path / "table2.json").read_text())["rows"][0]["failure"] == "Training broke down."


def test_every_gan_has_its_last_proposed_and_best_snapshot(lab: Path, data: Path) -> None:
    content = json.loads((lab / "table2.json").read_text())
    text = (lab / "table2.md").read_text("utf-8")
    truth = tiny_imagenet.read(data, wnids=tiny_imagenet.SETS["dog"], split="val")
    for row in content["rows"]:
        by_choice = {one["choice"]: one for one in row["snapshots"]["component"]}
        ends = row["accuracy"]["component"]
        assert by_choice["last"]["accuracy"] == ends["rows"][0]["accuracy"]
        assert (by_choice["last"]["step"], by_choice["last"]["r_cx"]) == (2, ends["r_cx"])
        if row["method"] == "cam":
            assert set(by_choice) == {"last"}
            continue
        proposed, best = by_choice["proposed"], by_choice["best in hindsight"]
        assert proposed["reason"] in text
        assert proposed["step"] == 2 or proposed["qualifies"]
        traced = {
            int(path.stem[-8:]): np.load(path)
            for path in (lab / "runs").glob(f"{row['run']['run']}*/trace/*")
        }
        names = [image.name for image in reading.read_truth(lab / row["boxes"]["component"])]
        accuracies = {}
        for step, maps in traced.items():
            boxes = [
                ImageBoxes(name, 64, 64, (find_box(heat, width=64, height=64, rule="component"),))
                for name, heat in zip(names, maps, strict=True)
            ]
            accuracies[step] = evaluate(boxes, truth).rows[0].accuracy
        assert set(accuracies) == {1, 2}
        assert best["accuracy"] == max(accuracies.values()) == accuracies[best["step"]]
        assert best["low"] < best["accuracy"] or best["accuracy"] == 0
    assert "best in hindsight, chosen on truth" in text


def test_means_over_seeds(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(data), "--out", str(tmp_path), "--sets", "dog", "--methods", "dcgan"]
    assert main(["reproduce", "table2", *arguments, "--seeds", "0,1", *SMALL]) == 0
    content = json.loads((tmp_path / "table2.json").read_text())
    (mean,) = content["means"]
    assert (mean["set_name"], mean["method"], mean["seeds"]) == ("dog", "dcgan", [0, 1])
    accuracies = [row["accuracy"]["component"]["rows"][0]["accuracy"] for row in content["rows"]]
    last = mean["snapshots"]["last"]["accuracy"]
    assert last["mean"] == pytest.approx(statistics.mean(accuracies))
    assert last["deviation"] == pytest.approx(statistics.stdev(accuracies))
    said = f"{100 * statistics.mean(accuracies):.1f} ± {100 * statistics.stdev(accuracies):.1f}"
    assert f"dog, DCGAN: {said} % over 2 seeds, published 55.0" in capsys.readouterr().out
    assert f"| Dog | DCGAN | 0, 1 | {said} |" in (tmp_path / "table2.md").read_text("utf-8")


# --- reuse --------------------------------------------------------------------------------------------


def test_interrupted_goes_on_to_the_same_weights(data: Path, lab: Path, tmp_path: Path) -> None:
    job, stop = job_of(data, tmp_path), Event()
    with pytest.raises(Cancelled, match=r"Stopped at step 1 .* the same command goes on"):
        make_table(job, meter=Meter(stop), stop=stop)
    (run,) = plan(job)
    assert not (tmp_path / "table2.md").exists()
    assert (run.record()["step"], run.record()["complete"]) == (1, False)
    meter = Meter()
    make_table(job, meter=meter, stop=Event())
    assert meter.shares == pytest.approx(1.0)
    assert [(s["from_step"], s["to_step"]) for s in run.record()["sessions"]] == [(0, 1), (1, 2)]
    ours, straight = (
        checkpoint.load(next(out.glob("runs/dog-dcgan-w*-data/runs/1/checkpoint.pt")))
        for out in (tmp_path, lab)
    )
    for name, tensor in straight.discriminator.state_dict().items():
        assert torch.equal(ours.discriminator.state_dict()[name], tensor), name


def test_what_is_complete_is_not_trained_again(data: Path, lab: Path) -> None:
    before, table_before = checkpoints(lab), json.loads((lab / "table2.json").read_text())
    assert len(before) == 5
    assert main(["reproduce", "table2", "--data", str(data), "--out", str(lab), "--sets", "dog", *SMALL]) == 0
    assert checkpoints(lab) == before
    assert json.loads((lab / "table2.json").read_text()) == table_before


def test_other_settings_under_the_same_name_are_refused(data: Path, lab: Path) -> None:
    job = job_of(data, lab, methods=("dcgan-aug",))
    path = next(lab.glob("runs/dog-dcgan-aug-*-data/runs/1/checkpoint.pt"))
    kept = path.read_bytes()
    state = checkpoint.load(path)
    state.config = state.config.with_(latent_size=100, learning_rate=0.5)
    checkpoint.save(path, state)
    try:
        with pytest.raises(BoxscoutError, match="other settings"):
            make_table(job, meter=Meter(), stop=Event())
    finally:
        path.write_bytes(kept)


# --- figures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", FIGURE_METHODS)
def test_figures(what: str, data: Path, lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = checkpoints(lab)
    assert main(["reproduce", what, "--data", str(data), "--out", str(lab), *SMALL]) == 0
    assert checkpoints(lab) == before
    png, pdf = (lab / f"{what}-dog-s0.{suffix}" for suffix in ("png", "pdf"))
    assert capsys.readouterr().out.split() == [str(png), str(pdf)]
    assert pdf.read_bytes().startswith(b"%PDF-")
    with Image.open(png) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.std() > 10


def test_fit_finds_a_cubic_and_lowers_its_degree() -> None:
    steps = [0, 1000, 2000, 5000, 9000]
    places, values = fit(steps, [1e-9 * s**3 - 2e-4 * s for s in steps])
    assert np.allclose(values, 1e-9 * places**3 - 2e-4 * places)
    places, values = fit([1, 3], [0.2, 0.6])
    assert np.allclose(values, 0.2 * places)


# --- wrong use ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("table2", "--sets", "dog,horse"),
        ("table2", "--methods", "gan"),
        ("table2", "--budget", "0.1", "--steps", "3"),
        ("table2", "--budget", "2"),
        ("table2", "--seeds", "a"),
        ("figure4", "--methods", "cam"),
        ("table2", "--cam", "width"),
        ("table2", "--cam", "depth=3"),
        ("precision", "--methods", "cam"),
        ("precision", "--sets", "dog,bottle"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], tmp_path: Path) -> None:
    what, *rest = arguments
    assert main(["reproduce", what, "--data", str(tmp_path), "--out", str(tmp_path / "out"), *rest]) == 2
    assert not (tmp_path / "out").exists()


def test_a_folder_without_the_set_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "table2", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *SMALL]) == 1
    assert "has no images of the set" in capsys.readouterr().err
