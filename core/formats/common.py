"""What every format shares: which boxes leave, and what was done."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import mark, short, tr, trn
from core.formats.gather import Begin, ReadOptions, read_files
from core.formats.names import checked_name
from core.formats.notes import Told, same_but_for_case

if TYPE_CHECKING:
    from core.formats.streaming import Stream

# Less than any pixel that a person could see: arithmetic, not a box that stuck out.
_NOT_CLAMPED = 1e-6
_SMALLEST_SIDE = 1e-3
_SHOWN_SKIPPED = 5
NO_SIZE = mark("its size is not known yet, which this format needs; find boxes again")
NOT_TEXT = mark("its name or a class name is not valid text (UTF-8); rename it")


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that was left out, and why, as the end of a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """What some formats need or offer besides boxes; each takes what is its own.

    ``sources`` is where each image's file lies, by its name. ``val`` holds the names that are kept for
    validation, by formats with a place for them. ``labels`` fixes the numbers of the classes, so that two
    files of one split agree; empty: by first appearance. ``link`` makes hard links instead of copies,
    ``flat`` puts the names of subfolders into those of files. ``one_based`` counts pixels from 1.
    ``beside_images`` writes beside each image's file, and ``replace_foreign`` replaces files that others
    left there. ``animal`` calls boxes without a class of their own so. ``with_gps`` says where photos were
    taken, which no format does unasked. ``taught`` says, in what JSON holds,
    by which corrections the boxes were found; empty for none. ``on_file`` is told (done, total) and may raise
    to end the export.
    """

    sources: Mapping[str, Path] = field(default_factory=dict)
    val: Container[str] = frozenset()
    labels: tuple[str, ...] = ()
    link: bool = False
    flat: bool = False
    one_based: bool = False
    beside_images: bool = False
    replace_foreign: bool = False
    animal: bool = False
    with_gps: bool = False
    taught: Mapping[str, Any] = field(default_factory=dict)
    on_file: Callable[[int, int], None] = lambda done, total: None


PLAIN = WriteOptions()


def taught_info(options: WriteOptions) -> dict[str, Any]:
    """What the head of a file says of the corrections that taught: nothing where none did."""
    return {"taught": dict(options.taught)} if options.taught else {}


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export wrote: ``images`` and ``boxes`` in the file, ``clamped`` boxes cut to their image.

    ``without_box`` counts usable images that have no box, ``failed`` those that could not be used.
    ``collisions`` counts images that another folder or ending has a namesake of, ``skipped`` are images
    that the format cannot hold. ``notes`` are whole sentences for the person. ``parts`` are the files
    of a split, whose sums the numbers are.
    """

    path: Path
    images: int
    boxes: int
    without_box: int
    clamped: int
    failed: int
    notes: tuple[str, ...] = ()
    collisions: int = 0
    skipped: tuple[Skipped, ...] = ()
    parts: tuple[ExportSummary, ...] = ()

    def lines(self) -> list[str]:
        """The summary as sentences, what was written first."""
        if self.parts:
            return [*(line for part in self.parts for line in part.lines()), *self.notes]
        wrote = tr("Wrote {boxes} and {images}").format(
            boxes=trn("{count:,} box", "{count:,} boxes", self.boxes), images=_images(self.images)
        )
        left_out = [
            tr("Left out “{name}”: {reason}.").format(name=short(one.name), reason=one.reason)
            for one in self.skipped[:_SHOWN_SKIPPED]
        ]
        more = len(self.skipped) - len(left_out)
        return [
            tr("{wrote} to {path}.").format(wrote=wrote, path=self.path),
            *self.notes,
            *left_out,
            *([tr("Left out for such reasons too: {images}.").format(images=_images(more))] if more else []),
        ]

    def to_dict(self) -> dict[str, Any]:
        """The summary for JSON."""
        parts = [part.to_dict() for part in self.parts]
        skipped = [asdict(one) for one in self.skipped]
        plain = {**asdict(replace(self, parts=())), "path": str(self.path)}
        return {**plain, "notes": list(self.notes), "skipped": skipped, "parts": parts}


class Writer(Protocol):
    """Write ``images`` to ``path``, whole or not at all; FormatError, and nothing else, where it fails."""

    def __call__(
        self, images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN
    ) -> ExportSummary: ...


