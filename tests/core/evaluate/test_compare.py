"""The paired bootstrap against scipy, closed forms and a bootstrap that draws every index."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.stats

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.evaluate.compare import RESAMPLES, compare, paired_bootstrap


def _answers(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    b = np.repeat([True, False, True, False], [both, only_a, only_b, neither])
    order = np.random.default_rng(0).permutation(len(a))
    return a[order], b[order]


@pytest.mark.parametrize("counts", [(120, 30, 18, 82), (40, 9, 9, 42), (1, 14, 2, 13)])
def test_interval_is_scipys(counts: tuple[int, int, int, int]) -> None:
    a, b = _answers(*counts)
    expected = scipy.stats.bootstrap(
        (a.astype(float), b.astype(float)),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    found = paired_bootstrap(a, b)
    assert found.difference == pytest.approx(a.mean() - b.mean())
    one_image = 1.01 / len(a)  # ends are whole images: two runs may differ by one
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=one_image)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=one_image)


def test_share_ahead_is_that_of_drawn_indices() -> None:
    a, b = _answers(50, 20, 14, 16)
    drawn = np.random.default_rng(5).integers(0, len(a), (RESAMPLES, len(a)))
    ahead = a[drawn].sum(axis=1) - b[drawn].sum(axis=1)
    found = paired_bootstrap(a, b)
    # Four standard errors of the difference between two shares of 10,000.
    assert found.a_better == pytest.approx((ahead > 0).mean(), abs=0.028)
    assert found.b_better == pytest.approx((ahead < 0).mean(), abs=0.028)


@pytest.mark.parametrize(("only_a", "n"), [(1, 100), (2, 40), (3, 300)])
def test_share_ahead_where_only_one_is_ever_ahead_is_exact(only_a: int, n: int) -> None:
    # A resample is level only where it misses all of A's images: (1 - k/n)^n.
    found = paired_bootstrap(*_answers(n // 2, only_a, 0, n - n // 2 - only_a), resamples=200_000)
    expected = 1 - (1 - only_a / n) ** n
    assert found.a_better == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 200_000) ** 0.5)
    assert found.b_better == 0
    assert found.low >= 0


def test_interval_has_the_width_of_the_closed_form() -> None:
    n, p, q = 4000, 0.12, 0.09
    a, b = _answers(1000, int(n * p), int(n * q), n - 1000 - int(n * p) - int(n * q))
    found = paired_bootstrap(a, b)
    spread = ((p + q - (p - q) ** 2) / n) ** 0.5
    assert found.difference == pytest.approx(p - q)
    assert found.low == pytest.approx(p - q - 1.96 * spread, abs=0.08 * spread)
    assert found.high == pytest.approx(p - q + 1.96 * spread, abs=0.08 * spread)


def test_seed_decides_and_swapping_mirrors() -> None:
    a, b = _answers(50, 20, 12, 30)
    assert paired_bootstrap(a, b) == paired_bootstrap(a, b)
    assert paired_bootstrap(a, b, seed=1) != paired_bootstrap(a, b)
    there, back = paired_bootstrap(a, b), paired_bootstrap(b, a)
    assert back.difference == -there.difference
    assert (back.only_a, back.only_b) == (there.only_b, there.only_a)
    assert back.a_better == pytest.approx(there.b_better, abs=0.02)


def test_equal_answers_are_level() -> None:
    a, _ = _answers(10, 5, 0, 3)
    found = paired_bootstrap(a, a)
    assert (found.difference, found.low, found.high, found.a_better, found.b_better) == (0, 0, 0, 0, 0)


def test_answers_on_other_images_are_refused() -> None:
    with pytest.raises(FormatError, match="same images"):
        paired_bootstrap(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(FormatError, match="same images"):
        paired_bootstrap(np.ones(0, bool), np.ones(0, bool))


RIGHT, WRONG = Box(0, 0, 50, 50), Box(60, 60, 90, 90)


def _boxes(flags: str, prefix: str = "") -> list[ImageBoxes]:
    """One image per letter: r(ight), w(rong), a dot for no box, a blank for no image."""
    kinds = {"r": (BoxRecord(RIGHT),), "w": (BoxRecord(WRONG),), ".": ()}
    return [
        ImageBoxes(f"{prefix}{i}.png", 100, 100, kinds[flag]) for i, flag in enumerate(flags) if flag != " "
    ]


def test_files_are_compared_image_by_image() -> None:
    found = compare(_boxes("rrrww. w"), _boxes("rwwrwr.r", "x/"), _boxes("rrrrrrrr"), names=("A: 1", "B: 2"))
    assert [(row.method, row.correct) for row in found.rows[:2]] == [("A: 1", 3), ("B: 2", 4)]
    assert (found.difference.only_a, found.difference.only_b) == (2, 3)
    assert found.difference.difference == pytest.approx(-1 / 8)
    assert (found.n, found.missing_a, found.missing_b) == (8, 2, 1)
    assert any(row.method.startswith("centred") for row in found.rows)
    text = " ".join(found.remarks())
    assert "-12.5 points" in text
    assert "A has no box for 2 images" in text
    assert "B has no box for 1 image " in text
    json.loads(json.dumps(found.to_dict(), allow_nan=False))


def test_files_without_a_name_in_common_are_refused() -> None:
    with pytest.raises(FormatError, match="same name"):
        compare(_boxes("rr"), [ImageBoxes("other.png", 9, 9)], _boxes("rr"))
