"""CSV: one row for each box, in the columns that TensorFlow's object detection readers expect.

``xmin, ymin, xmax, ymax`` are whole pixel edges, half-open: ``xmax - xmin`` is the width. An image without a
box has no row, since readers turn a column with an empty cell into text or floats; the summary counts
such images. A last column, the probability that the image shows no object, is there where it is known of any.
Rows end with CR LF and text is UTF-8 (RFC 4180).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import mark, short, tr, trn
from core.datasets.names import checked_name
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    not_text,
    prepare,
    read_bytes,
    whole_pixels,
    write_checked,
)

COLUMNS = (
    *("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"),
    *("score", "threshold", "rule", "source", "status"),
)
NO_OBJECT = "no_object"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
# A spreadsheet runs a cell that starts with one of these, full width or not.
_FORMULA = frozenset("=+-@＝＋－＠")


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Write the boxes of ``images`` to ``path``; it is read back and compared before it takes its name.

    Raises
    ------
    FormatError
        It cannot be written, and ``path`` is as it was.
    """
    return _write(images, path, whole_pixels)


def write_exact(images: Sequence[ImageBoxes], path: Path) -> ExportSummary:
    """:func:`write` with edges as they are, for who measures the file again and no other program."""
    return _write(images, path, lambda image: image)


def _write(
    images: Sequence[ImageBoxes], path: Path, edges: Callable[[ImageBoxes], ImageBoxes]
) -> ExportSummary:
    prepared = prepare(images, unfit=not_text)
    kept = [edges(image) for image in prepared.images if image.boxes]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    is_known = any(image.no_object is not None for image in kept)
    writer.writerow((*COLUMNS, NO_OBJECT) if is_known else COLUMNS)
    for image in kept:
        more = [_cell(image.no_object)] if is_known else []
        writer.writerows([*_row(image, record), *more] for record in image.boxes)
    write_checked(path, text.getvalue().encode("utf-8"), lambda written: read(written) == kept)
    notes = []
    if prepared.without_box:
        notes.append(
            trn(
                "{count:,} image has no box and so no row.",
                "{count:,} images have no box and so no row.",
                prepared.without_box,
            )
        )
    if guarded := sum(neutral(image.name) != image.name for image in kept):
        notes.append(
            trn(
                "{count:,} file name got an apostrophe before it, "
                "so that no spreadsheet runs it as a formula.",
                "{count:,} file names got an apostrophe before them, "
                "so that no spreadsheet runs them as formulas.",
                guarded,
            )
        )
    return prepared.summary(path, len(kept), *notes)


def read(path: Path) -> list[ImageBoxes]:
    """The boxes in a CSV of ours, or of anyone with columns ``filename, xmin, ymin, xmax, ymax``.

    Images come in the order of their first row. A row without box edges is an image without a box.

    Raises
    ------
    FormatError
        The file or a row of it cannot be understood; the row is named.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
        return _read_rows(path, csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise FormatError(
            tr("“{name}” is not text in UTF-8; save it as UTF-8 and try again.").format(name=path.name)
        ) from error
    except csv.Error as error:
        raise FormatError(
            tr("“{name}” is not a CSV file that can be read: {error}.").format(name=path.name, error=error)
        ) from error


FORMAT = Format(
    name="csv",
    title=mark("CSV table"),
    help=mark("One row for each box, for spreadsheets, pandas and TensorFlow."),
    suffix=".csv",
    write=write,
    read=read,
    needs_box=True,
)


def _row(image: ImageBoxes, record: BoxRecord) -> list[str | int | float]:
    box = record.box
    return [
        neutral(image.name),
        image.width,
        image.height,
        neutral(record.label),
        *(_plain_number(side) for side in (box.x0, box.y0, box.x1, box.y1)),
        _cell(record.score),
        _cell(record.threshold),
        neutral(record.rule or ""),
        record.source.value,
        image.status.value,
    ]


def _cell(number: float | None) -> float | str:
    return "" if number is None else float(number)


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


def _read_rows(path: Path, rows: csv.DictReader[str]) -> list[ImageBoxes]:
    missing = [name for name in ("filename", *_SIDES) if name not in (rows.fieldnames or ())]
    if missing:
        raise FormatError(
            tr("“{name}” has no column {names}, which box files have.").format(
                name=path.name, names=", ".join(missing)
            )
        )
    images: dict[str, ImageBoxes] = {}
    boxes: dict[str, list[BoxRecord]] = {}
    for row in rows:
        try:
            image = _image(row, path)
            images.setdefault(image.name, image)
            boxes.setdefault(image.name, []).extend(image.boxes)
        except (ValueError, OverflowError) as error:
            raise FormatError(
                tr("Line {line_num} of “{name}” cannot be understood: {error}.").format(
                    line_num=rows.line_num, name=path.name, error=short(str(error))
                )
            ) from error
    return [replace(image, boxes=tuple(boxes[name])) for name, image in images.items()]


def _image(row: dict[str, str], path: Path) -> ImageBoxes:
    if None in row or None in row.values():  # DictReader's marks of too many and too few cells
        raise ValueError(tr("it has another number of cells than the first line"))
    name = checked_name(plain(row["filename"]), path)
    sides = [row[side].strip() for side in _SIDES]
    boxes = (_record(row, sides),) if any(sides) else ()
    return ImageBoxes(
        name=name,
        width=_whole(row, "width"),
        height=_whole(row, "height"),
        boxes=boxes,
        status=Status(row.get("status") or Status.UNSEEN),
        no_object=_optional(row.get(NO_OBJECT)),
    )


def _record(row: dict[str, str], sides: list[str]) -> BoxRecord:
    x0, y0, x1, y1 = (_finite(side) for side in sides)
    if x1 < x0 or y1 < y0:
        raise ValueError(tr("the box ends before it begins"))
    return BoxRecord(
        box=Box(x0, y0, x1, y1),
        label=plain(row.get("class", DEFAULT_LABEL)),
        score=_optional(row.get("score")),
        source=Source(row.get("source") or Source.AUTO),
        threshold=_optional(row.get("threshold")),
        rule=plain(row.get("rule") or "") or None,
    )


def _finite(cell: str) -> float:
    value = float(cell) if cell else math.nan
    if not math.isfinite(value):
        raise ValueError(tr("“{cell}” is not a number").format(cell=short(cell)))
    return value


def _optional(cell: str | None) -> float | None:
    return _finite(cell) if cell else None


def _whole(row: dict[str, str], column: str) -> int:
    return int(_finite(row[column])) if row.get(column) else 0
