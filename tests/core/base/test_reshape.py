"""What a person's moves make of a box, for any box, move and image."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.geometry import Box
from core.base.reshape import SMALLEST, Sides, centred, moved, reshaped, resized, spanned

SIDES = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
far = st.floats(-2000, 2000)


@st.composite
def placed(draw: st.DrawFn) -> tuple[Box, int, int]:
    """A box of whole pixels within an image, at least as large as a person can make it."""
    width, height = draw(st.integers(SMALLEST, 500)), draw(st.integers(SMALLEST, 500))
    x0, y0 = draw(st.integers(0, width - SMALLEST)), draw(st.integers(0, height - SMALLEST))
    x1, y1 = draw(st.integers(x0 + SMALLEST, width)), draw(st.integers(y0 + SMALLEST, height))
    return Box(x0, y0, x1, y1), width, height


def is_inside(box: Box, width: int, height: int) -> bool:
    return 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height


@given(placed(), st.sampled_from(SIDES), far, far)
def test_a_changed_box_is_whole_inside_and_large_enough(
    where: tuple[Box, int, int], sides: Sides, dx: float, dy: float
) -> None:
    box, width, height = where
    now = reshaped(box, sides, dx, dy, width=width, height=height)
    assert is_inside(now, width, height)
    assert min(now.width, now.height) >= SMALLEST
    assert all(float(v).is_integer() for v in (now.x0, now.y0, now.x1, now.y1))


@given(placed(), far, far)
def test_a_move_keeps_the_size_and_the_way_back_is_there_unless_an_edge_stopped_it(
    where: tuple[Box, int, int], dx: float, dy: float
) -> None:
    box, width, height = where
    now = moved(box, dx, dy, width=width, height=height)
    assert (now.width, now.height) == (box.width, box.height)
    back = moved(now, box.x0 - now.x0, box.y0 - now.y0, width=width, height=height)
    assert back == box


@given(placed(), st.sampled_from(SIDES), far, far)
def test_only_the_sides_that_are_held_move(
    where: tuple[Box, int, int], sides: Sides, dx: float, dy: float
) -> None:
    box, width, height = where
    now = resized(box, sides, dx, dy, width=width, height=height)
    x, y = sides
    assert (now.x0 == box.x0 or x < 0) and (now.x1 == box.x1 or x > 0)
    assert (now.y0 == box.y0 or y < 0) and (now.y1 == box.y1 or y > 0)


@given(st.tuples(far, far), st.tuples(far, far), st.integers(1, 300), st.integers(1, 300))
def test_a_drag_spans_the_same_box_whichever_corner_it_begins_in(
    a: tuple[float, float], b: tuple[float, float], width: int, height: int
) -> None:
    box = spanned(a, b, width=width, height=height)
    assert box == spanned(b, a, width=width, height=height)
    assert box == spanned((a[0], b[1]), (b[0], a[1]), width=width, height=height)
    if box is not None:
        assert is_inside(box, width, height)
        assert min(box.width, box.height) >= SMALLEST


def test_half_pixels_become_whole_ones_and_a_slip_no_box() -> None:
    assert spanned((1.4, 2.6), (9.6, 7.4), width=20, height=20) == Box(1, 3, 10, 7)
    assert spanned((5, 5), (7, 15), width=20, height=20) is None


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 50), (3, 3), (640, 480)])
def test_without_a_mouse_a_box_begins_in_the_middle(width: int, height: int) -> None:
    box = centred(width=width, height=height)
    assert is_inside(box, width, height)
    assert box.center == pytest.approx((width / 2, height / 2), abs=1)


def test_an_automatic_box_of_fractions_can_be_moved_at_the_edge() -> None:
    box = Box(10.25, 3.5, 19.75, 12.25)
    now = moved(box, 5, 0, width=20, height=20)
    assert (now.x1, now.width) == (20, box.width)
