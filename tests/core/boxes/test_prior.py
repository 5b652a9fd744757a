"""What maps have in common, and what rule and score make of it, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.base.geometry import Box
from core.boxes.batches import find_box
from core.boxes.grid import GRID, scaled_maps
from core.boxes.moments import fitted_boxes
from core.boxes.prior import Prior, PriorTally
from core.boxes.score import box_scores

WIDE = Prior(elongation=-0.4, level=0.0, spread=1.0, images=10)


def _bell(sigma_x: float, sigma_y: float, x: float = 32, y: float = 32) -> np.ndarray:
    rows, columns = np.mgrid[:GRID, :GRID] + 0.5
    heat = np.exp(-(((columns - x) / sigma_x) ** 2 + ((rows - y) / sigma_y) ** 2) / 2)
    return heat.astype(np.float32)


def fitted_box(heat: np.ndarray, threshold: float, prior: Prior | None = None) -> Box:
    return Box(*fitted_boxes(heat[None], np.array([threshold]), prior)[0].tolist())


def _prior_of(*maps: np.ndarray, ratio: float = 0.0) -> Prior | None:
    tally = PriorTally()
    for heat in maps:
        tally.add(heat, ratio)
    return tally.prior()


def test_tall_outlines_make_tall_priors_within_bounds() -> None:
    flat = np.ones((4, 4), np.float32)
    found = [_prior_of(flat, flat, ratio=ratio) for ratio in (-9.0, -0.3, 0.2, 9.0)]
    elongations = [prior.elongation for prior in found if prior is not None]
    assert len(elongations) == 4
    assert elongations == sorted(set(elongations))
    assert elongations[0] == -elongations[-1]  # bounded alike both ways
    assert math.exp(elongations[-1]) == pytest.approx(2, abs=0.05)
    assert elongations[2] - elongations[1] == pytest.approx(0.8 * 0.5)


def test_level_and_spread_are_those_of_the_maps_as_they_are() -> None:
    rng = np.random.default_rng(0)
    maps = [rng.normal(3 * i, 1, (5, 7)).astype(np.float32) for i in range(6)]
    prior = _prior_of(*maps)
    assert prior is not None
    levels = [heat.mean() for heat in maps]
    assert (prior.level, prior.spread) == pytest.approx((np.mean(levels), np.std(levels)), rel=1e-5)


def test_broken_maps_and_none_at_all_say_nothing() -> None:
    assert _prior_of(np.full((4, 4), np.nan, np.float32)) is None
    assert PriorTally().prior() is None


def test_fitted_moments_take_the_proportions_of_the_prior() -> None:
    """A map that says nothing gives the prior's box: sqrt(3) deviations of a cut-off Gaussian each way."""
    flat = np.ones((GRID, GRID), np.float32)
    even, wide = fitted_box(flat, 0.0), fitted_box(flat, 0.0, WIDE)
    tall = fitted_box(flat, 0.0, Prior(0.4, 0, 1, 5))
    assert fitted_box(flat, 0.0, Prior(0.0, 0, 1, 5)) == even
    assert wide.height / wide.width == pytest.approx(math.exp(-0.4))
    assert (wide.width, wide.height) == pytest.approx((tall.height, tall.width))
    assert wide.area == pytest.approx(even.area)
    centres = np.arange(GRID) + 0.5 - 32
    weight = np.exp(-0.5 * (centres / 26) ** 2)
    deviation = math.sqrt(float((weight * centres**2).sum() / weight.sum()) + 1 / 12)
    assert even.width == pytest.approx(2 * math.sqrt(3) * deviation, rel=1e-4)
    assert wide.center == pytest.approx((32, 32), abs=1e-4)


def test_the_box_with_a_prior_is_the_rules_and_the_others_do_not_mind_it() -> None:
    heat = _bell(7, 7, 20, 40)[::4, ::4]
    for rule in ("moments", "component"):
        with_prior = find_box(heat, width=640, height=480, rule=rule, prior=WIDE)
        assert with_prior.box == find_box(heat, width=640, height=480, rule=rule).box
    fitted = find_box(heat, width=64, height=64, rule="fitted", prior=WIDE).box
    expected = fitted_box(scaled_maps(heat[None])[0], 0.0, WIDE).clamped(64, 64)
    assert fitted == expected


# -- framing --------------------------------------------------------------------------------------


USUAL = Prior(0.0, 0.0, 1.0, 10, usual_width=0.4, usual_height=-0.3)


def test_a_box_moves_and_grows_by_how_its_photo_is_framed() -> None:
    heat = _bell(4, 4, 20, 40)
    before = find_box(heat, width=640, height=320, prior=USUAL).box
    framing = np.array([0.1, -0.05, 0.4 + math.log(2), -0.3 + math.log(0.5)])
    after = find_box(heat, width=640, height=320, prior=USUAL, framing=framing).box
    # Place counts half.
    assert after.center == pytest.approx((before.center[0] + 32, before.center[1] - 8))
    assert (after.width, after.height) == pytest.approx((2 * before.width, before.height / 2))
    ends = find_box(heat, width=640, height=320, prior=USUAL, framing=np.array([9.0, 0, 9, 9])).box
    assert ends.x1 == 640 and (ends.y0, ends.y1) == (0, 320)


@pytest.mark.parametrize(
    ("rule", "prior", "framing"),
    [
        ("moments", USUAL, np.ones(4)),
        ("component", USUAL, np.ones(4)),
        ("fitted", None, np.ones(4)),
        ("fitted", USUAL, np.full(4, np.nan)),
        ("fitted", USUAL, np.array([0.1, 0.1, np.nan, 0.1])),
    ],
)
def test_what_is_not_framed_stays_to_the_last_bit(
    rule: str, prior: Prior | None, framing: np.ndarray
) -> None:
    heat = _bell(5, 7, 20, 41)
    options = {"width": 333, "height": 217, "rule": rule, "prior": prior}
    assert find_box(heat, framing=framing, **options) == find_box(heat, **options)


