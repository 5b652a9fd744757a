"""What an export says of the images and boxes that it does not write as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.annotations import ImageBoxes
from core.language import trn


def notes_on(
    usable: Sequence[ImageBoxes], *, outside: int, clamped: int, failed: int, keeps_failed: bool
) -> list[str]:
    """Sentences on ``usable`` images; counted are boxes ``outside`` or ``clamped`` and ``failed`` images."""
    odd = sum("\\" in image.name or ":" in image.name for image in usable)
    unknown = sum(image.width < 1 or image.height < 1 for image in usable)
    return [
        *_case_notes(usable),
        *_told(
            outside,
            trn(
                "{count:,} box lies wholly outside the image or without area: left out.",
                "{count:,} boxes lie wholly outside the image or without area: left out.",
                outside,
            ),
        ),
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