class Streamer(Protocol):
    """The same for more images than fit in memory."""

    def __call__(self, images: Stream, path: Path, options: WriteOptions = PLAIN) -> ExportSummary: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. ``write`` raises FormatError and is None where the format is only read, ``stream`` where it
    takes all images at once.

    Of what is read, ``begin`` starts a reader of files, which are known by what they hold and end in
    ``read_suffix``, by default ``suffix``; ``layout`` says instead whether a path is laid out so, a folder as
    a rule, which ``read_layout`` reads; with ``names_itself`` no other format is asked about that folder.
    ``suffix`` is that of the file, empty where ``path`` is a folder to be made. ``own`` names the fields of
    :class:`WriteOptions` that a person may choose. ``splits`` says that train and validation share one
    layout, ``needs_box`` that images without a box have no place in it.
    """

    name: str
    title: str
    suffix: str
    help: str = ""
    write: Writer | None = None
    stream: Streamer | None = None
    begin: Begin | None = None
    read_suffix: str = ""
    layout: Callable[[Path], bool] | None = None
    read_layout: Callable[[Path, ReadOptions | None], list[ImageBoxes]] | None = None
    names_itself: bool = False
    own: tuple[str, ...] = ()
    splits: bool = False
    needs_box: bool = False

    def read(self, path: Path, options: ReadOptions | None = None) -> list[ImageBoxes]:
        """The images of the file or folder at ``path``, those without a box included.

        Raises
        ------
        FormatError
            There is none of this format, or none can be read.
        """
        if self.begin is not None:
            return read_files(self.begin, path, self.read_suffix or self.suffix, tr(self.title), options)
        assert self.read_layout is not None, "only written"
        return self.read_layout(path, options)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The images as they leave: usable ones only, each box inside its image and not empty."""

    images: tuple[ImageBoxes, ...]
    without_box: int
    clamped: int
    failed: int
    notes: tuple[str, ...]
    collisions: int = 0
    skipped: tuple[Skipped, ...] = ()

    def summary(self, path: Path, images: int, *notes: str) -> ExportSummary:
        boxes = sum(len(image.boxes) for image in self.images)
        return ExportSummary(
            path,
            images,
            boxes,
            self.without_box,
            self.clamped,
            self.failed,
            (*self.notes, *notes),
            self.collisions,
            self.skipped,
        )

    def without(self, skipped: Mapping[str, str]) -> Prepared:
        """This without some more images, each name with its reason."""
        kept = tuple(image for image in self.images if image.name not in skipped)
        more = tuple(Skipped(name, reason) for name, reason in skipped.items())
        empty = sum(not image.boxes for image in kept)
        _some_left(kept, more)
        return replace(self, images=kept, without_box=empty, skipped=(*self.skipped, *more))


def prepare(
    images: Sequence[ImageBoxes],
    *,
    unfit: Callable[[ImageBoxes], str] = lambda image: "",
    keeps_failed: bool = False,
) -> Prepared:
    """Cut boxes to their images, leave out what no reader can use, and count it all.

    ``unfit`` says why this format cannot hold an image; empty where it can. ``keeps_failed`` only words
    the note on images that could not be used.

    Raises
    ------
    FormatError
        Two images of one name, a name that leaves its folder, a box whose side or score is not a number, or
        no image at all that the format can hold.
    """
    usable = [image for image in images if image.status is not Status.FAILED]
    failed = len(images) - len(usable)
    _check_names(usable)
    skipped = tuple(Skipped(image.name, why) for image in usable if (why := unfit(image)))
    left_out = {one.name for one in skipped}
    usable = [image for image in usable if image.name not in left_out]
    _some_left(usable, skipped)
    told = Told(failed=failed, same=same_but_for_case(image.name for image in usable))
    kept = [fitted(image, told) for image in usable]
    without_box = sum(not image.boxes for image in kept)
    collisions = same_stems(image.name for image in kept)
    notes = tuple(told.sentences(keeps_failed=keeps_failed))
    return Prepared(tuple(kept), without_box, told.clamped, failed, notes, collisions, skipped)


def fitted(image: ImageBoxes, told: Told) -> ImageBoxes:
    """``image`` with its boxes cut to it, without those that have no area then; counted in ``told``.

    Raises
    ------
    FormatError
        The side or score of a box is not a number.
    """
    boxes = [_inside(image, record) for record in image.boxes]
    inside = tuple(record for record in boxes if _has_area(record))
    told.count(
        image,
        clamped=sum(_moved(a, b) for a, b in zip(image.boxes, boxes, strict=True) if _has_area(b)),
        outside=len(boxes) - len(inside),
    )
    return replace(image, boxes=inside)


