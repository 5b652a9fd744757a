"""What the window is measured with: a folder and its truth, figures, paints, ticks, waiting."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from core.project.store import ImageRecord

TICK_MS = 10
DIFFERENT = 50


@dataclass(frozen=True)
class Figure:
    """One measured figure and what it should stay below."""

    name: str
    value: float
    unit: str
    aim: float | None
    cpu_s: float | None = None


class Paints(QObject):
    """Counts the paint events of one widget."""

    def __init__(self, watched: QObject) -> None:
        super().__init__()
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False


class Ticks:
    """The gaps between the beats of a timer on the event loop, in seconds."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(TICK_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    def stop(self) -> list[float]:
        self._timer.stop()
        return self.gaps


def line(figure: Figure) -> str:
    aim = "" if figure.aim is None else f"   (aim: {figure.aim:g} {figure.unit} or less)"
    cpu = "" if figure.cpu_s is None else f"   [{figure.cpu_s:.1f} s of processors]"
    return f"{figure.name:<56}{figure.value:>10.1f} {figure.unit}{cpu}{aim}"


def wait(condition: Callable[[], bool], seconds: float) -> None:
    limit = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > limit:
            raise TimeoutError("The window did not get there in time.")
        QApplication.processEvents()
        time.sleep(0.0002)


def settle(seconds: float) -> None:
    until = time.perf_counter() + seconds
    wait(lambda: time.perf_counter() >= until, seconds + 60)


def beside_window() -> float:
    """Seconds of processors that this process has taken outside the window's thread, which only waits."""
    return time.process_time() - time.thread_time()


def peak_memory() -> int:
    """The most memory this process has held, in bytes."""
    import resource

    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def draw_folder(folder: Path, images: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    originals = []
    for i in range(min(DIFFERENT, images)):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        path = folder / f"photo-{i:05d}.jpg"
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(path, quality=90)
        originals.append(path)
    for i in range(len(originals), images):
        os.link(originals[i % len(originals)], folder / f"photo-{i:05d}.jpg")
    return folder


def write_truth(records: Sequence[ImageRecord]) -> Path:
    """A COCO file beside the images with one box in each."""
    sides = np.random.default_rng(3).integers(20, 300, (len(records), 4)).tolist()
    images = [{"id": r.id, "file_name": r.name, "width": 640, "height": 480} for r in records]
    boxes = [
        {
            "id": i + 1,
            "image_id": record.id,
            "category_id": 1,
            "bbox": [x, y, w, h // 2],
            "area": w * (h // 2),
        }
        for i, (record, (x, y, w, h)) in enumerate(zip(records, sides, strict=True))
    ]
    path = records[0].root.parent / "truth.json"
    categories = [{"id": 1, "name": "object"}]
    path.write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))
    return path
