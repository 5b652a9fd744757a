"""A wrong box is corrected by one drag, and each verdict brings the next image: in the real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from review_support import (
    CONTROL,
    LEFT,
    NONE,
    SHIFT,
    at,
    automatic,
    drag,
    fill_with_boxes,
    on_disk,
    ready,
)
from window_support import LONG, settle

from app.main_window import MainWindow
from core.base.annotations import Source, Status
from core.base.geometry import Box
from core.project.browse import Order, Show
from core.project.queries import replaced_among
from core.project.rows import Kept

Key = Qt.Key
RIGHT_ONE = Box(28, 18, 38, 28)


def boxes(window: MainWindow, image_id: int | None = None) -> list[tuple[Box, Source]]:
    return [(one.box, one.source) for one in on_disk(window, image_id).boxes]


def test_one_drag_takes_the_place_of_an_automatic_box(found: MainWindow, qtbot: QtBot) -> None:
    assert boxes(found) == [(automatic(), Source.AUTO)]
    drag(qtbot, found, RIGHT_ONE)
    assert boxes(found) == [(RIGHT_ONE, Source.EDITED)]
    assert found.canvas.selected_box == 0
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert boxes(found) == [(automatic(), Source.AUTO)]


def test_within_an_automatic_box_a_drag_draws_the_smaller_one(found: MainWindow, qtbot: QtBot) -> None:
    outer = automatic()
    inner = Box(round(outer.x0) + 4, round(outer.y0) + 4, round(outer.x1) - 4, round(outer.y1) - 3)
    drag(qtbot, found, inner)
    assert boxes(found) == [(inner, Source.EDITED)]


def test_a_box_is_moved_once_a_click_has_chosen_it(found: MainWindow, qtbot: QtBot) -> None:
    box = automatic()
    x, y = box.center
    qtbot.mouseClick(found.canvas, LEFT, NONE, at(found, x, y))
    assert found.canvas.selected_box == 0
    assert boxes(found) == [(box, Source.AUTO)], "a click changes nothing"
    drag(qtbot, found, Box(x, y, x + 5, y + 3))
    ((moved, source),) = boxes(found)
    assert source is Source.EDITED
    assert (moved.width, moved.height) == pytest.approx((box.width, box.height))
    assert moved.center == pytest.approx((x + 5, y + 3), abs=1)


def test_a_line_of_an_automatic_box_is_dragged_at_once(found: MainWindow, qtbot: QtBot) -> None:
    box = automatic()
    middle = (box.y0 + box.y1) / 2
    drag(qtbot, found, Box(box.x1, middle, box.x1 + 6, middle + 1))
    ((wider, source),) = boxes(found)
    assert source is Source.EDITED
    assert (wider.x0, wider.y0, wider.y1) == (box.x0, box.y0, box.y1)
    assert wider.x1 == pytest.approx(box.x1 + 6, abs=1)


def test_with_shift_a_drag_adds_one_wherever_it_begins(found: MainWindow, qtbot: QtBot) -> None:
    box = automatic()
    x, y = round(box.center[0]), round(box.center[1])
    drag(qtbot, found, Box(x, y, x + 5, y + 5), keys=SHIFT)
    assert boxes(found) == [(box, Source.AUTO), (Box(x, y, x + 5, y + 5), Source.EDITED)]
    drag(qtbot, found, RIGHT_ONE)
    assert len(boxes(found)) == 3, "what a person has set stays: a further box is one more"


def test_an_accepted_box_stays_beside_what_is_drawn(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_A)
    assert found.session.current == 2
    qtbot.keyClick(found, Key.Key_Left)
    ready(qtbot, found)
    found.workbench.browsing.set_threshold(0.8)
    settle(qtbot, found)
    assert boxes(found) == [(automatic(), Source.AUTO)], "nor does a threshold change it"
    drag(qtbot, found, RIGHT_ONE)
    assert boxes(found) == [(automatic(), Source.AUTO), (RIGHT_ONE, Source.EDITED)]
    assert found.session.record.status is Status.ACCEPTED


@pytest.fixture
def two_each(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    """Two objects stand out in each image, and have a box each."""
    heat = np.zeros((16, 16), np.float32)
    heat[2:6, 1:5] = heat[9:14, 10:15] = 1.0
    fill_with_boxes(qtbot, window, folder, heat)
    window.session.change_view(rule="component", max_boxes=5)
    settle(qtbot, window)
    return window


def test_of_several_boxes_the_one_that_is_drawn_over_gives_way(two_each: MainWindow, qtbot: QtBot) -> None:
    first, second = sorted((box for box, _ in boxes(two_each)), key=lambda box: box.x0)
    drawn = Box(round(second.x0) - 2, round(second.y0) - 2, round(second.x1), round(second.y1) - 1)
    drag(qtbot, two_each, drawn)
    assert boxes(two_each) == [(first, Source.AUTO), (drawn, Source.EDITED)]


def test_a_drag_over_none_of_several_boxes_adds_the_one_that_was_missed(
    two_each: MainWindow, qtbot: QtBot
) -> None:
    before = boxes(two_each)
    drag(qtbot, two_each, Box(30, 1, 38, 8))
    assert boxes(two_each) == [*before, (Box(30, 1, 38, 8), Source.EDITED)]


def test_the_view_is_moved_with_ctrl_or_the_middle_button(found: MainWindow, qtbot: QtBot) -> None:
    for _ in range(4):
        qtbot.keyClick(found.canvas, Key.Key_Plus)
    for keys, button in ((CONTROL, LEFT), (NONE, Qt.MouseButton.MiddleButton)):
        before = found.canvas.viewport_state
        drag(qtbot, found, Box(20, 15, 16, 12), keys=keys, button=button)
        after = found.canvas.viewport_state
        assert (after.x, after.y) != (before.x, before.y)
        assert boxes(found) == [(automatic(), Source.AUTO)]


def test_a_drawn_box_is_accepted_at_once_where_that_is_chosen(found: MainWindow, qtbot: QtBot) -> None:
    found.actions_["accept_drawn"].trigger()
    assert found.program.preferences.accept_drawn
    drag(qtbot, found, RIGHT_ONE)
    assert found.session.current == 2
    assert boxes(found, 1) == [(RIGHT_ONE, Source.EDITED)]
    assert found.session.project.image(1).status is Status.ACCEPTED
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert found.session.current == 1
    assert boxes(found, 1) == [(automatic(), Source.AUTO)]
    assert found.session.project.image(1).status is Status.UNSEEN, "one action is taken back by one"


def test_both_verdicts_bring_the_next_image_that_nobody_has_judged(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_A)
    qtbot.keyClick(found, Key.Key_X)
    assert found.session.current == 3
    project = found.session.project
    assert [project.image(i).status for i in (1, 2, 3)] == [Status.ACCEPTED, Status.REJECTED, Status.UNSEEN]
    qtbot.keyClick(found, Key.Key_Home)
    qtbot.keyClick(found, Key.Key_X)
    assert found.session.current == 3, "image 2 has its verdict"


def test_one_key_says_that_there_is_no_object(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_E)
    assert found.session.current == 2
    assert on_disk(found, 1) == Kept((), edited=True)
    assert found.session.project.image(1).status is Status.NO_OBJECT
    found.workbench.browsing.set_threshold(0.3)
    settle(qtbot, found)
    assert on_disk(found, 1) == Kept((), edited=True), "no threshold gives it a box again"
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert boxes(found, 1) == [(automatic(), Source.AUTO)]
    assert found.session.project.image(1).status is Status.UNSEEN


def status(window: MainWindow, image_id: int) -> Status:
    """What is said of an image, by the file and by the list, which must agree."""
    said = window.session.project.image(image_id).status
    assert window.session.images.table.columns.statuses([image_id]) == {image_id: said}
    return said


def test_an_image_without_an_object_has_one_once_a_box_is_drawn(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_E)
    show = found.images.browse_bar.show_box
    show.setCurrentIndex(show.findData(Show.NO_OBJECT.value))
    assert [found.session.images.id_at(row) for row in range(found.session.images.rowCount())] == [1]
    found.session.select(1)
    qtbot.waitUntil(lambda: found.session.has_evidence, timeout=LONG)
    assert status(found, 1) is Status.NO_OBJECT
    drag(qtbot, found, RIGHT_ONE)
    assert status(found, 1) is Status.ACCEPTED
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert status(found, 1) is Status.NO_OBJECT and boxes(found, 1) == []
    qtbot.keyClick(found, Key.Key_A)
    assert status(found, 1) is Status.NO_OBJECT, "there is no box to accept"
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert status(found, 1) is Status.UNSEEN


def test_accepted_once_more_it_is_accepted_as_the_file_is_now(found: MainWindow, qtbot: QtBot) -> None:
    project = found.session.project
    qtbot.keyClick(found, Key.Key_A)
    [record] = [one for one in project.images() if one.id == 1]
    project.add_images([replace(record.file, size_bytes=7)])  # as a search does that finds another file
    assert replaced_among(project, [1, 2]) == {1}
    found.session.select(1)
    settle(qtbot, found)
    qtbot.keyClick(found, Key.Key_A)
    assert replaced_among(project, [1]) == set() and status(found, 1) is Status.ACCEPTED


def test_of_many_selected_images_none_shows_an_object(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found.images.list, Key.Key_Down, SHIFT)
    qtbot.keyClick(found.images.list, Key.Key_Down, SHIFT)
    qtbot.keyClick(found, Key.Key_E)
    assert [on_disk(found, i).edited for i in (1, 2, 3, 4)] == [True, True, True, False]
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert all(boxes(found, i) == [(automatic(), Source.AUTO)] for i in (1, 2, 3))


def test_least_sure_first_begins_at_the_top(found: MainWindow, qtbot: QtBot) -> None:
    rng = np.random.default_rng(5)
    scores = rng.permutation(12) / 20 + 0.2
    project, auto = found.session.project, on_disk(found, 1).boxes[0]
    project.set_auto_boxes({i + 1: [replace(auto, score=float(scores[i]))] for i in range(12)})
    found.workbench.review.refresh_facts()
    settle(qtbot, found)
    found.session.select(7)
    qtbot.keyClick(found, Key.Key_L)
    assert found.session.view.browse.order is Order.LEAST_SURE
    lowest = int(scores.argmin()) + 1
    assert found.session.current == found.session.images.id_at(0) == lowest
    found.session.select(7)
    box = found.images.browse_bar.order_box
    box.setCurrentIndex(box.findData(Order.NAME.value))
    assert found.session.current == 7, "an order that is no queue leaves the image in view"
    box.setCurrentIndex(box.findData(Order.LEAST_SURE.value))
    qtbot.waitUntil(lambda: found.session.current == lowest, timeout=LONG)
