"""Heat maps of the chosen network for the image in view, and boxes for all images at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.controllers.run import Saved
from app.controllers.training import Prepared
from app.models.evidence import HeatMap
from app.models.loader import Loader
from app.models.session import Session
from app.models.training import Activity, Kind
from app.pump import Pump
from app.worker import Worker
from core.base.errors import ImageError
from core.base.language import tr, trn
from core.images.decoding import decode_squashed
from core.images.pixels import Pixels
from core.learn import snapshots
from core.learn.engine import Snapshot
from core.maps.heatmap import heat_maps, read_out_of
from core.project.localizers import Localizer, known_classes, saved_localizer
from core.project.results import results_of
from core.project.runs import Run
from core.project.store import ImageRecord, Project, ProjectView
from core.project.workflow import load_pixels, localize_images

ACTIVITY = "localization"
NEWEST = (Kind.GAN.value, None)


@dataclass(frozen=True)
class Source:
    """Where heat maps are made: a network, and whose map each image gets, if it knows classes."""

    localizer: Localizer
    classes: Mapping[int, int] | None = None


class LocalizationController(QObject):
    """Only copies of the discriminator come here; the network in training never does."""

    boxes_found = Signal(int)
    """How many images got a box."""
    evidence_changed = Signal()
    """The project's heat maps or boxes are new."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pump = pump
        self._worker: Worker | None = None
        self._prepared: Prepared | None = None
        self._newest: Source | None = None
        """Of the newest snapshot while training."""
        self._source: Source | None = None
        """Of the live heat maps; None where the project's own are as new."""
        self._again = False
        self._behind = False
        # One thread for good: each new thread would start its own pool of OpenMP threads.
        self._live = Loader(
            "heat-maps",
            self._make_live_map,
            on_ready=self._on_live_map,
            on_error=pump.failed.emit,
            wake=pump.wake,
            threads=1,
            capacity=1,
            queue_limit=1,
        )
        pump.add_source(self._live)
        session.project_changed.connect(self._forget)
        session.current_changed.connect(self._want_live_map)
        session.results.snapshots_changed.connect(self._on_snapshots_changed)

    @property
    def running(self) -> bool:
        return self._worker is not None

    # ---- while training -------------------------------------------------------------------------

    def on_prepared(self, prepared: Prepared) -> None:
        """Training has its pixels; heat maps are made from the same."""
        self._prepared = prepared
        self._newest = None
        self._show(None)
        self.stop()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Show what the newest discriminator sees, unless the person chose another one."""
        localizer = Localizer(snapshot.discriminator, snapshot.step, snapshot.image_size)
        self._newest = Source(localizer)
        if self._wanted() == NEWEST:
            self._source = self._newest
            self._want_live_map()

    def on_training_ended(self, saved: Saved | None) -> None:
        """Boxes for all images, from the network as it is now or from the one that was chosen."""
        behind, self._behind = self._behind, False
        if saved is not None and saved.snapshot is not None:
            self.on_snapshot(saved.snapshot)
        elif saved is not None:
            self._session.change_view(model=Kind.CAM.value)
            self._newest = None
            self._show(None)
        if saved is not None or behind:
            self.find_boxes()

    def _on_snapshots_changed(self) -> None:
        """The proposal of a training under way may be another one now."""
        source, (model, step) = self._source, self._wanted()
        is_other = source is None or source.localizer.step != step
        if step is not None and model == Kind.GAN.value and is_other and self._session.training.phase.running:
            self._load_live()

    # ---- what the person asks for ---------------------------------------------------------------

    def choose(self, model: str, at: str) -> None:
        """Take heat maps and boxes from another network, as in :func:`saved_localizer`."""
        session = self._session
        if (session.view.model, session.view.at) == (model, at) or session.refuses_change():
            return
        session.change_view(model=model, at=at)
        self._show(None)
        if session.training.phase.running or session.results.labelled.phase.running:
            self._behind = True
            self._load_live()
        else:
            self.find_boxes()

    def choose_unit(self, unit: str) -> None:
        """Show the map of another of the discriminator's units; ``unit`` as in :class:`ProjectView`."""
        session = self._session
        if session.view.unit == unit or session.refuses_change():
            return
        session.change_view(unit=unit)
        self._show(self._source)
        if session.training.phase.running or session.results.labelled.phase.running:
            self._behind = True
        else:
            self.find_boxes()

    def find_boxes(self) -> None:
        """Heat maps and boxes of all images into the project, from the network that was chosen."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running:
            self._again = True
            self.stop()
            return
        if project is None or not records or session.refuses_change():
            return
        view, wanted, prepared, unit = session.view, self._wanted(), self._prepared, self._unit()
        run = session.runs.of(Kind(wanted[0]))
        if run is None:
            return
        source = self._newest if wanted == NEWEST else None
        session.set_activity(ACTIVITY, Activity(text=tr("Finding boxes…")))
        self._worker = self._pump.run(
            "localization",
            lambda worker: _localize(
                worker, project, records, view, unit, run, source or _read(run, records, wanted[1]), prepared
            ),
            on_items=self._on_items,
            on_done=lambda result: self._on_done(run, result),
            on_failed=self._on_failed,
        )

    def stop(self) -> None:
        if self._worker:
            self._worker.stop()

    def finish(self) -> None:
        """Stop here and now: what boxes come from is about to change."""
        self._again = False
        self.stop()
        self._pump.finish(self._worker)

    def on_shown(self) -> None:
        """Another run is shown: what it sees, or the project's own where the boxes come from it."""
        self._newest = None
        self._show(None)
        if self._session.is_provisional:
            self._load_live()

    def abandon(self) -> None:
        """The project is about to be closed."""
        self._again = False
        self._pump.abandon(self._worker)
        self._end()

    def close(self) -> None:
        self._live.close()

    # ---- which network --------------------------------------------------------------------------

    def _wanted(self) -> tuple[str, int | None]:
        """Which training, and the step of one of its snapshots; None for its newest."""
        results = self._session.results
        model, at = results.source(self._session.view)
        return model, results.snapshots.step_of(at) if model == Kind.GAN.value else None

    def _unit(self) -> Literal["real"] | None:
        return self._session.results.unit(self._session.view)

    def _load_live(self) -> None:
        """Show the network that was chosen while another one trains."""
        session, wanted = self._session, self._wanted()
        records, run = tuple(session.images.records), session.runs.of(Kind(wanted[0]))
        if wanted == NEWEST and (self._newest is not None or session.training.phase.running):
            self._show(self._newest)
        elif run is not None and run.is_saved:
            self._pump.run(
                "localizer",
                lambda _: _read(run, records, wanted[1]),
                on_done=lambda source: self._show(source) if self._wanted() == wanted else None,
            )

    def _show(self, source: Source | None) -> None:
        """Make live heat maps by another network, or none."""
        self._source = source
        self._live.clear()
        self._session.forget_live_maps()
        self._want_live_map()

    def _forget(self) -> None:
        self._prepared, self._newest, self._source = None, None, None
        self._behind = False
        self._live.clear()

    # ---- live heat maps -------------------------------------------------------------------------

    def _want_live_map(self) -> None:
        session, source, record = self._session, self._source, self._session.record
        if source is None or record is None or session.live_step(record.id) == source.localizer.step:
            return
        self._live.get((source.localizer.step, record.id, record.path))

    def _make_live_map(self, key: tuple[int, int, Path]) -> tuple[Source, HeatMap] | None:
        """In the loader's thread; an outdated wish is answered with the newest network."""
        source, prepared, (_, image_id, path) = self._source, self._prepared, key
        if source is None:
            return None
        size = source.localizer.image_size
        row = prepared.rows.get(image_id) if prepared else None
        if prepared is not None and row is not None and prepared.pixels.array.shape[1] == size:
            pixels = prepared.pixels.array[row : row + 1]
        else:
            try:
                pixels = decode_squashed(path, size=size).pixels[None]
            except (ImageError, OSError):  # the canvas says so already
                return None
        wanted = None if source.classes is None else np.array([source.classes.get(image_id, -1)], np.int64)
        network = source.localizer.network
        options = read_out_of(network, unit=self._unit(), max_boxes=self._session.view.max_boxes)
        return source, heat_maps(network, pixels, classes=wanted, options=options)[0]

    def _on_live_map(self, key: tuple[int, int, Path], made: tuple[Source, HeatMap] | None) -> None:
        self._live.forget(key)
        if made is not None and self._source is not None:
            self._session.set_live_map(key[1], made[0].localizer.step, made[1])
            self._want_live_map()

    # ---- what the thread reports ----------------------------------------------------------------

    def _on_items(self, items: list[Source | list[ImageRecord] | tuple[str, int, int]]) -> None:
        for item in items:
            if isinstance(item, list):
                self._session.merge_records(item)
                continue
            if isinstance(item, Source):
                if item is not self._source:
                    self._show(item)
                continue
            step, done, total = item
            texts = {"pixels": tr("Preparing images…"), "boxes": tr("Finding boxes…")}
            self._session.set_activity(ACTIVITY, Activity(text=texts[step], done=done, total=total))

    def _on_done(self, run: Run, result: tuple[int, int]) -> None:
        found, kept = result
        shown = self._session.runs.of(Kind(run.kind))
        if self._session.is_provisional and shown is not None and shown.id == run.id:
            self._end()
            text = tr("{run} is ready. Your boxes are unchanged until you take its boxes.")
            self._session.notice.emit(text.format(run=run.name))
            self.boxes_found.emit(found)
            return
        if not self._session.training.phase.running:
            # The project's maps are as new now. They may differ in the last digit, and the boxes are theirs.
            self._newest = self._source = None
            self._session.forget_live_maps()
        self._end()
        text = trn("Boxes found for {count} image.", "Boxes found for {count} images.", found)
        if kept:
            text += " " + trn(
                "{count} edited or accepted one was left alone.",
                "{count} edited or accepted ones were left alone.",
                kept,
            )
        self._session.notice.emit(text)
        self.boxes_found.emit(found)

    def _on_failed(self, _: BaseException) -> None:
        if not self._session.training.phase.running and not self._session.is_provisional:
            # What is shown is what the project holds, also of images that were not reached.
            self._show(None)
        self._end()

    def _end(self) -> None:
        if self._worker is None:
            return
        self._worker = None
        self._session.set_activity(ACTIVITY, None)
        self.evidence_changed.emit()
        if self._again:
            self._again = False
            self.find_boxes()


