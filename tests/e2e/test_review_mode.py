"""Marks, number keys and review mode, driven and looked at in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from review_support import CONTROL, LEFT, NONE, SHIFT, at, automatic, drag, on_disk, ready
from window_support import LONG, close, settle

from app import paths, style
from app.main_window import MainWindow
from core.base import preferences
from core.base.geometry import Box
from core.base.preferences import Preferences

Key = Qt.Key
DRAWN = Box(28, 18, 38, 28)


def line_colour(window: MainWindow, box: Box) -> QColor:
    """The colour of a box's left line on the screen, where no tag and no handle lies."""
    place = at(window, box.x0, box.y0 + 0.3 * box.height)
    return window.canvas.grab().toImage().pixelColor(place)


def badge(window: MainWindow) -> QImage:
    corner = window.canvas.viewport_state.target.topRight().toPoint()
    return window.canvas.grab(QRect(corner.x() - 160, corner.y(), 160, 40)).toImage()


def test_the_colour_of_a_box_and_the_badge_say_what_was_said(found: MainWindow, qtbot: QtBot) -> None:
    canvas = found.canvas
    badges = [badge(found)]
    assert line_colour(found, automatic()) == style.OUTLINE_AUTOMATIC
    for key, colour, said in (
        (Key.Key_A, style.OUTLINE_ACCEPTED, "Accepted"),
        (Key.Key_X, style.OUTLINE_REJECTED, "Rejected"),
    ):
        qtbot.keyClick(found, key)
        found.session.select(1)
        ready(qtbot, found)
        assert line_colour(found, automatic()) == colour
        assert canvas.accessibleDescription() == said
        badges.append(badge(found))
    qtbot.keyClick(found, Key.Key_U)
    drag(qtbot, found, DRAWN)
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert line_colour(found, DRAWN) == style.OUTLINE_EDITED
    badges.append(badge(found))
    qtbot.keyClick(found, Key.Key_E)
    found.session.select(1)
    qtbot.waitUntil(lambda: found.session.picture is not None, timeout=LONG)
    assert canvas.accessibleDescription() == "No object"
    badges.append(badge(found))
    for i, one in enumerate(badges):
        assert all(one != other for other in badges[:i]), "each badge looks different"


