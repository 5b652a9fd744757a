"""One run from nothing, from where it was interrupted, or as it lies there complete; then its heat maps.

A run is a project of its own in ``OUT/runs``, which the window opens like any other.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from core.base.annotations import ImageBoxes
from core.base.config import ClassifierConfig, TrainConfig
from core.base.devices import resolve_device
from core.base.errors import BoxscoutError, Cancelled
from core.boxes.batches import find_box
from core.boxes.options import BoxOptions
from core.formats import tiny_imagenet
from core.images.pixels import Pixels, prepare_pixels
from core.learn import checkpoint, engine
from core.learn import class_training as classify
from core.learn.checkpoint import TrainState
from core.learn.class_training import ClassifierState
from core.learn.reports import ClassifierProgress, Progress
from core.learn.snapshots import kept_steps, snapshots_dir
from core.maps.heatmap import PLAIN, heat_maps
from core.nets.networks import Judge
from core.nets.resnet import PreActResNet34
from core.paper.files import make_folder, write_array, write_text
from core.paper.origin import device_name, revision
from core.paper.photos import Photos, check_same, photos_of
from core.paper.plan import Job, Run, same_training
from core.paper.published import RULE, THRESHOLD
from core.project.localize import localize_images
from core.project.runs import newest_run
from core.project.store import ImageRecord, Project
from core.project.training import train_and_save, train_classifier_and_save
from core.project.workflow import add_folders, load_pixels, training_run

HeatMaps = npt.NDArray[np.float32]
State = TrainState | ClassifierState
_TRAINING_SHARE = 0.96


class Meter(Protocol):
    """Where a job says how far it is; :class:`core.cli.console.Bar` is one."""

    def part(self, title: str, share: float) -> None: ...
    def update(self, fraction: float, detail: str = "") -> None: ...
    def count(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A complete run and its heat maps.

    ``images`` names the usable val images (``val/images/val_7.JPEG``) with their sizes in pixels;
    ``heat_maps`` float32 (n, h, w) and ``pixels`` uint8 (n, S, S, 3) go in the same order. ``trace`` holds
    heat maps alike that were made while it trained, by step, and ``kept`` the steps whose snapshots the
    project keeps, so that it can go back to them; both are empty for a classifier.
    """

    run: Run
    state: State
    record: Mapping[str, Any]
    images: tuple[ImageBoxes, ...]
    heat_maps: HeatMaps
    pixels: npt.NDArray[np.uint8]
    trace: Mapping[int, HeatMaps]
    kept: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """An open run: its project, its images, and how it reports and stops."""

    job: Job
    run: Run
    project: Project
    photos: Photos
    train: list[ImageRecord]
    val: list[ImageRecord]
    meter: Meter
    stop: Event

    @property
    def trace(self) -> Path:
        return self.project.data_dir / "trace"


def complete(job: Job, run: Run, share: float, meter: Meter, stop: Event) -> Trained:
    """Train ``run`` unless it is complete, and find its val images' heat maps.

    Parameters
    ----------
    share
        Of the meter's whole.

    Raises
    ------
    Cancelled
        ``stop`` was set; what was trained is saved, and the next call goes on from there.
    TrainingError
        The training cannot start or broke down.
    BoxscoutError
        Images are missing, a file cannot be read or written, or what lies there has other settings or
        learned from other images.
    """
    photos = photos_of(job.data, run.set_name)
    check_same(run, job.data, photos)
    make_folder(run.folder)
    meter.part(run.title, share * _TRAINING_SHARE)
    with Project.open_or_create(run.project) as project:
        train, val = (add_folders(project, files) for files in (photos.train, photos.val))
        bench = _Bench(
            job=job, run=run, project=project, photos=photos, train=train, val=val, meter=meter, stop=stop
        )
        val_pixels = load_pixels(project, val, size=run.config.image_size, cancelled=stop.is_set)
        state = _saved_state(run, project)
        if state is None or state.step < run.config.steps:
            state = _train(bench, state, val_pixels)
        meter.part(f"{run.title}: boxes", share * (1 - _TRAINING_SHARE))
        return _localized(bench, state, val_pixels)


def boxes_of(trained: Trained, rule: str, *, step: int | None = None) -> list[ImageBoxes]:
    """The val images with the box that ``rule`` reads at its own threshold.

    ``step`` is one of the trace's; None for the run's end.
    """
    maps = trained.heat_maps if step is None else trained.trace[step]
    return [
        replace(image, boxes=(find_box(heat, width=image.width, height=image.height, rule=rule),))
        for image, heat in zip(trained.images, maps, strict=True)
    ]


def truth_of(data: Path, set_name: str) -> list[ImageBoxes]:
    """The true boxes of a set's val images; empty where the data has none."""
    return tiny_imagenet.read_truth(data, wnids=tiny_imagenet.SETS[set_name], split="val")


# --- training -----------------------------------------------------------------------------------------


def _saved_state(run: Run, project: Project) -> State | None:
    gan = isinstance(run.config, TrainConfig)
    saved = newest_run(project, "gan" if gan else "cam")
    if saved is None:
        return None
    state: State = checkpoint.load(saved.file) if gan else classify.load(saved.file)
    if not same_training(state.config.to_dict(), run.config.to_dict()):
        raise BoxscoutError(
            f"{run.project} was trained with other settings; remove it or choose another --out."
        )
    return state


