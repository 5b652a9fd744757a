"""The tables of Camtrap DP 1.0.2 and the file that describes them."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from core import __version__

_BASE = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2"
DEPLOYMENTS = (
    *("deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty"),
    *("deploymentStart", "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay"),
    *("cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading", "detectionDistance"),
    *("timestampIssues", "baitUse", "featureType", "habitat"),
    *("deploymentGroups", "deploymentTags", "deploymentComments"),
)
MEDIA = (
    *("mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName"),
    *("fileMediatype", "exifData", "favorite", "mediaComments"),
)
OBSERVATIONS = (
    *("observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd"),
    *("observationLevel", "observationType", "cameraSetupType", "scientificName", "count", "lifeStage"),
    *("sex", "behavior", "individualID", "individualPositionRadius", "individualPositionAngle"),
    *("individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight", "classificationMethod"),
    *("classifiedBy", "classificationTimestamp", "classificationProbability", "observationTags"),
    "observationComments",
)


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A CSV file in UTF-8 with all ``columns`` of the standard; what a row lacks is empty."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8")


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def package(
    name: str, deployments: Sequence[Mapping[str, Any]], observations: Sequence[Mapping[str, Any]]
) -> bytes:
    """``datapackage.json``: what the tables are, and the extent of what they hold."""
    days = [one[key][:10] for one in deployments for key in ("deploymentStart", "deploymentEnd")]
    species = sorted({str(one["scientificName"]) for one in observations if one.get("scientificName")})
    content = {
        "resources": [_resource(one) for one in ("deployments", "media", "observations")],
        "profile": f"{_BASE}/camtrap-dp-profile.json",
        "name": _slug(name),
        "created": datetime.now(timezone.utc).replace(microsecond=0).isoformat(),
        "title": name,
        "contributors": [{"title": f"Boxscout {__version__}", "role": "contributor"}],
        "project": {
            "title": name,
            "samplingDesign": "opportunistic",
            "captureMethod": ["activityDetection"],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "spatial": _extent(deployments),
        "temporal": {"start": min(days), "end": max(days)},
        "taxonomic": [{"scientificName": one} for one in species],
    }
    return (json.dumps(content, allow_nan=False, indent=1) + "\n").encode("ascii")


def _resource(name: str) -> dict[str, str]:
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": f"{_BASE}/{name}-table-schema.json",
    }


def _extent(deployments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Around all positions, as GeoJSON; the whole Earth where one is unknown."""
    if any(one["coordinateUncertainty"] for one in deployments):
        west, south, east, north = -180.0, -90.0, 180.0, 90.0
    else:
        across, down = ([float(one[side]) for one in deployments] for side in ("longitude", "latitude"))
        west, south, east, north = min(across), min(down), max(across), max(down)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "bbox": [west, south, east, north], "coordinates": [ring]}


def _slug(name: str) -> str:
    """A package's name: small letters, digits and ``-`` ``_`` ``.`` alone."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-.") or "boxscout"