def name_classes(qtbot: QtBot, window: MainWindow, *names: str) -> None:
    """Give the box of each of the first images a class of its own by the chooser."""
    for i, name in enumerate(names):
        window.session.select(i + 1)
        ready(qtbot, window)
        qtbot.keyClick(window, Key.Key_C)
        window.box_editing.chooser.edit.selectAll()
        qtbot.keyClicks(window.box_editing.chooser.edit, name)
        qtbot.keyClick(window.box_editing.chooser.edit, Key.Key_Return)
    window.session.select(5)
    ready(qtbot, window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


def test_number_keys_give_classes_once_some_have_names(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_1)
    assert on_disk(found).boxes[0].label == "object"
    assert "No class has a name yet" in found.strip.text.text()
    name_classes(qtbot, found, "raccoon", "badger")
    for key, label in ((Key.Key_1, "badger"), (Key.Key_2, "raccoon"), (Key.Key_9, "raccoon")):
        qtbot.keyClick(found, key)
        assert on_disk(found, 5).boxes[0].label == label
    fitted = found.canvas.zoom
    drag(qtbot, found, DRAWN, keys=SHIFT)
    assert on_disk(found, 5).boxes[1].label == "raccoon", "what is drawn next has the same class"
    assert found.canvas.zoom == fitted, "1 is no key of the zoom any more"
    qtbot.keyClick(found, Key.Key_1, CONTROL)
    assert found.canvas.zoom < fitted


def test_the_menu_calls_number_keys_by_their_classes(found: MainWindow, qtbot: QtBot) -> None:
    name_classes(qtbot, found, "raccoon", "badger")
    menu = found.actions_["class_1"].associatedObjects()[-1]
    menu.popup(QPoint(0, 0))
    shown = [action.text() for action in menu.actions() if action.isVisible()]
    menu.close()
    assert shown == ["&1  badger", "&2  raccoon"]
    assert found.actions_["class_3"].isVisible(), "its key is alive for a class to come"


def test_keys_that_a_person_set_before_stay_theirs(qtbot: QtBot) -> None:
    mine = {"zoom_in": ("1",), "accept": ("F11", "Space"), "draw": ("e",)}
    preferences.save(paths.settings_file(), Preferences(shortcuts=mine))
    window = MainWindow()
    keys = {
        name: [key.toString().casefold() for key in action.shortcuts()]
        for name, action in window.actions_.items()
    }
    assert (keys["zoom_in"], keys["accept"], keys["draw"]) == (["1"], ["f11", "space"], ["e"])
    assert keys["class_1"] == keys["review_mode"] == keys["no_object"] == []
    assert keys["class_2"] == ["2"]
    close(qtbot, window)


def test_review_mode_leaves_the_image_the_strip_and_the_keys(found: MainWindow, qtbot: QtBot) -> None:
    aside = found.images, found.train_panel, found.tools
    was = found.canvas.size()
    qtbot.keyClick(found, Key.Key_F11)
    assert not any(widget.isVisible() for widget in aside)
    assert found.film_strip.isVisible() and found.key_bar.isVisible()
    assert found.bar.threshold_slider.isVisible(), "the threshold stays within reach"
    qtbot.waitUntil(lambda: found.canvas.width() == found.width())
    assert found.canvas.width() * found.canvas.height() > 1.2 * was.width() * was.height()
    said = found.key_bar.accessibleName()
    assert "A: Accept" in said and "X: Reject" in said and "E: No object" in said
    qtbot.keyClick(found, Key.Key_A)
    qtbot.keyClick(found, Key.Key_X)
    assert found.session.current == 3
    qtbot.keyClick(found, Key.Key_F11)
    assert all(widget.isVisible() for widget in aside)
    assert not found.film_strip.isVisible() and not found.key_bar.isVisible()
    assert not found.isFullScreen()
    qtbot.keyClick(found, Key.Key_F11)
    qtbot.mouseClick(found.key_bar.leave, LEFT)
    assert found.images.isVisible() and not found.actions_["review_mode"].isChecked()


def test_what_was_closed_before_review_mode_stays_closed(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_F8)
    for _ in range(2):
        qtbot.keyClick(found, Key.Key_F11)
    assert not found.train_panel.isVisible() and found.images.isVisible()
    qtbot.keyClick(found, Key.Key_F11)
    found.actions_["new"].trigger()
    qtbot.waitUntil(lambda: found.session.project is None, timeout=LONG)
    assert not found.actions_["review_mode"].isChecked()
    assert found.welcome.isVisible()


def test_the_film_strip_goes_by_click_and_wheel(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_F11)
    strip = found.film_strip
    qtbot.waitUntil(lambda: strip.place_of(2) is not None and strip.width() == found.width())
    qtbot.mouseClick(strip, LEFT, NONE, strip.place_of(2).center())
    assert found.session.current == 3
    assert strip.place_of(2).center().x() == pytest.approx(strip.width() / 2, abs=1)
    point = QPointF(strip.rect().center())
    for turn, current in ((-120, 4), (-60, 4), (-60, 5), (240, 3)):
        event = QWheelEvent(
            point,
            strip.mapToGlobal(point),
            QPoint(),
            QPoint(0, turn),
            Qt.MouseButton.NoButton,
            NONE,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(strip, event)
        assert found.session.current == current
    settle(qtbot, found)
    before = strip.grab(strip.place_of(1)).toImage()
    found.session.select(2)
    qtbot.keyClick(found, Key.Key_A)
    found.session.select(3)
    assert strip.grab(strip.place_of(1)).toImage() != before, "what was said of it is on its thumbnail"


def test_full_screen_has_a_key_of_its_own(found: MainWindow) -> None:
    assert [key.toString() for key in found.actions_["full_screen"].shortcuts()] == ["Shift+F11"]
