"""What an export says of the images and boxes that it does not write as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from core.base.annotations import ImageBoxes
from core.base.language import trn


@dataclass(frozen=True, slots=True)
class Outdated:
    """Images, by name, whose boxes may be wrong by now: found by an ``earlier`` training than the newest
    localization, or made for a file that has ``changed`` since."""

    earlier: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.earlier | self.changed

    def sentences(self, images: Iterable[ImageBoxes]) -> list[str]:
        """What a person is told where ``images`` leave with their boxes."""
        leaving = {image.name for image in images if image.boxes}
        earlier, changed = len(leaving & self.earlier), len(leaving & self.changed)
        return [
            *_told(
                earlier,
                trn(
                    "{count:,} image has boxes of an earlier training; "
                    "find boxes again for those of the newest.",
                    "{count:,} images have boxes of an earlier training; "
                    "find boxes again for those of the newest.",
                    earlier,
                ),
            ),
            *_told(
                changed,
                trn(
                    "{count:,} image has changed since its boxes were made; look at it.",
                    "{count:,} images have changed since their boxes were made; look at them.",
                    changed,
                ),
            ),
        ]


@dataclass(slots=True)
class Told:
    """What is counted while images leave, and told at the end.

    ``outside`` and ``clamped`` are boxes; the others are images: ``failed`` ones, ``odd`` and ``same`` names,
    and those of ``unknown`` size.
    """

    failed: int = 0
    same: int = 0
    clamped: int = 0
    outside: int = 0
    odd: int = 0
    unknown: int = 0

    def count(self, image: ImageBoxes, *, clamped: int, outside: int) -> None:
        """Count a usable image, with so many of its boxes."""
        self.clamped += clamped
        self.outside += outside
        self.odd += "\\" in image.name or ":" in image.name
        self.unknown += image.width < 1 or image.height < 1

    def sentences(self, *, keeps_failed: bool) -> list[str]:
        """What a person is told; ``keeps_failed`` says that the format lists failed images."""
        return [
            *_case_note(self.same),
            *outside_note(self.outside),
            *_told(
                self.clamped,
                trn(
                    "{count:,} box was cut at the edge of the image.",
                    "{count:,} boxes were cut at the edge of the image.",
                    self.clamped,
                ),
            ),
            *_told(self.failed, _failed_note(self.failed, keeps_failed=keeps_failed)),
            *_told(
                self.odd,
                trn(
                    "{count:,} file name holds a backslash or a colon, "
                    "which Windows takes for a folder or a drive.",
                    "{count:,} file names hold a backslash or a colon, "
                    "which Windows takes for a folder or a drive.",
                    self.odd,
                ),
            ),
            *_told(
                self.unknown,
                trn(
                    "{count:,} image has no known size yet: not cut to the image, "
                    "and written with width and height 0.",
                    "{count:,} images have no known size yet: not cut to the image, "
                    "and written with width and height 0.",
                    self.unknown,
                ),
            ),
        ]


def same_but_for_case(names: Iterable[str]) -> int:
    """How many names differ only in capitals from one before them."""
    return sum(count - 1 for count in Counter(name.casefold() for name in names).values())


def outside_note(boxes: int) -> list[str]:
    """A sentence on so many ``boxes`` that show nothing of their image; none on none."""
    return _told(
        boxes,
        trn(
            "{count:,} box lies wholly outside the image or without area: left out.",
            "{count:,} boxes lie wholly outside the image or without area: left out.",
            boxes,
        ),
    )


def _failed_note(failed: int, *, keeps_failed: bool) -> str:
    if keeps_failed:
        return trn(
            "{count:,} image could not be used: listed as such.",
            "{count:,} images could not be used: listed as such.",
            failed,
        )
    return trn(
        "{count:,} image could not be used: left out.",
        "{count:,} images could not be used: left out.",
        failed,
    )


def _case_note(same: int) -> list[str]:
    return _told(
        same,
        trn(
            "{count:,} file name differs from another only in capitals: "
            "Windows and macOS take the two for one.",
            "{count:,} file names differ from another only in capitals: "
            "Windows and macOS take the two for one.",
            same,
        ),
    )


def _told(count: int, sentence: str) -> list[str]:
    return [sentence] if count else []
