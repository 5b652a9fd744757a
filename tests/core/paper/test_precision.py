"""bf16 against fp32: two steps of two seeds on a drawn set, and the arithmetic on made-up outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.cli.app import main
from core.learn import checkpoint
from core.paper.precision import Outcome, comparisons, reading


def outcome(seed: int, precision: str, **measures: float | None) -> Outcome:
    return Outcome(seed=seed, precision=precision, seconds=1.0, measures=measures)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b))


def test_only_pairs_are_compared() -> None:
    found = comparisons(
        [
            outcome(0, "fp32", loss=1.0, r=None), outcome(0, "bf16", loss=1.5, r=0.3),
            outcome(1, "fp32", loss=2.0, r=0.1), outcome(1, "bf16", loss=2.7, r=0.2),
            outcome(2, "fp32", loss=9.0, r=0.9),
        ]
    )  # fmt: skip
    assert [(one.measure, one.difference.n) for one in found] == [("loss", 2), ("r", 1)]
    loss = found[0]
    assert (loss.fp32.mean, loss.bf16.mean) == (1.5, pytest.approx(2.1))
    assert loss.difference.mean == pytest.approx(0.6)
    assert reading(found) == "One seed alone says nothing: give at least two."


@pytest.mark.parametrize(("shift", "said"), [(0.0, "No difference is seen"), (5.0, "leaves 0 out for: loss")])
def test_reading_goes_by_the_intervals(shift: float, said: str) -> None:
    noise = [0.1, -0.1, 0.05, -0.05]
    pairs = [
        (outcome(seed, "fp32", loss=float(seed)), outcome(seed, "bf16", loss=seed + shift + noise[seed]))
        for seed in range(4)
    ]
    assert said in reading(comparisons([one for pair in pairs for one in pair]))


def test_both_precisions_are_trained_once_from_the_same_start(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["reproduce", "precision", "--data", str(data), "--out", str(tmp_path), "--seeds", "0,1",
               "--steps", "2", "--batch-size", "8", "--device", "cpu"]  # fmt: skip
    assert main(command) == 0
    assert "A small check: Dog, 32 px, width 8, batch 8, 2 steps, 2 seeds." in capsys.readouterr().out
    content = json.loads((tmp_path / "precision.json").read_text())
    configs = [run["config"] for run in content["runs"]]
    assert [(c["seed"], c["precision"]) for c in configs] == [
        (0, "fp32"), (0, "bf16"), (1, "fp32"), (1, "bf16"),
    ]  # fmt: skip
    assert all(
        {**a, "precision": ""} == {**b, "precision": ""} for a, b in zip(*[iter(configs)] * 2, strict=True)
    )
    for one in content["comparisons"]:
        assert one["difference"]["mean"] == pytest.approx(one["bf16"]["mean"] - one["fp32"]["mean"])
    measures = [one["measure"] for one in content["comparisons"]]
    assert {"discriminator's loss, second half", "GT-known Loc, component"} <= set(measures)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*-data/runs/*/checkpoint.pt")}
    states = [checkpoint.load(path) for path in files]
    weights = {
        (state.config.seed, state.config.precision): state.discriminator.linear.weight.detach().numpy()
        for state in states
    }
    assert len(files) == len(weights) == 4
    # Two steps leave weights where they began: close to those of the same seed, far from those of another.
    for seed, other in ((0, 1), (1, 0)):
        apart = {each: _distance(weights[seed, "fp32"], weights[each, "bf16"]) for each in (seed, other)}
        assert 0 < apart[seed] < 0.1 * apart[other]
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert json.loads((tmp_path / "precision.json").read_text()) == content
