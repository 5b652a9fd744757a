"""Heat maps of the newest snapshot for the image in view, and boxes for all images at the end."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from app.controllers.training import Prepared, Saved, saved_snapshot
from app.models.loader import Loader
from app.models.session import HeatMap, Session
from app.models.training import Activity
from app.pump import Pump
from app.worker import Worker
from core.engine import Snapshot
from core.heatmap import heat_maps
from core.images.pixels import Pixels
from core.project.store import ImageRecord, Project, ProjectView
from core.workflow import checkpoint_path, load_pixels, localize_images

ACTIVITY = "localization"


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
        self._rows: Mapping[int, int] = {}
        self._snapshot: Snapshot | None = None
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

    @property
    def running(self) -> bool:
        return self._worker is not None

    def on_prepared(self, prepared: Prepared) -> None:
        """Training has its pixels; heat maps are made from the same."""
        self._snapshot = None
        self._prepared = prepared
        self._rows = prepared.rows
        self._live.clear()
        self.stop()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Show what the newest discriminator sees; older ones nobody asks for any more."""
        self._snapshot = snapshot
        self._want_live_map()

    def on_training_ended(self, saved: Saved | None) -> None:
        """Boxes for all images, from the network as it is now."""
        if saved is not None:
            self.on_snapshot(saved.snapshot)
            self.find_boxes()

    def find_boxes(self) -> None:
        """Heat maps and boxes of all images into the project, from the newest or the saved training."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if project is None or not records or self.running:
            return
        view, snapshot, prepared = session.view, self._snapshot, self._prepared
        session.set_activity(ACTIVITY, Activity(text=self.tr("Finding boxes…")))
        self._worker = self._pump.run(
            "localization",
            lambda worker: _localize(worker, project, records, view, snapshot, prepared),
            on_items=self._on_items,
            on_done=self._on_done,
            on_failed=lambda _: self._end(),
        )

    def stop(self) -> None:
        if self._worker:
            self._worker.stop()

    def abandon(self) -> None:
        """The project is about to be closed."""
        self._pump.abandon(self._worker)
        self._end()

    def close(self) -> None:
        self._live.close()

    def _forget(self) -> None:
        self._prepared, self._snapshot, self._rows = None, None, {}
        self._live.clear()

    def _want_live_map(self) -> None:
        session, snapshot = self._session, self._snapshot
        image_id = session.current
        if snapshot is None or image_id not in self._rows or session.live_step(image_id) == snapshot.step:
            return
        self._live.get((snapshot.step, image_id))

    def _make_live_map(self, key: tuple[int, int]) -> tuple[int, HeatMap] | None:
        """In the loader's thread; an outdated wish is answered with the newest snapshot."""
        snapshot, prepared, row = self._snapshot, self._prepared, self._rows.get(key[1])
        if snapshot is None or prepared is None or row is None:
            return None
        maps = heat_maps(snapshot.discriminator, prepared.pixels.array[row : row + 1])
        return snapshot.step, maps[0]

    def _on_live_map(self, key: tuple[int, int], made: tuple[int, HeatMap] | None) -> None:
        self._live.forget(key)
        if made is not None:
            self._session.set_live_map(key[1], *made)
            self._want_live_map()

    def _on_items(self, items: list[tuple[str, int, int]]) -> None:
        step, done, total = items[-1]
        texts = {"pixels": self.tr("Preparing images…"), "boxes": self.tr("Finding boxes…")}
        self._session.set_activity(ACTIVITY, Activity(text=texts[step], done=done, total=total))

    def _on_done(self, result: tuple[int, int]) -> None:
        found, kept = result
        if not self._session.training.phase.running:
            # The project's maps are as new now. They may differ in the last digit, and the boxes are theirs.
            self._snapshot = None
            self._session.forget_live_maps()
        self._end()
        text = self.tr("Boxes found for {found:,} images.").format(found=found)
        if kept:
            text += " " + self.tr("{kept:,} edited ones were left alone.").format(kept=kept)
        self._session.notice.emit(text)
        self.boxes_found.emit(found)

    def _end(self) -> None:
        if self._worker is None:
            return
        self._worker = None
        self._session.set_activity(ACTIVITY, None)
        self.evidence_changed.emit()


def _localize(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    view: ProjectView,
    snapshot: Snapshot | None,
    prepared: Prepared | None,
) -> tuple[int, int]:
    """What the localization thread does."""
    snapshot = snapshot or saved_snapshot(checkpoint_path(project))
    pixels: Pixels
    if prepared is not None and _fits(prepared, records, snapshot):
        pixels, records = prepared.pixels, prepared.records
    else:
        pixels = load_pixels(
            project,
            records,
            size=snapshot.image_size,
            on_progress=lambda done, total: worker.put(("pixels", done, total)),
            cancelled=worker.is_stopping,
        )
    return localize_images(
        project,
        records,
        pixels,
        snapshot.discriminator,
        step=snapshot.step,
        rule=view.rule,
        threshold=view.threshold,
        thresholds=view.thresholds,
        max_boxes=view.max_boxes,
        on_progress=lambda done, total: worker.put(("boxes", done, total)),
        cancelled=worker.is_stopping,
    )


def _fits(prepared: Prepared, records: tuple[ImageRecord, ...], snapshot: Snapshot) -> bool:
    """Whether the pixels at hand are those of ``records``; compared by what makes a file another one."""
    if prepared.pixels.array.shape[1] != snapshot.image_size:
        return False
    return [r.file for r in prepared.records] == [r.file for r in records]
