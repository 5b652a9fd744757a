"""The benchmark of training measures what its pages say; on trainings whose times are made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from core.base.presets import PRESETS


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import training  # type: ignore[import-not-found]

        return training  # type: ignore[no-any-return]


def test_every_round_holds_as_many_samples_and_snapshots(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that only these move: a step takes 1 s, samples 7 more and a snapshot 11."""
    now = [0.0]
    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: now[0])

    def steps(looks: bool) -> Iterator[None]:
        for step in range(1, 10_000):
            now[0] += 1.0
            if looks and step % benchmark.SAMPLE_EVERY == 0:
                now[0] += 7.0
            if looks and step % benchmark.SNAPSHOT_EVERY == 0:
                now[0] += 11.0
            yield

    makers = {"ours": lambda: steps(False), benchmark.WITH_SAMPLES: lambda: steps(True)}
    seconds = benchmark.measure(makers, 10, 3, torch.device("cpu"))
    assert seconds["ours"] == [1.0] * 3
    assert seconds[benchmark.WITH_SAMPLES] == pytest.approx([1 + (2 * 7 + 11) / 200] * 3)
    assert benchmark.looks_share(seconds) == pytest.approx(0.125)


def test_the_paper_looks_a_tenth_as_often(benchmark: ModuleType) -> None:
    paper = PRESETS["paper"]
    assert paper.sample_every == 10 * benchmark.SAMPLE_EVERY
    assert paper.snapshot_every == 10 * benchmark.SNAPSHOT_EVERY
