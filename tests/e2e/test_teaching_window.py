"""Reviewed images teach the rest, in the real window: the offer, before and after, taking it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from review_support import CONTROL, drag, on_disk, ready
from window_support import LONG, click, fill, finish, settle, start

from app.main_window import MainWindow
from app.views.compare_dialog import CompareDialog
from app.views.settings_dialog import SettingsDialog
from core.base.annotations import BoxRecord, Source, Status
from core.base.config import FeaturesConfig
from core.base.geometry import Box
from core.formats.reading import read_truth
from core.images.sample import draw_sample
from core.learn.usefulness import most_useful
from core.project.browse import Order
from core.project.corrections import PRESET
from core.project.learning import saved_unit
from core.project.queries import signatures
from core.project.runs import current_run, runs
from core.project.store import Project

SMALL = FeaturesConfig(image_size=224, threads=1, device="cpu")
COUNT = 24
Key = Qt.Key


@pytest.fixture
def truth(tmp_path: Path) -> dict[str, Box]:
    """The true box of each of 24 drawn photos, by name."""
    drawn = draw_sample(tmp_path / "drawn", count=COUNT, seed=3)
    return {Path(one.name).name: one.boxes[0].box for one in read_truth(drawn)}


@pytest.fixture
def found(window: MainWindow, truth: dict[str, Box], tmp_path: Path, qtbot: QtBot) -> MainWindow:
    """Boxes of all photos, found; a box that is drawn is accepted."""
    fill(qtbot, window, tmp_path / "drawn" / "images", COUNT)
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    window.activateWindow()
    window.actions_["accept_drawn"].trigger()
    return window


def review(qtbot: QtBot, window: MainWindow, truth: dict[str, Box], count: int) -> list[int]:
    """Draw a box half as high as the true one in so many images, from the one in view on; their ids."""
    done = []
    for _ in range(count):
        ready(qtbot, window)
        record = window.session.record
        assert record is not None
        box = truth[record.name]
        drag(qtbot, window, Box(round(box.x0), round(box.y0), round(box.x1), round((box.y0 + box.y1) / 2)))
        done.append(record.id)
    settle(qtbot, window)
    window.session.progress.count()
    return done


def button(window: MainWindow, text: str) -> QPushButton:
    [one] = [each for each in window.notice.buttons if each.text().startswith(text)]
    return one


def offers(window: MainWindow) -> list[str]:
    return [] if window.notice.isHidden() else [each.text() for each in window.notice.buttons]


def all_boxes(window: MainWindow) -> dict[int, tuple[BoxRecord, ...]]:
    assert window.session.project is not None
    return window.session.project.all_boxes()


def compare(qtbot: QtBot, window: MainWindow) -> CompareDialog:
    """Learn, by the button in the strip, and wait for the dialog."""
    click(qtbot, button(window, "Learn from"))
    qtbot.waitUntil(lambda: bool(dialogs(window)), timeout=LONG)
    settle(qtbot, window)
    [dialog] = dialogs(window)
    return dialog


def dialogs(window: MainWindow) -> list[CompareDialog]:
    return [one for one in window.findChildren(CompareDialog) if one.isVisible()]


def test_five_reviewed_images_teach_the_others_and_one_undo_takes_it_back(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    project = found.session.project
    review(qtbot, found, truth, 4)
    assert not any(text.startswith("Learn") for text in offers(found)), "four are too few"
    ids = [*range(1, 6)]
    assert review(qtbot, found, truth, 1) == [5]
    assert button(found, "Learn from 5 reviewed images: about ").isVisible()
    before, unsure = all_boxes(found), found.session.progress.tally.unsure
    dialog = compare(qtbot, found)
    assert all_boxes(found) == before, "nothing changes before the answer"
    [first, second] = runs(project)
    assert first.current and (second.preset, second.finished) == (PRESET, True)
    unit = saved_unit(second)
    assert unit.taught is not None and (unit.taught.images, unit.taught.empty) == (5, 0)
    assert len(dialog.pictures) == 3
    for old, new in dialog.pictures:
        assert old._boxes != new._boxes and old._picture is not None
        assert tuple(old._boxes) in before.values()
    click(qtbot, dialog.use_button)
    settle(qtbot, found)
    after = all_boxes(found)
    assert current_run(project).id == second.id and not dialogs(found)
    assert {i: after[i] for i in ids} == {i: before[i] for i in ids}, "what was reviewed stays"
    assert all(after[i][0].source is Source.EDITED for i in ids)
    moved = [i for i in before if after.get(i) != before[i]]
    assert len(moved) > 8 and not set(moved) & set(ids)
    columns = found.session.images.table.columns
    shown = {i: float(columns.score[place]) for place, i in enumerate(columns.ids.tolist())}
    assert all(shown[i] == pytest.approx(after[i][0].score) for i in moved), "the scores are the new ones"
    assert not any(text.startswith("Learn") for text in offers(found)), "they have taught already"
    found.activateWindow()
    qtbot.waitUntil(found.isActiveWindow, timeout=LONG)
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    settle(qtbot, found)
    assert all_boxes(found) == before and current_run(project).id == first.id
    found.session.progress.count()
    assert found.session.progress.tally.unsure == unsure


def labels_of(window: MainWindow) -> dict[int, str]:
    return {image_id: own[0].label for image_id, own in all_boxes(window).items()}


def test_a_class_that_was_named_is_learned_shown_and_taken_back(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    qtbot.keyClick(found, Key.Key_C)
    chooser = found.box_editing.chooser.edit
    chooser.selectAll()
    qtbot.keyClicks(chooser, "beetle")
    qtbot.keyClick(chooser, Key.Key_Return)
    found.session.select(2)
    ready(qtbot, found)
    assert review(qtbot, found, truth, 4) == [2, 3, 4, 5]
    before = labels_of(found)
    assert [label for i, label in before.items() if i <= 5] == ["beetle"] * 5, "drawn next, too"
    assert set(before.values()) == {"beetle", "object"}
    dialog = compare(qtbot, found)
    assert all(box.label == "beetle" for _, new in dialog.pictures for box in new._boxes)
    click(qtbot, dialog.use_button)
    settle(qtbot, found)
    assert set(labels_of(found).values()) == {"beetle"} and len(labels_of(found)) == COUNT
    found.session.select(20)
    ready(qtbot, found)
    assert found.session.boxes[0].label == "beetle", "what is in view is cut from the map just now"
    found.workbench.browsing.set_threshold(0.4)
    settle(qtbot, found)
    assert on_disk(found, 20).boxes[0].label == "beetle" == found.session.boxes[0].label
    found.activateWindow()
    qtbot.waitUntil(found.isActiveWindow, timeout=LONG)
    for _ in range(2):
        qtbot.keyClick(found, Key.Key_Z, CONTROL)
        settle(qtbot, found)
    assert labels_of(found) == before


def test_who_keeps_theirs_has_lost_nothing_and_is_not_asked_again(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    review(qtbot, found, truth, 5)
    before = all_boxes(found)
    click(qtbot, compare(qtbot, found).keep_button)
    settle(qtbot, found)
    assert all_boxes(found) == before and not dialogs(found)
    session = found.session
    assert not session.is_provisional, "what is drawn is the person's own again"
    assert not any(text.startswith("Learn") for text in offers(found))
    review(qtbot, found, truth, 5)
    assert button(found, "Learn from 10 reviewed images").isVisible()
    click(qtbot, button(found, "Not now"))
    assert not any(text.startswith("Learn") for text in offers(found))


def test_who_goes_on_meanwhile_is_asked_by_the_strip_alone(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    review(qtbot, found, truth, 5)
    click(qtbot, button(found, "Learn from"))
    qtbot.keyClick(found, Key.Key_A)
    qtbot.waitUntil(lambda: "Use these boxes" in offers(found), timeout=LONG)
    settle(qtbot, found)
    assert not dialogs(found)
    assert on_disk(found, 6).boxes and found.session.project.image(6).status is Status.ACCEPTED
    click(qtbot, button(found, "Compare"))
    qtbot.waitUntil(lambda: bool(dialogs(found)), timeout=LONG)
    qtbot.keyClick(dialogs(found)[0], Key.Key_Escape)
    assert offers(found) == ["Use these boxes", "Keep mine", "Compare…"], "it has not been answered"
    before = all_boxes(found)
    click(qtbot, button(found, "Use these boxes"))
    settle(qtbot, found)
    after = all_boxes(found)
    assert after[6] == before[6] and after != before, "accepted while it was learned: it stays"


def test_stopped_in_the_middle_nothing_is_left(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    review(qtbot, found, truth, 5)
    before = all_boxes(found)
    click(qtbot, button(found, "Learn from"))
    assert not found.train_panel.start_button.isEnabled() and not found.actions_["teach"].isEnabled()
    qtbot.waitUntil(lambda: found.strip.stop.isVisible(), timeout=LONG)
    click(qtbot, found.strip.stop)
    settle(qtbot, found)
    assert all_boxes(found) == before and len(runs(found.session.project)) == 1
    assert found.actions_["teach"].isEnabled()


@pytest.mark.parametrize("what", ["too few", "another kind of run"])
def test_what_cannot_teach_is_one_sentence(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot, what: str
) -> None:
    review(qtbot, found, truth, 2 if what == "too few" else 5)
    project = found.session.project
    if what != "too few":
        with project.transaction() as db:
            db.execute("UPDATE run SET kind = 'gan'")
        found.workbench.runs.refresh()
        settle(qtbot, found)
        assert not any(text.startswith("Learn") for text in offers(found))
    before, said = all_boxes(found), []
    found.session.error.disconnect()
    found.session.error.connect(lambda error, _: said.append(str(error)))
    found.actions_["teach"].trigger()
    qtbot.waitUntil(lambda: bool(said), timeout=LONG)
    settle(qtbot, found)
    assert len(said) == 1 and said[0].count(".") == 1
    assert ("at least 3 images" if what == "too few" else "frozen features") in said[0]
    assert all_boxes(found) == before and len(runs(project)) == 1


def test_by_itself_every_ten_and_said_with_undo(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    project = found.session.project
    assert not found.program.preferences.learn_by_itself, "off by default"
    choose(qtbot, found, "learn_by_itself")
    review(qtbot, found, truth, 9)
    assert len(runs(project)) == 1 and not any(text.startswith("Learn") for text in offers(found))
    before = all_boxes(found)
    [last] = review(qtbot, found, truth, 1)
    qtbot.waitUntil(lambda: offers(found) == ["Close", "Undo"], timeout=LONG)
    settle(qtbot, found)
    first, second = runs(project)
    assert second.current and saved_unit(second).taught.images == 10
    assert found.notice.text.text().startswith("Learned from 10 reviewed images. ")
    before[last] = all_boxes(found)[last]
    assert all_boxes(found) != before and not dialogs(found)
    click(qtbot, button(found, "Undo"))
    settle(qtbot, found)
    assert all_boxes(found) == before and current_run(project).id == first.id
    assert not found.session.is_provisional and found.notice.isHidden()
    review(qtbot, found, truth, 9)
    assert len(runs(project)) == 2, "only ten more teach again"


def choose(qtbot: QtBot, window: MainWindow, name: str) -> None:
    """Switch a setting on in the dialog."""
    in_settings(qtbot, window, lambda dialog: dialog.editors[name].set_value(True))


def in_settings(qtbot: QtBot, window: MainWindow, do: Callable[[SettingsDialog], object]) -> None:
    """What a person does in the dialog, and OK."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, SettingsDialog)
        do(dialog)
        click(qtbot, dialog.ok)

    QTimer.singleShot(0, answer)
    window.actions_["settings"].trigger()


