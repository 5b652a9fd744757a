"""The numbers of docs/results.md are those of the raw files, and these follow from the boxes beside them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
RAW = ROOT / "benchmarks" / "results"
TEXT = (ROOT / "docs" / "results.md").read_text("utf-8")
SETS = {"Artiodactyla": "artiodactyla", "Bottle": "bottle", "Dog": "dog", "raccoon": "raccoon"}
TABLES = sorted(RAW.glob("table2-*/**/table2.json"))


def rows_below(heading: str) -> dict[str, list[str]]:
    """The cells of the first table below a heading, by their first word."""
    lines = TEXT.split(heading, 1)[1].split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    found = {}
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found[re.split(r"[ ,(]", cells[0])[0]] = cells[1:]
    return found


def percent(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']:.1f}"


def test_the_defaults_table_is_that_of_its_file() -> None:
    runs = json.loads((RAW / "default-val-framing.json").read_text())["runs"]
    for title, cells in rows_below("## Preset `scratch`, on validation images").items():
        reports = [run["report"] for run in runs if run["set"] == SETS[title]]
        assert cells[0] == ", ".join(percent(report["rows"][0]) for report in reports)
        mean = sum(report["rows"][0]["accuracy"] for report in reports) / len(reports)
        assert cells[1] == f"**{100 * mean:.1f}**"
        nearest = min(reports, key=lambda report: abs(report["rows"][0]["accuracy"] - mean))["rows"][0]
        assert cells[2] == f"{100 * nearest['low']:.1f} to {100 * nearest['high']:.1f}"
        r = [sum(report[name] for report in reports) / len(reports) for name in ("r_cx", "r_cy")]
        assert cells[3] == f"{r[0]:+.2f}, {r[1]:+.2f}"
        assert cells[5:9] == [percent(row) for row in reports[0]["rows"][1:]]


def test_the_published_table_is_that_of_its_file() -> None:
    content = json.loads((RAW / "table2-2000" / "table2.json").read_text())
    for title, cells in rows_below("## The published table at 2,000 steps").items():
        if title == "Bird":
            continue
        ours = [row for row in content["rows"] if row["set"] == SETS[title]]
        assert [row["method"] for row in ours] == ["dcgan", "dcgan-aug", "dragan", "cam"]
        reports = [row["accuracy"]["component"]["rows"] for row in ours]
        expected = [
            x for row, r in zip(ours, reports, strict=True) for x in (row["published"], percent(r[0]))
        ]
        assert cells == [*(str(x) for x in expected), *(percent(row) for row in reports[0][1:])]


def test_the_table_of_no_object_is_that_of_its_file() -> None:
    content = json.loads((RAW / "no-object-default.json").read_text())
    lines = TEXT.split("## Images without an object", 1)[1].replace("**", "").split("\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    cells = {first: others for first, *others in rows[:8]}
    sets = content["sets"]
    assert cells["pairs"][:6] == [str(len(one["photos"])) for one in sets]
    for which in ("odd", "even"):
        figures = [*(one["auc"][which] for one in sets), content["mean"][which]]
        shown = [f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})" for one in figures]
        assert cells[f"probability, {which}"] == [re.sub(r"\b0\.", ".", text) for text in shown]
        blind = [one["best blind"][which] for one in sets]
        shown = [f"{one['auc']:.2f} {one['name']}" for one in blind]
        shown += [f"{sum(one['auc'] for one in blind) / len(blind):.2f}"]
        assert cells[f"best blind figure, {which}"] == [re.sub(r"\b0\.", ".", text) for text in shown]
    above = []
    for one in sets:
        (pairs,) = one["probabilities"]
        empty, full = zip(*pairs, strict=True)
        won = [1.0 if e > f else 0.5 if e == f else 0.0 for e in empty for f in full]
        assert sum(won) / len(won) == pytest.approx(one["auc"]["whole"]["value"], abs=2e-3)  # of 4 decimals
        above.append([sum(p > 0.5 for p in side) / len(side) for side in (empty, full)])
    above.append([sum(side) / len(side) for side in zip(*above, strict=True)])
    shown = [f"{empty:.2f} / {full:.2f}".replace("0.", ".") for empty, full in above]
    assert cells["above .5, empty / full crops"] == shown


def iou(a: list[float], b: list[float]) -> float:
    """Of boxes whose ends both lie inside, as Tiny ImageNet has them."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return shared / (sum(areas) - shared)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: str(path.parent.relative_to(RAW)))
def test_raw_boxes_give_the_raw_numbers(path: Path, unzipped: Callable[[str], Path]) -> None:
    """By ``component``, whose edges are whole pixels; with nothing of the program's own."""
    truth = {}
    for line in (unzipped("tiny-imagenet-six") / "val" / "val_annotations.txt").read_text().splitlines():
        name, _, *ends = line.split("\t")
        truth[name] = [float(end) for end in ends]
    measured = 0
    for row in json.loads(path.read_text())["rows"]:
        if not row["accuracy"]:
            continue
        name = Path(row["boxes"]["component"]).name
        (file,) = {found for place in (path.parent, path.parents[1]) for found in place.glob(f"**/{name}")}
        right = 0
        with file.open(newline="", encoding="utf-8") as table:
            boxes = list(csv.DictReader(table))
        for one in boxes:
            x0, y0, x1, y1 = (float(one[side]) for side in ("xmin", "ymin", "xmax", "ymax"))
            right += iou([x0, y0, x1 - 1, y1 - 1], truth[Path(one["filename"]).name]) >= 0.5
        ours = row["accuracy"]["component"]["rows"][0]
        assert (right, len(boxes)) == (ours["correct"], ours["n"]), name
        measured += 1
    assert measured


def test_the_table_of_classes_is_that_of_its_file() -> None:
    rows = json.loads((RAW / "classes.json").read_text())["rows"]
    shown = rows_below("### Classes")
    assert list(shown) == [str(row["corrected"]) for row in rows]
    for row, cells in zip(rows, shown.values(), strict=True):
        known = row["boxes"], row["classes"]
        wanted = [f"{one['mean']:.1f} ({one['low']:.1f} to {one['high']:.1f})" for one in known]
        assert cells == [*wanted, f"{row['most frequent']['mean']:.1f}"]
