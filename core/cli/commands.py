"""What each command of ``core.cli.app`` does; results are plain dictionaries, fit for JSON."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event
from typing import Any, Protocol, TypeVar

from core import datasets
from core.base.annotations import ImageBoxes, auto_boxes
from core.base.config import DEFAULT_PRESET, PRESETS, SettingsT, TrainConfig
from core.base.errors import BoxscoutError, TrainingError
from core.base.language import printable
from core.cli.console import Bar, duration
from core.cli.projects import existing_project, project_to_train
from core.evaluate.compare import Comparison, compare
from core.evaluate.pixel_precision import pixel_average_precision, read_mask
from core.evaluate.report import Report
from core.evaluate.report import evaluate as evaluate_boxes
from core.evaluate.threshold_curve import Curve, threshold_curve, threshold_grid
from core.formats import tiny_imagenet
from core.images.scan import RejectedFile
from core.learn import checkpoint
from core.learn.class_training import ClassifierProgress
from core.learn.engine import Progress
from core.maps.heatmap import READ_OUTS, read_out_of
from core.project import resized
from core.project.claim import COMMAND, claim
from core.project.file import absolute
from core.project.fitting import fitted_to, sentence, summarized
from core.project.localize import note_training
from core.project.localizers import own_classes, run_to_use, saved_localizer
from core.project.queries import framing_rows, held_among, newest_maps
from core.project.results import results_of, take
from core.project.runs import Run, newest_run
from core.project.store import Project
from core.project.workflow import (
    add_folders,
    load_pixels,
    localize_images,
    train_and_save,
    training_run,
)

_SHOWN = 5  # files that cannot be used, each with its reason

ProgressT = TypeVar("ProgressT", Progress, ClassifierProgress)


class Saved(Protocol[SettingsT]):
    """What was saved of a training."""

    config: SettingsT
    step: int


StateT = TypeVar("StateT", bound=Saved[Any])


def run_train(
    folders: Sequence[Path],
    project_path: Path,
    preset: str | None,
    changes: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
    bar: Bar,
    stop: Event,
    set_name: str | None = None,
) -> dict[str, Any]:
    """Train into the project; stopping saves and counts as a result with ``stopped`` true.

    With ``set_name`` the one folder is Tiny ImageNet's, and its train images of that set are used.
    """
    paths = chosen_paths(folders, set_name, "train")
    with project_to_train(project_path) as project:
        saved = newest_run(project, "gan")
        config, state = start_or_resume(
            saved, PRESETS, checkpoint.load, preset, changes, resume=resume, restart=restart
        )
        records = add_folders(project, paths)
        fitted = ""
        if state is None and (preset or DEFAULT_PRESET) == DEFAULT_PRESET:
            folder = summarized(records)
            config = fitted_to(PRESETS[DEFAULT_PRESET], folder).config.with_(**changes)
            fitted = sentence(config, folder)
            bar.note(fitted)
        bar.part("Reading images", 0.05)
        pixels = load_pixels(
            project, records, size=config.image_size, on_progress=bar.count, cancelled=stop.is_set
        )
        project.save_view(replace(project.load_view(), config=config))
        bar.part("Training", 0.95)
        with training_run(project, "gan", saved if state else None, preset=preset or "") as run:
            last = follow(train_and_save(config, pixels, run.file, state), bar, stop)
            if last is not None:
                note_training(project, run, complete=last.fraction >= 1.0)
    result = _train_result(config, state.step if state else 0, last, len(pixels.files), run)
    return {**result, "fitted": fitted}


def follow(training: Generator[ProgressT, None, None], bar: Bar, stop: Event) -> ProgressT | None:
    """Train to the end or until ``stop``, and return the last progress; None where no step was made."""
    last = None
    for progress in training:
        last = progress
        bar.update(progress.fraction, describe(progress))
        if stop.is_set():
            training.close()
    return last


def describe(progress: Progress | ClassifierProgress) -> str:
    """One progress in a few words."""
    return f"step {progress.step}/{progress.steps}  {progress.steps_per_s:.1f}/s"


def start_or_resume(
    saved: Run | None,
    presets: Mapping[str, SettingsT],
    load: Callable[[Path], StateT],
    preset: str | None,
    changes: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
) -> tuple[SettingsT, StateT | None]:
    """The settings to train with and the state of the ``saved`` run to go on from; never the one unasked.

    Raises
    ------
    TrainingError
        There is nothing to resume, or something that was to be neither resumed nor replaced, or
        ``changes`` that a resumed training cannot take.
    """
    if resume and saved is None:
        raise TrainingError("This project holds no training to resume; leave out --resume.")
    if restart or saved is None:
        return presets[preset or DEFAULT_PRESET].with_(**changes), None
    state = load(saved.file)
    if not resume:
        raise TrainingError(
            f"This project holds a training at step {state.step}: "
            "add --resume to go on, or --restart for a new run beside it."
        )
    fixed = sorted(set(changes) - {"steps", "minutes", "device"})
    if fixed or preset:
        names = [f"no-{name}" if changes[name] is False else name for name in fixed]
        named = ", ".join(f"--{name.replace('_', '-')}" for name in [*names, *(["preset"] if preset else [])])
        raise TrainingError(f"A resumed training keeps its settings; leave out {named}.")
    config: SettingsT = state.config.with_(**changes)
    return config, state


def _train_result(
    config: TrainConfig, start: int, last: Progress | None, images: int, run: Run
) -> dict[str, Any]:
    return {
        **outcome(last, start, f"{images} images"),
        "images": images,
        "ms_ssim": last.ms_ssim if last else None,
        "run": run.id,
        "checkpoint": str(run.file),
        "config": config.to_dict(),
    }


def outcome(last: Progress | ClassifierProgress | None, start: int, trained_on: str) -> dict[str, Any]:
    """How a training of any kind ended, that began at step ``start``."""
    step = last.step if last else start
    stopped = last is not None and last.fraction < 1.0
    if stopped:
        text = f"Stopped at step {step} and saved; add --resume to go on."
    elif last is None:
        text = f"This training is complete at step {step}; give more --steps or --minutes to go on."
    else:
        text = f"Trained {step} steps on {trained_on} in {duration(last.elapsed_s)}."
    elapsed_s = last.elapsed_s if last else 0.0
    return {"text": text, "stopped": stopped, "step": step, "elapsed_s": elapsed_s}


def run_localize(
    folders: Sequence[Path],
    project_path: Path,
    *,
    rule: str,
    threshold: float | None,
    bar: Bar,
    stop: Event,
    set_name: str | None = None,
    model: str = "gan",
    at: str = "last",
    predicted_class: bool = False,
    looks: str | None = None,
    long_side: int | None = None,
    max_boxes: int = 1,
    run_id: int | None = None,
) -> dict[str, Any]:
    """A box for every image of ``folders``, into the project.

    They are found by the newest finished run, or by ``run_id``, from which all boxes come then.

    With ``set_name`` the one folder is Tiny ImageNet's, and its train and val images of that set are used.
    ``model`` is ``gan`` or ``cam``; with ``cam`` a heat map is that of the class whose folder the image lies
    in, or of the ``predicted_class``; with ``gan``, ``at`` is as in :func:`chosen_snapshot`.
    ``looks`` names one of :data:`core.maps.heatmap.READ_OUTS`; None for guided by contrast with ``gan``, the
    published one with ``cam``. ``long_side`` is that of :class:`core.maps.heatmap.HeatMapOptions`.
    """
    paths = chosen_paths(folders, set_name, None)
    with claim(project_path, COMMAND), existing_project(project_path) as project:
        run = run_to_use(project, model, run_id)
        localizer = saved_localizer(run, at=at)
        records, classes, others = add_folders(project, paths), None, 0
        if localizer.classes and not predicted_class:
            classes = own_classes(localizer.classes, records, paths)
            others = len(records) - len(classes)
            records = [record for record in records if record.id in classes]
        bar.part("Reading images", 0.5)
        pixels = load_pixels(
            project, records, size=localizer.image_size, on_progress=bar.count, cancelled=stop.is_set
        )
        looked_at = {file.path for file in pixels.files}
        bar.part("Finding boxes", 0.5)
        held = held_among(project, [record.id for record in records])
        with results_of(project, run) as place:
            localize_images(
                place,
                records,
                pixels,
                localizer.network,
                step=localizer.step,
                rule=rule,
                threshold=threshold,
                classes=classes,
                options=replace(
                    READ_OUTS[looks] if looks else read_out_of(localizer.network, max_boxes=max_boxes),
                    long_side=long_side,
                ),
                max_boxes=max_boxes,
                on_progress=bar.count,
                cancelled=stop.is_set,
            )
        take(project, run)
        view = replace(project.load_view(), rule=rule, threshold=threshold, max_boxes=max_boxes)
        project.save_view(view)
        survey, boxes = project.load_survey(), project.all_boxes()
        count = sum(len(auto_boxes(boxes.get(record.id, ()))) for record in records)
        resizes = resized.summary(resized.former_sizes(project))
        unusable = [*pixels.rejected, *_not_images(project, paths)]
    sure = survey.sureness if survey else None
    kept = len(held.intersection(record.id for record in records if record.path in looked_at))
    text = f"Found {count} boxes in {len(pixels.files)} images with {run.name}, step {localizer.step}."
    if localizer.reason:
        text += f" {localizer.reason}"
    if kept:
        text += f" {kept} edited or accepted images were left alone."
    if unusable:
        text += f" Files that could not be used: {len(unusable):,}."
    if resizes:
        text += f" {resizes}"
    if others:
        text += f" Images left out, because they lie in no folder of a class that was trained: {others}."
    text += "".join(f"\n{line}" for line in _left_out(unusable))
    if sure is not None:
        text += f"\n{sure.sentence()}"
    failed = [{"file": str(file.path), "reason": file.reason} for file in unusable]
    return {
        "text": text, "boxes": count, "edited": kept, "step": localizer.step, "rule": rule, "failed": failed,
        "run": run.id,
        "model": model, "other_classes": others,
        "sureness": None if sure is None else {**asdict(sure), "beyond_chance": sure.beyond_chance},
    }  # fmt: skip


def _not_images(project: Project, paths: Sequence[Path]) -> list[RejectedFile]:
    """What lies below ``paths`` and is no image that can be read: HEIC photos, say."""
    tops = [absolute(path) for path in paths]
    images = {record.path for record in project.images()}
    return [
        file
        for file in project.rejected()
        if file.path not in images and os.path.lexists(file.path) and any(map(file.path.is_relative_to, tops))
    ]


def _left_out(files: Sequence[RejectedFile]) -> list[str]:
    shown = [f"Left out “{printable(str(file.path))}”: {file.reason}" for file in files[:_SHOWN]]
    more = len(files) - len(shown)
    return [*shown, *([f"Left out besides: {more:,}; --json lists them all."] if more else [])]


def run_evaluate(
    boxes: Path, truth: Path, *, images: Path | None, set_name: str | None, split: str | None
) -> Report:
    """The accuracy of a box file."""
    predicted, true = datasets.read_truth(boxes), _truth(truth, set_name, split)
    return evaluate_boxes(predicted, true, images_root=_images_root(images, truth, true))


def run_compare(
    a: Path, b: Path, truth: Path, *, images: Path | None, set_name: str | None, split: str | None
) -> Comparison:
    """Two box files against the same truth and each other."""
    names = (f"A: {a.name}", f"B: {b.name}")
    first, second, true = datasets.read_truth(a), datasets.read_truth(b), _truth(truth, set_name, split)
    return compare(first, second, true, names=names, images_root=_images_root(images, truth, true))


def _images_root(images: Path | None, truth: Path, true: Sequence[ImageBoxes]) -> Path | None:
    """Where the images lie: as told, or beside the truth as in Tiny ImageNet's own folder."""
    beside = images is None and truth.is_dir() and bool(true) and (truth / true[0].name).is_file()
    return truth if beside else images


