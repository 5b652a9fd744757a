"""The main job from end to end on pictures that the program draws itself, whose true boxes are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from core.base.annotations import ImageBoxes
from core.base.errors import BoxscoutError, Cancelled
from core.base.presets import SCRATCH_PRESET
from core.cli.commands import run_evaluate
from core.cli.console import Bar
from core.cli.formats_commands import run_export
from core.cli.job import Wanted, run_localize, run_train
from core.cli.sheet import Course, draw_sheet
from core.evaluate.report import Report
from core.formats import reading
from core.images.decoding import decode
from core.images.sample import draw_sample
from core.project.drawing import Panel
from core.project.learning import KIND, saved_unit
from core.project.runs import Run, current_run
from core.project.store import ImageRecord, Project

PANELS = 8


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo leaves: its accuracy and the files it wrote."""

    report: Report
    files: tuple[Path, ...]


def run_demo(out: Path, *, steps: int | None, count: int, seed: int, bar: Bar, stop: Event) -> Demo:
    """Draw, train, find boxes, export, evaluate and picture; everything lies under ``out`` afterwards.

    Boxes are found as they are by default; with ``steps`` a network is trained from scratch.

    Raises
    ------
    BoxscoutError
        ``out`` cannot be written.
    Cancelled
        ``stop`` was set; the training is saved.
    """
    images = out / "images"
    bar.part("Drawing pictures", 0.03)
    try:
        truth = draw_sample(out, count=count, seed=seed)
    except OSError as error:
        raise BoxscoutError(f"{out} cannot be written: {error.strerror}.") from error
    project = out / "demo.boxscout"
    preset, changes = (None, {}) if steps is None else (SCRATCH_PRESET, {"steps": steps})
    changes["seed"] = seed
    with bar.section(0.7 if steps is None else 0.87):
        trained = run_train(
            [images], project, preset, changes, resume=False, restart=True, bar=bar, stop=stop
        )
    if trained["stopped"]:
        raise Cancelled(trained["text"].split(";")[0] + ".")
    with bar.section(0.22 if steps is None else 0.05):
        run_localize([images], project, Wanted(), bar=bar, stop=stop)
    files = {name: out / file for name, file in (("csv", "boxes.csv"), ("coco", "boxes.json"))}
    with bar.section(0.05):
        for name, file in files.items():
            run_export(project, name, file, bar=bar, stop=stop, share=1 / len(files))
    report = run_evaluate(files["coco"], truth, images=images, set_name=None, split=None)
    sheet = out / "sheet.png"
    _draw(project, reading.read_truth(truth), sheet)
    bar.update(1.0)
    return Demo(report, (*files.values(), sheet, project))


def _draw(path: Path, truth: Sequence[ImageBoxes], sheet: Path) -> None:
    with Project.open(path) as project:
        run = current_run(project)
        assert run is not None, "boxes have just been found"
        known = {Path(image.name).name: image for image in truth}
        records = project.images()
        chosen = records[:: max(1, len(records) // PANELS)][:PANELS]
        panels = [_panel(project, record, known.get(record.name)) for record in chosen]
        title, course = _training(run)
        draw_sheet(
            sheet, title=f"{title}: box found (solid) and true box (dashed)", panels=panels, course=course
        )


def _training(run: Run) -> tuple[str, Course | None]:
    """What ``run`` was, in a few words, and what a generator showed while it was trained."""
    if run.kind == KIND:
        unit = saved_unit(run)
        return f"Frozen features {unit.features}, method {unit.method}, {unit.images} images", None
    from core.learn import checkpoint
    from core.learn.engine import samples_of

    state = checkpoint.load(run.file)
    samples = samples_of(state) if state.config.adversarial else None
    course = Course(samples, tuple((point.step, point.ms_ssim) for point in state.history))
    return f"{state.config.objective.upper()}, {state.step} steps, seed {state.config.seed}", course


def _panel(project: Project, record: ImageRecord, truth: ImageBoxes | None) -> Panel:
    heat_map = project.heat_map(record.id)
    assert heat_map is not None, "every image of the demo has just been localized"
    return Panel(
        image=decode(record.path).pixels,
        heat_map=heat_map,
        box=project.boxes(record.id)[0].box,
        truth=truth.boxes[0].box if truth and truth.boxes else None,
    )
