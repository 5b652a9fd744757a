"""Boxes that a person copies, pastes, duplicates, or takes over from the image before."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from app.controllers.editing import EditingController
from app.models.session import Session
from core.base.annotations import BoxRecord
from core.base.language import tr
from core.project.copying import Size, duplicated, fitted_to
from core.project.queries import kept


class CopyingController(QObject):
    """What was copied stays at hand in other images and other projects, until something else is copied."""

    def __init__(self, session: Session, editing: EditingController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._editing = session, editing
        self._copied: tuple[tuple[BoxRecord, ...], Size] | None = None

    def copy(self, index: int | None) -> None:
        """Copy one box of the image in view, or with None all of them."""
        shown = self._session.in_view
        boxes = shown.boxes if index is None else shown.boxes[index : index + 1]
        if boxes and shown.size is not None:
            self._copied = boxes, shown.size

    def paste(self) -> None:
        """Put what was copied into the image in view, in place of boxes that nobody has set or accepted."""
        if self._copied is None:
            self._session.notice.emit(tr("No box was copied yet."))
            return
        boxes, size = self._copied
        self._put(boxes, size, tr("Paste"))

    def duplicate(self, index: int) -> None:
        """Put a second box like one of the image in view beside it."""
        self._editing.about_to_edit.emit()
        shown = self._session.in_view
        if index < len(shown.boxes) and shown.size is not None:
            new = duplicated(shown.boxes[index], shown.size, beside=shown.boxes)
            self._editing.set_boxes((*shown.boxes, new), tr("Duplicate a box"))

    def repeat_previous(self) -> None:
        """Take over the boxes of the image above in the list, as films and bursts want it."""
        session = self._session
        above = session.images.neighbour(session.current, -1)
        record = session.images.record(above or 0)
        if session.project is None or record is None or record.id == session.current:
            session.notice.emit(tr("There is no image before this one."))
            return
        boxes = kept(session.project, [record.id])[record.id].boxes
        if not boxes:
            session.notice.emit(tr("The image before this one has no box."))
            return
        size = (record.width, record.height) if record.width else session.in_view.size
        if size is not None:
            self._put(boxes, size, tr("Boxes of the previous image"))

    def _put(self, boxes: Sequence[BoxRecord], of: Size, text: str) -> None:
        self._editing.about_to_edit.emit()
        shown = self._session.in_view
        if shown.size is None:
            return
        together = list(shown.own)
        for new in fitted_to(boxes, shown.size, of=of):
            is_there = any(one.box == new.box for one in together)
            together.append(duplicated(new, shown.size, beside=together) if is_there else new)
        self._editing.set_boxes(together, text)
