"""The main job from end to end on pictures that the program draws itself, whose true boxes are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from core import datasets
from core.base.annotations import ImageBoxes
from core.base.errors import BoxscoutError, Cancelled
from core.boxes.rules import DEFAULT_RULE
from core.cli.commands import run_evaluate, run_localize, run_train
from core.cli.console import Bar
from core.cli.formats_commands import run_export
from core.cli.sheet import Panel, draw_sheet
from core.evaluate.report import Report
from core.images.decoding import decode
from core.images.sample import draw_sample
from core.learn import checkpoint
from core.learn.engine import samples_of
from core.project.store import ImageRecord, Project
from core.project.workflow import checkpoint_path

PANELS = 8


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo leaves: its accuracy and the files it wrote."""

    report: Report
    files: tuple[Path, ...]


def run_demo(out: Path, *, steps: int | None, count: int, seed: int, bar: Bar, stop: Event) -> Demo:
    """Draw, train, find boxes, export, evaluate and picture; everything lies under ``out`` afterwards.

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
    changes = {"seed": seed} if steps is None else {"seed": seed, "steps": steps}
    with bar.section(0.87):
        trained = run_train([images], project, None, changes, resume=False, restart=True, bar=bar, stop=stop)
    if trained["stopped"]:
        raise Cancelled(trained["text"].split(";")[0] + ".")
    with bar.section(0.05):
        run_localize([images], project, rule=DEFAULT_RULE, threshold=None, bar=bar, stop=stop)
    files = {name: out / file for name, file in (("csv", "boxes.csv"), ("coco", "boxes.json"))}
    with bar.section(0.05):
        for name, file in files.items():
            run_export(project, name, file, bar=bar, stop=stop, share=1 / len(files))
    report = run_evaluate(files["coco"], truth, images=images, set_name=None, split=None)
    sheet = out / "sheet.png"
    _draw(project, datasets.read_truth(truth), sheet)
    bar.update(1.0)
    return Demo(report, (*files.values(), sheet, project))


def _draw(path: Path, truth: Sequence[ImageBoxes], sheet: Path) -> None:
    with Project.open(path) as project:
        state = checkpoint.load(checkpoint_path(project))
        known = {Path(image.name).name: image for image in truth}
        records = project.images()
        chosen = records[:: max(1, len(records) // PANELS)][:PANELS]
        panels = [_panel(project, record, known.get(record.name)) for record in chosen]
        draw_sheet(
            sheet,
            title=f"{state.config.objective.upper()}, {state.step} steps, seed {state.config.seed}: "
            "box found (solid) and true box (dashed)",
            panels=panels,
            samples=samples_of(state) if state.config.adversarial else None,
            history=state.history,
        )


def _panel(project: Project, record: ImageRecord, truth: ImageBoxes | None) -> Panel:
    heat_map = project.heat_map(record.id)
    assert heat_map is not None, "every image of the demo has just been localized"
    return Panel(
        image=decode(record.path).pixels,
        heat_map=heat_map,
        box=project.boxes(record.id)[0].box,
        truth=truth.boxes[0].box if truth and truth.boxes else None,
    )