def run_curve(
    project_path: Path,
    truth: Path,
    *,
    rule: str,
    step: float,
    set_name: str | None,
    split: str | None,
    masks: Path | None,
    bar: Bar,
) -> tuple[Curve, float | None]:
    """The accuracy of the project's heat maps at every threshold, and PxAP where there are masks."""
    grid = threshold_grid(step)
    true = _truth(truth, set_name, split)
    with existing_project(project_path, to_read=True) as project:
        records, images = project.images(), project.image_boxes()
        heat_maps = [project.heat_map(record.id) for record in records]
        ids, prior = [record.id for record in records], project.prior()
        own, newest = framing_rows(project, ids), newest_maps(project, ids)
    bar.part("Measuring", 1.0)
    curve = threshold_curve(
        images,
        heat_maps,
        true,
        rule=rule,
        priors=[prior if is_newest else None for is_newest in newest],
        framings=own,
        thresholds=grid,
        images_root=_common_root([record.root for record in records]),
        on_progress=bar.count,
    )
    if masks is None:
        return curve, None
    named = zip(images, heat_maps, strict=True)
    return curve, pixel_average_precision(_with_masks([(i.name, heat) for i, heat in named], masks))


def _with_masks(named: Sequence[tuple[str, Any]], folder: Path) -> Iterator[tuple[Any, Any]]:
    for name, heat in named:
        mask = read_mask(folder, name) if heat is not None else None
        if mask is not None:
            yield heat, mask


def _common_root(roots: Sequence[Path]) -> Path | None:
    """The folder that the names of a project's images start from; None where there is none."""
    try:
        return Path(os.path.commonpath(roots))
    except ValueError:  # two drives, or no image
        return None


def chosen_paths(folders: Sequence[Path], set_name: str | None, split: str | None) -> Sequence[Path]:
    """The folders, or with a set's name the image files of that set below the only one."""
    if set_name is None:
        return folders
    if len(folders) != 1:
        raise BoxscoutError("With --set, give one folder: the one that holds Tiny ImageNet's train and val.")
    return tiny_imagenet.images_of(folders[0], set_name, split)


def _truth(path: Path, set_name: str | None, split: str | None) -> list[ImageBoxes]:
    if set_name is None and split is None:
        return datasets.read_truth(path)
    wnids = tiny_imagenet.SETS[set_name] if set_name else None
    truth = tiny_imagenet.read_truth(path, wnids=wnids, split=split)
    if not truth:
        what = " ".join(filter(None, [f"the set “{set_name}”" if set_name else "", split and f"in {split}"]))
        raise BoxscoutError(
            f"{path} has no true boxes for {what}, so that nothing can be measured; its images can be "
            "localized and exported all the same."
        )
    return truth
