"""A data set: a folder of Parquet files that holds the boxes of as many images as there are.

    dataset.json                what made it (:class:`Made`), written last when it begins
    localizer.safetensors       what finds the boxes
    images/part-000000.parquet  the list of images in the order of their names, many in a file
    boxes/part-000000.parquet   a *shard*: the boxes of some hundred images that follow each other in the list

A shard is written to a temporary name and renamed: what has its name is whole, and is not made again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from core.base.annotations import BoxRecord, ImageBoxes, Status
from core.base.atomic import os_errors, os_reason, write_atomically
from core.base.errors import BoxscoutError
from core.base.geometry import Box
from core.base.language import tr
from core.base.limits import is_of_kind
from core.base.plain_json import parse_json
from core.boxes.rules import MAX_THRESHOLD, RULES
from core.scale.extras import needed

VERSION = 1
SHARD = 256
"""Images in a shard, unless another number is asked for."""
MADE, LOCALIZER = "dataset.json", "localizer.safetensors"
_SHARDS = "boxes"
_SIDES = ("x0", "y0", "x1", "y1")
_NAME = re.compile(r"part-(\d{6,})\.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What made a data set, as far as its boxes depend on it.

    ``where`` the images were listed, how many there are, and how many a ``shard`` has. ``localizer`` is the
    digest of what finds the boxes, ``features`` are those that it reads, ``runtime`` what computes them. The
    last three are as in :class:`core.boxes.options.BoxOptions`.
    """

    where: str
    images: int
    shard: int
    localizer: str
    features: str
    runtime: str
    rule: str
    threshold: float | None
    max_boxes: int


