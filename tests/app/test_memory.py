"""The garbage collector looks at young objects by itself, and at all others where a project was closed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot
from window_support import LONG

from app.controllers.workbench import Workbench
from app.memory import leave_what_stays_to_itself
from core.base.geometry import Box


class _Cycle:
    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def left_alone() -> Iterator[None]:
    thresholds = gc.get_threshold()
    leave_what_stays_to_itself()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def _looks_at_all() -> int:
    return gc.get_stats()[2]["collections"]


def test_a_million_objects_make_no_look_at_all_and_young_cycles_still_go(left_alone: None) -> None:
    before, dropped = _looks_at_all(), weakref.ref(_Cycle())
    kept = [[Box(i, i, i + 1, i + 1)] for i in range(500_000)]
    assert dropped() is None
    assert _looks_at_all() == before
    del kept


def test_an_old_cycle_goes_when_a_project_is_closed(
    left_alone: None, opened: Workbench, qtbot: QtBot
) -> None:
    cycle = _Cycle()
    dropped = weakref.ref(cycle)
    gc.collect()
    del cycle
    gc.collect(1)
    assert dropped() is not None
    opened.new_project()
    qtbot.waitUntil(lambda: dropped() is None, timeout=LONG)
