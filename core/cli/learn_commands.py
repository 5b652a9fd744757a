"""What ``learn`` and ``localizer`` do; results are plain dictionaries, fit for JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

from core.base.annotations import Status
from core.base.errors import BoxscoutError, CheckpointError
from core.base.language import short, trn
from core.cli import left_out
from core.cli.console import Bar
from core.cli.features_commands import features_to_use
from core.cli.job import images_text
from core.cli.projects import existing_project, project_to_train
from core.learn.corrections import check_enough
from core.maps.localizer import Localizer, load_localizer, save_localizer
from core.project.claim import COMMAND, claim
from core.project.corrections import PRESET, check_lessons, damaged_runs, lessons_of, prior_unit, teach
from core.project.exchange import import_boxes, plan_import
from core.project.learning import KIND, saved_unit
from core.project.runs import Run
from core.project.store import Project
from core.project.workflow import command_line, run_to_use, take_in, training_run

_SHOWN = 5


def run_learn(
    path: Path, boxes: Path | None, *, seed: int, weights: Path | None, bar: Bar, stop: Event
) -> dict[str, Any]:
    """Learn from the reviewed images of the project at ``path``, after those of a file of ``boxes``."""
    with claim(path, COMMAND), existing_project(path) as project:
        prior = prior_unit(project)
        told: list[str] = []
        if boxes is not None:
            told += _take_in(project, boxes)
        else:
            check_lessons(lessons_of(project))  # before the features take their seconds
        features = features_to_use(project, prior, weights, bar)
        bar.part("Learning", 1.0)
        with training_run(project, KIND, preset=PRESET) as run:
            learned = teach(
                project, prior, features, run, seed=seed, on_progress=bar.count, cancelled=stop.is_set
            )
        rejected, damaged = lessons_of(project).rejected, damaged_runs(project)
    found = learned.unit
    assert found.taught is not None, "corrections have taught it"
    told.append(_learned(run, found, rejected))
    told += [f"{one.name} is damaged and was passed over." for one in damaged]
    told.append(f"Find boxes by it: {command_line('localize PHOTOS', path)}")
    result = {"run": run.id, "rejected": rejected, "classes": _classes(found), **asdict(found.taught)}
    return left_out.told({"text": "\n".join(told), **result}, learned.left_out)


def _take_in(project: Project, boxes: Path) -> list[str]:
    """The boxes of a file, as accepted; what is to be said of it. None come in where too few would teach."""
    plan = plan_import(project, boxes)
    coming = {image_id: own for image_id, own in plan.boxes.items() if image_id not in plan.rejected}
    known = {**coming, **lessons_of(project).boxes}
    check_enough(sum(len(own) > 0 for own in known.values()))
    return import_boxes(project, plan, status=Status.ACCEPTED).lines()


def _learned(run: Run, found: Localizer, rejected: int) -> str:
    assert found.taught is not None, "corrections have taught it"
    text, empty = _reviewed(found.taught.images), found.taught.empty
    without = f", {empty:,} of them without an object" if empty else ""
    unused = f" Rejected images teach nothing: {rejected:,}." if rejected else ""
    return f"{run.name} has learned from {text}{without}{_of_classes(found)}.{unused}"


def run_save(path: Path, out: Path, *, run_id: int | None) -> dict[str, Any]:
    """Write what a run of the project at ``path`` has learned to the file ``out``."""
    with existing_project(path, to_read=True) as project:
        run = run_to_use(project, KIND, run_id)
        if run.kind != KIND:
            raise BoxscoutError(f"{run.name} was trained from scratch: choose one of frozen features.")
        unit = saved_unit(run)
    if out.exists():
        _keep_other_kinds(out)
    save_localizer(out, unit)
    return {"text": f"{run.name} is in {out} now: {_known(unit)}.", "file": str(out), "run": run.id}


def _keep_other_kinds(out: Path) -> None:
    """BoxscoutError where a localizer would take the place of something else, such as a photo."""
    try:
        load_localizer(out)
    except CheckpointError as error:
        raise BoxscoutError(f"{out} is no file of 'localizer save': choose another name.") from error


def run_use(file: Path, path: Path, *, weights: Path | None, bar: Bar) -> dict[str, Any]:
    """Take the localizer in ``file`` into the project at ``path``, as a new run, where it can find boxes."""
    unit = load_localizer(file)
    with project_to_train(path) as project:
        features_to_use(project, unit, weights, bar)
        run = take_in(project, unit)
    line = command_line("localize PHOTOS", path)
    return {
        "text": f"{run.name} is what {file} holds: {_known(unit)}.\nFind boxes by it: {line}",
        "run": run.id,
    }


def _known(unit: Localizer) -> str:
    images = images_text(unit.images) if unit.taught is None else _reviewed(unit.images)
    return f"learned on {unit.features} from {images}{_of_classes(unit)}"


def _classes(unit: Localizer) -> list[str]:
    return [] if unit.classes is None else list(unit.classes.names)


def _of_classes(unit: Localizer) -> str:
    """The classes of a unit, the first few by name; empty where it has none."""
    names = _classes(unit)
    if not names:
        return ""
    shown = ", ".join(map(short, names[:_SHOWN])) + (", …" if len(names) > _SHOWN else "")
    return f"; {'class' if len(names) == 1 else 'classes'}: {shown}"


def _reviewed(count: int) -> str:
    return trn("{count:,} reviewed image", "{count:,} reviewed images", count)
