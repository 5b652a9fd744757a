"""All images of the project as a Qt list: those that the person chose to see, in the order chosen."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.models.marks import Mark, mark_of_image, mark_text
from core.base.annotations import Status
from core.base.language import number, tr, trn
from core.boxes.no_object import LIKELY
from core.learn.usefulness import Ranking
from core.project.browse import (
    Browse,
    ImageColumns,
    Ints,
    Order,
    changes_with_boxes,
    changes_with_truth,
)
from core.project.facts import BoxFacts, Floats, TakenFacts
from core.project.queries import box_facts
from core.project.store import ImageRecord, Project
from core.project.taken import taken_facts

if TYPE_CHECKING:
    from app.models.thumbnails import Thumbnails


_MANY = 1000  # rows: more are not looked up one by one to say that they look different


class Role(IntEnum):
    """What a delegate can ask besides Qt's own roles."""

    ID = Qt.ItemDataRole.UserRole + 1
    STATUS = Qt.ItemDataRole.UserRole + 2
    THUMBNAIL = Qt.ItemDataRole.UserRole + 3
    REASON = Qt.ItemDataRole.UserRole + 4
    SCORE = Qt.ItemDataRole.UserRole + 5
    EDITED = Qt.ItemDataRole.UserRole + 6
    BOXES = Qt.ItemDataRole.UserRole + 7
    OVERLAP = Qt.ItemDataRole.UserRole + 8


def _is_unusable(record: ImageRecord) -> bool:
    return bool(record.reason) or record.status is Status.FAILED


class ImageTable:
    """All images with their columns. Made in the thread that reads them: 100,000 take their time.

    The columns hold what a person says of many images at once; a record follows when it is asked for.
    """

    def __init__(self, records: Iterable[ImageRecord] = ()) -> None:
        self._records: list[ImageRecord] = []
        self._late = False
        self._unusable: set[int] = set()
        self.columns = ImageColumns()
        self.place: dict[int, int] = {}
        self.append(records)

    def append(self, records: Iterable[ImageRecord]) -> None:
        """Add images at the end; those that are here already are left alone."""
        new = [record for record in records if record.id not in self.place]
        start = len(self._records)
        self._records.extend(new)
        self.place.update({record.id: start + i for i, record in enumerate(new)})
        self._unusable.update(record.id for record in new if _is_unusable(record))
        self.columns.append([r.id for r in new], [r.name for r in new], [r.status for r in new])

    def put(self, record: ImageRecord) -> None:
        place = self.place[record.id]
        self._records[place] = record
        (self._unusable.add if _is_unusable(record) else self._unusable.discard)(record.id)
        self.columns.set_status(place, record.status)

    def __len__(self) -> int:
        return len(self._records)

    def at(self, place: int) -> ImageRecord:
        record = self._records[place]
        if self._late and record.status is not (status := self.columns.status_at(place)):
            self._records[place] = record = replace(record, status=status)
        return record

    @property
    def records(self) -> Sequence[ImageRecord]:
        if self._late:
            for place in range(len(self._records)):
                self.at(place)
            self._late = False
        return self._records

    def set_statuses(self, statuses: Mapping[int, Status]) -> None:
        """See :meth:`ImageColumns.set_statuses`; what a person takes back of an unusable file fails again."""
        self.columns.set_statuses(statuses)
        self._late = True
        for image_id in self._unusable:
            place = self.place[image_id]
            if statuses.get(image_id) is Status.UNSEEN and not self.columns.edited[place]:
                self.columns.set_status(place, Status.FAILED)

    @property
    def has_unusable(self) -> bool:
        return bool(self._unusable)

    def unusable(self) -> list[ImageRecord]:
        """Images whose file could not be used when it was last tried, in the project's order."""
        return [self.at(place) for place in sorted(self.place[image_id] for image_id in self._unusable)]


def read_table(project: Project, records: Sequence[ImageRecord]) -> ImageTable:
    """In a thread: the list with what is known of boxes, ready to be shown."""
    table = ImageTable(records)
    table.columns.set_facts(box_facts(project))
    table.columns.set_taken(taken_facts(project))
    return table


