"""What an export says of the images and boxes that it does not write as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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


def notes_on(
    usable: Sequence[ImageBoxes], *, outside: int, clamped: int, failed: int, keeps_failed: bool
) -> list[str]:
    """Sentences on ``usable`` images; counted are boxes ``outside`` or ``clamped`` and ``failed`` images."""
    odd = sum("\\" in image.name or ":" in image.name for image in usable)
    unknown = sum(image.width < 1 or image.height < 1 for image in usable)
    return [
        *_case_notes(usable),
        *outside_note(outside),
        *_told(
            clamped,
            trn(
                "{count:,} box was cut at the edge of the image.",
                "{count:,} boxes were cut at the edge of the image.",
                clamped,
            ),
        ),
        *_told(failed, _failed_note(failed, keeps_failed=keeps_failed)),
        *_told(
            odd,
            trn(
                "{count:,} file name holds a backslash or a colon, "
                "which Windows takes for a folder or a drive.",
                "{count:,} file names hold a backslash or a colon, "
                "which Windows takes for a folder or a drive.",
                odd,
            ),
        ),
        *_told(
            unknown,
            trn(
                "{count:,} image has no known size yet: not cut to the image, "
                "and written with width and height 0.",
                "{count:,} images have no known size yet: not cut to the image, "
                "and written with width and height 0.",
                unknown,
            ),
        ),
    ]


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


def _case_notes(images: Sequence[ImageBoxes]) -> list[str]:
    same = sum(count - 1 for count in Counter(image.name.casefold() for image in images).values())
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
