"""Heat maps of the chosen network for the image in view, and boxes for all images at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.controllers.job import Controller, Job
from app.controllers.run import Saved, changed_records
from app.controllers.sources import Look, Newest, Source, UnitSource, read_unit
from app.controllers.training import Prepared, gan_jobs
from app.models.evidence import HeatMap
from app.models.results import Outcome
from app.models.session import Session
from app.models.training import Kind
from app.pump import Pump
from app.worker import Worker
from core.base.language import tr, trn
from core.boxes.options import BoxOptions
from core.nets.features import installed_runtime
from core.project.frozen import localize_by_features, other_runtime
from core.project.refreshed import look_again
from core.project.results import results_of
from core.project.runs import Run
from core.project.store import ImageRecord, Project

NEWEST = ((Kind.FEATURES.value, None), (Kind.GAN.value, None))


class LocalizationController(Controller):
    """Only copies of the discriminator come here; the network in training never does."""

    boxes_found = Signal(int)
    """How many images got a box."""
    gave_up = Signal()
    """A search was stopped, or failed."""
    evidence_changed = Signal()
    """The project's heat maps or boxes are new."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._search, self._reading = self._job("localization"), Job(session, pump, "localizer")
        self._prepared: Prepared | None = None
        self._newest: Source | None = None
        """Of the newest snapshot while training."""
        self._source: Source | None = None
        """Of the live heat maps; None where the project's own are as new."""
        self._again = False
        self._behind = False
        # One thread for good: each new thread would start its own pool of OpenMP threads.
        options = {"threads": 1, "capacity": 1, "queue_limit": 1}
        self._live = pump.loader("heat-maps", self._make_live_map, on_ready=self._on_live_map, **options)
        session.project_changed.connect(self._forget)
        session.current_changed.connect(self._want_live_map)
        session.results.snapshots_changed.connect(self._on_snapshots_changed)

    @property
    def running(self) -> bool:
        return self._search.running

    # ---- while training -------------------------------------------------------------------------

    def on_prepared(self, prepared: Prepared) -> None:
        """Training has its pixels; heat maps are made from the same."""
        self.on_begun()
        self._prepared = prepared

    def on_begun(self) -> None:
        """What is learned from here on is new, and so are its heat maps."""
        self._prepared, self._newest = None, None
        self._show(None)
        self.stop()

    def on_source(self, source: Source) -> None:
        """Show what was learned by now, unless the person chose another network."""
        self._newest = source
        if self._wanted() in NEWEST:
            self._source = self._newest
            self._want_live_map()

    def on_training_ended(self, saved: Saved | None) -> None:
        """Boxes for all images, from the network as it is now or from the one that was chosen."""
        behind, self._behind = self._behind, False
        if saved is not None and saved.source is not None:
            self.on_source(saved.source)
        elif saved is not None:
            self._session.change_view(model=Kind.CAM.value)
            self._newest = None
            self._show(None)
        if saved is not None or behind:
            self.find_boxes()

    def _on_snapshots_changed(self) -> None:
        """The proposal of a training under way may be another one now."""
        source, (model, step) = self._source, self._wanted()
        is_other = source is None or source.step != step
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
        if session.is_training:
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
        if session.is_training:
            self._behind = True
        else:
            self.find_boxes()

    def find_boxes_again(self) -> None:
        """:meth:`find_boxes`, and maps that another runtime has made are made anew."""
        self.find_boxes(again=bool(other_runtime(self._session.survey, installed_runtime())))

    def find_boxes(self, *, again: bool = False) -> None:
        """Heat maps and boxes of all images into the project, from the network that was chosen.

        Maps that frozen features have made stay, but with ``again``.
        """
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running:
            self._again = True
            self.stop()
            return
        if project is None or not records or session.refuses_change():
            return
        wanted, prepared, unit = self._wanted(), self._prepared, self._unit()
        run = session.runs.of(Kind(wanted[0]))
        if run is None:
            return
        if not session.is_provisional:
            session.follow_rule(run.kind)
        session.results.set_outcome(None)
        view, read = session.view_for(run.kind), self._reader()
        source = self._newest if wanted in NEWEST else None
        how = Look(prepared, unit, view.max_boxes)

        def search(worker: Worker) -> tuple[int, int]:
            by = source or read(run, records, wanted[1])
            return _localize(worker, project, records, view.options, how, run, by, again)

        self._search.start(
            search,
            text=tr("Finding boxes…"),
            on_items=self._on_items,
            on_done=lambda result: self._on_done(run, result),
            on_failed=self._on_failed,
        )

    def stop(self) -> None:
        self._search.stop()

    def finish(self) -> None:
        """Stop here and now: what boxes come from is about to change."""
        self._again = False
        self.stop()
        self._search.finish()

    def on_shown(self) -> None:
        """Another run is shown: what it sees, or the project's own where the boxes come from it."""
        self._newest = None
        self._show(None)
        if self._session.is_provisional:
            self._load_live()

    def on_opened(self) -> None:
        """Of a training that ended with the window no boxes were found yet: show what it has learned."""
        project, training = self._session.project, self._session.training
        if project is not None and training.saved_step and project.heat_maps_step() is None:
            self._load_live()

    def abandon(self) -> None:
        was_running, self._again = self.running, False
        super().abandon()
        if was_running:
            self._end()

    def close(self) -> None:
        self._live.close()

    # ---- which network --------------------------------------------------------------------------

    def _wanted(self) -> tuple[str, int | None]:
        """Which training, and the step of one of its snapshots; None for its newest."""
        results = self._session.results
        model, at = results.source(self._session.view)
        return model, results.snapshots.step_of(at) if model == Kind.GAN.value else None

    def _reader(self) -> Callable[[Run, tuple[ImageRecord, ...], int | None], Source]:
        """What reads in a thread what was learned in a run."""
        config = self._session.view.config

        def read(run: Run, records: tuple[ImageRecord, ...], step: int | None) -> Source:
            if run.kind == Kind.FEATURES.value:
                return read_unit(run, config)
            source: Source = gan_jobs().read_source(run, records, step)
            return source

        return read

    def _unit(self) -> Literal["real"] | None:
        return self._session.results.unit(self._session.view)

    def _load_live(self) -> None:
        """Show the network that was chosen while another one trains."""
        session, wanted = self._session, self._wanted()
        records, run, read = tuple(session.images.records), session.runs.of(Kind(wanted[0])), self._reader()
        if wanted in NEWEST and (self._newest is not None or session.training.phase.running):
            self._show(self._newest)
        elif run is not None and run.is_saved:
            self._reading.start(
                lambda _: read(run, records, wanted[1]),
                on_done=lambda source: self._show(source) if self._wanted() == wanted else None,
            )

    def _show(self, source: Source | None) -> None:
        """Make live heat maps by another network, or none."""
        self._source = source
        self._live.clear()
        self._session.live.clear()
        self._want_live_map()

    def _forget(self) -> None:
        self._prepared, self._newest, self._source = None, None, None
        self._behind = False
        self._live.clear()

    # ---- live heat maps -------------------------------------------------------------------------

    def _want_live_map(self) -> None:
        """Of the image in view, and while something is learned of the watched ones after it."""
        session, source = self._session, self._source
        wanted = (session.current, *(session.watched if session.is_training else ()))
        for record in (session.images.record(image_id) for image_id in wanted if image_id is not None):
            if source and record and session.live.step_of(record.id) != source.step:
                self._live.get((source.step, record.id, record.path))
                return

    def _make_live_map(self, key: tuple[int, int, Path]) -> tuple[Source, HeatMap] | None:
        """In the loader's thread; an outdated wish is answered with the newest network."""
        source, (_, image_id, path) = self._source, key
        if source is None:
            return None
        how = Look(self._prepared, self._unit(), self._session.view.max_boxes)
        made = source.heat_map(image_id, path, how)
        return None if made is None else (source, made)

    def _on_live_map(self, key: tuple[int, int, Path], made: tuple[Source, HeatMap] | None) -> None:
        self._live.forget(key)
        if made is not None and self._source is not None:
            self._session.set_live_map(key[1], made[0].step, made[1])
            self._want_live_map()
        elif self._source is not None:  # its file cannot be read: the others need not wait for it
            self._session.watched = tuple(i for i in self._session.watched if i != key[1])

    # ---- what the thread reports ----------------------------------------------------------------

    def _on_items(self, items: list[Newest | list[ImageRecord] | tuple[str, int, int]]) -> None:
        for item in items:
            if isinstance(item, list):
                self._session.merge_records(item)
                continue
            if isinstance(item, Newest):
                if item.source is not self._source:
                    self._show(item.source)
                continue
            step, done, total = item
            texts = {"pixels": tr("Preparing images…"), "boxes": tr("Finding boxes…")}
            self._search.tell(texts[step], done, total)

    def _on_done(self, run: Run, result: tuple[int, int]) -> None:
        found, kept = result
        shown = self._session.runs.of(Kind(run.kind))
        if self._session.is_provisional and shown is not None and shown.id == run.id:
            self._end()
            text = tr("{run} is ready. Your boxes are unchanged until you take its boxes.")
            self._session.notice.emit(text.format(run=run.name))
            self._session.results.set_outcome(Outcome(found=found, run=run.name, waits=run.id))
            self.boxes_found.emit(found)
            return
        if not self._session.training.phase.running:
            # The project's maps are as new now. They may differ in the last digit, and the boxes are theirs.
            self._newest = self._source = None
            self._session.live.clear()
        self._end()
        text = trn("Boxes found for {count} image.", "Boxes found for {count} images.", found)
        if kept:
            text += " " + trn(
                "{count} image with edited or accepted boxes is unchanged.",
                "{count} images with edited or accepted boxes are unchanged.",
                kept,
            )
        self._session.notice.emit(text)
        self._session.results.set_outcome(Outcome(found=found, run=run.name, kept=kept))
        self.boxes_found.emit(found)

    def _on_failed(self, _: BaseException) -> None:
        self.gave_up.emit()
        if not self._session.training.phase.running and not self._session.is_provisional:
            # What is shown is what the project holds, also of images that were not reached.
            self._show(None)
        self._end()

    def _end(self) -> None:
        self.evidence_changed.emit()
        if self._again:
            self._again = False
            self.find_boxes()


def _localize(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    boxes: BoxOptions,
    how: Look,
    run: Run,
    source: Source,
    again: bool,
) -> tuple[int, int]:
    """What the localization thread does; how many images got boxes, and how many were left alone."""
    worker.put(Newest(source))  # the image in view need not wait for its turn
    if look_again(project, records):
        worker.put(changed_records(project, records))
        ids = {record.id for record in records}
        records = tuple(record for record in project.images() if record.id in ids)
    if not isinstance(source, UnitSource):
        found: tuple[int, int] = gan_jobs().localize(worker, project, records, boxes, how, run, source)
        return found
    with results_of(project, run) as place:
        done = localize_by_features(
            place,
            project,
            records,
            source.unit,
            source.features,
            how=boxes,
            again=again,
            on_progress=lambda done, total: worker.put(("boxes", done, total)),
            cancelled=worker.is_stopping,
        )
    worker.put(changed_records(project, records))
    return done.images, done.kept
