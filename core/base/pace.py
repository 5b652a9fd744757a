"""How fast work goes just now, for the time that it will still take."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_RECENT_S, _NOTED_EVERY_S = 30.0, 0.5


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds an image, as a whole job on this computer took them: to learn from it and to find its boxes."""

    learning: float
    finding: float

    def of(self, images: int, *, sample: int) -> float:
        """The seconds that ``images`` will take, of which at most ``sample`` are learned from."""
        return self.learning * min(images, sample) + self.finding * images


def rounded(seconds: float) -> tuple[int, bool]:
    """``seconds`` as a person says them: fives of seconds, or from 90 s on minutes; and whether minutes."""
    if seconds < 90:
        return max(5, 5 * round(seconds / 5)), False
    return round(seconds / 60), True


class Pace:
    """The speed of the last half minute, or of the last step where one takes longer.

    A slow beginning, such as a card that compiles first, is soon forgotten.
    """

    def __init__(self) -> None:
        self._noted: deque[tuple[float, float]] = deque()
        self.seconds = 0.0
        """How long a time :attr:`speed` is of."""
        self.speed = 0.0
        """What is done a second; 0 while nothing is known."""

    def note(self, seconds: float, done: float) -> None:
        """``done`` is done by ``seconds``, of any clock and unit as long as both only grow."""
        noted = self._noted
        if not noted or (seconds - noted[-1][0] >= _NOTED_EVERY_S and done > noted[-1][1]):
            noted.append((seconds, done))
        while seconds - noted[0][0] > _RECENT_S and len(noted) > 2:
            noted.popleft()
        first_s, first_done = noted[0]
        self.seconds = seconds - first_s
        self.speed = (done - first_done) / self.seconds if self.seconds > 0 else 0.0

    def forget(self) -> None:
        """What comes next goes at a speed of its own."""
        self._noted.clear()
        self.seconds = self.speed = 0.0
