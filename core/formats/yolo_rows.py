"""One row of a YOLO label file, as trainers, trackers and other tools write it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from core.base.geometry import Box
from core.base.language import tr
from core.formats.gather import LARGEST_SHARE
from core.formats.others import by_row
from core.formats.shapes import box_around, turned_box

_BOX = 4
_INTEGER = re.compile(r"\d+$")
_LEAST_POINTS = 6  # the numbers of three corners


@dataclass(frozen=True, slots=True)
class Row:
    """The class and the box, in shares of the image, of one row."""

    number: int
    box: Box
    score: float | None = None


def read_row(text: str, keypoints: tuple[int, int] | None = None) -> Row:
    """What a row says.

    After the class come ``x y w h``, or the corners of a polygon or of a turned box. Behind these may be
    a confidence and the number of a track, and behind a box its key points or the angle by which it is
    turned. Whole numbers above 1 can only be tracks, visibilities or pixels.

    Parameters
    ----------
    text
        The row.
    keypoints
        ``kpt_shape`` of ``data.yaml``: how many key points follow a box, and how many numbers each has.

    Raises
    ------
    ValueError
        It is no such row; the text says why, as the end of a sentence.
    """
    words = words_of(text)
    try:
        values = [float(word) for word in words]
    except ValueError:
        raise ValueError(by_row(text) or _why()) from None
    if len(values) <= _BOX or not all(map(math.isfinite, values)) or values[0] % 1 or values[0] < 0:
        raise ValueError(_why())
    number, rest, words = int(values[0]), values[1:], words[1:]
    if keypoints and len(rest) in (size := _BOX + keypoints[0] * keypoints[1], size + 1):
        return _checked(Row(number, _centred(rest), rest[size] if len(rest) > size else None))
    if _has_visibilities(words):
        return _checked(Row(number, _centred(rest)))
    if len(rest) == _BOX:
        return _checked(Row(number, _centred(rest)))
    if len(rest) == _BOX + 1:
        return _checked(_with_one_more(number, rest, words[-1]))
    if len(rest) == _BOX + 2 and _is_track(rest, words):
        return _checked(Row(number, _centred(rest), rest[4]))
    return _checked(_polygon(number, rest, words))


def words_of(text: str) -> list[str]:
    """The numbers of a row as text; commas stand between them or, with blanks between, for decimal points."""
    if "," not in text:
        return text.split()
    if re.search(r",\s", text) or len(text.split()) == 1:
        return [word for word in re.split(r"[,\s]+", text.strip()) if word]
    return text.replace(",", ".").split()


def _why() -> str:
    return tr("it should be a class number and x, y, width and height as shares of the image")


def _centred(rest: list[float]) -> Box:
    x, y, width, height = rest[0], rest[1], abs(rest[2]), abs(rest[3])
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _with_one_more(number: int, rest: list[float], word: str) -> Row:
    """A box and its confidence, its track or the angle that turns it."""
    last = rest[4]
    if 0 <= last <= 1:
        return Row(number, _centred(rest), last)
    if _INTEGER.match(word):
        return Row(number, _centred(rest))
    angle = last if abs(last) <= math.tau else math.radians(last)
    return Row(number, turned_box((rest[0], rest[1]), (rest[2], rest[3]), angle))


def _is_track(rest: list[float], words: list[str]) -> bool:
    """Whether six numbers are a box, its confidence and its track, and not three corners."""
    box = _centred(rest)
    is_inside = min(box.x0, box.y0) > -0.01 and max(box.x1, box.y1) < 1.01
    return (
        bool(_INTEGER.match(words[5])) and rest[5] >= 1 and 0 <= rest[4] <= 1 and (is_inside or rest[5] > 1)
    )


def _has_visibilities(words: list[str]) -> bool:
    """Whether behind four numbers there are points of three, the third a 0, 1 or 2 and somewhere a 2."""
    marks = words[_BOX + 2 :: 3]
    fits = len(words) > _BOX and (len(words) - _BOX) % 3 == 0
    return (
        fits and all(float(mark) in (0, 1, 2) for mark in marks) and any(float(mark) == 2 for mark in marks)
    )


def _polygon(number: int, rest: list[float], words: list[str]) -> Row:
    """The box around corners, behind which a confidence, and behind that a track, may stand."""
    score = None
    if len(rest) % 2:
        rest, score = rest[:-1], rest[-1]
    elif _INTEGER.match(words[-1]) and (rest[-1] > 1 or _is_rectangle(rest[:-2])) and 0 <= rest[-2] <= 1:
        rest, score = rest[:-2], rest[-2]
    if len(rest) < _LEAST_POINTS or (score is not None and not 0 <= score <= 1):
        raise ValueError(_why())
    box = box_around(rest[::2], rest[1::2])
    if box is None:
        raise ValueError(_why())
    return Row(number, box, score)


def _is_rectangle(rest: list[float]) -> bool:
    """Whether these are four corners, the two diagonals with one middle: a turned box."""
    return len(rest) == 8 and all(
        abs(rest[i] + rest[i + 4] - rest[i + 2] - rest[i + 6]) < 0.01 for i in (0, 1)
    )


def _checked(row: Row) -> Row:
    if max(map(abs, row.box.sides)) > 2 * LARGEST_SHARE:  # beyond are pixels
        raise ValueError(tr("its numbers are pixels, and should be shares of the image, 0 to 1"))
    return row
