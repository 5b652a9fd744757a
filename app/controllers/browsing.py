"""The image in view: its pixels, what the project holds of it, and its neighbours ahead of time."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.models.evidence import Evidence, Picture
from app.models.pictures import to_qimage
from app.models.session import Session
from app.models.thumbnails import Thumbnails
from app.pump import Pump
from core.base.errors import ImageError
from core.boxes.rules import MAX_THRESHOLD
from core.images.decoding import decode
from core.project.queries import class_maps, framings, kept
from core.project.store import ImageRecord, Project
from core.project.truth import true_boxes

# A larger picture only costs memory: 8 of these take 400 MB at worst.
MAX_SIDE = 4096
PICTURES = 8


class BrowsingController(QObject):
    """Decodes in threads; the window's thread only ever asks caches."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._step = 1
        self._thresholds: dict[str, float | None] = {}
        self.thumbnails = Thumbnails(pump, self)
        session.images.set_thumbnails(self.thumbnails)
        self.thumbnails.condition.connect(
            lambda image_id, reason, damaged: session.problems.note(image_id, reason, damaged=damaged)
        )
        self._pictures = pump.loader(
            "pictures", _picture, on_ready=self._on_picture, threads=2, capacity=PICTURES, queue_limit=3
        )
        self._evidence = pump.loader(
            "evidence", _evidence, on_ready=self._on_evidence, threads=1, capacity=64, queue_limit=3
        )
        session.project_changed.connect(self._forget)
        session.current_changed.connect(self._load)

    def next(self) -> None:
        self._go(1)

    def previous(self) -> None:
        self._go(-1)

    def first(self) -> None:
        self._session.select(self._session.images.id_at(0))

    def last(self) -> None:
        images = self._session.images
        self._session.select(images.id_at(images.rowCount() - 1))

    def set_threshold(self, threshold: float) -> None:
        """For the image in view where it has its own, else for all."""
        session = self._session
        threshold = min(max(threshold, 0.0), MAX_THRESHOLD)
        if session.this_image_only and session.current is not None:
            session.change_view(thresholds=session.view.thresholds.given([session.current], threshold))
        else:
            session.change_view(threshold=threshold)

    def set_this_image_only(self, alone: bool) -> None:
        """Give the image in view its own threshold, or let it follow the others again."""
        session = self._session
        if session.current is None or alone == session.this_image_only:
            return
        own, ids = session.view.thresholds, [session.current]
        session.change_view(thresholds=own.given(ids, session.threshold) if alone else own.without(ids))

    def set_rule(self, rule: str) -> None:
        """Another rule, at the threshold it last had: a share for one rule means nothing to another."""
        view = self._session.view
        if rule != view.rule:
            self._thresholds[view.rule] = view.threshold
            self._session.change_view(rule=rule, threshold=self._thresholds.get(rule))

    def reset_threshold(self) -> None:
        session = self._session
        if session.this_image_only:
            self.set_this_image_only(False)
        else:
            session.change_view(threshold=None)

    def set_threshold_of_many(self) -> None:
        """Give all selected images the threshold in force for the image in view, each as its own."""
        session = self._session
        own = session.view.thresholds.given(session.selection, session.threshold)
        session.change_view(thresholds=own)

    def load_evidence_now(self) -> None:
        """Wait for what the project holds of the image in view, before it is edited."""
        session = self._session
        if session.project is not None and session.current is not None and not session.has_evidence:
            session.set_evidence(session.current, _evidence((session.project, session.current)))

    def forget_evidence(self) -> None:
        """Boxes were edited: what was read of them before is old, also what is being read just now."""
        self._evidence.clear()
        if not self._session.has_evidence:
            self._load_evidence()

    def refresh_evidence(self) -> None:
        """Read heat maps and boxes again: the project's have changed."""
        self._evidence.clear()
        self._load_evidence()

    def refresh(self) -> None:
        """Show the image in view as its file and the project are now."""
        self._evidence.clear()
        self._load()

    def try_again(self) -> None:
        """Files that could not be read may be there again, such as those of a disk."""
        self.thumbnails.try_again()
        picture = self._session.picture
        if picture is not None and picture.image is None:
            self._load()

    def close(self) -> None:
        for loader in (self._pictures, self._evidence, self.thumbnails):
            loader.close()

    def _go(self, step: int) -> None:
        self._step = step
        self._session.select(self._session.images.neighbour(self._session.current, step))

    def _on_picture(self, key: tuple[int, str, int], picture: Picture) -> None:
        if picture.image is None:
            self._pictures.forget(key)  # a look back at it tries again
        self._session.set_picture(key[0], picture)

    def _on_evidence(self, key: tuple[Project, int], evidence: Evidence) -> None:
        self._session.set_evidence(key[1], evidence)

    def _forget(self) -> None:
        self._thresholds.clear()
        for loader in (self._pictures, self._evidence, self.thumbnails):
            loader.clear()

    def _load(self) -> None:
        session = self._session
        record = session.record
        if record is None:
            return
        # The newest wish is served first: the image itself last, its neighbours before it.
        for step in (-self._step, self._step):
            beside = session.images.record(session.images.neighbour(record.id, step) or 0)
            if beside is not None and beside.id != record.id:
                self._pictures.get(_key(beside))
        picture = self._pictures.get(_key(record))
        if picture is not None:
            session.set_picture(record.id, picture)
        self._load_evidence()

    def _load_evidence(self) -> None:
        session = self._session
        if session.project is None or session.current is None:
            return
        evidence = self._evidence.get((session.project, session.current))
        if evidence is not None:
            session.set_evidence(session.current, evidence)


def _key(record: ImageRecord) -> tuple[int, str, int]:
    # The time is part of it: a file that was changed and scanned again is decoded again.
    return record.id, str(record.path), record.mtime_ns


def _picture(key: tuple[int, str, int]) -> Picture:
    try:
        decoded = decode(key[1], max_side=MAX_SIDE, with_levels=True)
    except ImageError as error:
        return Picture(None, reason=str(error))
    picture = to_qimage(decoded.pixels)
    size = decoded.width, decoded.height
    return Picture(picture, *size, decoded.truncated, levels=decoded.levels, taken=decoded.taken)


def _evidence(key: tuple[Project, int]) -> Evidence:
    project, image_id = key
    boxes = kept(project, [image_id])[image_id]
    heat_map, survey = project.heat_map(image_id), project.load_survey()
    newest = survey.source.key if survey is not None and survey.source is not None else None
    outdated = heat_map is not None and newest is not None and project.map_source(image_id) != newest
    truth = true_boxes(project, [image_id]).get(image_id, ())
    framing = framings(project, [image_id]).get(image_id)
    classes = class_maps(project, [image_id]).get(image_id)
    return Evidence(heat_map, boxes, survey, outdated, truth, framing, classes)
