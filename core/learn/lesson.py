"""The loop that every training runs in: one step of a lesson for each ``next``, until its budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from core.base.pace import Pace

ReportT_co = TypeVar("ReportT_co", covariant=True)


class Limited(Protocol):
    """The part of a config that says when a training ends."""

    @property
    def steps(self) -> int: ...
    @property
    def minutes(self) -> float | None: ...


class Counted(Protocol):
    """The part of a state that says how far a training is."""

    step: int
    elapsed_s: float


class Lesson(Protocol[ReportT_co]):
    """What is taught: one step at a time, on a state that is changed in place."""

    @property
    def config(self) -> Limited: ...
    @property
    def state(self) -> Counted: ...
    def step(self, budget: Budget) -> None:
        """All updates of one step, after which ``state.step`` is one more."""

    def report(self, budget: Budget, *, last: bool) -> ReportT_co:
        """What is told of the step that was made, the ``last`` or not."""


def run(lesson: Lesson[ReportT_co], decided: Callable[[bool], bool] = bool) -> Iterator[ReportT_co]:
    """Step after step of ``lesson`` to the end of its budget; between two, the caller may stop or save.

    ``decided`` makes of "the budget is spent" by this process's clock what holds for all processes.
    """
    budget = Budget(lesson.config, lesson.state)
    last = decided(budget.spent)
    while not last:
        budget.begin()
        lesson.step(budget)
        budget.count()
        last = decided(budget.spent)
        yield lesson.report(budget, last=last)


class Budget:
    """How much of its steps and minutes a training has spent; writes ``state.elapsed_s``."""

    def __init__(self, config: Limited, state: Counted) -> None:
        self._config, self._state = config, state
        self._began = 0.0
        self._pace = Pace()
        self._pace.note(state.elapsed_s, state.step)

    @property
    def spent(self) -> bool:
        return is_spent(self._config, self._state)

    def begin(self) -> None:
        """A step begins: what passed since the one before is not counted, so that pauses are free."""
        self._began = time.perf_counter()

    def count(self) -> None:
        """Count the time since the last call of this or :meth:`begin`."""
        now = time.perf_counter()
        self._state.elapsed_s += now - self._began
        self._began = now
        self._pace.note(self._state.elapsed_s, self._state.step)

    @property
    def steps_per_s(self) -> float:
        """Of the last half minute; only once a step was made."""
        return max(self._pace.speed, 1e-9)

    @property
    def fraction(self) -> float:
        """The share that is spent, 0..1, by whichever limit comes first."""
        fraction, minutes = self._state.step / self._config.steps, self._config.minutes
        if minutes is not None:
            fraction = max(fraction, self._state.elapsed_s / (60 * minutes))
        return min(fraction, 1.0)

    @property
    def seconds_left(self) -> float:
        """At that speed, by whichever limit comes first; only once a step was made."""
        left = (self._config.steps - self._state.step) / self.steps_per_s
        if self._config.minutes is not None:
            left = min(left, 60 * self._config.minutes - self._state.elapsed_s)
        return max(left, 0.0)

    def standing(self) -> dict[str, Any]:
        """The fields of a :class:`~core.learn.reports.Standing`; only once a step was made."""
        return {
            "step": self._state.step,
            "steps": self._config.steps,
            "fraction": self.fraction,
            "elapsed_s": self._state.elapsed_s,
            "steps_per_s": self.steps_per_s,
            "seconds_left": self.seconds_left,
        }


def is_spent(config: Limited, state: Counted) -> bool:
    """Whether a training has come to the end of its steps or minutes."""
    out_of_time = config.minutes is not None and state.elapsed_s >= 60 * config.minutes
    return state.step >= config.steps or out_of_time
