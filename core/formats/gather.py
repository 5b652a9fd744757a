"""What every reader shares: images gathered box by box, and an account of what could not be read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import short, tr, trn
from core.base.names import inside
from core.formats.files import READ, WESTERN, Table, walk, western_note, wrong
from core.formats.names import as_on_this_system, leaves

# pixels: a box beyond belongs to no picture, and its area may be no number
_LARGEST = 1e9
#: A share may stick out of its image by as much, as a box that was moved across the edge does.
LARGEST_SHARE = 1.5
_SHOWN = 3
_ANNOTATIONS = re.compile(r"^(?:annotations?|annots?|anns?|xmls?|jsons?|labels?)/", re.IGNORECASE)


class Told:
    """Sentences for the person on what was not read as it stands: boxes, entries or files, and choices."""

    def __init__(self) -> None:
        self.boxes = 0
        self._first: list[str] = []
        self._entries = self._unnamed = 0
        self._notes: dict[str, int] = {}

    def box(self, sentence: str) -> None:
        """A box could not be read, and why and where."""
        self.boxes += 1
        self._example(sentence)

    def entry(self, sentence: str) -> None:
        """A file or an entry of one could not be read, nobody knows with how many boxes."""
        self._entries += 1
        self._example(sentence)

    def unnamed_class(self, number: int) -> str:
        """The class of a box that no file names: it goes by its number, and is told."""
        self._unnamed += 1
        return str(number)

    def note(self, sentence: str) -> None:
        """Something that was chosen for the person; said once, however often."""
        self._notes[sentence] = self._notes.get(sentence, 0) + 1

    @property
    def is_bad(self) -> bool:
        """Whether anything could not be read."""
        return self.boxes + self._entries > 0

    def _example(self, sentence: str) -> None:
        if len(self._first) < _SHOWN:
            self._first.append(sentence)

    def sentences(self) -> list[str]:
        """All of it, the counts before the first examples."""
        lines = list(self._first)
        if self.boxes > 1:
            boxes = trn("{count:,} box could not be read.", "{count:,} boxes could not be read.", self.boxes)
            lines.insert(0, boxes)
        if self._entries > 1:
            what = trn(
                "{count:,} file or entry could not be read.",
                "{count:,} files or entries could not be read.",
                self._entries,
            )
            lines.insert(0, what)
        lines += self._notes
        if self._unnamed:
            boxes = trn("{count:,} box", "{count:,} boxes", self._unnamed)
            lines.append(tr("No file names the class of {boxes}: its number is taken.").format(boxes=boxes))
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What a reader may know besides the file.

    ``places`` are the names of a project's images by where they lie (as :func:`core.formats.labelme.place_of`
    has it); with them images go by the names they had before any layout. ``told`` gathers what was not
    read.
    """

    places: Mapping[str, str] | None = None
    told: Told = field(default_factory=Told)


@dataclass(slots=True)
class _Image:
    """An image while its boxes are gathered; those in shares wait for its size."""

    name: str
    width: int
    height: int
    more: dict[str, Any]
    boxes: list[BoxRecord] = field(default_factory=list)
    shares: list[BoxRecord] | None = None


