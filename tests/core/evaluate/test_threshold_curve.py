"""Curves against one image at a time, and the published fixtures of clovaai/wsolevaluation."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box, iou
from core.boxes.batches import find_box, find_boxes, read_maps
from core.boxes.grid import GRID
from core.boxes.objects import hot_boxes
from core.boxes.overlap import overlaps
from core.boxes.prior import Prior
from core.boxes.rules import MAX_THRESHOLD, RULES
from core.evaluate.report import evaluate
from core.evaluate.threshold_curve import IOUS, Curve, threshold_curve, threshold_grid

Ends = tuple[int, int, int, int]


def _half_open(ends: Ends) -> Box:
    """A box whose ends both lie inside, as wsolevaluation writes it."""
    x0, y0, x1, y1 = ends
    return Box(x0, y0, x1 + 1, y1 + 1)


# -- the published fixtures -----------------------------------------------------------------------


def _matrix(a: list[Ends], b: list[Ends]) -> list[list[float]]:
    def row(ends: Ends) -> np.ndarray:
        box = _half_open(ends)
        return np.array([[box.x0, box.y0, box.x1, box.y1]])

    return [[float(overlaps(row(one), row(other))[0]) for other in b] for one in a]


def test_iou_of_inclusive_boxes() -> None:
    assert _matrix([(1, 2, 5, 6)], [(3, 1, 4, 5)]) == [[pytest.approx(8 / 27)]]
    assert iou(_half_open((1, 2, 5, 6)), _half_open((3, 1, 4, 5))) == pytest.approx(8 / 27)
    eye = [(1, 1, 3, 3), (4, 4, 5, 5)]
    assert _matrix(eye, eye) == [[1, 0], [0, 1]]
    # A box of one pixel, not an empty one: both its ends are inside.
    assert _matrix([(0, 0, 0, 0)] * 3, [(0, 0, 0, 0)] * 5) == [[1] * 5] * 3


def test_a_box_keeps_its_place_in_a_resized_image() -> None:
    box = Box(1, 2, 4, 3).scaled(35 / 10, 10 / 20)
    assert [math.floor(side) for side in (box.x0, box.y0, box.x1, box.y1)] == [3, 1, 14, 1]
    assert Box(1, 2, 1, 2).scaled(1, 1) == Box(1, 2, 1, 2)


UNIMODAL = [[0, 0, 0, 0, 0], [0, 0.4, 0.4, 0.4, 0.6], [0, 0.4, 1.0, 0.8, 0.6], [0, 0.4, 0.4, 0.4, 0.6]]
MULTIMODAL = [[0.4, 0, 0.2, 0.2, 0.2], [0.4, 0.4, 0, 0.4, 0], [0, 0, 0, 0.4, 0], [1.0, 0.6, 0.8, 0.2, 0.2]]


@pytest.mark.parametrize(
    ("heat", "expected", "otherwise"),
    [
        (UNIMODAL, [(1, 1, 4, 3), (1, 1, 4, 3), (2, 1, 4, 3), (2, 2, 4, 3), (2, 2, 3, 3)], {}),
        # At 0.2 they take the part whose outline encloses most, and a thin line encloses nothing; ours has
        # five cells, theirs three. At 0.6 two parts of one cell are left, and either will do.
        (
            MULTIMODAL,
            [(0, 0, 4, 3), (0, 0, 2, 2), (0, 3, 3, 3), (2, 3, 3, 3), (0, 3, 1, 3)],
            {1: (0, 1, 4, 3), 3: (0, 3, 1, 3)},
        ),
    ],
)
def test_component_boxes_are_those_of_wsolevaluation(
    heat: list[list[float]], expected: list[Ends], otherwise: dict[int, Ends]
) -> None:
    # Their boxes hold what is strictly hotter than the threshold, in steps of 1/255, and end at
    # min(x + width, columns - 1), which is half-open but for the last column and row.
    for i, threshold in enumerate(np.arange(0, 1, 0.2)):
        (x0, y0, x1, y1) = hot_boxes(np.array([heat], np.float32), np.array([threshold + 1 / 255]))[0]
        rows, columns = len(heat), len(heat[0])
        found = (x0, y0, min(x1, columns - 1), min(y1, rows - 1))
        assert found == otherwise.get(i, expected[i])


# -- many boxes at once ---------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(RULES)),
    st.floats(0, 1),
    st.integers(1, 9),
)
def test_many_boxes_are_those_of_one_image_at_a_time(
    seed: int, rule: str, threshold: float, side: int
) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.normal(size=(40, side, side + 1)).astype(np.float32)
    maps[3] = 5.0
    sizes = rng.integers(1, 700, (40, 2))
    boxes = find_boxes(read_maps(rule, maps), sizes.astype(float), rule=rule, threshold=threshold)
    for heat, (width, height), found in zip(maps, sizes.tolist(), boxes, strict=True):
        box = find_box(heat, width=width, height=height, rule=rule, threshold=threshold).box
        assert found == pytest.approx((box.x0, box.y0, box.x1, box.y1), abs=1e-3)
        assert -1e-9 <= found[0] <= found[2] <= width + 1e-9


def test_no_image_gives_no_box() -> None:
    for rule in RULES:
        boxes = find_boxes(np.zeros((0, GRID, GRID), np.float32), np.zeros((0, 2)), rule=rule, threshold=0.1)
        assert boxes.shape == (0, 4)


# -- the curve ------------------------------------------------------------------------------------


def _scene(n: int = 60, seed: int = 3) -> tuple[list[ImageBoxes], list[np.ndarray], list[ImageBoxes]]:
    """Images of several sizes, a heat map of each with a noisy hot spot, and one or two true boxes."""
    rng = np.random.default_rng(seed)
    images, maps, truth = [], [], []
    for i in range(n):
        width, height = (int(side) for side in rng.integers(40, 400, 2))
        x, y = rng.uniform(0.2, 0.8, 2)
        rows, columns = np.mgrid[:8, :8] / 8 + 1 / 16
        heat = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 0.05) + rng.normal(0, 0.15, (8, 8))
        reach = rng.uniform(0.1, 0.4, 2)
        boxes = [Box(x - reach[0], y - reach[1], x + reach[0], y + reach[1])]
        boxes += [Box(0, 0, 0.2, 0.2)] * (i % 5 == 0)
        records = tuple(BoxRecord(b.clamped(1, 1).scaled(width, height)) for b in boxes)
        images.append(ImageBoxes(f"in/{i}.png", width, height))
        truth.append(ImageBoxes(f"{i}.png", width, height, records))
        maps.append(heat.astype(np.float32))
    return images, maps, truth


@pytest.mark.parametrize("prior", [None, Prior(0.1, 0.5, 0.1, 40, usual_width=0.1)])
@pytest.mark.parametrize("rule", list(RULES))
def test_a_curve_counts_what_one_image_at_a_time_counts(rule: str, prior: Prior | None) -> None:
    images, maps, truth = _scene()
    own = np.random.default_rng(4).normal(0, 0.1, (len(images), 4))
    own[::3] = np.nan
    grid = threshold_grid(0.07)
    # Some maps are an earlier network's.
    priors = [prior if i % 4 else None for i in range(len(images))]
    # In another order than the truth, by which the curve goes.
    curve = threshold_curve(
        images[::-1], maps[::-1], truth, rule=rule, priors=priors[::-1], framings=own[::-1], thresholds=grid
    )
    fixed = RULES[rule].default_threshold
    assert curve.thresholds == tuple(sorted({*grid, fixed}))
    for j, threshold in enumerate(curve.thresholds):
        best = []
        for image, heat, framing, known, true in zip(images, maps, own, priors, truth, strict=True):
            size = {"width": image.width, "height": image.height, "rule": rule, "prior": known}
            box = find_box(heat, threshold=threshold, framing=framing, **size).box
            best.append(max(iou(box, record.box) for record in true.boxes))
        for level, row in zip(IOUS, curve.accuracies, strict=True):
            assert row[j] == pytest.approx(sum(one >= level for one in best) / len(truth))
    assert curve.fixed.rows[0].accuracy == curve.accuracies[1][curve.thresholds.index(fixed)]


def test_max_box_acc_is_the_best_threshold_and_v2_the_mean_of_three() -> None:
    images, maps, truth = _scene()
    curve = threshold_curve(images, maps, truth, rule="component")
    heat = curve.peeking[0]
    assert heat.max_box_acc == max(curve.accuracies[1]) >= curve.fixed.rows[0].accuracy
    assert heat.max_box_acc_v2 == pytest.approx(sum(max(row) for row in curve.accuracies) / 3)
    assert heat.thresholds is not None
    for row, threshold in zip(curve.accuracies, heat.thresholds, strict=True):
        assert row[curve.thresholds.index(threshold)] == max(row)
    assert len({max(row) for row in curve.accuracies}) == 3  # the scene tells the three apart


def test_baselines_stand_beside_the_figures_that_look_at_the_truth() -> None:
    images, maps, truth = _scene()
    curve = threshold_curve(images, maps, truth, rule="moments", thresholds=[0.0])
    by_name = {one.method.split(",")[0]: one for one in curve.peeking}
    for name, share in (("whole image", 1.0), ("centred 80 %", 0.8)):
        boxes = [
            replace(
                image,
                boxes=(
                    BoxRecord(
                        Box(0.5 - share / 2, 0.5 - share / 2, 0.5 + share / 2, 0.5 + share / 2).scaled(
                            image.width, image.height
                        )
                    ),
                ),
            )
            for image in images
        ]
        assert by_name[name].max_box_acc == evaluate(boxes, truth).rows[0].accuracy
    tuned = by_name["best fixed box"]
    assert tuned.max_box_acc == curve.fixed.rows[-1].accuracy
    assert all(a >= b for a, b in zip(tuned.accuracies, by_name["centred 80 %"].accuracies, strict=True))
    assert list(tuned.accuracies) == sorted(tuned.accuracies, reverse=True)


def test_an_image_without_a_heat_map_is_wrong_and_a_stranger_is_left_out() -> None:
    images, maps, truth = _scene(10)
    whole = [*maps[:-1], None]
    box = Box(0, 0, 64, 64)
    stranger = ImageBoxes("in/stranger.png", 64, 64, (BoxRecord(box),))
    curve = threshold_curve([*images, stranger], [*whole, maps[0]], truth, rule="moments")
    assert (curve.fixed.n, curve.fixed.missing, curve.fixed.extra) == (10, 1, 1)
    without = threshold_curve(images[:-1], maps[:-1], truth[:-1], rule="moments")
    for a, b in zip(curve.accuracies, without.accuracies, strict=True):
        assert [round(10 * one) for one in a] == [round(9 * one) for one in b]
    with pytest.raises(FormatError, match="No image of the truth"):
        threshold_curve(images, [None] * 10, truth, rule="moments")


def test_corloc_is_named_where_images_have_several_true_boxes() -> None:
    images, maps, truth = _scene(10)
    several = threshold_curve(images, maps, truth, rule="moments", thresholds=[]).fixed
    assert (several.measure, several.several) == ("CorLoc", 2)
    one = [replace(image, boxes=image.boxes[:1]) for image in truth]
    assert threshold_curve(images, maps, one, rule="moments", thresholds=[]).fixed.measure == "GT-known Loc"


def test_a_perfect_heat_map_scores_everything() -> None:
    rng = np.random.default_rng(0)
    images, maps, truth = [], [], []
    for i in range(20):
        x0, y0 = rng.integers(0, 8, 2)
        x1, y1 = rng.integers(8, 17, 2)
        heat = np.zeros((16, 16), np.float32)
        heat[y0:y1, x0:x1] = 1
        images.append(ImageBoxes(str(i), 320, 160))
        truth.append(ImageBoxes(str(i), 320, 160, (BoxRecord(Box(x0 * 20, y0 * 10, x1 * 20, y1 * 10)),)))
        maps.append(heat)
    curve = threshold_curve(images, maps, truth, rule="component")
    assert curve.peeking[0].accuracies == (1, 1, 1)


def test_the_grid_reaches_the_largest_threshold_and_no_further() -> None:
    for step in (0.001, 0.01, 0.03, 0.05, 0.1, 0.5):
        grid = threshold_grid(step)
        assert grid[0] == 0
        assert MAX_THRESHOLD - step < grid[-1] <= MAX_THRESHOLD
        assert np.allclose(np.diff(grid), step)
    assert len(threshold_grid()) == 96
    for step in (0, -1, 0.6, math.nan):
        with pytest.raises(FormatError, match="between"):
            threshold_grid(step)


def _short(curve: Curve) -> list[str]:
    return [row[0] for row in curve.table()[1:]]


def test_a_curve_prints_and_saves() -> None:
    images, maps, truth = _scene(12)
    curve = threshold_curve(images, maps, truth, rule="component")
    assert 18 <= len(_short(curve)) <= 26
    assert [one for one in _short(curve) if "fixed" in one] == ["0.2 (fixed)"]
    heading, *rows = curve.peeking_table()
    assert "MaxBoxAcc" in heading[2]
    assert "MaxBoxAccV2" in heading[4]
    assert "truth" in heading[0]
    assert {len(row) for row in rows} == {5}
    saved = json.loads(json.dumps(curve.to_dict(), allow_nan=False))
    assert list(saved).index("fixed") < list(saved).index("chosen_on_truth")
    assert saved["chosen_on_truth"][0]["max_box_acc"] == max(saved["accuracies"][1])
    assert len(saved["thresholds"]) == len(saved["accuracies"][0]) == 96
