"""Threads: what is put arrives in order, errors of any kind arrive, and stop and pause work."""

from __future__ import annotations

import threading
import time

import pytest
from pytestqt.qtbot import QtBot

from app.loader import Loader
from app.pump import Pump
from app.worker import Done, Failed, Item, Worker
from core.base.errors import Cancelled


def finished(worker: Worker) -> list[object]:
    worker.start()
    assert worker.join(5)
    return list(worker.drain())


def test_items_come_in_order_and_the_result_last() -> None:
    def target(worker: Worker) -> str:
        for i in range(1000):
            worker.put(i)
        return "end"

    messages = finished(Worker("t", target))
    assert messages == [*(Item(i) for i in range(1000)), Done("end")]


@pytest.mark.parametrize(
    "error", [ValueError("v"), RuntimeError("CUDA out of memory"), MemoryError(), SystemExit(3)]
)
def test_every_kind_of_error_arrives_with_its_traceback(error: BaseException) -> None:
    def target(_: Worker) -> None:
        raise error

    [message] = finished(Worker("t", target))
    assert isinstance(message, Failed)
    assert message.error is error
    assert "in target" in message.details


def test_pause_holds_the_target_and_stop_ends_a_pause() -> None:
    steps: list[int] = []

    def target(worker: Worker) -> None:
        while worker.wait_while_paused():
            steps.append(len(steps))
            time.sleep(0.001)

    worker = Worker("t", target)
    worker.start()
    while len(steps) < 3:
        time.sleep(0.001)
    worker.pause()
    time.sleep(0.05)
    held = len(steps)
    time.sleep(0.05)
    assert len(steps) == held
    worker.stop()
    assert worker.join(5)
    assert worker.drain() == [Done(None)]


def test_pump_hands_over_items_result_and_errors(qtbot: QtBot) -> None:
    pump = Pump()
    got: list[object] = []
    pump.failed.connect(lambda error, details: got.append((str(error), "Traceback" in details)))

    def good(worker: Worker) -> int:
        worker.put(1)
        worker.put(2)
        return 3

    def bad(_: Worker) -> None:
        raise RuntimeError("bad")

    with qtbot.waitSignal(pump.idle):
        pump.run("good", good, on_items=lambda items: got.extend(items), on_done=got.append)
    with qtbot.waitSignal(pump.idle):
        pump.run("bad", bad, on_failed=lambda error: got.append(type(error)))
    assert got == [1, 2, 3, ("bad", True), RuntimeError]


def test_an_abandoned_worker_says_nothing_more_but_its_error_is_shown(qtbot: QtBot) -> None:
    pump = Pump()
    got: list[object] = []
    shown: list[str] = []
    pump.failed.connect(lambda error, _: shown.append(str(error)))

    def target(worker: Worker) -> None:
        while not worker.stopping:
            time.sleep(0.001)
        worker.put("late")
        raise RuntimeError("late error")

    with qtbot.waitSignal(pump.idle):
        worker = pump.run("t", target, on_items=got.extend, on_failed=got.append)
        pump.abandon(worker)
    assert got == []
    assert shown == ["late error"]


def test_cancelled_is_shown_to_nobody(qtbot: QtBot) -> None:
    pump = Pump()
    shown: list[object] = []
    pump.failed.connect(lambda *args: shown.append(args))

    def target(_: Worker) -> None:
        raise Cancelled("stopped")

    told: list[type] = []
    with qtbot.waitSignal(pump.idle):
        pump.run("t", target, on_failed=lambda error: told.append(type(error)))
    assert shown == []
    assert told == [Cancelled]


def test_an_idle_pump_does_not_tick(qtbot: QtBot) -> None:
    pump = Pump()
    with qtbot.waitSignal(pump.idle):
        pump.run("t", lambda _: None)
    assert not pump._timer.isActive()


class Recorder:
    """A loader whose ``make`` waits until it is let go."""

    def __init__(self, **options: int) -> None:
        self.go = threading.Event()
        self.made: list[object] = []
        self.ready: dict[object, object] = {}
        self.errors: list[str] = []
        self.loader = Loader(
            "test",
            self._make,
            on_ready=self.ready.__setitem__,
            on_error=lambda error, _: self.errors.append(str(error)),
            wake=lambda: None,
            threads=1,
            **options,
        )

    def _make(self, key: object) -> str:
        self.go.wait(5)
        self.made.append(key)
        if key == "bad":
            raise ValueError("cannot")
        return f"value of {key}"

    def finish(self, count: int) -> None:
        self.go.set()
        deadline = time.monotonic() + 5
        while len(self.made) < count and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.01)
        while self.loader.deliver():
            time.sleep(0.001)
        self.loader.close()


def test_the_newest_wish_is_served_first_and_old_ones_are_dropped() -> None:
    recorder = Recorder(queue_limit=3)
    assert recorder.loader.get(0) is None
    while not recorder.loader._in_work:
        time.sleep(0.001)
    for key in range(1, 10):
        recorder.loader.get(key)
    recorder.finish(4)
    assert recorder.made == [0, 9, 8, 7]


def test_the_cache_is_bounded_and_keeps_what_was_used_last() -> None:
    recorder = Recorder(capacity=2)
    recorder.go.set()
    for i, key in enumerate("abc", start=1):
        recorder.loader.get(key)
        while len(recorder.made) < i:
            time.sleep(0.001)
        while recorder.loader.deliver():
            time.sleep(0.001)
        recorder.loader.get("a")
    recorder.finish(3)
    assert recorder.loader.get("a") == "value of a"
    assert recorder.loader.get("b") is None


def test_results_from_before_a_clear_are_dropped() -> None:
    recorder = Recorder()
    recorder.loader.get("old")
    while not recorder.loader._in_work:
        time.sleep(0.001)
    recorder.loader.clear()
    recorder.loader.get("new")
    recorder.finish(2)
    assert recorder.ready == {"new": "value of new"}


def test_what_cannot_be_made_is_told_once() -> None:
    recorder = Recorder()
    recorder.loader.get("bad")
    recorder.go.set()
    while not recorder.errors:
        recorder.loader.deliver()
        time.sleep(0.001)
    assert recorder.loader.get("bad") is None
    recorder.finish(1)
    assert recorder.errors == ["cannot"]
    assert recorder.made == ["bad"]
