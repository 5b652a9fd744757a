"""What each command of ``core.cli`` does; results are plain dictionaries, fit for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from core import checkpoint, datasets
from core.annotations import ImageBoxes, Status
from core.config import DEFAULT_PRESET, PRESETS, TrainConfig
from core.console import Bar
from core.datasets import tiny_imagenet
from core.engine import Progress, snapshot_of
from core.errors import BoxscoutError, ProjectError, TrainingError
from core.evaluate import Report
from core.evaluate import evaluate as evaluate_boxes
from core.formats import FORMATS
from core.project import Project
from core.workflow import add_folders, checkpoint_path, load_pixels, localize_images, train_and_save


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
) -> dict[str, Any]:
    """Train into the project; stopping saves and counts as a result with ``stopped`` true."""
    with Project.open_or_create(project_path) as project:
        path = checkpoint_path(project)
        config, state = _training(path, preset, changes, resume=resume, restart=restart)
        records = add_folders(project, folders)
        bar.part("Reading images", 0.05)
        pixels = load_pixels(
            project, records, size=config.image_size, on_progress=bar.count, cancelled=stop.is_set
        )
        project.save_view(replace(project.load_view(), config=config))
        bar.part("Training", 0.95)
        last = None
        for progress in (training := train_and_save(config, pixels, path, state)):
            last = progress
            bar.update(progress.fraction, describe(progress))
            if stop.is_set():
                training.close()
    return _train_result(config, state.step if state else 0, last, len(pixels.files), path)


def describe(progress: Progress) -> str:
    """One progress in a few words."""
    return f"step {progress.step}/{progress.steps}  {progress.steps_per_s:.1f}/s"


def _training(
    path: Path, preset: str | None, changes: Mapping[str, Any], *, resume: bool, restart: bool
) -> tuple[TrainConfig, checkpoint.TrainState | None]:
    if not path.exists():
        if resume:
            raise TrainingError("This project holds no training to resume; leave out --resume.")
        return PRESETS[preset or DEFAULT_PRESET].with_(**changes), None
    if restart:
        return PRESETS[preset or DEFAULT_PRESET].with_(**changes), None
    state = checkpoint.load(path)
    if not resume:
        raise TrainingError(
            f"This project holds a training at step {state.step}: "
            "add --resume to go on, or --restart to begin anew."
        )
    fixed = sorted(set(changes) - {"steps", "minutes", "device"})
    if fixed or preset:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in [*fixed, *(["preset"] if preset else [])])
        raise TrainingError(f"A resumed training keeps its settings; leave out {named}.")
    return state.config.with_(**changes), state


def _train_result(
    config: TrainConfig, start: int, last: Progress | None, images: int, path: Path
) -> dict[str, Any]:
    step = last.step if last else start
    stopped = last is not None and last.fraction < 1.0
    if stopped:
        text = f"Stopped at step {step} and saved; add --resume to go on."
    elif last is None:
        text = f"This training is complete at step {step}; give more --steps or --minutes to go on."
    else:
        text = f"Trained {step} steps on {images} images in {last.elapsed_s / 60:.1f} min."
    return {
        "text": text,
        "stopped": stopped,
        "step": step,
        "images": images,
        "elapsed_s": last.elapsed_s if last else 0.0,
        "ms_ssim": last.ms_ssim if last else None,
        "checkpoint": str(path),
        "config": config.to_dict(),
    }


def run_localize(
    folders: Sequence[Path], project_path: Path, *, rule: str, threshold: float | None, bar: Bar, stop: Event
) -> dict[str, Any]:
    """A box for every image of ``folders``, into the project."""
    with _existing(project_path) as project:
        path = checkpoint_path(project)
        if not path.exists():
            raise ProjectError(f"{project_path} holds no training yet; run 'train' first.")
        snapshot = snapshot_of(checkpoint.load(path))
        records = add_folders(project, folders)
        bar.part("Reading images", 0.5)
        pixels = load_pixels(
            project, records, size=snapshot.image_size, on_progress=bar.count, cancelled=stop.is_set
        )
        bar.part("Finding boxes", 0.5)
        found, kept = localize_images(
            project,
            records,
            pixels,
            snapshot.discriminator,
            step=snapshot.step,
            rule=rule,
            threshold=threshold,
            on_progress=bar.count,
            cancelled=stop.is_set,
        )
        project.save_view(replace(project.load_view(), rule=rule, threshold=threshold))
        failed = [{"file": str(file.path), "reason": file.reason} for file in pixels.rejected]
    text = f"Found {found} boxes in {len(pixels.files)} images with the training of step {snapshot.step}."
    if kept:
        text += f" {kept} edited images were left alone."
    if failed:
        text += f" {len(failed)} files could not be used."
    return {
        "text": text, "boxes": found, "edited": kept, "step": snapshot.step, "rule": rule, "failed": failed,
    }  # fmt: skip


def run_export(project_path: Path, format_name: str, out: Path, *, accepted_only: bool) -> dict[str, Any]:
    """Write the project's boxes; ``text`` says what was written."""
    with _existing(project_path) as project:
        images = project.image_boxes()
    if accepted_only:
        images = [image for image in images if image.status is Status.ACCEPTED]
    if not any(image.boxes for image in images):
        raise ProjectError("There is no box to export yet; run 'localize' first.")
    summary = FORMATS[format_name].write(images, out)
    return {"text": "\n".join(summary.lines()), **summary.to_dict()}


def run_evaluate(
    boxes: Path, truth: Path, *, images: Path | None, set_name: str | None, split: str | None
) -> Report:
    """The accuracy of a box file."""
    predicted = datasets.read_truth(boxes)
    return evaluate_boxes(predicted, _truth(truth, set_name, split), images_root=images)


def _truth(path: Path, set_name: str | None, split: str | None) -> list[ImageBoxes]:
    if set_name is None and split is None:
        return datasets.read_truth(path)
    wnids = tiny_imagenet.SETS[set_name] if set_name else None
    truth = tiny_imagenet.read_truth(path, wnids=wnids, split=split)
    if not truth:
        raise BoxscoutError(f"{path} has no true boxes for this set and split.")
    return truth


def _existing(path: Path) -> Project:
    if not path.exists():
        raise ProjectError(f"There is no project at {path}.")
    return Project.open(path)
