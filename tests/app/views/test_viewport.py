"""Zoom and pan, checked by their laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF

from app.views.viewport import Viewport
from core.base.geometry import Box

sizes = st.integers(1, 6000)
rooms = st.integers(60, 3000)
shares = st.floats(0, 1)


@st.composite
def fitted(draw: st.DrawFn) -> Viewport:
    return Viewport(draw(sizes), draw(sizes), draw(rooms), draw(rooms)).fit()


@given(fitted())
def test_a_fitted_image_lies_whole_and_centred_in_the_widget(view: Viewport) -> None:
    target = view.target
    assert target.left() >= 11.999 and target.right() <= view.view_width - 11.999
    assert target.top() >= 11.999 and target.bottom() <= view.view_height - 11.999
    assert target.center().x() == pytest.approx(view.view_width / 2)
    assert target.center().y() == pytest.approx(view.view_height / 2)


@given(fitted(), shares, shares, st.floats(1.0, 40.0))
def test_zooming_in_holds_the_point_under_the_cursor(view: Viewport, u: float, v: float, by: float) -> None:
    at = QPointF(view.target.left() + u * view.target.width(), view.target.top() + v * view.target.height())
    before = view.to_image(at)
    after = view.scaled_to(view.scale * by, at).to_image(at)
    assert after.x() == pytest.approx(before.x(), abs=1e-6 * view.width)
    assert after.y() == pytest.approx(before.y(), abs=1e-6 * view.height)


@given(fitted(), st.floats(1.01, 40.0), st.floats(-9000, 9000), st.floats(-9000, 9000))
def test_no_drag_loses_the_image(view: Viewport, by: float, dx: float, dy: float) -> None:
    moved = view.scaled_to(view.scale * by).moved(dx, dy)
    target = moved.target.adjusted(-0.01, -0.01, 0.01, 0.01)
    assert target.contains(QPointF(moved.view_width / 2, moved.view_height / 2))


@given(fitted(), st.floats(0.2, 40.0), st.floats(-500, 500), shares, shares)
def test_a_pixel_is_where_its_box_is_drawn(view: Viewport, by: float, dx: float, u: float, v: float) -> None:
    view = view.scaled_to(view.scale * by).moved(dx, -dx)
    x, y = int(u * (view.width - 1)), int(v * (view.height - 1))
    drawn = view.to_widget(Box(x, y, x + 1, y + 1))
    assert view.pixel_at(drawn.center()) == (x, y)


@given(fitted(), st.floats(1.0, 40.0), rooms, rooms)
def test_a_resized_widget_keeps_what_is_in_its_middle(
    view: Viewport, by: float, width: int, height: int
) -> None:
    assert view.resized(width, height) == Viewport(view.width, view.height, width, height).fit()
    zoomed = view.scaled_to(view.scale * by * 1.01)
    resized = zoomed.resized(width, height)
    if resized.scale > resized.fit_scale:
        before = zoomed.to_image(QPointF(view.view_width / 2, view.view_height / 2))
        after = resized.to_image(QPointF(width / 2, height / 2))
        assert after.x() == pytest.approx(before.x(), abs=1e-6 * view.width)
        assert after.y() == pytest.approx(before.y(), abs=1e-6 * view.height)


@given(fitted(), st.floats(0.2, 60.0), st.floats(-3000, 3000), st.floats(-3000, 3000))
def test_the_visible_part_covers_all_that_is_in_sight(
    view: Viewport, by: float, dx: float, dy: float
) -> None:
    view = view.scaled_to(view.scale * by).moved(dx, dy)
    x0, y0, x1, y1 = view.visible()
    for corner in (
        QPointF(0, 0),
        QPointF(view.view_width - 0.01, view.view_height - 0.01),
        QPointF(view.view_width / 2, view.view_height / 2),
    ):
        at = view.pixel_at(corner)
        if at is not None:
            assert x0 <= at[0] < x1 and y0 <= at[1] < y1


def test_beside_the_image_there_is_no_pixel() -> None:
    view = Viewport(10, 10, 100, 100, scale=2.0, x=40, y=40, fitted=False)
    assert view.pixel_at(QPointF(39.9, 50)) is None
    assert view.pixel_at(QPointF(60.0, 50)) is None
    assert view.pixel_at(QPointF(59.9, 59.9)) == (9, 9)
