"""CSV: one row for each box, in the columns that TensorFlow's object detection readers expect.

``xmin, ymin, xmax, ymax`` are whole pixel edges, half-open: ``xmax - xmin`` is the width. An image without a
box has no row, since readers turn a column with an empty cell into text or floats; the summary counts
such images. Last columns, the probability that the image shows no object, when it was taken and, if asked
for, where, are there where they are known of any. After them stand, of automatic boxes that corrections have
taught, the run and how many reviewed images taught it.
Rows end with CR LF and text is UTF-8 (RFC 4180). Read is any table whose columns are known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.base.annotations import SOURCES, STATUSES, BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import mark, short, tr, trn
from core.formats.columns import box_in, columns_of, missing
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    not_text,
    prepare,
    whole_pixels,
)
from core.formats.files import Table, wrong
from core.formats.gather import Gathered, are_shares, each_file, numbers, share, size
from core.formats.streaming import Stream
from core.formats.writing import write_checked, write_parts

COLUMNS = (
    *("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"),
    *("score", "threshold", "rule", "source", "status"),
)
NO_OBJECT, TAKEN, PLACE = "no_object", "captured", ("latitude", "longitude")
#: Of :attr:`WriteOptions.taught`, by their names there.
TAUGHT = ("run", "reviewed_images")
# A spreadsheet runs a cell that starts with one of these, full width or not.
_FORMULA = frozenset("=+-@＝＋－＠")
Columns = tuple[str, ...]


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Write the boxes of ``images`` to ``path``; it is read back and compared before it takes its name.

    Raises
    ------
    FormatError
        It cannot be written, and ``path`` is as it was.
    """
    return _write(images, path, whole_pixels, options)


def write_exact(images: Sequence[ImageBoxes], path: Path) -> ExportSummary:
    """:func:`write` with edges as they are, for who measures the file again and no other program."""
    return _write(images, path, lambda image: image, PLAIN)


def _write(
    images: Sequence[ImageBoxes],
    path: Path,
    edges: Callable[[ImageBoxes], ImageBoxes],
    options: WriteOptions,
) -> ExportSummary:
    prepared = prepare(images, unfit=not_text)
    kept = [edges(image) for image in _leaving(prepared.images, options)]
    text = "".join(parts(kept, options, columns_known(kept)))
    write_checked(path, text.encode("utf-8"), lambda written: FORMAT.read(written) == kept)
    guarded = sum(map(_is_guarded, kept))
    return prepared.summary(path, len(kept), *_notes(prepared.without_box, guarded))


