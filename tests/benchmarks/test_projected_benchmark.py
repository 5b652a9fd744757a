"""The benchmark of the projected discriminator measures what it says, and goes on where it was stopped."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from core.boxes.overlap import Truth
from core.formats.reading import read_truth
from core.learn import checkpoint

XML = (
    "<annotation><filename>{name}</filename><size><width>40</width><height>30</height><depth>3</depth></size>"
    "<object><name>disc</name><bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>25</ymax></bndbox></object>"
    "</annotation>"
)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks" / "accuracy"))
        import projected  # type: ignore[import-not-found]

        return projected  # type: ignore[no-any-return]


def _bench(benchmark: ModuleType) -> object:
    """Two images of 64 x 64 px whose object is the square from 16 to 48."""
    boxes = np.array([[16.0, 16, 48, 48]] * 2)
    truth = Truth(boxes, np.array([0, 1]), np.full((2, 2), 64.0))
    return benchmark.Bench("two", np.zeros((2, 64, 64, 3), np.uint8), truth, benchmark._inside(truth))


def test_maps_of_the_very_object_are_worth_everything_and_their_opposite_nothing(
    benchmark: ModuleType,
) -> None:
    bench = _bench(benchmark)
    assert bench.inside.sum() == 2 * 32 * 32
    heat = np.where(bench.inside, 1.0, -1.0).astype(np.float32)
    assert benchmark.figures(bench, heat) == {
        "corloc_own": 1.0, "corloc_half": 1.0, "corloc_fitted": 1.0, "auc": 1.0, "pointing": 1.0,
    }  # fmt: skip
    worst = benchmark.figures(bench, -heat)
    assert worst["auc"] == worst["pointing"] == 0.0


def test_a_map_is_cut_at_its_own_zero(benchmark: ModuleType) -> None:
    """Faint heat around the object is below 0 in one map and above it in the other."""
    bench = _bench(benchmark)
    around = np.zeros_like(bench.inside)
    around[:, 4:60, 4:60] = True
    heat = np.where(bench.inside, 1.0, np.where(around, 0.2, -1.0)).astype(np.float32)
    assert benchmark.figures(bench, heat - 0.4)["corloc_own"] == 1.0
    assert benchmark.figures(bench, heat)["corloc_own"] == 0.0


def test_differences_are_of_the_same_set_and_seed(benchmark: ModuleType) -> None:
    def run(name: str, seed: int, way: str, worth: float) -> dict[str, object]:
        maps = {"both": ("object", "sum"), "object": ("object",)}[way]
        row = dict.fromkeys(("corloc_own", "corloc_half", "corloc_fitted", "auc", "pointing"), worth)
        return {"set": name, "seed": seed, "way": way, "measured": [{"maps": dict.fromkeys(maps, row)}]}

    runs = [run("a", 0, "object", 0.5), run("a", 0, "both", 0.6), run("b", 1, "object", 0.1)]
    runs += [run("b", 1, "both", 0.4), run("c", 0, "both", 0.9)]
    found = benchmark.answers(runs)["does training for real help the object's map"]["corloc_half"]
    assert (found["points"], found["n"]) == (20.0, 2)
    assert found["half_interval"] == pytest.approx(12.706 * 10, rel=1e-3)  # Student's t of one degree


def test_it_goes_on_where_it_was_stopped(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, data = np.random.default_rng(0), tmp_path / "data"
    (data / "discs" / "images").mkdir(parents=True)
    (data / "discs" / "annotations").mkdir()
    for i in range(8):
        Image.fromarray(rng.integers(0, 255, (30, 40, 3), np.uint8)).save(
            data / "discs" / "images" / f"{i}.png"
        )
        (data / "discs" / "annotations" / f"{i}.xml").write_text(XML.format(name=f"{i}.png"))
    assert len(read_truth(data / "discs")) == 8
    with zipfile.ZipFile(data / "discs.zip", "w") as archive:
        for path in sorted((data / "discs").rglob("*.*")):
            archive.write(path, path.relative_to(data))
    monkeypatch.setenv("BOXSCOUT_DATA", str(data))
    found = tmp_path / "found.json"

    def measure(minutes: float) -> dict[str, dict[str, object]]:
        arguments = ("--work", tmp_path / "work", "--sets", "discs", "--seeds", 0, "--minutes", minutes)
        monkeypatch.setattr(sys, "argv", ["projected.py", *map(str, arguments), "--json", str(found)])
        benchmark.main()
        return {run["way"]: run for run in json.loads(found.read_text())["runs"]}

    first = measure(1e-6)  # one step
    assert set(first) == set(benchmark.WAYS)
    assert [run["measured"][-1]["step"] for run in first.values()] == [1, 1, 1]
    assert set(first["both"]["measured"][0]["maps"]) == {
        "centre",
        "taught",
        "object",
        "centred",
        "real",
        "sum",
    }
    assert set(first["real"]["measured"][0]["maps"]) == {"centre", "real"}
    assert first["object"]["measured"][0]["ms_ssim"] is None and first["both"]["measured"][0]["ms_ssim"] > 0
    assert measure(1e-6) == first  # nothing is done twice
    more = measure(first["both"]["cpu_s"] / 60 + 1e-6)
    assert [one["step"] for one in more["both"]["measured"]] == [1, 2]
    assert checkpoint.load(tmp_path / "work" / "discs-0-both.pt").step == 2
