"""Boxes of a Camtrap DP package: observations of single images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.base.annotations import ImageBoxes, Source, Status
from core.base.language import tr
from core.formats.files import read_table, wrong
from core.formats.gather import Gathered, ReadOptions, box_of, numbers, share, told_or_failed

_DESCRIBES, _MEDIA, _OBSERVATIONS = "datapackage.json", "media.csv", "observations.csv"
_BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
_CLASS = "class:"


def lies_at(path: Path) -> bool:
    """Whether ``path`` is a package, or the file that describes one."""
    folder = path.parent if path.name == _DESCRIBES else path
    return all((folder / name).is_file() for name in (_DESCRIBES, _MEDIA, _OBSERVATIONS))


def read(path: Path, options: ReadOptions | None) -> list[ImageBoxes]:
    """The images of a package with the boxes of its observations, as shares of sizes that it does not tell.

    A box without a name has the type of its observation for a class, ``animal`` as a rule.

    Raises
    ------
    FormatError
        A table cannot be read.
    """
    options = options or ReadOptions()
    folder = path.parent if path.name == _DESCRIBES else path
    gathered = Gathered(folder / _OBSERVATIONS, options.told)
    observed = _rows(folder / _OBSERVATIONS, "observationType", *_BOX)
    blank = {row.get("mediaID", ""): _is_by_person(row) for _, row in observed if _is_blank(row)}
    boxed = {row.get("mediaID", "") for _, row in observed if _has_box(row)}
    names: dict[str, str] = {}
    for _, row in _rows(folder / _MEDIA, "mediaID", "filePath"):
        key = row["mediaID"]
        if key not in blank and key not in boxed:  # what it shows, nobody has said
            continue
        status = Status.NO_OBJECT if blank.get(key) and key not in boxed else Status.UNSEEN
        if name := gathered.image(row["filePath"] or row.get("fileName", ""), status=status):
            names[key] = name
    for line, row in observed:
        if not _has_box(row):
            continue
        where = tr("line {number}").format(number=line)
        if (image := names.get(row.get("mediaID", ""))) is None:
            what = tr("{name} has a box for an image that it does not list: {key}.")
            options.told.box(what.format(name=_OBSERVATIONS, key=row.get("mediaID", "")[:80] or "?"))
            continue
        box = box_of(numbers([row[side] for side in _BOX], len(_BOX)))
        gathered.box(
            image, box, _class(row), where=where, shares=True,
            score=share(row.get("classificationProbability")),
            source=Source.EDITED if _is_by_person(row) else Source.AUTO,
        )  # fmt: skip
    return told_or_failed(gathered.images(), options.told)


def _rows(file: Path, *needed: str) -> list[tuple[int, Mapping[str, str]]]:
    """The rows of a table by its columns, each with its line."""
    table = read_table(file)
    columns = [cell.strip() for cell in table.rows[0][1]] if table.rows else []
    if missing := [name for name in needed if name not in columns]:
        raise wrong(tr("{name} has no column {names}."), file, names=", ".join(missing))
    return [
        (line, dict(zip(columns, [*row, *[""] * (len(columns) - len(row))], strict=False)))
        for line, row in table.rows[1:]
    ]


def _has_box(row: Mapping[str, str]) -> bool:
    return any(row[side].strip() for side in _BOX)


def _is_blank(row: Mapping[str, str]) -> bool:
    return row["observationType"].strip() == "blank"


def _is_by_person(row: Mapping[str, str]) -> bool:
    return row.get("classificationMethod") == "human"


def _class(row: Mapping[str, str]) -> str | None:
    tags = [tag.strip() for tag in row.get("observationTags", "").split("|")]
    own = next((tag.removeprefix(_CLASS) for tag in tags if tag.startswith(_CLASS)), "")
    kind = row["observationType"].strip()
    return row.get("scientificName", "").strip() or own or (kind if kind != "unclassified" else None)
