"""All images of the project as a Qt list, filtered by name and status."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from core.annotations import Status

if TYPE_CHECKING:
    from app.models.thumbnails import Thumbnails
    from core.project.store import ImageRecord


class Role(IntEnum):
    """What a delegate can ask besides Qt's own roles."""

    ID = Qt.ItemDataRole.UserRole + 1
    STATUS = Qt.ItemDataRole.UserRole + 2
    THUMBNAIL = Qt.ItemDataRole.UserRole + 3
    REASON = Qt.ItemDataRole.UserRole + 4


class ImageListModel(QAbstractListModel):
    """Rows are the images that pass the filter, in the project's order.

    The filter is an own list of positions: a proxy that calls Python for each of 100,000 rows takes
    most of a second, this takes some 10 ms.
    """

    count_changed = Signal(int, int)
    """Images shown, images in all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: list[ImageRecord] = []
        self._folded: list[str] = []
        self._position: dict[int, int] = {}
        self._shown: list[int] = []
        self._row: dict[int, int] | None = None
        self._needle = ""
        self._status: Status | None = None
        self._thumbnails: Thumbnails | None = None

    # ---- filled by the session ----------------------------------------------------------------

    def set_thumbnails(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        thumbnails.ready.connect(self._on_thumbnail)

    def set_records(self, records: Sequence[ImageRecord]) -> None:
        """Show another project's images."""
        self.beginResetModel()
        self._records = list(records)
        self._folded = [record.name.casefold() for record in records]
        self._position = {record.id: i for i, record in enumerate(records)}
        self._shown = self._matching(range(len(records)))
        self._row = None
        self.endResetModel()
        self._tell_count()

    def append(self, records: Sequence[ImageRecord]) -> None:
        """Add a batch at the end; images that are here already are left alone."""
        new = [record for record in records if record.id not in self._position]
        if not new:
            return
        start = len(self._records)
        self._records.extend(new)
        self._folded.extend(record.name.casefold() for record in new)
        self._position.update({record.id: start + i for i, record in enumerate(new)})
        shown = self._matching(range(start, len(self._records)))
        if shown:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(shown) - 1)
            self._shown.extend(shown)
            self._row = None
            self.endInsertRows()
        self._tell_count()

    def update_records(self, changes: Mapping[int, Mapping[str, Any]]) -> None:
        """Change fields of images by id, for example ``{7: {"status": Status.ACCEPTED}}``.

        A row that no longer passes the filter stays until the filter is changed: it must not vanish
        from under the cursor.
        """
        for image_id, fields in changes.items():
            position = self._position.get(image_id)
            if position is None:
                continue
            self._records[position] = replace(self._records[position], **fields)
            row = self.row_of(image_id)
            if row >= 0:
                self.dataChanged.emit(self.index(row), self.index(row))

    def merge_records(self, records: Sequence[ImageRecord]) -> None:
        """Take over what a job has found out about images: size, failure and reason, all rows at once."""
        rows = []
        for new in records:
            position = self._position.get(new.id)
            if position is None:
                continue
            old = self._records[position]
            # What the person said meanwhile stays said; only the job knows what has failed.
            own = old.status is not new.status and Status.FAILED not in (old.status, new.status)
            self._records[position] = replace(new, status=old.status) if own else new
            rows.append(self.row_of(new.id))
        shown = [row for row in rows if row >= 0]
        if shown:
            self.dataChanged.emit(self.index(min(shown)), self.index(max(shown)))

    # ---- asked by the window ------------------------------------------------------------------

    def set_filter(self, needle: str, status: Status | None) -> None:
        """Show images whose name contains ``needle`` (in any case) and that have ``status``."""
        self._needle = needle.casefold().strip()
        self._status = status
        self.beginResetModel()
        self._shown = self._matching(range(len(self._records)))
        self._row = None
        self.endResetModel()
        self._tell_count()

    @property
    def total(self) -> int:
        return len(self._records)

    @property
    def records(self) -> Sequence[ImageRecord]:
        """All images, whatever the filter."""
        return self._records

    def record(self, image_id: int) -> ImageRecord | None:
        position = self._position.get(image_id)
        return None if position is None else self._records[position]

    def row_of(self, image_id: int | None) -> int:
        """The row of an image, -1 where the filter hides it."""
        if self._row is None:
            self._row = {self._records[position].id: row for row, position in enumerate(self._shown)}
        return -1 if image_id is None else self._row.get(image_id, -1)

    def id_at(self, row: int) -> int | None:
        return self._records[self._shown[row]].id if 0 <= row < len(self._shown) else None

    def neighbour(self, image_id: int | None, step: int) -> int | None:
        """The image ``step`` rows on from ``image_id``, stopping at both ends; None in an empty list."""
        if not self._shown:
            return None
        row = self.row_of(image_id)
        if row < 0:
            return self.id_at(0 if step >= 0 else len(self._shown) - 1)
        return self.id_at(min(max(row + step, 0), len(self._shown) - 1))

    # ---- asked by Qt --------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        row = index.row()
        if not index.isValid() or row >= len(self._shown):
            return None
        record = self._records[self._shown[row]]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return record.name
        if role == Role.ID:
            return record.id
        if role == Role.STATUS:
            return record.status
        if role == Role.REASON:
            return record.reason
        if role == Role.THUMBNAIL:
            return self._thumbnails.get(record) if self._thumbnails else None
        if role == Qt.ItemDataRole.ToolTipRole:
            # A name may look like markup; only escaped text between tags is shown as it is.
            lines = (str(record.path), record.reason)
            return f"<qt>{'<br>'.join(html.escape(line) for line in lines if line)}</qt>"
        return None

    # ---- own ----------------------------------------------------------------------------------

    def _matching(self, positions: Iterable[int]) -> list[int]:
        needle, status, folded, records = self._needle, self._status, self._folded, self._records
        if not needle and status is None:
            return list(positions)
        if status is None:
            return [i for i in positions if needle in folded[i]]
        return [i for i in positions if records[i].status is status and needle in folded[i]]

    def _on_thumbnail(self, image_id: int) -> None:
        row = self.row_of(image_id)
        if row >= 0:
            index = self.index(row)
            self.dataChanged.emit(index, index, [int(Role.THUMBNAIL)])

    def _tell_count(self) -> None:
        self.count_changed.emit(len(self._shown), len(self._records))