def _train(bench: _Bench, state: State | None, val: Pixels) -> State:
    """Train to the end of the steps; however it ends, the record says who trained from where to where."""
    run = bench.run
    pixels = prepare_pixels(
        [record.file for record in bench.train],
        size=run.config.image_size,
        cache_dir=bench.job.out / "pixels" / run.set_name,  # shared by a set's runs
        cancelled=bench.stop.is_set,
    )
    session = {
        "from_step": state.step if state else 0,
        "to_step": None,
        "commit": revision(),
        "device": device_name(run.config.device),
        "command": bench.job.command,
    }
    if isinstance(run.config, TrainConfig):
        gan = state if isinstance(state, TrainState) else checkpoint.new_state(run.config)
        bench.project.save_view(
            replace(bench.project.load_view(), config=run.config, rule=RULE, threshold=THRESHOLD)
        )
        with training_run(bench.project, "gan", newest_run(bench.project, "gan")) as saved:
            training = train_and_save(run.config, pixels, saved.file, gan)
            _follow(bench, session, gan, training, _tracer(bench, val))
        return gan
    cam = state if isinstance(state, ClassifierState) else classify.new_state(run.config, _classes(run))
    labels = np.array([cam.classes.index(file.path.parents[1].name) for file in pixels.files], np.int64)
    with training_run(bench.project, "cam", newest_run(bench.project, "cam")) as saved:
        learning = train_classifier_and_save(run.config, pixels, labels, saved.file, cam)
        _follow(bench, session, cam, learning, lambda _: None)
    return cam


def _follow(
    bench: _Bench,
    session: dict[str, Any],
    state: State,
    training: Generator[Progress, None, None] | Generator[ClassifierProgress, None, None],
    look: Callable[[Any], None],
) -> None:
    earlier = bench.run.record().get("sessions", [])
    _write_record(bench, state, [*earlier, session])
    try:
        for progress in training:
            look(progress)
            bench.meter.update(
                progress.fraction, f"step {progress.step}/{progress.steps}  {progress.steps_per_s:.1f}/s"
            )
            if bench.stop.is_set():
                training.close()
    finally:
        training.close()
        _write_record(bench, state, [*earlier, {**session, "to_step": state.step}])
    if state.step < bench.run.config.steps:
        raise Cancelled(
            f"Stopped at step {state.step} of {bench.run.title} and saved; the same command goes on."
        )


def _tracer(bench: _Bench, val: Pixels) -> Callable[[Progress], None]:
    """Keeps the val images' heat maps of every snapshot: some kilobytes where a network has megabytes."""
    device = resolve_device(bench.run.config.device)

    def look(progress: Progress) -> None:
        if progress.snapshot is None:
            return
        network = copy.deepcopy(progress.snapshot.discriminator).to(device)
        write_array(bench.trace / f"step-{progress.step:08d}.npy", heat_maps(network, val.array))

    return look


def _classes(run: Run) -> tuple[str, ...]:
    return tuple(sorted(tiny_imagenet.SETS[run.set_name]))


def _write_record(bench: _Bench, state: State, sessions: list[dict[str, Any]]) -> None:
    run = bench.run
    record = {
        "run": run.name,
        "set": run.set_name,
        "method": run.method,
        "seed": run.config.seed,
        "step": state.step,
        "complete": state.step >= run.config.steps,
        "seconds": round(state.elapsed_s, 3),
        "config": run.config.to_dict(),
        "photos": bench.photos.record(),
        "sessions": sessions,
        "project": f"runs/{run.project.name}",
    }
    write_text(run.record_path, json.dumps(record, indent=1, allow_nan=False) + "\n")


# --- heat maps ----------------------------------------------------------------------------------------


def _localized(bench: _Bench, state: State, pixels: Pixels) -> Trained:
    """The project's boxes by the published reading, and the heat maps that they were read from."""
    project, run = bench.project, bench.run
    ids = {record.path: record.id for record in bench.val}
    classes = None
    if isinstance(state, ClassifierState):
        own = tiny_imagenet.val_classes(bench.job.data / "val")
        classes = {ids[file.path]: state.classes.index(own[file.path.name]) for file in pixels.files}
    localize_images(
        project,
        bench.val,
        pixels,
        _network(state, run.config.device),
        step=state.step,
        how=BoxOptions(RULE, THRESHOLD),
        classes=classes,
        options=PLAIN,
        on_progress=bench.meter.count,
        cancelled=bench.stop.is_set,
    )
    maps = [project.heat_map(ids[file.path]) for file in pixels.files]
    sizes = zip(pixels.files, pixels.sizes.tolist(), strict=True)
    return Trained(
        run=run,
        state=state,
        record=run.record(),
        images=tuple(ImageBoxes(f"val/images/{file.path.name}", w, h) for file, (w, h) in sizes),
        heat_maps=np.array(maps, np.float32),
        pixels=np.array(pixels.array),
        trace=_read_trace(bench.trace, len(pixels.files), run.config),
        kept=_kept_steps(project),
    )


def _kept_steps(project: Project) -> tuple[int, ...]:
    saved = newest_run(project, "gan")
    return () if saved is None else kept_steps(snapshots_dir(saved.file))


def _network(state: State, device: str) -> Judge | PreActResNet34:
    where: torch.device = resolve_device(device)
    if isinstance(state, ClassifierState):
        return classify.snapshot_of(state).network.to(where)
    return engine.snapshot_of(state).discriminator.to(where)


def _read_trace(folder: Path, images: int, config: TrainConfig | ClassifierConfig) -> dict[int, HeatMaps]:
    """Those of ``folder`` that are whole, of as many images, and of steps that the run has."""
    found: dict[int, HeatMaps] = {}
    for path in sorted(folder.glob("step-*.npy")):
        step = int(path.stem.removeprefix("step-"))
        maps = np.load(path, allow_pickle=False)
        if len(maps) == images and step <= config.steps:
            found[step] = maps.astype(np.float32)
    return found