def test_the_settings_say_what_is_kept_and_delete_it(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    said: list[str] = []
    file = found.session.project.data_dir / "features.db"

    def note(dialog: SettingsDialog) -> None:
        said.append(dialog.used.text())
        if dialog.delete_kept.isEnabled():
            click(qtbot, dialog.delete_kept)
            said.append(dialog.used.text())

    in_settings(qtbot, found, note)
    assert said == ["This project uses 0 MB now."] and not file.exists()
    review(qtbot, found, truth, 5)
    click(qtbot, compare(qtbot, found).use_button)
    settle(qtbot, found)
    size = sum(each.stat().st_size for each in file.parent.glob("features.db*"))
    in_settings(qtbot, found, note)
    assert said[1:] == [f"This project uses {size / 1e6:.0f} MB now.", said[0]] and not file.exists()
    assert size > 1e6


def test_the_most_useful_next_begins_at_its_top_and_follows_a_new_run(
    found: MainWindow, truth: dict[str, Box], qtbot: QtBot
) -> None:
    def ranked() -> list[int]:
        """By the function alone, from what lies on disk."""
        with Project.open_to_read(found.session.project.path) as other:
            ids, points = signatures(other)
            scores = [min(box.score or 0 for box in other.boxes(i)) for i in ids.tolist()]
            seen = np.array([other.image(i).status is Status.ACCEPTED for i in ids.tolist()])
        return ids[most_useful(points, np.array(scores), seen, count=200)].tolist()

    def listed() -> list[int]:
        images = found.session.images
        return images.ids_in(0, images.rowCount() - 1)

    reviewed = review(qtbot, found, truth, 5)
    box = found.images.browse_bar.order_box
    assert box.itemText(box.findData(Order.USEFUL.value)) == "Most useful next"
    found.actions_["most_useful_first"].trigger()
    qtbot.waitUntil(lambda: listed()[:3] == ranked()[:3], timeout=LONG)
    first = ranked()
    assert listed() == [*first, *reviewed], "what nobody has reviewed comes first"
    assert found.session.current == first[0]
    click(qtbot, compare(qtbot, found).use_button)
    settle(qtbot, found)
    assert ranked() != first and listed()[: len(first)] == ranked()
