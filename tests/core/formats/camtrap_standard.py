"""Camtrap DP 1.0.2's table schemas, written down from https://camtrap-dp.tdwg.org/data/."""

from __future__ import annotations

from typing import Any

_TIME = "%Y-%m-%dT%H:%M:%S%z"
MISSING = ["", "NaN", "nan"]


def _field(name: str, kind: str = "string", **constraints: Any) -> dict[str, Any]:
    more = {"format": _TIME} if kind == "datetime" else {}
    return {"name": name, "type": kind, "constraints": {"required": False, **constraints}, **more}


def _key(name: str) -> dict[str, Any]:
    return _field(name, required=True, unique=True)


def _refers(field: str, resource: str) -> dict[str, Any]:
    return {"fields": [field], "reference": {"resource": resource, "fields": [field]}}


SCHEMAS: dict[str, dict[str, Any]] = {
    "deployments": {
        "fields": [
            _key("deploymentID"),
            _field("locationID"),
            _field("locationName"),
            _field("latitude", "number", required=True, minimum=-90, maximum=90),
            _field("longitude", "number", required=True, minimum=-180, maximum=180),
            _field("coordinateUncertainty", "integer", minimum=1),
            _field("deploymentStart", "datetime", required=True),
            _field("deploymentEnd", "datetime", required=True),
            _field("setupBy"),
            _field("cameraID"),
            _field("cameraModel"),
            _field("cameraDelay", "integer", minimum=0),
            _field("cameraHeight", "number", minimum=0),
            _field("cameraDepth", "number", minimum=0),
            _field("cameraTilt", "integer", minimum=-90, maximum=90),
            _field("cameraHeading", "integer", minimum=0, maximum=360),
            _field("detectionDistance", "number", minimum=0),
            _field("timestampIssues", "boolean"),
            _field("baitUse", "boolean"),
            _field("featureType"),
            _field("habitat"),
            _field("deploymentGroups"),
            _field("deploymentTags"),
            _field("deploymentComments"),
        ],
        "missingValues": MISSING,
        "primaryKey": ["deploymentID"],
    },
    "media": {
        "fields": [
            _key("mediaID"),
            _field("deploymentID", required=True),
            _field("captureMethod", enum=["activityDetection", "timeLapse"]),
            _field("timestamp", "datetime", required=True),
            _field("filePath", required=True, pattern=r"^(?=^[^./~])(^((?!\.{2}).)*$).*$"),
            _field("filePublic", "boolean", required=True),
            _field("fileName"),
            _field("fileMediatype", required=True, pattern=r"^(image|video|audio)/.*$"),
            _field("exifData", "object"),
            _field("favorite", "boolean"),
            _field("mediaComments"),
        ],
        "missingValues": MISSING,
        "primaryKey": ["mediaID"],
        "foreignKeys": [_refers("deploymentID", "deployments")],
    },
    "observations": {
        "fields": [
            _key("observationID"),
            _field("deploymentID", required=True),
            _field("mediaID"),
            _field("eventID"),
            _field("eventStart", "datetime", required=True),
            _field("eventEnd", "datetime", required=True),
            _field("observationLevel", required=True, enum=["media", "event"]),
            _field(
                "observationType",
                required=True,
                enum=["animal", "human", "vehicle", "blank", "unknown", "unclassified"],
            ),
            _field("cameraSetupType", enum=["setup", "calibration"]),
            _field("scientificName"),
            _field("count", "integer", minimum=1),
            _field("lifeStage", enum=["adult", "subadult", "juvenile"]),
            _field("sex", enum=["female", "male"]),
            _field("behavior"),
            _field("individualID"),
            _field("individualPositionRadius", "number", minimum=0),
            _field("individualPositionAngle", "number", minimum=-90, maximum=90),
            _field("individualSpeed", "number", minimum=0),
            _field("bboxX", "number", minimum=0, maximum=1),
            _field("bboxY", "number", minimum=0, maximum=1),
            _field("bboxWidth", "number", minimum=1e-15, maximum=1),
            _field("bboxHeight", "number", minimum=1e-15, maximum=1),
            _field("classificationMethod", enum=["human", "machine"]),
            _field("classifiedBy"),
            _field("classificationTimestamp", "datetime"),
            _field("classificationProbability", "number", minimum=0, maximum=1),
            _field("observationTags"),
            _field("observationComments"),
        ],
        "missingValues": MISSING,
        "primaryKey": ["observationID"],
        "foreignKeys": [_refers("deploymentID", "deployments"), _refers("mediaID", "media")],
    },
}
#: What the profile asks of ``datapackage.json`` beyond a data package.
PROFILE: dict[str, Any] = {
    "type": "object",
    "required": [
        "resources",
        "profile",
        "created",
        "contributors",
        "project",
        "spatial",
        "temporal",
        "taxonomic",
    ],
    "properties": {
        "profile": {"pattern": r"1\.0\.2/camtrap-dp-profile\.json$"},
        "name": {"pattern": r"^([-a-z0-9._/])+$"},
        "created": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$"},
        "contributors": {"type": "array", "minItems": 1, "items": {"required": ["title"]}},
        "resources": {
            "minItems": 3,
            "items": {
                "required": ["name", "path", "profile", "schema"],
                "properties": {
                    "profile": {"const": "tabular-data-resource"},
                    "schema": {"pattern": r"1\.0\.2"},
                },
            },
        },
        "project": {
            "required": ["title", "samplingDesign", "captureMethod", "individualAnimals", "observationLevel"],
            "properties": {
                "samplingDesign": {
                    "enum": [
                        "simpleRandom",
                        "systematicRandom",
                        "clusteredRandom",
                        "experimental",
                        "targeted",
                        "opportunistic",
                    ]
                },
                "captureMethod": {
                    "type": "array",
                    "minItems": 1,
                    "uniqueItems": True,
                    "items": {"enum": ["activityDetection", "timeLapse"]},
                },
                "individualAnimals": {"type": "boolean"},
                "observationLevel": {"type": "array", "items": {"enum": ["media", "event"]}},
            },
        },
        "spatial": {"required": ["type", "coordinates"], "properties": {"type": {"const": "Polygon"}}},
        "temporal": {
            "required": ["start", "end"],
            "properties": {
                "start": {"pattern": r"^\d{4}-\d\d-\d\d$"},
                "end": {"pattern": r"^\d{4}-\d\d-\d\d$"},
            },
        },
        "taxonomic": {"type": "array", "items": {"required": ["scientificName"]}},
    },
}