def not_text(image: ImageBoxes) -> str:
    """Why a text file in UTF-8 cannot name ``image``; empty where it can."""
    try:
        for text in (image.name, *(record.label for record in image.boxes)):
            text.encode("utf-8")
    except UnicodeEncodeError:
        return tr(NOT_TEXT)
    return ""


def no_size(image: ImageBoxes) -> str:
    """Why the boxes of ``image`` cannot be shares of it; empty where they can."""
    return tr(NO_SIZE) if image.boxes and min(image.width, image.height) < 1 else ""


def numbered_labels(images: Iterable[ImageBoxes], options: WriteOptions = PLAIN) -> tuple[str, ...]:
    """The classes in the order of their numbers: those of the options, then by first appearance."""
    found = dict.fromkeys(record.label for image in images for record in image.boxes)
    return tuple(dict.fromkeys((*options.labels, *found))) or (DEFAULT_LABEL,)


def same_stems(names: Iterable[str]) -> int:
    """How many images have a namesake, but for folder and ending, that comes before them."""
    stems = Counter(name.rpartition("/")[2].rpartition(".")[0].casefold() for name in names)
    return sum(count - 1 for count in stems.values())


def same_boxes(found: Sequence[BoxRecord], wanted: Sequence[BoxRecord], *, within: float) -> bool:
    """Whether the boxes and labels agree, in order, each side ``within`` so many pixels."""
    return len(found) == len(wanted) and all(
        a.label == b.label and _shift(a.box, b.box) <= within for a, b in zip(found, wanted, strict=True)
    )


def whole_pixels(image: ImageBoxes) -> ImageBoxes:
    """``image`` with its boxes' edges on whole pixels, each at least one pixel wide and high.

    Each edge goes to the nearest whole number (halves up); a box that would vanish by that takes the
    one pixel under its centre.
    """
    boxes = []
    for record in image.boxes:
        x0, x1 = _edges(record.box.x0, record.box.x1, image.width)
        y0, y1 = _edges(record.box.y0, record.box.y1, image.height)
        boxes.append(replace(record, box=Box(x0, y0, x1, y1)))
    return replace(image, boxes=tuple(boxes))


def _some_left(kept: Sequence[ImageBoxes], skipped: Sequence[Skipped]) -> None:
    if skipped and not kept:
        first = skipped[0]
        raise FormatError(
            tr("No image can be exported; of “{name}”, {reason}.").format(
                name=short(first.name), reason=first.reason
            )
        )


def _images(number: int) -> str:
    return trn("{count:,} image", "{count:,} images", number)


def _edges(low: float, high: float, size: int) -> tuple[int, int]:
    first, last = math.floor(low + 0.5), math.floor(high + 0.5)
    if last > first:
        return first, last
    pixel = math.floor((low + high) / 2)
    if size > 0:
        pixel = min(pixel, size - 1)
    return pixel, pixel + 1


def _inside(image: ImageBoxes, record: BoxRecord) -> BoxRecord:
    numbers = (*record.box.sides, *(value for value in (record.score, record.threshold) if value is not None))
    if not all(map(math.isfinite, numbers)):
        raise FormatError(
            tr("A box of “{name}” holds a value that is not a number.").format(name=short(image.name))
        )
    box = Box(*map(float, record.box.sides))
    if image.width > 0 and image.height > 0:
        box = box.clamped(float(image.width), float(image.height))
    return replace(record, box=box)


def _moved(before: BoxRecord, after: BoxRecord) -> bool:
    return _shift(before.box, after.box) > _NOT_CLAMPED


def _shift(a: Box, b: Box) -> float:
    return max(abs(a.x0 - b.x0), abs(a.y0 - b.y0), abs(a.x1 - b.x1), abs(a.y1 - b.y1))


def _has_area(record: BoxRecord) -> bool:
    return min(record.box.width, record.box.height) >= _SMALLEST_SIDE


def _check_names(images: Sequence[ImageBoxes]) -> None:
    for image in images:
        checked_name(image.name, Path(tr("The project")))
    name, count = next(iter(Counter(image.name for image in images).most_common(1)), ("", 0))
    if count > 1:
        raise FormatError(
            tr("{count:,} images are named “{name}”; a reader could not tell them apart.").format(
                count=count, name=short(name)
            )
        )
