"""Camtrap DP, judged by frictionless and the standard's own schemas."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from camtrap_standard import PROFILE, SCHEMAS
from formats_support import image, record
from frictionless import Package, system

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.formats import WRITTEN, WriteOptions, export
from core.formats.camtrap import ANYWHERE
from core.formats.reading import read_truth

CAMTRAP = WRITTEN["camtrap-dp"]


def complaints(folder: Path) -> list[str]:
    """What frictionless finds, by the standard's schemas and those keys that tie tables to one another."""
    describes = json.loads((folder / "datapackage.json").read_text())
    jsonschema.validate(describes, PROFILE)
    for resource in describes["resources"]:
        assert resource["schema"].endswith(f"/1.0.2/{resource['name']}-table-schema.json")
        resource["schema"] = SCHEMAS[resource["name"]]
    del describes["profile"]  # an address, which no test asks
    with system.use_context(trusted=True):
        report = Package.from_descriptor(describes, basepath=str(folder)).validate()
    return [f"{task.name}: {error.message}" for task in report.tasks for error in task.errors] + [
        error.message for error in report.errors
    ]


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / f"{name}.csv").read_text("utf-8").splitlines()))


def season() -> list[ImageBoxes]:
    """Two cameras: boxes of several kinds, a blank, one that nobody has looked at, one without a time."""
    fox = BoxRecord(Box(4, 3, 20, 15), "Vulpes vulpes", 0.8)
    by_hand = BoxRecord(Box(0, 0, 40, 30), "red fox", source=Source.EDITED)
    someone = record(1, 1, 9, 9, label="person")
    zone = "2024-05-01T06:30:12.250+02:00"
    return [
        replace(image("a/DCIM/100RECNX/1.jpg", fox, by_hand), taken=zone, position=(52.52, 13.405)),
        replace(image("a/DCIM/101RECNX/2.jpg", someone), taken="2024-05-03T01:00:00+02:00"),
        replace(image("b/3.jpg", status=Status.NO_OBJECT), taken="2024-06-01T12:00:00"),
        image("b/4 ö.jpg"),
        image("b/5.heic", record(2, 2, 8, 8)),
    ]


@pytest.mark.parametrize("with_gps", [False, True])
def test_a_package_is_valid_and_comes_back(tmp_path: Path, with_gps: bool) -> None:
    images, out = season(), tmp_path / "Müritz 2024"
    summary = export(images, out, format=CAMTRAP, options=WriteOptions(with_gps=with_gps))
    assert complaints(out) == []
    assert (summary.images, summary.boxes) == (5, 4)
    assert any(("0, 0" in line) for line in summary.lines())
    back = {one.name: one for one in read_truth(out)}
    known = {one.name: len(one.boxes) for one in images if one.name != "b/4 ö.jpg"}  # nobody looked at it
    assert {name: len(one.boxes) for name, one in back.items()} == known
    assert [name for name, one in back.items() if one.status is Status.NO_OBJECT] == ["b/3.jpg"]
    found = back["a/DCIM/100RECNX/1.jpg"].in_pixels(40, 30).boxes
    assert [one.label for one in found] == ["Vulpes vulpes", "red fox"]
    assert found[0].box.sides == pytest.approx((4, 3, 20, 15))
    assert read_truth(out / "datapackage.json") == list(back.values())
    alone = {one.name: len(one.boxes) for one in read_truth(out / "observations.csv")}
    assert alone == {one.name: len(one.boxes) for one in images}


