"""Small pictures of images, made on demand and kept while there is room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from app.models.pictures import to_qimage
from core.base.errors import ImageError
from core.images.decoding import decode

if TYPE_CHECKING:
    from app.pump import Pump
    from core.project.store import ImageRecord

SIDE = 128
CAPACITY = 2000
Key = tuple[int, str, int]
"""The id of an image, its file, and that file's time: one that was replaced is decoded again."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture, or the reason why there is none."""

    pixmap: QPixmap | None
    reason: str = ""
    damaged: bool = False


class Thumbnails(QObject):
    """At most ``CAPACITY`` thumbnails with a long side of at most ``SIDE`` pixels."""

    ready = Signal(int)
    """The id of an image whose thumbnail can now be had."""
    condition = Signal(int, str, bool)
    """An image's id, why it cannot be shown, and whether only a part of it can."""

    def __init__(self, pump: Pump, parent: QObject) -> None:
        super().__init__(parent)
        options = {"threads": 2, "capacity": CAPACITY, "queue_limit": 64}
        self._loader = pump.loader("thumbnails", _make, finish=_finish, on_ready=self._on_ready, **options)
        self._failed: set[Key] = set()
        self.clear, self.close = self._loader.clear, self._loader.close

    def get(self, record: ImageRecord) -> Thumbnail | None:
        """The thumbnail, or None and a wish for it."""
        value: Thumbnail | None = self._loader.get((record.id, str(record.path), record.mtime_ns))
        return value

    def try_again(self) -> None:
        """Make those anew that could not be made, once they are asked for."""
        failed, self._failed = self._failed, set()
        for key in failed:
            self._loader.forget(key)
            self.ready.emit(key[0])  # a row in sight is painted again, and asks

    def _on_ready(self, key: Key, thumbnail: Thumbnail) -> None:
        if thumbnail.pixmap is None:
            self._failed.add(key)
        self.ready.emit(key[0])
        self.condition.emit(key[0], thumbnail.reason, thumbnail.damaged)


def _make(key: Key) -> tuple[QImage | None, str, bool]:
    try:
        decoded = decode(key[1], max_side=SIDE)
    except ImageError as error:
        return None, str(error), False
    return to_qimage(decoded.pixels), "", decoded.truncated


def _finish(made: tuple[QImage | None, str, bool]) -> Thumbnail:
    picture, reason, damaged = made
    return Thumbnail(QPixmap.fromImage(picture) if picture else None, reason, damaged)
