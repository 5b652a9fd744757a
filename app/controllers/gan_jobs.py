"""What threads do that train a GAN or read what one has learned. Importing this loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.controllers.run import Preparing, Saved, SavedTraining, changed_records, run_steps
from app.controllers.sources import Look, Newest
from app.controllers.training import Prepared
from app.models.evidence import HeatMap
from app.models.results import Snapshots
from app.models.training import Kind, Point
from app.worker import Worker
from core.base.config import TrainConfig
from core.base.devices import resolve_device
from core.base.errors import BoxscoutError, ImageError
from core.boxes.options import BoxOptions
from core.images.decoding import decode_squashed
from core.images.pixels import Pixels
from core.learn import checkpoint, snapshots
from core.learn.batches import batch_seen, fewest_images
from core.learn.checkpoint import TrainState
from core.learn.engine import samples_of, snapshot_of
from core.learn.lesson import is_spent
from core.learn.reports import BatchSeen, Snapshot
from core.learn.signals import yardstick
from core.learn.snapshots import kept_signals, snapshots_dir
from core.learn.stopping import Estimate
from core.maps.heatmap import heat_maps, read_out_of
from core.project.localize import localize_images
from core.project.localizers import Localizer, known_classes, saved_localizer
from core.project.results import results_of
from core.project.runs import Run
from core.project.store import ImageRecord, Project
from core.project.training import train_and_save
from core.project.workflow import load_pixels, training_run

# Heat maps are shown after these steps too, long before the first snapshot that is kept and measured.
_FIRST_LOOKS = (5, 20, 50, 200, 500)


@dataclass(frozen=True)
class NetworkSource:
    """Heat maps by a trained network, and whose map each image gets, if it knows classes."""

    localizer: Localizer
    classes: Mapping[int, int] | None = None

    @property
    def step(self) -> int:
        return self.localizer.step

    def heat_map(self, image_id: int, path: Path, how: Look) -> HeatMap | None:
        size, prepared = self.localizer.image_size, how.prepared
        row = prepared.rows.get(image_id) if prepared else None
        if prepared is not None and row is not None and prepared.pixels.array.shape[1] == size:
            pixels = prepared.pixels.array[row : row + 1]
        else:
            try:
                pixels = decode_squashed(path, size=size).pixels[None]
            except (ImageError, OSError):  # the canvas says so already
                return None
        wanted = None if self.classes is None else np.array([self.classes.get(image_id, -1)], np.int64)
        network = self.localizer.network
        options = read_out_of(network, unit=how.unit, max_boxes=how.max_boxes)
        made: HeatMap = heat_maps(network, pixels, classes=wanted, options=options)[0]
        return made


def source_of(snapshot: Snapshot) -> NetworkSource:
    return NetworkSource(Localizer(snapshot.discriminator, snapshot.step, snapshot.image_size))


def read_source(run: Run, records: tuple[ImageRecord, ...], step: int | None) -> NetworkSource:
    """The network of a saved run; of a classifier also which images are of a class that it knows."""
    if step is not None:
        return source_of(snapshots.load(snapshots.snapshots_dir(run.file), step))
    localizer = saved_localizer(run)
    if not localizer.classes:
        return NetworkSource(localizer)
    roots = list(dict.fromkeys(record.root for record in records))
    return NetworkSource(localizer, known_classes(localizer.classes, records, roots))


def seen(
    worker: Worker, project: Project, records: tuple[ImageRecord, ...], config: TrainConfig, step: int
) -> BatchSeen | None:
    """A batch as the discriminator of ``config`` would see it; None where there are too few images."""
    if len(records) < fewest_images(config):
        return None
    pixels = load_pixels(project, records, size=config.image_size, cancelled=worker.is_stopping)
    return batch_seen(config, pixels.array, step=step)


def read_checkpoint(run: Run) -> SavedTraining:
    try:
        state = checkpoint.load(run.file)
    except BoxscoutError as error:
        return SavedTraining(warning=str(error))
    points = tuple(
        Point(p.step, p.d_loss, p.g_loss, p.ms_ssim, p.background_accuracy) for p in state.points()
    )
    makes_samples = state.step > 0 and state.config.adversarial > 0
    samples = samples_of(state) if makes_samples else None
    return SavedTraining.at(
        state.step,
        state.config.steps,
        complete=is_spent(state.config, state),
        points=points,
        samples=samples,
        snapshots=_snapshots(state, run.file),
    )


def _snapshots(state: TrainState, path: Path) -> Snapshots:
    """The snapshots of ``state`` that are kept beside its checkpoint."""
    measured = state.signals[-1] if state.signals else None
    real = Estimate(measured.real_ms_ssim, measured.real_ms_ssim_error) if measured else None
    both = state.config.background > 0 and state.config.adversarial > 0
    return Snapshots(signals=tuple(kept_signals(state, snapshots_dir(path))), real=real, both_units=both)


def _prepared(project: Project, records: tuple[ImageRecord, ...], pixels: Pixels, device: str) -> Prepared:
    """All that the window wants to know of the pixels, looked up here and not in its thread."""
    changed = tuple(changed_records(project, records))
    ids = {record.path: record.id for record in records}
    rows = {ids[file.path]: row for row, file in enumerate(pixels.files)}
    damaged = tuple(image_id for image_id, row in rows.items() if row in pixels.truncated)
    return Prepared(pixels, records, rows, changed, damaged, device)


def _put_real_images(worker: Worker, config: TrainConfig, pixels: Pixels, state: TrainState) -> None:
    """What can be shown before the first snapshot, which may be minutes away."""
    worker.put(batch_seen(config, pixels.array, step=state.step))
    if not state.signals:
        real = yardstick(config, pixels.array, resolve_device(config.device)).real_ms_ssim
        worker.put(Snapshots(real=real))


def _begun(config: TrainConfig, saved: Run | None) -> tuple[TrainConfig, TrainState]:
    """The state to train, and its config: what was learned fits only the networks it was learned with."""
    if saved is None:
        return config, checkpoint.new_state(config)
    state = checkpoint.load(saved.file)
    return state.config.resumed_by(config), state


def train(
    worker: Worker, project: Project, records: tuple[ImageRecord, ...], config: TrainConfig, saved: Run | None
) -> Saved:
    device = str(resolve_device(config.device))
    config, state = _begun(config, saved)
    pixels = load_pixels(
        project,
        records,
        size=config.image_size,
        on_progress=lambda done, total: worker.put(Preparing(done, total)),
        cancelled=worker.is_stopping,
    )
    worker.put(_prepared(project, records, pixels, device))
    if len(pixels.files) >= fewest_images(config):
        _put_real_images(worker, config, pixels, state)
    with training_run(project, Kind.GAN.value, saved) as run:
        worker.put(run)
        for progress in run_steps(worker, project, run, train_and_save(config, pixels, run.file, state)):
            if state.step in _FIRST_LOOKS and progress.snapshot is None:
                worker.put(Newest(source_of(snapshot_of(state))))
            if progress.snapshot is not None:
                worker.put(Newest(source_of(progress.snapshot)))
            if progress.samples is not None:
                worker.put(batch_seen(config, pixels.array, step=state.step))
            if progress.signal is not None:
                worker.put(_snapshots(state, run.file))
    return Saved(state.step, is_spent(config, state), source_of(snapshot_of(state)))


def localize(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    boxes: BoxOptions,
    how: Look,
    run: Run,
    source: NetworkSource,
) -> tuple[int, int]:
    """Boxes of all ``records`` by ``source``; how many images got boxes, and how many were left alone."""
    localizer, prepared = source.localizer, how.prepared
    pixels: Pixels
    if prepared is not None and _fits(prepared, records, localizer.image_size):
        pixels, records = prepared.pixels, prepared.records
    else:
        pixels = load_pixels(
            project,
            records,
            size=localizer.image_size,
            on_progress=lambda done, total: worker.put(("pixels", done, total)),
            cancelled=worker.is_stopping,
        )
        worker.put(changed_records(project, records))
    with results_of(project, run) as place:
        return localize_images(
            place,
            records,
            pixels,
            localizer.network,
            step=localizer.step,
            how=boxes,
            classes=source.classes,
            options=read_out_of(localizer.network, unit=how.unit, max_boxes=boxes.max_boxes),
            on_progress=lambda done, total: worker.put(("boxes", done, total)),
            cancelled=worker.is_stopping,
        )


def _fits(prepared: Prepared, records: tuple[ImageRecord, ...], size: int) -> bool:
    """Whether the pixels at hand are those of ``records``; compared by what makes a file another one.

    Where files could not be read then, they may be there again.
    """
    if prepared.pixels.array.shape[1] != size or prepared.pixels.rejected:
        return False
    return [r.file for r in prepared.records] == [r.file for r in records]
