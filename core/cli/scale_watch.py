"""What is seen of a data set while it is filled: a bar and sentences, or JSON, an event in each line."""

from __future__ import annotations

import json
import time
from typing import Any

from core.base.language import printable
from core.base.pace import Pace
from core.cli.console import Bar
from core.scale.entries import Rejected
from core.scale.pools import Lost

_SHOWN = 5  # files that are left out, each with its reason
_EVERY_S = 1.0  # between two events of progress


class Watched:
    """Counts what is left out and keeps the first of it (a :class:`core.scale.run.Watch`).

    ``failed`` are files with their reasons, ``others`` is how many lie among the images and are none.
    """

    def __init__(self) -> None:
        self.failed: list[dict[str, str]] = []
        self.others = 0
        self._is_finding = False
        self._pace = Pace()

    def dashboard(self, address: str) -> None:
        """Where the cluster can be watched; empty where there is no such page."""

    def listed(self, images: int) -> None:
        """So many images were listed by now."""

    def learning(self, share: float) -> None:
        """So much of learning, 0..1, is done."""

    def left_out(self, rejected: Rejected) -> None:
        self.others += not self._is_finding
        self._note(rejected.name, rejected.reason)

    def found(self, done: int, images: int) -> None:
        self._is_finding = True
        self._pace.note(time.monotonic(), done)

    def lost(self, lost: Lost) -> None:
        self._note(f"shard {lost.shard}", lost.reason)

    def _note(self, file: str, reason: str) -> None:
        if len(self.failed) < _SHOWN:
            self.failed.append({"file": file, "reason": reason})


class BarWatch(Watched):
    """A bar, and a line for each of the first files that are left out."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self._bar = bar
        self._title = ""

    def dashboard(self, address: str) -> None:
        if address:
            self._bar.note(f"Watch the cluster at {address}")

    def listed(self, images: int) -> None:
        self._part("Listing images", 0.0)
        self._bar.update(0.0, f"{images:,}")

    def learning(self, share: float) -> None:
        self._part("Learning", 0.1)
        self._bar.update(share)

    def found(self, done: int, images: int) -> None:
        super().found(done, images)
        self._part("Finding boxes", 1.0)
        speed = f"  {self._pace.speed:,.1f} images/s" if self._pace.speed else ""
        self._bar.update(done / images, f"{done:,}/{images:,}{speed}")

    def _part(self, title: str, share: float) -> None:
        if title != self._title:
            self._title = title
            self._bar.part(title, share)

    def _note(self, file: str, reason: str) -> None:
        if len(self.failed) < _SHOWN:
            self._bar.note(f"Left out “{printable(file)}”: {reason}")
        super()._note(file, reason)


class JsonWatch(Watched):
    """An event in each line of standard output, the result as the last."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at = 0.0

    def dashboard(self, address: str) -> None:
        _say("dashboard", address=address)

    def listed(self, images: int) -> None:
        _say("listing", images=images)

    def learning(self, share: float) -> None:
        if self._is_due(share >= 1):
            _say("learning", share=share)

    def found(self, done: int, images: int) -> None:
        super().found(done, images)
        if self._is_due(done == images):
            speed = self._pace.speed
            left = (images - done) / speed if speed else None
            _say("progress", done=done, images=images, images_per_s=speed, seconds_left=left)

    def lost(self, lost: Lost) -> None:
        super().lost(lost)
        _say("lost", shard=lost.shard, reason=lost.reason)

    def left_out(self, rejected: Rejected) -> None:
        super().left_out(rejected)
        _say("left out", file=rejected.name, reason=rejected.reason)

    def _is_due(self, is_last: bool) -> bool:
        now = time.monotonic()
        if not is_last and now - self._said_at < _EVERY_S:
            return False
        self._said_at = now
        return True


def _say(event: str, **values: Any) -> None:
    print(json.dumps({"event": event, **values}), flush=True)  # noqa: T201
