"""The search for better ideas (benchmarks/accuracy/search.py): what it compares, and that it goes on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def search() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "benchmarks" / "accuracy"))
        import search  # type: ignore[import-not-found]

        return search  # type: ignore[no-any-return]


def _set_of_bottles(root: Path, images: int = 9) -> None:
    """Photos of the two classes whose true box is the middle 80 % of each but the first of a class."""
    for wnid in ("n03983396", "n02823428"):
        folder = root / "train" / wnid / "images"
        folder.mkdir(parents=True)
        lines = []
        for i in range(images):
            noise = np.random.default_rng(i).integers(0, 255, (64, 64, 3), np.uint8)
            Image.fromarray(noise).save(folder / f"{wnid}_{i}.JPEG")
            lines.append(f"{wnid}_{i}.JPEG\t" + ("0\t0\t9\t9" if i == 0 else "6\t6\t57\t57"))
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("\n".join(lines) + "\n")


def _run(search: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["search.py", *(str(argument) for argument in arguments)])
    search.main()


def test_a_search_measures_what_it_held_out_and_repeats_nothing(
    search: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _set_of_bottles(tmp_path / "data")
    out = tmp_path / "out"
    common = ["--out", out, "--sets", "bottle", "--seeds", "0", "--steps", "1"]
    asked = [*common, "--tiny-imagenet", tmp_path / "data", "--ideas", "centred-80,default,averaged-weights"]
    _run(search, monkeypatch, *asked)
    runs = {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}
    assert sorted(runs) == ["averaged-weights-bottle-0-1", "centred-80-bottle-0-1", "default-bottle-0-1"]
    centred = runs["centred-80-bottle-0-1"]
    assert (centred["learned"], centred["new"]["n"], centred["seen"]["n"]) == (12, 6, 6)
    wrong = sum(centred[part]["hits"].count("0") for part in ("new", "seen"))
    assert wrong <= 2  # the first of each class, wherever it fell
    capsys.readouterr()

    # Nothing is made again: what the files say is what is compared.
    changed = out / "default-bottle-0-1.json"
    runs["default-bottle-0-1"]["new"]["hits"] = "000000"
    changed.write_text(json.dumps(runs["default-bottle-0-1"]))
    _run(search, monkeypatch, *asked, "--json", tmp_path / "all.json")
    printed = capsys.readouterr().out
    assert "trained" not in printed
    rows = {row["idea"]: row for row in json.loads((tmp_path / "all.json").read_text())["table"]}
    assert rows["centred-80"]["new"][0] == pytest.approx(100 * centred["new"]["hits"].count("1") / 6)
    assert rows["centred-80"]["verdict"] == "kept"
    assert rows["default"]["new"] is None  # nothing is compared with itself


def test_a_difference_is_the_mean_over_sets_with_the_interval_of_drawing_images_again(
    search: ModuleType,
) -> None:
    rng = np.random.default_rng(3)
    sets = [[tuple(rng.integers(0, 2, (2, n))) for _seed in range(2)] for n in (80, 200)]
    exact, low, high = search.difference(sets)
    means = [np.mean([a.mean() - b.mean() for a, b in pairs]) for pairs in sets]
    assert exact == pytest.approx(100 * np.mean(means))
    drawn = []
    for _ in range(3000):
        change = []
        for pairs in sets:
            again = rng.integers(0, len(pairs[0][0]), len(pairs[0][0]))
            change.append(np.mean([a[again].mean() - b[again].mean() for a, b in pairs]))
        drawn.append(100 * np.mean(change))
    assert (low, high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.6)