class Gathered:
    """Images in the order in which a file names them, each with its boxes."""

    def __init__(self, file: Path, told: Told) -> None:
        self.file = file
        self.told = told
        self._images: dict[str, _Image] = {}
        self._unnamed = 0

    def image(self, given: object, width: int = 0, height: int = 0, **more: Any) -> str | None:
        """Note an image, with ``more`` of :class:`ImageBoxes`; None where ``given`` is no name."""
        name = image_name(given)
        if not name:
            sentence = tr("{name} names an image by {given!r}, which is no file name.")
            self.told.entry(sentence.format(name=short(self.file.name), given=short(str(given))))
            return None
        known = self._images.get(name)
        if known is None:
            self._images[name] = _Image(name, width, height, more)
        elif not known.width and width:
            known.width, known.height = width, height
        return name

    def box(
        self,
        image: str,
        box: Box | None,
        label: object = None,
        *,
        where: str,
        shares: bool = False,
        **more: Any,
    ) -> None:
        """Add a box to a noted image; ``where`` is its place in the file, ``more`` is :class:`BoxRecord`'s.

        Ends in the wrong order are put right. Told is a box of None and one that no picture has.
        """
        largest = LARGEST_SHARE if shares else _LARGEST
        if box is None or not _is_within(box, largest):
            what = tr("a box whose numbers cannot be read") if box is None else self._why(shares)
            self.told.box(self._at(where, what))
            return
        if box.x1 < box.x0 or box.y1 < box.y0:
            (x0, x1), (y0, y1) = sorted((box.x0, box.x1)), sorted((box.y0, box.y1))
            box = Box(x0, y0, x1, y1)
        self._unnamed += label is None
        record = BoxRecord(box, DEFAULT_LABEL if label is None else str(label), **more)
        known = self._images[image]
        if not shares:
            known.boxes.append(record)
        elif known.shares is None:
            known.shares = [record]
        else:
            known.shares.append(record)

    def leave_out_crowds(self, count: int) -> None:
        """Tell of so many boxes that stand for more than one object, if there are any."""
        if count:
            boxes = trn("{count:,} box", "{count:,} boxes", count)
            what = tr("Left out of “{name}”, since they stand for crowds: {boxes}.")
            self.told.note(what.format(name=short(self.file.name), boxes=boxes))

    def images(self) -> list[ImageBoxes]:
        """All of them; boxes are cut to an image whose size is known, and those without area are told."""
        if self._unnamed:
            boxes = trn("{count:,} box", "{count:,} boxes", self._unnamed)
            self.told.note(
                tr("Without a class in “{name}”, imported as “{label}”: {boxes}.").format(
                    name=short(self.file.name), label=DEFAULT_LABEL, boxes=boxes
                )
            )
        return [self._finished(one) for one in self._images.values()]

    def _finished(self, one: _Image) -> ImageBoxes:
        width, height, in_shares = one.width, one.height, one.shares or []
        if max(width, height) > _LARGEST:
            for _ in (*one.boxes, *in_shares):
                self.told.box(self._at(one.name, tr("a size that no picture has")))
            return ImageBoxes(one.name, 0, 0, **one.more)
        if in_shares and min(width, height) < 1:
            for _ in one.boxes:
                self.told.box(self._at(one.name, tr("a box in pixels among shares of the image")))
            kept = self._with_area(one.name, in_shares, 1, 1)
            return ImageBoxes(one.name, width, height, kept, shares=True, **one.more)
        scaled = [replace(record, box=record.box.scaled(width, height)) for record in in_shares]
        kept = self._with_area(one.name, [*one.boxes, *scaled], width, height)
        return ImageBoxes(one.name, width, height, kept, **one.more)

    def _with_area(
        self, name: str, records: Iterable[BoxRecord], width: int, height: int
    ) -> tuple[BoxRecord, ...]:
        kept = []
        for record in records:
            box = record.box
            if width and height and (min(box.x0, box.y0) < 0 or box.x1 > width or box.y1 > height):
                box = box.clamped(width, height)
            if (box.x1 - box.x0) * (box.y1 - box.y0) > 0:
                kept.append(record if box is record.box else replace(record, box=box))
            else:
                self.told.box(self._at(name, tr("a box without area, or outside its image")))
        return tuple(kept)

    def _why(self, shares: bool) -> str:
        return (
            tr("a box whose numbers should be shares of the image, 0 to 1")
            if shares
            else tr("a box that no picture has")
        )

    def _at(self, where: str, what: str) -> str:
        return tr("{name} has {what} ({where}).").format(
            name=short(self.file.name), where=short(where), what=what
        )


def image_name(given: object) -> str:
    """The name of an image as a file gives it: unchanged where it stays inside its folder, else what is left
    of it, empty where that is nothing."""
    if not isinstance(given, str):
        return ""
    flat = as_on_this_system(given)
    if "\0" in given or flat.rpartition("/")[2] in ("", ".", ".."):
        return ""
    return inside(given) if leaves(flat) else given


def stem_of(file: Path, root: Path) -> str:
    """The name of an annotation file, without ending, from the folder of annotations on."""
    top = root if file.is_relative_to(root) and file != root else file.parent
    return _ANNOTATIONS.sub("", file.relative_to(top).with_suffix("").as_posix())


def _is_within(box: Box, largest: float) -> bool:
    """Whether no side is beyond ``largest``, and none is no number."""
    return (
        -largest <= box.x0 <= largest
        and -largest <= box.y0 <= largest
        and -largest <= box.x1 <= largest
        and -largest <= box.y1 <= largest
    )