def test_usual_sizes_are_the_mean_of_those_that_are_known() -> None:
    tally, flat = PriorTally(), np.ones((4, 4), np.float32)
    for framing in (np.array([0, 0, 0.5, -1]), None, np.full(4, np.nan), np.array([9, 9, -0.25, 3])):
        tally.add(flat, 0.0, framing)
    prior = tally.prior()
    assert prior is not None and prior.images == 4
    assert (prior.usual_width, prior.usual_height) == pytest.approx((0.125, 1))
    without = _prior_of(flat)
    assert without is not None and (without.usual_width, without.usual_height) == (0, 0)


# -- small objects --------------------------------------------------------------------------------


def _spots(side: int, count: int) -> list[np.ndarray]:
    """Even squares of ``side`` cells anywhere on faint even heat."""
    rng = np.random.default_rng(side)
    maps = []
    for x, y in rng.integers(0, GRID - side, (count, 2)):
        heat = np.full((GRID, GRID), 0.3, np.float32)
        heat[0, 0] = 0.0
        heat[y : y + side, x : x + side] = 1.0
        maps.append(heat)
    return maps


def test_small_objects_in_all_images_make_tight_boxes() -> None:
    """Two deviations of what is left of the squares: 2 / sqrt(3) times their side."""
    maps = _spots(12, 30)
    found = _prior_of(*maps)
    assert found is not None
    assert found.extent == pytest.approx(144 / GRID**2)
    assert found.smallness == 1.0
    prior = Prior(0.0, 0.0, 1.0, found.images, found.extent)
    for heat in maps:
        rows, columns = np.nonzero(heat == 1)
        box = fitted_box(heat, 0.0, prior)
        assert box.center == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5), abs=0.8)
        assert (box.width, box.height) == pytest.approx((24 / 3**0.5, 24 / 3**0.5), abs=0.5)
        # Without it the faint heat counts as well.
        assert fitted_box(heat, 0.0).area > 4 * box.area


def test_large_objects_and_few_images_are_read_as_ever() -> None:
    large, few = _prior_of(*_spots(32, 30)), _prior_of(*_spots(12, 29))
    assert large is not None and few is not None
    assert large.smallness == few.smallness == 0.0
    cuts = [Prior(0, 0, 1, 30, extent).smallness for extent in np.linspace(0.05, 0.3, 26)]
    assert cuts == sorted(cuts, reverse=True)
    assert 0 < cuts[14] < 1


def test_a_threshold_counts_from_the_cut_up() -> None:
    heat = scaled_maps(np.stack(_spots(12, 1)))[0]
    prior = Prior(0.0, 0.0, 1.0, 50, 0.1)
    cut = 2.5 * heat[np.pad(np.zeros((52, 52), bool), 6, constant_values=True)].mean()
    assert 0.1 < cut < 0.9
    bell = _bell(9, 9, 30, 34)
    areas = [fitted_box(bell, threshold, prior).area for threshold in (0.0, 0.2, 0.4, 0.8)]
    assert areas == sorted(set(areas), reverse=True)
    # Half of what the cut leaves: without a prior, the same heat at that threshold, in wider boxes.
    plain, ours = fitted_box(heat, (1 + float(cut)) / 2), fitted_box(heat, 0.5, prior)
    assert ours.width / plain.width == pytest.approx(2 / 3**0.5, rel=1e-4)


# -- the score ------------------------------------------------------------------------------------


def test_the_score_is_the_formula() -> None:
    scaled = np.zeros((GRID, GRID), np.float32)
    scaled[10:20, 10:20] = 1.0
    scaled[40:44, 40:45] = 1.0  # 20 of 120 hot cells lie elsewhere
    box = np.array([[10.0, 10.0, 20.0, 20.0]])
    assert box_scores(scaled[None], box) == pytest.approx((100 / 120) ** 2)
    heat = 3 * scaled - 1  # inside its mean is 2
    prior = Prior(elongation=0, level=0.5, spread=0.75, images=9)
    certainty = 1 / (1 + math.exp(-(2 - 0.5) / 0.75))
    found = box_scores(scaled[None], box, heat_maps=heat[None], prior=prior)
    assert found == pytest.approx((100 / 120) ** 2 * math.sqrt(certainty), rel=1e-6)
    # The same at the network's own, coarser resolution.
    coarse = heat.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    again = box_scores(scaled[None], box, heat_maps=coarse[None], prior=prior)
    assert again == pytest.approx(found, rel=1e-6)


def test_a_hotter_map_scores_higher_than_a_cooler_one_of_the_same_shape() -> None:
    heat = _bell(8, 8)
    scores = [
        find_box(heat + shift, width=64, height=64, prior=Prior(0, 0, 1, 9)).score
        for shift in (-50, -1, 0, 1, 50)
    ]
    assert scores == sorted(scores)
    assert scores[0] < 0.01 < scores[1] < scores[3]
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize("spread", [0.0, 1e-30])
def test_images_all_alike_still_get_scores(spread: float) -> None:
    prior = Prior(elongation=0, level=0.3, spread=spread, images=2)
    score = find_box(_bell(8, 8), width=64, height=64, prior=prior).score
    assert score is not None
    assert 0 <= score <= 1


def test_a_map_that_says_nothing_scores_nothing() -> None:
    for heat in (np.zeros((8, 8), np.float32), np.full((4, 4), np.nan, np.float32)):
        assert find_box(heat, width=64, height=64, rule="component", prior=WIDE).score == 0.0
