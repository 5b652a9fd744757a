"""How fast images are looked through: seconds and actions an image, over 50 images of the same faults.

    python3 benchmarks/review.py [--former CHECKOUT] [--json FILE]

A script of keys and mouse moves goes through the real window, without a display: 30 images whose box is
right, 10 whose box lies beside the object, 5 where a second object was missed, and 5 without an object. At
the end the boxes in the project are compared with those that were wanted. ``accepting`` is the same window
with "Accept after drawing". ``--former`` is a checkout of an older state (git 9a88ece), whose window is
driven by the keys that it had.

Three figures for each window: the actions (a key, a click or a drag); the seconds that the window itself
takes from the first event to the next image in sight; and an estimate of the seconds that hands take. Looking
and deciding are left out: they are the same for all. labelme is counted only, by its standard keys (6.3.1),
at its cheapest: both corners of a wrong box are dragged, and nothing says that an image was seen.

The estimate: a key takes 0.2 s (an average skilled typist: Card, Moran and Newell 1980, "The keystroke-level
model"). A move of the mouse takes a + b log2(D / W + 1), where D is its distance and W its target's width;
a = -107 ms, b = 223 ms to point and a = 135 ms, b = 249 ms to drag (MacKenzie, Sellen and Buxton 1991, "A
comparison of input devices in elemental pointing and dragging tasks"). A corner is taken to be 8 pixels wide,
the mouse begins in the image's middle, and the hands stay on keys and mouse.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, os.environ.get("BOXSCOUT_CHECKOUT") or str(Path(__file__).parents[1]))

import numpy as np
from instruments import draw_folder, wait
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.application import make_application
from app.main_window import MainWindow
from core.base.annotations import BoxRecord
from core.base.geometry import Box, iou

HERE = Path(__file__).resolve().parent
Key, Shift, Control = Qt.Key, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
NO_KEYS, LEFT = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
SIZE = (640, 480)
FAULTS = ("right",) * 30 + ("beside",) * 10 + ("missed",) * 5 + ("empty",) * 5
KEY_S = 0.2
POINT_S, DRAG_S = (-0.107, 0.223), (0.135, 0.249)
CORNER = 8.0


@dataclass(frozen=True)
class Press:
    """A key."""

    key: Qt.Key
    keys: Qt.KeyboardModifier = NO_KEYS


@dataclass(frozen=True)
class Drag:
    """A move to a point of the image, and with the button held to another one."""

    start: tuple[float, float]
    end: tuple[float, float]
    keys: Qt.KeyboardModifier = NO_KEYS


@dataclass(frozen=True)
class Click:
    """A click at a point of the image, within a target of ``width`` pixels of it; with 0, at a corner."""

    at: tuple[float, float]
    width: float = 0.0


Action = Press | Drag | Click


@dataclass(frozen=True)
class Case:
    """One image: what was found in it, and what its boxes should be."""

    fault: str
    found: tuple[Box, ...]
    wanted: tuple[Box, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--former", type=Path, help="a checkout of an older state")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = [measured(HERE.parent, name) for name in ("now", "accepting")]
    if options.former:
        results.append(measured(options.former, "former"))
    results.append(counted("labelme 6.3.1", labelme, results[0]["pixels_of_screen"]))
    for one in results:
        print({name: value for name, value in one.items() if name != "by_fault"}, one["by_fault"])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def measured(checkout: Path, name: str) -> dict[str, object]:
    """What the window of a checkout takes; in a process of its own, since both call their rooms alike."""
    place = tempfile.mkdtemp(prefix="boxscout-benchmark-")
    env = {**os.environ, "BOXSCOUT_CHECKOUT": str(checkout.resolve()), "BOXSCOUT_HANDS": name}
    env.update(XDG_DATA_HOME=place, XDG_CONFIG_HOME=place, XDG_STATE_HOME=place)
    try:
        script = "import sys; sys.path.insert(0, sys.argv[1]); import review; review.drive(sys.argv[2])"
        done = subprocess.run(
            [sys.executable, "-c", script, str(HERE), place], env=env, check=True, capture_output=True
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


# ---- hands ------------------------------------------------------------------------------------------


def now(case: Case) -> Sequence[Action]:
    """The keys of this state: a drag takes the place of an automatic box."""
    if case.fault == "right":
        return [Press(Key.Key_A)]
    if case.fault == "empty":
        return [Press(Key.Key_E)]
    keys = Shift if case.fault == "missed" else NO_KEYS
    return [_drag(case.wanted[-1], keys), Press(Key.Key_A)]


def former(case: Case) -> Sequence[Action]:
    """The keys of git 9a88ece: draw, go to the old box, delete it."""
    if case.fault == "right":
        return [Press(Key.Key_A)]
    if case.fault == "empty":
        return [Press(Key.Key_Delete, Control), Press(Key.Key_A)]
    drawn = [Press(Key.Key_D), _drag(case.wanted[-1])]
    if case.fault == "beside":
        drawn += [Press(Key.Key_G), Press(Key.Key_Delete)]
    return [*drawn, Press(Key.Key_A)]


def labelme(case: Case) -> Sequence[Action]:
    """labelme's standard keys; new boxes are named in a dialog, deletion is asked about in one."""
    found, wanted, following = case.found[0], case.wanted, Press(Key.Key_D)
    if case.fault == "right":
        return [following]
    if case.fault == "empty":
        width = min(found.width, found.height)
        asked = [Press(Key.Key_Delete), Press(Key.Key_Return)]
        return [Click(found.center, width), *asked, following]
    if case.fault == "missed":
        new = wanted[-1]
        corners = [Click((new.x0, new.y0)), Click((new.x1, new.y1))]
        back = Press(Key.Key_J, Control)  # to the mode in which boxes are changed
        return [Press(Key.Key_R, Control), *corners, Press(Key.Key_Return), back, following]
    (box,) = wanted
    return [
        Drag((found.x0, found.y0), (box.x0, box.y0)),
        Drag((found.x1, found.y1), (box.x1, box.y1)),
        following,
    ]