def test_what_the_tables_say(tmp_path: Path) -> None:
    export(season(), tmp_path / "p", format=CAMTRAP, options=WriteOptions(with_gps=True))
    first, second = rows(tmp_path / "p", "deployments")
    assert (first["deploymentID"], second["deploymentID"]) == ("a", "b")
    assert (float(first["latitude"]), float(first["longitude"])) == (52.52, 13.405)
    assert (first["coordinateUncertainty"], int(second["coordinateUncertainty"])) == ("", ANYWHERE)
    assert first["deploymentStart"] == "2024-05-01T06:30:12+02:00"
    assert first["deploymentEnd"] == "2024-05-03T01:00:00+02:00"
    assert (first["timestampIssues"], second["timestampIssues"]) == ("false", "true")
    observed = rows(tmp_path / "p", "observations")
    assert [one["observationType"] for one in observed] == [
        "animal", "animal", "human", "blank", "unclassified", "unclassified"
    ]  # fmt: skip
    assert [one["scientificName"] for one in observed[:2]] == ["Vulpes vulpes", ""]
    assert [one["observationTags"] for one in observed[:3]] == ["", "class:red fox", ""]
    methods = [one["classificationMethod"] for one in observed]
    assert methods == ["machine", "human", "machine", "human", "", "machine"]
    assert observed[0]["classifiedBy"].startswith("Boxscout ")
    assert [one["classificationProbability"] for one in observed[:2]] == ["0.8", ""]
    box = [float(observed[0][side]) for side in ("bboxX", "bboxY", "bboxWidth", "bboxHeight")]
    assert box == pytest.approx([0.1, 0.1, 0.4, 0.4])
    assert all(one["observationLevel"] == "media" for one in observed)
    media = rows(tmp_path / "p", "media")
    assert [one["fileMediatype"] for one in media][-1] == "image/heic"
    assert {one["mediaComments"] != "" for one in media[3:]} == {True}


def test_places_stay_at_home_unless_asked_for(tmp_path: Path) -> None:
    export(season(), tmp_path / "p", format=CAMTRAP)
    for row in rows(tmp_path / "p", "deployments"):
        assert (row["latitude"], row["longitude"], int(row["coordinateUncertainty"])) == ("0", "0", ANYWHERE)
    text = "".join(file.read_text("utf-8") for file in (tmp_path / "p").iterdir())
    assert "52.52" not in text
    assert "13.405" not in text


def test_boxes_of_no_class_are_animals_where_a_person_says_so(tmp_path: Path) -> None:
    images = [image("b/5.jpg", record(2, 2, 8, 8))]
    for animal, wanted in ((False, "unclassified"), (True, "animal")):
        export(images, tmp_path / wanted, format=CAMTRAP, options=WriteOptions(animal=animal))
        assert [one["observationType"] for one in rows(tmp_path / wanted, "observations")] == [wanted]
        assert complaints(tmp_path / wanted) == []


def test_names_that_the_standard_refuses_are_left_out_and_told(tmp_path: Path) -> None:
    images = [image("a..b.jpg", record(2, 2, 8, 8)), image("c.jpg", record(2, 2, 8, 8))]
    summary = export(images, tmp_path / "p", format=CAMTRAP)
    assert complaints(tmp_path / "p") == []
    assert [one.name for one in summary.skipped] == ["a..b.jpg"]


def test_frictionless_would_complain(tmp_path: Path) -> None:
    """A package with a box that sticks out, so that a silent validator is noticed."""
    export(season(), tmp_path / "p", format=CAMTRAP)
    file = tmp_path / "p/observations.csv"
    file.write_text(file.read_text("utf-8").replace(",0.1,0.1,", ",0.1,1.1,", 1), "utf-8")
    assert complaints(tmp_path / "p") != []


def test_a_package_with_odd_rows_gives_the_rest(tmp_path: Path) -> None:
    export(season(), tmp_path / "p", format=CAMTRAP)
    file = tmp_path / "p/observations.csv"
    lines = file.read_text("utf-8").splitlines()
    lines[1] = lines[1].replace("a/DCIM/100RECNX/1.jpg", "nobody.jpg")
    lines[3] = lines[3].replace(",0.025,", ",x,")
    file.write_text("\n".join(lines), "utf-8")
    assert sum(len(one.boxes) for one in read_truth(tmp_path / "p")) == 2
    (tmp_path / "p/media.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match="mediaID"):
        read_truth(tmp_path / "p")