class ImageListModel(QAbstractListModel):
    """Rows are the images that pass the filter, in the order chosen.

    Which rows these are is an array of places: a proxy that calls Python for each of 100,000 rows takes
    most of a second, this takes some 10 ms.
    """

    count_changed = Signal(int, int)
    """Images shown, images in all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table = ImageTable()
        self._browse = Browse()
        self._shown: Ints = np.empty(0, np.intp)
        self._rows: Ints | None = None
        self._thumbnails: Thumbnails | None = None

    # ---- filled by the session ----------------------------------------------------------------

    def set_thumbnails(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        thumbnails.ready.connect(self._on_thumbnail)

    def set_table(self, table: ImageTable, browse: Browse | None = None) -> None:
        """:meth:`set_records` with what another thread has made of them."""
        self.beginResetModel()
        self.table, self._browse = table, browse or self._browse
        self._set_shown(table.columns.arrange(self._browse))
        self.endResetModel()
        self._tell_count()

    def append(self, records: Sequence[ImageRecord]) -> None:
        """Add a batch at the end, whatever the order: nothing moves away while it is looked at."""
        start = len(self.table)
        self.table.append(records)
        if len(self.table) == start:
            return
        found_first = replace(self._browse, order=Order.FOUND, descending=False)
        shown = self.table.columns.arrange(found_first, start=start)
        if len(shown):
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(shown) - 1)
            self._set_shown(np.concatenate([self._shown, shown]))
            self.endInsertRows()
        self._tell_count()

    def set_statuses(self, statuses: Mapping[int, Status]) -> None:
        """What is said of images now, however many; see :meth:`core.project.store.Project.set_statuses`.

        A row that no longer passes the filter stays until the filter is changed: it must not vanish
        from under the cursor.
        """
        self.table.set_statuses(statuses)
        self._tell_rows(statuses)

    def merge_records(self, records: Sequence[ImageRecord]) -> None:
        """Take over what a job has found out about images: size, failure and reason, all rows at once."""
        known = [new for new in records if new.id in self.table.place]
        for new in known:
            old = self.table.at(self.table.place[new.id])
            # What the person said meanwhile stays said; only the job knows what has failed.
            own = old.status is not new.status and Status.FAILED not in (old.status, new.status)
            self.table.put(replace(new, status=old.status) if own else new)
        self._tell_rows([new.id for new in known])

    def set_facts(self, facts: BoxFacts, *image_ids: int) -> None:
        """What boxes all images have now, or these alone, which keep their rows."""
        columns = self.table.columns
        if image_ids:
            known = [image_id for image_id in image_ids if image_id in self.table.place]
            for image_id in known:
                columns.set_facts_of(self.table.place[image_id], facts.of(image_id))
            self._tell_rows(known)
            return
        columns.set_facts(facts)
        if changes_with_boxes(self._browse):
            self.arrange(self._browse)
        else:
            self._tell_all()

    def set_useful(self, ranking: Ranking) -> None:
        """What to review next has changed."""
        self.table.columns.set_useful(ranking)
        if self._browse.order is Order.USEFUL:
            self.arrange(self._browse)

    def set_taken(self, facts: TakenFacts) -> None:
        """When photos were taken is known of more of them."""
        self.table.columns.set_taken(facts)
        if self._browse.needs_times:
            self.arrange(self._browse)

    def set_labelled(self, ids: npt.NDArray[np.int64]) -> None:
        """The images with a box of the class that is filtered by."""
        self.table.columns.set_labelled(ids)
        if self._browse.boxes.label:
            self.arrange(self._browse)

    def set_overlaps(self, ids: npt.NDArray[np.int64], overlaps: Floats, *, moves: bool) -> None:
        """See :meth:`ImageColumns.set_overlaps`; unless ``moves`` each image keeps its row."""
        self.table.columns.set_overlaps(ids, overlaps)
        if moves and changes_with_truth(self._browse):
            self.arrange(self._browse)
        self._tell_all()

    # ---- asked by the window ------------------------------------------------------------------

    def arrange(self, browse: Browse) -> None:
        """Show the images that ``browse`` says, in its order."""
        self._browse = browse
        shown = self.table.columns.arrange(browse)
        if np.array_equal(shown, self._shown):
            return
        self.beginResetModel()
        self._set_shown(shown)
        self.endResetModel()
        self._tell_count()

    @property
    def total(self) -> int:
        return len(self.table)

    @property
    def records(self) -> Sequence[ImageRecord]:
        return self.table.records

    def unseen_scores(self) -> tuple[list[int], Floats]:
        """The ids and scores of unseen images that have a score, whatever the filter."""
        places, scores = self.table.columns.unseen_scores()
        return self.table.columns.ids[places].tolist(), scores

    def record(self, image_id: int) -> ImageRecord | None:
        place = self.table.place.get(image_id)
        return None if place is None else self.table.at(place)

    def row_of(self, image_id: int | None) -> int:
        """The row of an image, -1 where the filter hides it."""
        place = -1 if image_id is None else self.table.place.get(image_id, -1)
        if place < 0:
            return -1
        if self._rows is None:
            self._rows = np.full(len(self.table), -1, np.intp)
            self._rows[self._shown] = np.arange(len(self._shown))
        return int(self._rows[place]) if place < len(self._rows) else -1

    def id_at(self, row: int) -> int | None:
        return int(self.table.columns.ids[self._shown[row]]) if 0 <= row < len(self._shown) else None

    def ids_in(self, first: int, last: int) -> list[int]:
        """The ids of the rows from ``first`` to ``last``, both included."""
        ids: list[int] = self.table.columns.ids[self._shown[first : last + 1]].tolist()
        return ids

    def neighbour(self, image_id: int | None, step: int) -> int | None:
        """The image ``step`` rows on from ``image_id``, stopping at both ends; None in an empty list."""
        if not len(self._shown):
            return None
        row = self.row_of(image_id)
        if row < 0:
            return self.id_at(0 if step >= 0 else len(self._shown) - 1)
        return self.id_at(min(max(row + step, 0), len(self._shown) - 1))

    def next_unseen(self, image_id: int | None) -> int | None:
        """The next unseen image after ``image_id`` among the rows, from the top again at the end."""
        row = self.table.columns.next_of(Status.UNSEEN, self._shown, self.row_of(image_id))
        return self.id_at(row)

    # ---- asked by Qt --------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        row = index.row()
        if not index.isValid() or row >= len(self._shown):
            return None
        place = int(self._shown[row])
        record = self.table.at(place)
        if role in _FIELDS:
            return _FIELDS[role](record)
        if role == Role.THUMBNAIL:
            return self._thumbnails.get(record) if self._thumbnails else None
        if role == Role.SCORE:
            score = float(self.table.columns.score[place])
            return None if score != score else score
        if role == Role.OVERLAP:
            return self.table.columns.overlap_at(place)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(place)
        if role == Role.EDITED:
            return bool(self.table.columns.edited[place])
        if role == Role.BOXES:
            return int(self.table.columns.boxes[place])
        if role == Qt.ItemDataRole.ToolTipRole:
            # A name may look like markup; only escaped text between tags is shown as it is.
            lines = (str(record.path), record.reason, self._told(place), self._no_object(place))
            return f"<qt>{'<br>'.join(html.escape(line) for line in lines if line)}</qt>"
        return None

    # ---- own ----------------------------------------------------------------------------------

    def _spoken(self, place: int) -> str:
        return ", ".join(part for part in (self.table.at(place).name, self._told(place)) if part)

    def _told(self, place: int) -> str:
        """What a row shows by signs and figures, in words."""
        columns = self.table.columns
        status, boxes = self.table.at(place).status, int(columns.boxes[place])
        mark = mark_of_image(status, boxes=boxes, edited=bool(columns.edited[place]))
        said = [mark_text(mark)] if mark not in (None, Mark.AUTOMATIC) else []
        if boxes:
            said.append(trn("{count} box", "{count} boxes", boxes))
        if not np.isnan(columns.score[place]):
            said.append(tr("score {0}").format(number(float(columns.score[place]), ".2f")))
        overlap = columns.overlap_at(place)
        if overlap is not None:
            iou = tr("IoU with the true box {overlap}").format(overlap=number(overlap, ".2f"))
            said.append(iou if boxes else tr("true box not found"))
        return ", ".join(said)

    def _no_object(self, place: int) -> str:
        """One line where an image may show no object, else empty."""
        probability = float(self.table.columns.no_object[place])
        if not probability > LIKELY:  # NaN where it is not known
            return ""
        return tr("May show no object: probability {0}").format(number(probability, ".2f"))

    def _set_shown(self, shown: Ints) -> None:
        self._shown, self._rows = shown, None

    def _tell_rows(self, ids: Collection[int]) -> None:
        """Say once that the rows of ``ids`` look different; of many, that all rows may."""
        if len(ids) > _MANY:
            self._tell_all()
            return
        rows = [row for image_id in ids if (row := self.row_of(image_id)) >= 0]
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))

    def _tell_all(self) -> None:
        if len(self._shown):
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def _on_thumbnail(self, image_id: int) -> None:
        row = self.row_of(image_id)
        if row >= 0:
            index = self.index(row)
            self.dataChanged.emit(index, index, [int(Role.THUMBNAIL)])

    def _tell_count(self) -> None:
        self.count_changed.emit(len(self._shown), len(self.table))


_FIELDS: Mapping[int, Callable[[ImageRecord], Any]] = {
    Qt.ItemDataRole.DisplayRole: lambda record: record.name,
    Role.ID: lambda record: record.id,
    Role.STATUS: lambda record: record.status,
    Role.REASON: lambda record: record.reason,
}
