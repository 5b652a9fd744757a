"""Files that cannot be used, or only in part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.models.image_list import ImageListModel
from core.images.scan import RejectedFile
from core.project.places import LostFolder


class Problems(QObject):
    """Why files cannot be used: those that are no images, and images that failed or could not be shown."""

    changed = Signal()

    def __init__(self, images: ImageListModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._images = images
        self.forget()

    def forget(self) -> None:
        """Another project is shown, or none; whoever shows it tells of the change."""
        self._rejected: list[RejectedFile] = []
        self._unreadable: dict[int, str] = {}
        self._damaged: set[int] = set()
        self.away: tuple[LostFolder, ...] = ()
        """Folders that are not there: of their images nothing is told one by one."""

    def set_away(self, away: Sequence[LostFolder]) -> None:
        """Images of a folder that was away are tried anew: what was noted of them is forgotten."""
        if tuple(away) == self.away:
            return
        back = self.away_roots - {folder.root for folder in away}
        self.away = tuple(away)
        records = (self._images.record(image_id) for image_id in self._unreadable)
        self.drop_notes([record.id for record in records if record is not None and record.root in back])
        self.changed.emit()

    @property
    def away_roots(self) -> set[Path]:
        return {folder.root for folder in self.away}

    @property
    def has_unreadable(self) -> bool:
        """Whether any image could not be read when it was last tried."""
        return bool(self._unreadable) or self._images.table.has_unusable

    def set_rejected(self, rejected: Sequence[RejectedFile]) -> None:
        self._rejected = list(rejected)
        self.changed.emit()

    def note(self, image_id: int, reason: str, *, damaged: bool) -> None:
        """Remember, for this sitting, why an image could not be shown, or that only a part of it was."""
        before = self._unreadable.get(image_id, ""), image_id in self._damaged
        if before == (reason, damaged):
            return
        self._unreadable.pop(image_id, None)
        self._damaged.discard(image_id)
        if reason:
            self._unreadable[image_id] = reason
        if damaged:
            self._damaged.add(image_id)
        self.changed.emit()

    def drop_notes(self, ids: Iterable[int]) -> None:
        """These images were tried again since; what the project says of them counts."""
        for image_id in ids:
            self._unreadable.pop(image_id, None)

    @property
    def damaged(self) -> list[Path]:
        """Files that are damaged and used as far as they can be read, as far as is known by now."""
        records = (self._images.record(image_id) for image_id in sorted(self._damaged))
        return [record.path for record in records if record is not None]

    @property
    def files(self) -> list[RejectedFile]:
        """Every file that cannot be used, with its reason, each once; none of a folder that is away."""
        away = self.away_roots
        reasons = {file.path: file.reason for file in self._rejected}
        for image_id, reason in self._unreadable.items():
            record = self._images.record(image_id)
            if record is not None and record.root not in away:
                reasons[record.path] = reason
        unusable = (record for record in self._images.table.unusable() if record.root not in away)
        reasons.update({record.path: record.reason for record in unusable})
        return [RejectedFile(path=path, reason=reason) for path, reason in reasons.items()]
