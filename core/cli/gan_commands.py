"""What ``train`` and ``localize`` do with networks that learn everything from the folder itself."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, Protocol, TypeVar

from core.base.config import SettingsT, TrainConfig
from core.base.errors import TrainingError
from core.base.presets import OLD_PRESETS, PRESETS, SCRATCH_PRESET
from core.base.ranks import ranks_from_environment
from core.cli import left_out
from core.cli.console import Bar, duration
from core.cli.job import Located, Wanted
from core.cli.preset_options import option_of, refuse_idle_objective
from core.cli.projects import project_to_train
from core.learn import checkpoint
from core.learn.reports import ClassifierProgress, Progress
from core.learn.together import BY_ITSELF, Company, joined
from core.maps.heatmap import READ_OUTS, read_out_of
from core.project.fitting import fitted_to, sentence, summarized
from core.project.localize import localize_images
from core.project.localizers import own_classes, saved_localizer
from core.project.runs import Run, newest_to_resume
from core.project.search import note_training
from core.project.store import ImageRecord, Project
from core.project.training import train_and_save, train_beside
from core.project.workflow import add_folders, load_pixels, training_run

ProgressT = TypeVar("ProgressT", Progress, ClassifierProgress)
_FITTED = (None, SCRATCH_PRESET, "balanced")


class Saved(Protocol[SettingsT]):
    """What was saved of a training."""

    config: SettingsT
    step: int


StateT = TypeVar("StateT", bound=Saved[Any])


def train_from_scratch(
    paths: Sequence[Path],
    project_path: Path,
    preset: str | None,
    changes: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
    bar: Bar,
    stop: Event,
) -> dict[str, Any]:
    """Train a GAN into the project; stopping saves and counts as a result with ``stopped`` true.

    Of several processes that torchrun started, one does so, and the others, which have no result, help it.
    """
    with joined(ranks_from_environment()) as company:
        if not company.ranks.writes:
            train_beside(company, stop.is_set)
            return {"text": "", "stopped": False}
        ways = {"resume": resume, "restart": restart}
        return _train_from_scratch(
            paths, project_path, preset, changes, **ways, bar=bar, stop=stop, company=company
        )


def _train_from_scratch(
    paths: Sequence[Path],
    project_path: Path,
    preset: str | None,
    changes: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
    bar: Bar,
    stop: Event,
    company: Company,
) -> dict[str, Any]:
    with project_to_train(project_path) as project:
        saved = newest_to_resume(project, "gan", preset if resume else None)
        config, state = start_or_resume(
            saved, {**PRESETS, **OLD_PRESETS}, checkpoint.load, preset, changes,
            default=SCRATCH_PRESET, resume=resume, restart=restart,
        )  # fmt: skip
        if state is None:
            refuse_idle_objective(config, changes)
        records = add_folders(project, paths)
        fitted = ""
        if state is None and preset in _FITTED:
            folder = summarized(records)
            config = fitted_to(PRESETS[SCRATCH_PRESET], folder).config.with_(**changes)
            fitted = sentence(config, folder)
            bar.note(fitted)
        company.ranks.check_batch(config.batch_size)
        bar.part("Reading images", 0.05)
        pixels = load_pixels(
            project, records, size=config.image_size, on_progress=bar.count, cancelled=stop.is_set
        )
        project.save_view(replace(project.load_view(), config=config))
        bar.part("Training", 0.95)
        with training_run(project, "gan", saved if state else None, preset=preset or "") as run:
            training = train_and_save(config, pixels, run.file, state, company)
            last = follow(training, bar, stop, company)
            if last is not None:
                note_training(project, run, complete=last.fraction >= 1.0)
        unusable = left_out.not_used(project, paths, pixels.rejected)
    result = _train_result(config, state.step if state else 0, last, len(pixels.files), run)
    return {**left_out.told(result, unusable), "fitted": fitted}


def locate_from_scratch(
    place: Project,
    project: Project,
    records: Sequence[ImageRecord],
    run: Run,
    wanted: Wanted,
    paths: Sequence[Path],
    bar: Bar,
    stop: Event,
) -> Located:
    """Boxes into ``place`` by the network that was trained in ``run``."""
    localizer = saved_localizer(run, at=wanted.at)
    classes, others = None, 0
    if localizer.classes and not wanted.predicted_class:
        classes = own_classes(localizer.classes, records, paths)
        others = len(records) - len(classes)
        records = [record for record in records if record.id in classes]
    bar.part("Reading images", 0.5)
    pixels = load_pixels(
        project, records, size=localizer.image_size, on_progress=bar.count, cancelled=stop.is_set
    )
    bar.part("Finding boxes", 0.5)
    looks, network = wanted.looks, localizer.network
    localize_images(
        place,
        records,
        pixels,
        network,
        step=localizer.step,
        how=wanted.options,
        classes=classes,
        options=replace(
            READ_OUTS[looks] if looks else read_out_of(network, max_boxes=wanted.max_boxes),
            long_side=wanted.long_side,
        ),
        on_progress=bar.count,
        cancelled=stop.is_set,
    )
    used = {file.path for file in pixels.files}
    return Located(
        looked_at=frozenset(record.id for record in records if record.path in used),
        step=localizer.step,
        unusable=tuple(pixels.rejected),
        others=others,
        notes=(localizer.reason,) if localizer.reason else (),
    )


def follow(
    training: Generator[ProgressT, None, None], bar: Bar, stop: Event, company: Company = BY_ITSELF
) -> ProgressT | None:
    """Train to the end or until ``stop`` of any process, and return the last progress.

    None where no step was made.
    """
    last = None
    with closing(training):  # what fails here must not leave the save to whenever it is forgotten
        for progress in training:
            last = progress
            bar.update(progress.fraction, describe(progress))
            if company.any_asks(stop.is_set()):
                break
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
    default: str,
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
        of = f" of the preset {preset}" if preset else ""
        raise TrainingError(f"This project holds no training{of} to resume; leave out --resume.")
    if restart or saved is None:
        return presets[preset or default].with_(**changes), None
    state = load(saved.file)
    if not resume:
        raise TrainingError(
            f"This project holds a training at step {state.step}: "
            "add --resume to go on, or --restart for a new run beside it."
        )
    fixed = sorted(set(changes) - state.config.resumable())
    if fixed:
        named = ", ".join(option_of(name, changes[name]) for name in fixed)
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