def accepting(case: Case) -> Sequence[Action]:
    """The same where "Accept after drawing" is chosen."""
    actions = now(case)
    return actions if len(actions) == 1 else actions[:-1]


HANDS: dict[str, Callable[[Case], Sequence[Action]]] = {"now": now, "accepting": accepting, "former": former}


def _drag(box: Box, keys: Qt.KeyboardModifier = NO_KEYS) -> Drag:
    return Drag((box.x0, box.y0), (box.x1, box.y1), keys)


def cases() -> list[Case]:
    """Fifty images with their faults in a fixed, mixed order."""
    rng = np.random.default_rng(11)
    made = []
    for fault in rng.permutation(FAULTS).tolist():
        width, height = rng.integers(90, 220, 2).tolist()
        x, y = int(rng.integers(20, 260 - width // 2)), int(rng.integers(20, 460 - height))
        true = Box(x, y, x + width, y + height)
        other = Box(x + width + 40, y, min(x + 2 * width + 40, 620), y + height)
        beside = Box(x + width // 2, max(y - 15, 0), min(x + 2 * width, 639), min(y + height + 20, 479))
        found, wanted = {
            "right": ((true,), (true,)),
            "beside": ((beside,), (true,)),
            "missed": ((true,), (true, other)),
            "empty": ((true,), ()),
        }[fault]
        made.append(Case(fault, found, wanted))
    return made


def seconds_of(actions: Sequence[Action], pointer: tuple[float, float], scale: float) -> float:
    """The estimate for hands; distances are of the screen, ``scale`` of its pixels for one of the image."""
    total = 0.0
    for action in actions:
        if isinstance(action, Press):
            total += KEY_S
        elif isinstance(action, Click):
            total += _moved(pointer, action.at, scale, POINT_S, action.width * scale or CORNER)
            pointer = action.at
        else:
            total += _moved(pointer, action.start, scale, POINT_S, CORNER)
            total += _moved(action.start, action.end, scale, DRAG_S, CORNER)
            pointer = action.end
    return total


def _moved(
    start: tuple[float, float],
    end: tuple[float, float],
    scale: float,
    law: tuple[float, float],
    width: float,
) -> float:
    distance = scale * math.dist(start, end)
    return max(0.0, law[0] + law[1] * math.log2(distance / width + 1))


def counted(
    name: str, hands: Callable[[Case], Sequence[Action]], scale: object, window: Sequence[float] = ()
) -> dict[str, object]:
    """The figures of one window, with the seconds that it took itself where these were measured."""
    pointer = SIZE[0] / 2, SIZE[1] / 2
    assert isinstance(scale, float)
    actions = [list(hands(case)) for case in cases()]
    estimates = [seconds_of(each, pointer, scale) for each in actions]
    faults = [case.fault for case in cases()]
    return {
        "window": name,
        "images": len(actions),
        "actions": sum(map(len, actions)),
        "actions_an_image": sum(map(len, actions)) / len(actions),
        "hands_s_an_image": round(statistics.mean(estimates), 3),
        "window_s_an_image": round(statistics.mean(window), 4) if window else None,
        "window_s_median": round(statistics.median(window), 4) if window else None,
        "pixels_of_screen": scale,
        "by_fault": {
            fault: {
                "actions": len(actions[faults.index(fault)]),
                "hands_s": round(
                    statistics.mean(s for s, f in zip(estimates, faults, strict=True) if f == fault), 3
                ),
            }
            for fault in dict.fromkeys(FAULTS)
        },
    }


# ---- the real window --------------------------------------------------------------------------------


def drive(place: str) -> None:
    """Go through all images with the hands that the environment names, and print the figures."""
    name = os.environ["BOXSCOUT_HANDS"]
    plan, hands = cases(), HANDS[name]
    folder = draw_folder(Path(place) / "photos", len(plan))
    make_application()
    window = MainWindow()
    window.resize(1280, 800)
    window.show()
    window.activateWindow()
    window.open_paths([folder])
    session = window.session
    wait(lambda: session.images.total == len(plan) and not session.activities, 60)
    project = session.project
    assert project is not None
    ids = range(1, len(plan) + 1)
    project.set_sizes(dict.fromkeys(ids, SIZE))
    project.set_auto_boxes(
        {i: [BoxRecord(box) for box in case.found] for i, case in zip(ids, plan, strict=True)}
    )
    window.workbench.browsing.refresh_evidence()
    if name == "accepting":
        window.actions_["accept_drawn"].trigger()
    times = []
    for image_id, case in zip(ids, plan, strict=True):
        wait(lambda: session.picture is not None and session.has_evidence and bool(session.boxes), 30)
        assert session.current == image_id
        began = time.perf_counter()
        for action in hands(case):
            perform(window, action)
        if image_id < len(plan):
            wait(lambda: session.current == image_id + 1 and session.picture is not None, 30)  # noqa: B023
        times.append(time.perf_counter() - began)
    scale = window.canvas.viewport_state.scale  # type: ignore[union-attr]
    for image_id, case in zip(ids, plan, strict=True):
        check(project.all_boxes().get(image_id, ()), case)
    result = counted(name, hands, scale, times)
    print(json.dumps({**result, "load": round(os.getloadavg()[0], 1)}))
    sys.stdout.flush()
    os._exit(0)


def perform(window: MainWindow, action: Action) -> None:
    canvas = window.canvas
    if isinstance(action, Press):
        QTest.keyClick(window, action.key, action.keys)
    elif isinstance(action, Drag):
        start, end = place_of(window, action.start), place_of(window, action.end)
        QTest.mousePress(canvas, LEFT, action.keys, start)
        for share in (0.25, 0.5, 0.75, 1.0):
            QTest.mouseMove(canvas, start + (end - start) * share)
        QTest.mouseRelease(canvas, LEFT, action.keys, end)
    QApplication.processEvents()


def place_of(window: MainWindow, point: tuple[float, float]) -> QPoint:
    view = window.canvas.viewport_state
    assert view is not None
    return QPointF(view.x + point[0] * view.scale, view.y + point[1] * view.scale).toPoint()


def check(boxes: Sequence[BoxRecord], case: Case) -> None:
    """The work was done: each box that was wanted is there, and no other."""
    assert len(boxes) == len(case.wanted), (case, boxes)
    for wanted in case.wanted:
        assert max(iou(one.box, wanted) for one in boxes) > 0.9, (case, boxes)


if __name__ == "__main__":
    main()