def first_of(entry: Mapping[str, Any], *keys: str) -> Any:
    """What ``entry`` has under the first of ``keys`` that it has; None where it has none."""
    for key in keys:  # no generator: this is asked of each of 100,000 images
        if key in entry:
            return entry[key]
    return None


def number(value: object) -> float | None:
    """A finite number, written as a number or as text; None where it is none. True is no number."""
    if type(value) is float:  # by far the most
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def numbers(values: object, count: int) -> list[float] | None:
    """Exactly ``count`` finite numbers; None where ``values`` are none."""
    if not isinstance(values, (list, tuple)) or len(values) != count:
        return None
    found = []
    for value in values:
        if (one := number(value)) is None:
            return None
        found.append(one)
    return found


def size(value: object) -> int:
    """A width or height in whole pixels; 0 where ``value`` is none."""
    if type(value) is int and 0 <= value <= _LARGEST:
        return value
    return max(0, round(number(value) or 0))


def share(value: object) -> float | None:
    """A score, 0 to 1; one in percent is made so, and None is what is no score."""
    found = number(value)
    if found is None or not 0 <= found <= 100:
        return None
    return found if found <= 1 else found / 100


def box_of(values: object) -> Box | None:
    """x, y, width and height as a box; None where they are not four numbers."""
    found = numbers(values, 4)
    return None if found is None else Box(found[0], found[1], found[0] + found[2], found[1] + found[3])


def are_shares(boxes: Iterable[Box | None]) -> bool:
    """Whether a file's boxes can only be shares of their images: no side reaches beyond 1."""
    is_fraction = False
    for box in boxes:
        if box is not None:
            if not _is_within(box, 1 + 1e-6):
                return False  # the first box in pixels says it
            is_fraction = is_fraction or any(side % 1 for side in box.sides)
    return is_fraction


class Reader(Protocol):
    """Takes what files of one format hold, and gives their images at the end."""

    def take(self, content: Any, file: Path) -> bool:
        """Whether ``content`` is of this format; only then it is kept."""

    def images(self) -> list[ImageBoxes]:
        """All images of what was taken."""


class EachFile:
    """A reader of files that need to know nothing of one another: ``read`` fills in what one holds."""

    def __init__(
        self, options: ReadOptions, knows: Callable[[Any], bool], read: Callable[[Any, Gathered], None]
    ) -> None:
        self.options, self.knows, self.read = options, knows, read
        self.found: list[ImageBoxes] = []

    def take(self, content: Any, file: Path) -> bool:
        if not self.knows(content):
            return False
        if isinstance(content, Table) and content.coding == WESTERN:
            self.options.told.note(western_note(file))
        gathered = Gathered(file, self.options.told)
        self.read(content, gathered)
        self.found += gathered.images()
        return True

    def images(self) -> list[ImageBoxes]:
        return self.found


Begin = Callable[[Path, ReadOptions], Reader]


def each_file(knows: Callable[[Any], bool], read: Callable[[Any, Gathered], None]) -> Begin:
    """What begins an :class:`EachFile`."""
    return lambda root, options: EachFile(options, knows, read)


def read_files(
    begin: Begin, path: Path, ending: str, title: str, options: ReadOptions | None
) -> list[ImageBoxes]:
    """What a reader takes of the file at ``path``, or of all files with that ending below that folder.

    Raises
    ------
    FormatError
        There is none of this format, or none can be read.
    """
    options, path = options or ReadOptions(), Path(path)
    reader, taken, read = begin(path, options), False, READ[ending]
    for file in (file for file in walk(path) if file.suffix.lower() == ending) if path.is_dir() else [path]:
        try:
            content = read(file)
        except FormatError as error:
            if file == path:
                raise
            options.told.entry(str(error))
        else:
            taken |= reader.take(content, file)
    if not taken and not options.told.is_bad:
        what = tr("{name} has no {title} file in it.") if path.is_dir() else tr("{name} is no {title} file.")
        raise wrong(what, path, title=title)
    return told_or_failed(reader.images(), options.told)


def told_or_failed(images: list[ImageBoxes], told: Told) -> list[ImageBoxes]:
    """``images``, unless there is none, or no box among them, since they could not be read: a FormatError."""
    if (told.boxes or (told.is_bad and not images)) and not any(image.boxes for image in images):
        raise FormatError(" ".join(told.sentences()[:2]))
    return images
