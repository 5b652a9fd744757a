"""Box geometry against pixel counting, and the way between image and grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.geometry import Box, iou

corners = st.tuples(*[st.integers(0, 30)] * 4).map(
    lambda c: Box(min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
)


def _mask(box: Box) -> np.ndarray:
    mask = np.zeros((30, 30), bool)
    mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = True
    return mask


@given(corners, corners)
def test_iou_is_shared_pixels_over_all_pixels(a: Box, b: Box) -> None:
    either = (_mask(a) | _mask(b)).sum()
    expected = (_mask(a) & _mask(b)).sum() / either if either else 0.0
    assert iou(a, b) == pytest.approx(expected)
    assert iou(a, b) == iou(b, a)


@given(st.tuples(*[st.floats(-100, 200)] * 4))
def test_clamped_lies_inside_and_is_no_larger(values: tuple[float, float, float, float]) -> None:
    box = Box(*values)
    cut = box.clamped(80, 60)
    assert 0 <= cut.x0 <= cut.x1 <= 80
    assert 0 <= cut.y0 <= cut.y1 <= 60
    assert cut.area <= box.area + 1e-9