def _read(run: Run, records: tuple[ImageRecord, ...], step: int | None) -> Source:
    """The network of a saved run; of a classifier also which images are of a class that it knows."""
    if step is not None:
        snapshot = snapshots.load(snapshots.snapshots_dir(run.file), step)
        return Source(Localizer(snapshot.discriminator, snapshot.step, snapshot.image_size))
    localizer = saved_localizer(run)
    if not localizer.classes:
        return Source(localizer)
    roots = list(dict.fromkeys(record.root for record in records))
    return Source(localizer, known_classes(localizer.classes, records, roots))


def _localize(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    view: ProjectView,
    unit: Literal["real"] | None,
    run: Run,
    source: Source,
    prepared: Prepared | None,
) -> tuple[int, int]:
    """What the localization thread does."""
    localizer = source.localizer
    worker.put(source)  # the image in view need not wait for its turn
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
        known = set(records)
        worker.put([record for record in project.images() if record not in known])
    with results_of(project, run) as place:
        return localize_images(
            place,
            records,
            pixels,
            localizer.network,
            step=localizer.step,
            rule=view.rule,
            threshold=view.threshold,
            thresholds=view.thresholds,
            max_boxes=view.max_boxes,
            classes=source.classes,
            options=read_out_of(localizer.network, unit=unit, max_boxes=view.max_boxes),
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
