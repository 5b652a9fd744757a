"""Times of photos in a project, and that their places leave only where asked for."""

from __future__ import annotations

import csv
import json
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import BoxRecord
from core.base.geometry import Box
from core.formats import WRITTEN, WriteOptions, export
from core.project.exchange import exportable
from core.project.store import Project
from core.project.taken import positions, read_times, taken_facts, taken_times
from core.project.workflow import add_folders
from core.setup.diagnostics import write_diagnostics

NORTH, EAST = (52, 31, 12.34), (13, 24, 17.89)
DEGREES = tuple(sum(part / 60**i for i, part in enumerate(side)) for side in (NORTH, EAST))
# The seconds as EXIF holds them, and the degrees as any text would.
TRACES = (struct.pack("<2I", 617, 50), struct.pack(">2I", 617, 50), b"52.52", b"13.40")


def _photo(path: Path, time: str, *, placed: bool) -> None:
    exif = Image.Exif()
    if time:
        exif.get_ifd(0x8769)[0x9003] = time
    if placed:
        exif.get_ifd(0x8825).update({1: "N", 2: NORTH, 3: "E", 4: EAST})
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((30, 40, 3), 90, np.uint8)).save(path, exif=exif)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    photos = tmp_path / "photos"
    _photo(photos / "a.jpg", "2024:05:01 06:30:12", placed=True)
    _photo(photos / "b.jpg", "2023:12:24 18:00:00", placed=False)
    _photo(photos / "c.jpg", "", placed=False)
    with Project.open_or_create(tmp_path / "p.boxscout") as made:
        records = add_folders(made, [photos])
        for record in records:
            made.set_boxes(record.id, [BoxRecord(Box(1, 2, 30, 20))])
        made.set_sizes({record.id: (40, 30) for record in records})
        yield made


def test_headers_are_read_once_and_again_where_the_file_changes(project: Project, tmp_path: Path) -> None:
    assert len(read_times(project)) == 3
    assert read_times(project) == {}
    names = {record.id: record.name for record in project.images()}
    times = {names[i]: time for i, time in taken_times(project).items()}
    assert times == {"a.jpg": "2024-05-01T06:30:12", "b.jpg": "2023-12-24T18:00:00"}
    facts = taken_facts(project)
    assert facts.seconds.tolist()[:2] == [1714545012, 1703440800]
    assert np.isnan(facts.seconds[2])
    assert facts.placed.tolist() == [True, False, False]
    _photo(tmp_path / "photos/c.jpg", "2020:01:01 00:00:00", placed=True)
    add_folders(project, [tmp_path / "photos"])
    assert [one.time for one in read_times(project).values()] == ["2020-01-01T00:00:00"]


def test_a_photo_that_is_away_is_asked_again(project: Project, tmp_path: Path) -> None:
    away = tmp_path / "photos/a.jpg"
    away.rename(tmp_path / "a.jpg")
    assert len(read_times(project)) == 2
    (tmp_path / "a.jpg").rename(away)
    assert [one.time for one in read_times(project).values()] == ["2024-05-01T06:30:12"]


def test_a_table_and_coco_say_when_and_a_table_where_if_asked(project: Project, tmp_path: Path) -> None:
    for with_gps in (False, True):
        images, sources = exportable(project, with_gps=with_gps)
        out = tmp_path / f"{with_gps}.csv"
        export(images, out, format=WRITTEN["csv"], options=WriteOptions(sources=sources, with_gps=with_gps))
        rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
        assert [row["captured"] for row in rows] == ["2024-05-01T06:30:12", "2023-12-24T18:00:00", ""]
        assert ("latitude" in rows[0]) is with_gps
    found = [(float(row["latitude"]), float(row["longitude"])) for row in rows if row["latitude"]]
    assert found == [pytest.approx(DEGREES, abs=1e-6)]
    images, _ = exportable(project)
    export(images, tmp_path / "c.json", format=WRITTEN["coco"])
    entries = json.loads((tmp_path / "c.json").read_text())["images"]
    assert [one.get("date_captured") for one in entries] == [
        "2024-05-01 06:30:12", "2023-12-24 18:00:00", None
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(WRITTEN))
@pytest.mark.parametrize("link", [False, True])
def test_no_export_says_where_unasked(project: Project, tmp_path: Path, name: str, link: bool) -> None:
    assert any(trace in (tmp_path / "photos/a.jpg").read_bytes() for trace in TRACES)
    images, sources = exportable(project)
    out = tmp_path / "out" / f"boxes{WRITTEN[name].suffix}"
    out.parent.mkdir()
    # Also where somebody hands a writer what nobody asked for.
    place = {0: (DEGREES[0], DEGREES[1])}
    images = [replace(one, position=place.get(i)) for i, one in enumerate(images)]
    export(images, out, format=WRITTEN[name], options=WriteOptions(sources=sources, link=link))
    written = [file for file in out.parent.rglob("*") if file.is_file()]
    assert written
    for file in written:
        assert not any(trace in file.read_bytes() for trace in TRACES), file


def test_a_copy_that_is_asked_for_keeps_it(project: Project, tmp_path: Path) -> None:
    images, sources = exportable(project, with_gps=True)
    options = WriteOptions(sources=sources, with_gps=True)
    export(images, tmp_path / "yolo", format=WRITTEN["yolo"], options=options)
    copy = tmp_path / "yolo/images/train/a.jpg"
    assert copy.read_bytes() == (tmp_path / "photos/a.jpg").read_bytes()


def test_project_its_copy_and_diagnostics_hold_no_place(project: Project, tmp_path: Path) -> None:
    read_times(project)
    assert positions(project.images()) != {}
    project.backup(tmp_path / "copy.boxscout")
    project.close()
    log = tmp_path / "state" / "boxscout.log"
    log.parent.mkdir()
    log.write_text("started\n")
    write_diagnostics(tmp_path / "d.zip", log=log, home=tmp_path)
    texts = {"copy": (tmp_path / "copy.boxscout").read_bytes()}
    texts |= {file.name: file.read_bytes() for file in tmp_path.glob("p.boxscout*") if file.is_file()}
    with zipfile.ZipFile(tmp_path / "d.zip") as archive:
        texts |= {name: archive.read(name) for name in archive.namelist()}
    doubles = [struct.pack(order + "d", degrees) for order in "<>" for degrees in map(_kept, DEGREES)]
    for name, text in texts.items():
        assert not any(trace in text for trace in (*TRACES, *doubles)), name


def _kept(degrees: float) -> float:
    return round(degrees, 7)
