"""Camtrap DP 1.0.2: camera traps' data as a package of tables, which GBIF and the R packages read.

Source: https://camtrap-dp.tdwg.org. A folder of images is a deployment, a box an observation of its image.
What the standard asks for and no image tells is written as the standard allows, and told
(docs/decisions/0030-camtrap-dp.md).
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

from core import __version__
from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Source, Status
from core.base.language import mark, tr
from core.formats.camtrap_reading import lies_at, read
from core.formats.camtrap_tables import DEPLOYMENTS, MEDIA, OBSERVATIONS, package, table
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    Prepared,
    WriteOptions,
    no_size,
    not_text,
    prepare,
    same_boxes,
)
from core.formats.folders import each, new_folder, read_back, write_file

_DOTS = mark("its name has two dots in a row, or begins with a dot or “~”, which Camtrap DP does not allow")
# Folders that a camera makes for itself (DCF): the next thousand photos begin another one.
_CAMERAS_OWN = re.compile(r"^(?:DCIM|\d{3}[A-Z0-9_]{5})$", re.IGNORECASE)
_TYPES = {"person": "human", "human": "human", "people": "human", "vehicle": "vehicle", "blank": "blank"}
_TWO_NAMES = re.compile(r"^[A-Z][a-z]+ [a-z][a-z-]+$")
#: Metres of the circle around 0, 0 that holds all of the Earth: half its circumference (WGS 84).
ANYWHERE = 20_037_509
_WITHIN = 1e-3  # pixels


@dataclass(frozen=True, slots=True)
class _Shot:
    """An image with its deployment, and when it was taken; ``sure`` where its EXIF says so with a zone."""

    image: ImageBoxes
    deployment: str
    time: datetime
    sure: bool


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path`` with ``datapackage.json`` and the tables deployments, media and observations.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare(images, unfit=lambda image: not_text(image) or no_size(image) or _unfit(image.name))
    shots = [_shot(image, options) for image in each(prepared.images, options.on_file)]
    deployments = _deployments(shots, with_gps=options.with_gps)
    observations = _observations(shots, options)
    with new_folder(path) as folder:
        for name, columns, rows in (
            ("deployments", DEPLOYMENTS, deployments),
            ("media", MEDIA, [_media(shot) for shot in shots]),
            ("observations", OBSERVATIONS, observations),
        ):
            write_file(folder / f"{name}.csv", table(columns, rows))
        write_file(folder / "datapackage.json", package(path.name, deployments, observations))
        read_back(path, _matches(read(folder, None), prepared))
    return prepared.summary(path, len(shots), *_notes(shots, deployments))


def _unfit(name: str) -> str:
    return tr(_DOTS) if ".." in name or name.startswith((".", "/", "~")) else ""


def _shot(image: ImageBoxes, options: WriteOptions) -> _Shot:
    source = options.sources.get(image.name)
    folders = image.name.split("/")[:-1]
    while folders and _CAMERAS_OWN.match(folders[-1]):
        folders.pop()
    outside = source.parent.name if source is not None else ""
    deployment = "/".join(folders) or outside or "1"
    if not image.taken:
        return _Shot(image, deployment, _changed(source), sure=False)
    time = datetime.fromisoformat(image.taken)
    if time.tzinfo is None:  # the camera's clock, of no zone that is known
        return _Shot(image, deployment, time.replace(tzinfo=timezone.utc), sure=False)
    return _Shot(image, deployment, time, sure=True)


def _changed(source: Path | None) -> datetime:
    """When a file was last changed: all that is known of a photo without EXIF."""
    try:
        seconds = source.stat().st_mtime if source is not None else 0.0
    except OSError:
        seconds = 0.0
    return datetime.fromtimestamp(seconds, timezone.utc)


def _deployments(shots: Sequence[_Shot], *, with_gps: bool) -> list[dict[str, Any]]:
    found: dict[str, list[_Shot]] = {}
    for shot in shots:
        found.setdefault(shot.deployment, []).append(shot)
    rows = []
    for name, own in found.items():
        times = [shot.time for shot in own]
        places = [shot.image.position for shot in own if shot.image.position is not None and with_gps]
        north, east = (median(side) for side in zip(*places, strict=True)) if places else (0, 0)
        rows.append({
            "deploymentID": name, "locationID": name, "locationName": name,
            "latitude": north, "longitude": east,
            "coordinateUncertainty": None if places else ANYWHERE,
            "deploymentStart": _iso(min(times)), "deploymentEnd": _iso(max(times)),
            "timestampIssues": not all(shot.sure for shot in own),
        })  # fmt: skip
    return rows


def _media(shot: _Shot) -> dict[str, Any]:
    name = shot.image.name
    kind = mimetypes.guess_type(name.lower())[0] or ""
    return {
        "mediaID": name,
        "deploymentID": shot.deployment,
        "timestamp": _iso(shot.time),
        "filePath": name,
        "filePublic": False,
        "fileName": name.rpartition("/")[2],
        "fileMediatype": kind if kind.startswith("image/") else "image/jpeg",
        "mediaComments": "" if shot.image.taken else "timestamp is that of the file",
    }


def _observations(shots: Sequence[_Shot], options: WriteOptions) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for shot in shots:
        of_image = _of_boxes(shot, options) or [_without_box(shot.image)]
        for own in of_image:
            rows.append({
                "observationID": str(len(rows) + 1),
                "deploymentID": shot.deployment,
                "mediaID": shot.image.name,
                "eventStart": _iso(shot.time), "eventEnd": _iso(shot.time),
                "observationLevel": "media",
                **own,
            })  # fmt: skip
    return rows


def _without_box(image: ImageBoxes) -> dict[str, Any]:
    """Blank where a person has said so; of any other nobody knows."""
    if image.status is Status.NO_OBJECT:
        return {"observationType": "blank", "classificationMethod": "human"}
    return {"observationType": "unclassified"}


def _of_boxes(shot: _Shot, options: WriteOptions) -> list[dict[str, Any]]:
    return [
        {**_class(one.label, options), **_box(shot.image, one), **_by_whom(shot.image, one)}
        for one in shot.image.boxes
    ]


def _class(label: str, options: WriteOptions) -> dict[str, Any]:
    """What a class is to the standard: an animal, unless it is known to be something else.

    A box of no class of its own is one only where the person says so.
    """
    name = label.strip()
    if name in ("", DEFAULT_LABEL):
        return {"observationType": "animal" if options.animal else "unclassified"}
    kind = _TYPES.get(name.casefold(), "animal")
    row: dict[str, Any] = {"observationType": kind}
    if kind == "animal" and _TWO_NAMES.match(name):
        row["scientificName"] = name
    elif name.casefold() not in (*_TYPES, "animal"):
        row["observationTags"] = f"class:{name.replace('|', '/')}"
    return row


def _box(image: ImageBoxes, record: BoxRecord) -> dict[str, Any]:
    box = record.box.scaled(1 / image.width, 1 / image.height).clamped(1.0, 1.0)
    return {
        "bboxX": box.x0, "bboxY": box.y0,
        "bboxWidth": min(box.width, 1 - box.x0), "bboxHeight": min(box.height, 1 - box.y0),
    }  # fmt: skip


def _by_whom(image: ImageBoxes, record: BoxRecord) -> dict[str, Any]:
    if record.source is Source.EDITED or image.status is Status.ACCEPTED:
        return {"classificationMethod": "human"}
    score = None if record.score is None else min(max(float(record.score), 0.0), 1.0)
    return {
        "classificationMethod": "machine",
        "classifiedBy": f"Boxscout {__version__}",
        "classificationProbability": score,
    }


def _iso(time: datetime) -> str:
    return time.replace(microsecond=0).isoformat()


def _matches(found: Sequence[ImageBoxes], prepared: Prepared) -> bool:
    boxes = {one.name: one for one in found}
    said = [one for one in prepared.images if one.boxes or one.status is Status.NO_OBJECT]
    return boxes.keys() == {image.name for image in said} and all(
        _same(boxes[image.name].in_pixels(image.width, image.height), image) for image in said
    )


def _same(found: ImageBoxes, image: ImageBoxes) -> bool:
    """Classes have other names there: boxes alone are compared."""
    plain = [BoxRecord(one.box) for one in found.boxes]
    return same_boxes(plain, [BoxRecord(one.box) for one in image.boxes], within=_WITHIN)


def _notes(shots: Sequence[_Shot], deployments: Sequence[Mapping[str, Any]]) -> list[str]:
    missing = []
    if any(one["coordinateUncertainty"] == ANYWHERE for one in deployments):
        missing.append(tr("where its cameras stood (written as 0, 0 ± the whole Earth)"))
    if any(one["timestampIssues"] for one in deployments):
        missing.append(tr("the zone of its clocks, or the time itself (marked as timestampIssues)"))
    missing.append(tr("the names of its people, the sampling design and how photos were released"))
    text = tr("Complete the package before you publish it, which does not know: {missing}.")
    return [text.format(missing="; ".join(missing))]


FORMAT = Format(
    name="camtrap-dp",
    title="Camtrap DP",
    help=mark("A package of tables for camera traps: GBIF, camtrapdp, Agouti. One deployment per folder."),
    suffix="",
    write=write,
    layout=lies_at,
    read_layout=read,
    names_itself=True,
    own=("animal", "with_gps"),
)
