"""Accuracy against published fixtures, scipy, and slow code that counts one image at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.annotations import BoxRecord, ImageBoxes, Source
from core.base.errors import FormatError
from core.base.geometry import Box, iou
from core.boxes.overlap import Truth, best_overlap, overlaps
from core.evaluate.matching import match_by_name
from core.evaluate.report import Report, evaluate, wilson_interval
from core.formats import tiny_imagenet


def _image(name: str, *boxes: Box, scores: tuple[float | None, ...] = (), size: int = 100) -> ImageBoxes:
    scores = scores or (None,) * len(boxes)
    records = tuple(BoxRecord(box, score=score) for box, score in zip(boxes, scores, strict=True))
    return ImageBoxes(name, size, size, records)


def _accuracy(report: Report, method: str) -> float:
    return next(100 * row.accuracy for row in report.rows if row.method.startswith(method))


# -- overlap --------------------------------------------------------------------------------------


def test_iou_fixture_of_wsolevaluation() -> None:
    # [1, 2, 5, 6] and [3, 1, 4, 5] with inclusive ends, so 1 is added.
    a, b = np.array([[1.0, 2, 6, 7]]), np.array([[3.0, 1, 5, 6]])
    assert overlaps(a, b)[0] == pytest.approx(8 / 27)


_box = st.tuples(*[st.integers(0, 9)] * 4).map(lambda s: Box(s[0], s[1], s[0] + s[2], s[1] + s[3]))


@settings(max_examples=100)
@given(st.lists(st.tuples(_box, st.lists(_box, min_size=1, max_size=4)), min_size=1, max_size=5))
def test_best_overlap_is_that_of_one_image_at_a_time(images: list[tuple[Box, list[Box]]]) -> None:
    def sides(box: Box) -> tuple[float, float, float, float]:
        return box.x0, box.y0, box.x1, box.y1

    flat = [(i, sides(box)) for i, (_, boxes) in enumerate(images) for box in boxes]
    truth = Truth(
        np.array([box for _, box in flat], dtype=float),
        np.array([i for i, _ in flat]),
        np.ones((len(images), 2)),
    )
    share, best = best_overlap(np.array([sides(guess) for guess, _ in images], dtype=float), truth)
    for i, (guess, boxes) in enumerate(images):
        expected = max(iou(guess, box) for box in boxes)
        assert share[i] == pytest.approx(expected)
        among = [box for box in boxes if iou(guess, box) == pytest.approx(expected)]
        chosen = Box(*truth.boxes[best[i]])
        assert chosen in boxes
        assert chosen.area == max(box.area for box in among)


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predicted", "truth", "pairs"),
    [
        ("a.png x/b.png", "a.png x/b.png", "a.png=a.png x/b.png=x/b.png"),
        ("images/a.png", "val/images/a.png", "images/a.png=val/images/a.png"),
        ("me/photos/a.png", "a.png", "me/photos/a.png=a.png"),
        ("cats/a.png", "dogs/a.png", ""),
        ("a.png", "x/a.png y/a.png", ""),
        ("x/a.png y/a.png", "a.png", ""),
        ("p/x/a.png", "a.png x/a.png", "p/x/a.png=x/a.png"),
        ("x/a.png y/z/a.png", "a.png z/a.png", "x/a.png=a.png y/z/a.png=z/a.png"),
        ("a.png x/a.png", "a.png", "a.png=a.png"),
        ("ba.png", "a.png", ""),
    ],
)
def test_names_match_exactly_or_by_the_only_longest_suffix(predicted: str, truth: str, pairs: str) -> None:
    box = Box(0, 0, 1, 1)
    matches = match_by_name(
        [_image(n, box) for n in predicted.split()], [_image(n, box) for n in truth.split()]
    )
    assert sorted(f"{a.name}={b.name}" for a, b in matches.pairs) == sorted(pairs.split())
    assert len(matches.pairs) + len(matches.extra) == len(predicted.split())
    assert len(matches.pairs) + len(matches.missing) == len(truth.split())


# -- the report -----------------------------------------------------------------------------------


def test_the_box_of_highest_score_counts_and_any_true_box_will_do() -> None:
    good, bad = Box(0, 0, 10, 10), Box(50, 50, 60, 60)
    truth = [_image("a", Box(80, 80, 90, 90), good), _image("b", good), _image("c", good), _image("d", good)]
    predicted = [
        _image("a", bad, good, scores=(0.1, 0.9)),
        _image("b", good, bad, scores=(0.1, 0.9)),
        _image("c", bad, good, scores=(0.9, None)),  # a person's box has no score and goes first
    ]
    report = evaluate(predicted, truth)
    assert (report.rows[0].correct, report.n, report.missing, report.extra) == (2, 4, 1, 0)
    assert any("1 image of the truth without a predicted box" in line for line in report.remarks())


def test_an_overlap_of_exactly_half_is_correct() -> None:
    report = evaluate([_image("a", Box(0, 0, 100, 100))], [_image("a", Box(0, 0, 50, 100))])
    assert report.rows[0].correct == 1


def test_what_the_truth_does_not_know_is_left_out_and_counted() -> None:
    box = Box(0, 0, 10, 10)
    truth = [_image("a", box), _image("none")]
    predicted = [_image("a", box), _image("none", box), _image("new", box), _image("other")]
    report = evaluate(predicted, truth)
    assert (report.n, report.extra, report.missing) == (1, 2, 0)


def test_sizes_that_differ_are_counted_and_unknown_ones_refused() -> None:
    box = Box(0, 0, 10, 10)
    assert evaluate([_image("a", box, size=50)], [_image("a", box)]).other_size == 1
    assert evaluate([_image("a", box, size=0)], [_image("a", box)]).other_size == 0
    assert evaluate([_image("a", box)], [_image("a", box, size=0)]).n == 1
    with pytest.raises(FormatError, match="width and height"):
        evaluate([_image("a", box, size=0)], [_image("a", box, size=0)])


def test_nothing_to_compare_is_told() -> None:
    box = Box(0, 0, 10, 10)
    with pytest.raises(FormatError, match="no box"):
        evaluate([_image("a", box)], [_image("a")])
    with pytest.raises(FormatError, match="same name"):
        evaluate([_image("a", box)], [_image("b", box)])
    with pytest.raises(FormatError, match="same name"):
        evaluate([], [_image("b", box)])


def test_centres_correlate_as_scipy_says() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(50, 500, 60)
    places = rng.uniform(0, 0.4, (60, 2)) * sizes[:, None]
    guesses = places + rng.normal(0, 0.1, (60, 2)) * sizes[:, None]
    truth = [
        _image(str(i), Box(x, y, x + 20, y + 20), size=int(s))
        for i, (s, (x, y)) in enumerate(zip(sizes, places, strict=True))
    ]
    predicted = [
        _image(str(i), Box(x, y, x + 20, y + 20), size=int(s))
        for i, (s, (x, y)) in enumerate(zip(sizes, guesses, strict=True))
    ]
    # One without a box and one with a second, far away true box change nothing.
    predicted.append(_image("none"))
    truth.append(_image("none", Box(0, 0, 9, 9)))
    report = evaluate(predicted, truth)
    for axis, r in ((0, report.r_cx), (1, report.r_cy)):
        a, b = ((array[:, axis] + 10) / sizes for array in (guesses, places))
        assert r == pytest.approx(scipy.stats.pearsonr(a, b).statistic)


def test_correlation_is_undefined_where_nothing_varies() -> None:
    box = Box(0.1, 0, 10.7, 10)
    truth = [_image(str(i), Box(i, i, i + 9, 30 + i * i)) for i in range(5)]
    report = evaluate([_image(str(i), box) for i in range(5)], truth)
    assert (report.r_cx, report.r_cy) == (None, None)
    assert "undefined" in report.remarks()[0]
    json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert evaluate([_image("0")], truth).r_cx is None


@pytest.mark.parametrize(
    ("correct", "n"), [(0, 1), (1, 1), (0, 250), (250, 250), (7, 30), (150, 300), (9999, 10000)]
)
def test_wilson_is_scipys(correct: int, n: int) -> None:
    expected = scipy.stats.binomtest(correct, n).proportion_ci(method="wilson")
    assert wilson_interval(correct, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_report_prints_and_saves() -> None:
    box = Box(10, 10, 90, 90)
    report = evaluate([_image("a", box)], [_image("a", box)])
    assert [row.method for row in report.rows] == [
        *("predicted boxes", "whole image", "centred 80 %", "best fixed box (tuned on the ground truth)")
    ]
    assert len(report.table()) == 5
    assert report.table()[1] == ("predicted boxes", "100.0 %", "20.7 - 100.0 %", "1/1")
    saved = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert saved["rows"][0]["accuracy"] == 1.0
    assert saved["r_cx"] is None


def test_many_images_at_once() -> None:
    box = Box(10, 10, 60, 60)
    truth = [_image(f"{i}.png", box) for i in range(20_000)]
    report = evaluate(truth, truth)
    assert report.rows[0].correct == 20_000


# -- real data ------------------------------------------------------------------------------------

PUBLISHED = {  # docs: whole image, centred 80 %, best fixed box
    "artiodactyla": (52.0, 60.0, 60.0),
    # The table says 35.0 for the whole image. Three true boxes cover exactly half an image, which
    # "IoU >= 0.5" counts as found; without these three it is 35.0.
    "bottle": (38.0, 40.0, 55.0),
    "dog": (63.7, 71.7, 73.0),
}


def _val_truth(root: Path, wnids: tuple[str, ...]) -> list[ImageBoxes]:
    """The val boxes, read here on their own: name, class, then inclusive x0 y0 x1 y1."""
    rows = [line.split("\t") for line in (root / "val" / "val_annotations.txt").read_text().splitlines()]
    return [
        _image(
            f"val/images/{row[0]}", Box(int(row[2]), int(row[3]), int(row[4]) + 1, int(row[5]) + 1), size=64
        )
        for row in rows
        if row[1] in wnids
    ]


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_tiny_imagenet_baselines_as_published(unzipped: Callable[[str], Path], name: str) -> None:
    root = unzipped("tiny-imagenet-six")
    truth = _val_truth(root, tiny_imagenet.SETS[name])
    mine = tiny_imagenet.read(root, wnids=tiny_imagenet.SETS[name], split="val")
    assert {(i.name, i.boxes[0].box) for i in mine} == {(i.name, i.boxes[0].box) for i in truth}
    report = evaluate(mine, truth)
    whole, centred, fixed = PUBLISHED[name]
    assert _accuracy(report, "predicted") == 100
    assert round(_accuracy(report, "whole"), 1) == whole
    assert round(_accuracy(report, "centred"), 1) == centred
    assert _accuracy(report, "best fixed") >= fixed - 0.05  # finer steps than the published 5 %
    assert report.r_cx == pytest.approx(1)
    assert math.isclose(report.rows[0].low, wilson_interval(report.n, report.n)[0])


def test_colour_contrast_on_real_photos(unzipped: Callable[[str], Path]) -> None:
    root = unzipped("tiny-imagenet-six")
    for name, expected in (("artiodactyla", 61.2), ("dog", 74.3)):
        truth = _val_truth(root, tiny_imagenet.SETS[name])
        report = evaluate(truth, truth, images_root=root)
        assert _accuracy(report, "colour contrast") == pytest.approx(expected, abs=1.0)
        assert report.unreadable == 0


def test_edited_source_needs_no_score() -> None:
    box = Box(0, 0, 50, 50)
    edited = ImageBoxes(
        "a", 100, 100, (BoxRecord(Box(60, 60, 70, 70), score=1.0), BoxRecord(box, source=Source.EDITED))
    )
    assert evaluate([edited], [_image("a", box)]).rows[0].correct == 1