def stream(images: Stream, path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """:func:`write` for more images than fit in memory."""
    prepared = images.prepare(unfit=not_text)
    more, guarded = columns_known(_leaving(prepared, options)), 0

    def counted() -> Iterator[ImageBoxes]:
        nonlocal guarded
        for image in map(whole_pixels, _leaving(prepared, options)):
            guarded += _is_guarded(image)
            yield image

    write_parts(path, parts(counted(), options, more))
    count = prepared.count
    return prepared.summary(path, count.images - count.without_box, *_notes(count.without_box, guarded))


def _leaving(images: Iterable[ImageBoxes], options: WriteOptions) -> Iterator[ImageBoxes]:
    """Those that have a row, and no place where that is not wanted."""
    for image in images:
        if image.boxes:
            yield image if options.with_gps or not image.position else replace(image, position=None)


def _is_guarded(image: ImageBoxes) -> bool:
    return neutral(image.name) != image.name


def _notes(without_box: int, guarded: int) -> list[str]:
    notes = []
    if without_box:
        notes.append(
            trn(
                "{count:,} image has no box and so no row.",
                "{count:,} images have no box and so no row.",
                without_box,
            )
        )
    if guarded:
        notes.append(
            trn(
                "{count:,} file name got an apostrophe before it, "
                "so that no spreadsheet runs it as a formula.",
                "{count:,} file names got an apostrophe before them, "
                "so that no spreadsheet runs them as formulas.",
                guarded,
            )
        )
    return notes


def parts(images: Iterable[ImageBoxes], options: WriteOptions, more: Sequence[Columns]) -> Iterator[str]:
    """The table of ``images``, row by row; ``more`` are the :func:`columns_known` of any of them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    taught = [neutral(str(options.taught[name])) for name in TAUGHT] if options.taught else []
    writer.writerow((*COLUMNS, *(name for names in more for name in names), *(TAUGHT if taught else ())))
    for image in images:
        cells = [cell for names in more for cell in _MORE[names](image)]
        for record in image.boxes:
            origin = taught if record.source is Source.AUTO else [""] * len(taught)
            writer.writerow([*_row(image, record), *cells, *origin])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def columns_known(images: Iterable[ImageBoxes]) -> list[Columns]:
    """The columns beside :data:`COLUMNS` that say something of any of ``images``."""
    left = dict(_MORE)
    for image in images:
        for names in [names for names, cells in left.items() if any(cell != "" for cell in cells(image))]:
            del left[names]
        if not left:
            break
    return [names for names in _MORE if names not in left]


def _row(image: ImageBoxes, record: BoxRecord) -> list[str | int | float]:
    box = record.box
    return [
        neutral(image.name),
        image.width,
        image.height,
        neutral(record.label),
        *(_plain_number(side) for side in box.sides),
        _cell(record.score),
        _cell(record.threshold),
        neutral(record.rule or ""),
        record.source.value,
        image.status.value,
    ]


def _cell(number: float | None) -> float | str:
    return "" if number is None else float(number)


def _place_cells(image: ImageBoxes) -> list[float | str]:
    return [""] * len(PLACE) if image.position is None else list(image.position)


#: Columns that are there where they are known of any image, and an image's cells in them.
_MORE: Mapping[Columns, Callable[[ImageBoxes], Sequence[float | str]]] = {
    (NO_OBJECT,): lambda image: [_cell(image.no_object)],
    (TAKEN,): lambda image: [image.taken],
    PLACE: _place_cells,
}


def _plain_number(side: float) -> int | float:
    return int(side) if side == int(side) else float(side)


def neutral(text: str) -> str:
    """``text`` as a cell that no spreadsheet runs: an apostrophe goes before a dangerous start.

    One also goes before an apostrophe that :func:`plain` would take off, so that the way back is exact.
    """
    return "'" + text if _is_dangerous(text) or _looks_neutral(text) else text


def plain(cell: str) -> str:
    """What :func:`neutral` was given."""
    return cell[1:] if _looks_neutral(cell) else cell


def _is_dangerous(text: str) -> bool:
    return text[:1] in _FORMULA or (text != "" and (ord(text[0]) < 32 or 127 <= ord(text[0]) < 160))


def _looks_neutral(text: str) -> bool:
    return text[:1] == "'" and (_is_dangerous(text[1:]) or text[1:2] == "'")


def _knows(table: object) -> bool:
    return isinstance(table, Table) and columns_of(table) is not None


def lacking(table: Table, path: Path) -> FormatError:
    """The error that names the columns which ``table`` has not."""
    names = ", ".join(missing(table))
    return wrong(tr("{name} has no column {names}, which box files have."), path, names=names)


def _read(table: Table, gathered: Gathered) -> None:
    """A row without box edges is an image without a box; one that cannot be understood is told."""
    columns = columns_of(table)
    if columns is None:
        return
    ours = columns.names[: len(COLUMNS)] == COLUMNS
    rows = [(line, columns.values(row)) for line, row in columns.rows]
    boxes = [box_in(values, decimal_comma=columns.decimal_comma) for _, values in rows]
    shares = not ours and are_shares(box for box in boxes if isinstance(box, Box))
    for (line, values), box in zip(rows, boxes, strict=True):
        what = box if isinstance(box, str) else columns.problem(values)
        given = plain(values.get("filename", ""))
        given = given if ours else given.strip()
        if what:
            gathered.told.box(_line(gathered.file, line, what))
            continue
        sizes = (_whole(values.get("width")), _whole(values.get("height")))
        image = gathered.image(
            given,
            *sizes,
            status=_status(values),
            no_object=_score(values.get(NO_OBJECT)),
            taken=values.get(TAKEN, "").strip(),
            position=_position(values),
        )
        if image and isinstance(box, Box):
            named = plain(values.get("class", ""))
            label = named if ours else named.strip() or None
            _add(gathered, image, box, label, line, values, shares=shares)


def _add(
    gathered: Gathered,
    image: str,
    box: Box,
    label: str | None,
    line: int,
    values: Mapping[str, str],
    *,
    shares: bool,
) -> None:
    gathered.box(
        image,
        box,
        label,
        where=tr("line {number}").format(number=line),
        shares=shares,
        score=_score(values.get("score")),
        source=SOURCES.get(values.get("source", ""), Source.AUTO),
        threshold=_score(values.get("threshold")),
        rule=plain(values.get("rule") or "") or None,
    )


def _line(file: Path, line: int, what: str) -> str:
    return tr("Line {line} of “{name}” cannot be understood: {what}.").format(
        line=line, name=short(file.name), what=what
    )


def _position(values: Mapping[str, str]) -> tuple[float, float] | None:
    found = numbers([values.get(name) for name in PLACE], 2)
    return None if found is None else (found[0], found[1])


def _status(values: Mapping[str, str]) -> Status:
    """Ours; another program's column of that name says something else."""
    return STATUSES.get(values.get("status", ""), Status.UNSEEN)


def _score(cell: str | None) -> float | None:
    return share((cell or "").replace(",", "."))


def _whole(cell: str | None) -> int:
    return size((cell or "").replace(",", "."))


FORMAT = Format(
    name="csv",
    title=mark("CSV table"),
    help=mark("One row for each box, for spreadsheets, pandas and TensorFlow."),
    suffix=".csv",
    write=write,
    stream=stream,
    begin=each_file(_knows, _read),
    needs_box=True,
    own=("with_gps",),
)
