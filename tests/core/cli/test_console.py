"""What commands show: the time left, against the time that it then takes, and names of files."""

from __future__ import annotations

import re

import pytest

from core.cli import console
from core.cli.app import main
from core.cli.console import Bar


def _seconds_told(lines: str) -> list[float]:
    units = {"s": 1, "min": 60}
    return [float(number) * units[unit] for number, unit in re.findall(r"about (\d+) (s|min) left", lines)]


@pytest.mark.parametrize(
    ("reading_s", "training_s", "share"),
    [(60, 120, 0.05), (1, 600, 0.05), (90, 30, 0.5), (20, 200, 0.5)],
)
def test_the_time_left_is_told_where_it_is_known_and_then_right(
    reading_s: float,
    training_s: float,
    share: float,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = 1000.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    bar = Bar(None, None)
    told: list[tuple[float, float]] = []  # the time left, as told and as it was
    for title, seconds, part in (("Reading images", reading_s, share), ("Training", training_s, 1 - share)):
        bar.part(title, part)
        after = training_s if title == "Reading images" else 0
        for i in range(1, 401):
            now += seconds / 400
            bar.update(i / 400)
            left = seconds * (1 - i / 400) + after
            told += [(said, left) for said in _seconds_told(capsys.readouterr().err)]
    assert len(told) >= (2 if training_s > 30 else 1)
    for said, left in told:
        assert said == pytest.approx(left, rel=0.3, abs=2)


def test_a_slow_beginning_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    bar = Bar(None, None)
    bar.part("Training", 1.0)
    for i in range(1, 401):
        now += 2.0 if i <= 20 else 0.3  # a card that compiles first
        bar.update(i / 400)
        if i == 200:
            capsys.readouterr()
    told = _seconds_told(capsys.readouterr().err)
    assert told[0] == pytest.approx(60, rel=0.2)


def test_names_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A name may hold what clears a screen, or turns the rest of a line round."""
    told = main(["export", "--project", "a\x1b[2J\u202e\nb.boxscout", "--format", "csv", "--out", "x.csv"])
    said, sign = capsys.readouterr().err, "\N{REPLACEMENT CHARACTER}"
    assert (told, said.count("\n")) == (1, 1)
    assert f"a{sign}[2J{2 * sign}b.boxscout" in said
    assert not {"\x1b", "\u202e"} & set(said)