@dataclass(frozen=True, slots=True)
class Found:
    """One image of a data set: its place in the list, its address, and its boxes or why there are none."""

    place: int
    address: str
    image: ImageBoxes


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that was begun."""

    folder: Path
    made: Made

    @property
    def shards(self) -> int:
        return -(-self.made.images // self.made.shard)

    @property
    def localizer(self) -> Path:
        return self.folder / LOCALIZER

    @property
    def boxes(self) -> Path:
        """The folder of the shards."""
        return self.folder / _SHARDS

    def shard_file(self, shard: int) -> Path:
        return self.boxes / part_name(shard)

    def images_in(self, shard: int) -> int:
        """How many images the shard has: the last one may have fewer."""
        return min(self.made.shard, self.made.images - shard * self.made.shard)

    def done(self) -> set[int]:
        """The shards that are there."""
        return numbers_in(self.boxes)

    def found(self) -> Iterator[Found]:
        """All images of shards that are there, in the list's order, a shard in memory at a time.

        Raises
        ------
        BoxscoutError
            A shard is damaged; the sentence says what to do.
        """
        for shard in sorted(self.done()):
            yield from read_shard(self.shard_file(shard))


def part_name(number: int) -> str:
    return f"part-{number:06d}.parquet"


def is_part(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def numbers_in(folder: Path) -> set[int]:
    """The numbers of the parts in ``folder``; temporary files are none."""
    found = map(_NAME.fullmatch, (path.name for path in folder.iterdir())) if folder.is_dir() else ()
    return {int(match[1]) for match in found if match}


def begin(folder: Path, made: Made) -> DataSet:
    """Write what makes a new data set; its images are listed and its localizer is there already."""
    with _writing(folder):
        (folder / _SHARDS).mkdir(exist_ok=True)
        text = json.dumps({"boxscout": VERSION, **asdict(made)}, indent=1)
        write_atomically(folder / MADE, text.encode("utf-8"))
    return DataSet(folder, made)


def open_data_set(folder: Path) -> DataSet:
    """The data set in ``folder``.

    Raises
    ------
    BoxscoutError
        There is none, it is damaged, or of a newer version.
    """
    try:
        content = parse_json((folder / MADE).read_bytes())
        version = content.pop("boxscout")
        if not is_of_kind(version, "int") or version < 1:
            raise ValueError
        if version > VERSION:
            text = tr("“{name}” was made by a newer Boxscout. Update Boxscout to open it.")
            raise BoxscoutError(text.format(name=folder.name))
        made = Made(**content)
        if not _is_sane(made):
            raise ValueError
    except FileNotFoundError as error:
        text = tr("“{name}” is no data set: it has no {file}.")
        raise BoxscoutError(text.format(name=folder.name, file=MADE)) from error
    except OSError as error:
        text = tr("“{name}” cannot be read: {reason}.")
        raise BoxscoutError(text.format(name=folder.name, reason=os_reason(error))) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = tr("“{name}” is damaged: its {file} cannot be read.")
        raise BoxscoutError(text.format(name=folder.name, file=MADE)) from error
    return DataSet(folder, made)


def is_begun(folder: Path) -> bool:
    """Whether there is a data set in ``folder``, damaged ones included."""
    return (folder / MADE).is_file()


def _is_sane(made: Made) -> bool:
    words = made.where, made.localizer, made.features, made.runtime
    counts = made.images, made.shard, made.max_boxes
    threshold = 0.0 if made.threshold is None else made.threshold
    return (
        all(is_of_kind(word, "str") for word in words)
        and all(is_of_kind(count, "int") and count > 0 for count in counts)
        and (is_of_kind(threshold, "float") and 0 <= threshold <= MAX_THRESHOLD)
        and made.rule in RULES
    )


# --- shards -------------------------------------------------------------------------------------------


def shard_schema() -> Any:
    """Of a shard: one row for each image; no width, height and boxes where ``reason`` says why."""
    arrow = arrow_package()
    numbers = [(name, arrow.float64()) for name in (*_SIDES, "score")]
    box = arrow.struct([*numbers, ("label", arrow.string())])
    return arrow.schema(
        [
            ("image", arrow.int64()),
            ("name", arrow.string()),
            ("address", arrow.string()),
            ("width", arrow.int32()),
            ("height", arrow.int32()),
            ("reason", arrow.string()),
            ("no_object", arrow.float32()),
            ("boxes", arrow.list_(box)),
        ]
    )


def write_shard(path: Path, found: Sequence[Found]) -> None:
    """Write the images of one shard, whole or not at all.

    Raises
    ------
    BoxscoutError
        It cannot be written.
    """
    rows = [_row(one) for one in found]
    write_table(path, arrow_package().Table.from_pylist(rows, schema=shard_schema()))


def write_table(path: Path, table: Any) -> None:
    """A Parquet file that is whole once it has its name; BoxscoutError where it cannot be written."""
    buffer = BytesIO()
    parquet_package().write_table(table, buffer, compression="zstd")
    with _writing(path):
        write_atomically(path, buffer.getvalue())


def read_shard(path: Path) -> list[Found]:
    """What :func:`write_shard` wrote; BoxscoutError where it is damaged."""
    return [_found(row) for row in read_table(path, shard_schema()).to_pylist()]


def count_shard_file(path: Path) -> tuple[int, int, int]:
    """How many images, usable ones and boxes a shard has; BoxscoutError where it is damaged."""
    table = read_table(path, shard_schema())
    boxes = sum(len(chunk.flatten()) for chunk in table["boxes"].chunks)
    return table.num_rows, table["reason"].null_count, boxes


def read_table(path: Path, schema: Any) -> Any:
    """The table in a file; BoxscoutError where it is damaged or not of ``schema``."""
    try:
        table = parquet_package().read_table(BytesIO(path.read_bytes()), memory_map=False)
        if not table.schema.equals(schema):
            raise ValueError
    except (OSError, ValueError, arrow_package().ArrowException) as error:
        text = tr("“{name}” is damaged: delete it and start the same command again.")
        raise BoxscoutError(text.format(name=path)) from error
    return table


def rows_in(path: Path) -> int:
    """How many rows a Parquet file has by its end, which is written last; -1 where that is damaged."""
    try:
        return int(parquet_package().read_metadata(path).num_rows)
    except (OSError, ValueError, arrow_package().ArrowException):
        return -1


def _row(found: Found) -> dict[str, Any]:
    image = found.image
    is_usable = not image.reason
    boxes = [
        {
            **dict(zip(("x0", "y0", "x1", "y1"), one.box.sides, strict=True)),
            "score": one.score,
            "label": one.label,
        }
        for one in image.boxes
    ]
    return {
        "image": found.place,
        "name": image.name,
        "address": found.address,
        "width": image.width if is_usable else None,
        "height": image.height if is_usable else None,
        "reason": image.reason or None,
        "no_object": image.no_object,
        "boxes": boxes,
    }


def _found(row: dict[str, Any]) -> Found:
    boxes = tuple(
        BoxRecord(Box(*(one[side] for side in _SIDES)), one["label"], one["score"]) for one in row["boxes"]
    )
    reason = row["reason"] or ""
    image = ImageBoxes(
        row["name"],
        row["width"] or 0,
        row["height"] or 0,
        boxes,
        status=Status.FAILED if reason else Status.UNSEEN,
        reason=reason,
        no_object=row["no_object"],
    )
    return Found(row["image"], row["address"], image)


def arrow_package() -> Any:
    return needed("pyarrow", extra="scale", what=tr("Data sets"))


def parquet_package() -> Any:
    return needed("pyarrow.parquet", extra="scale", what=tr("Data sets"))


def _writing(path: Path) -> Any:
    return os_errors(BoxscoutError, tr("“{name}” cannot be written: {reason}."), name=path.name)
