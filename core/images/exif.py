"""When and where a photo was taken, as its camera wrote it into the file's EXIF."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from core.images.source import Header

Position = tuple[float, float]
"""Latitude -90..90 and longitude -180..180, in decimal degrees (WGS 84)."""

ORIENTATION = 0x0112
_EXIF, GPS = 0x8769, 0x8825
# DateTimeOriginal, then DateTimeDigitized: each with its parts of a second and its offset from UTC. DateTime
# is left alone: editors write there when they saved.
_TIMES = ((0x9003, 0x9291, 0x9011), (0x9004, 0x9292, 0x9012))
_OFFSET = 0x9010
_NO_FIX = "V"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a photo's EXIF says of its taking.

    ``time`` is ISO 8601 as the camera's clock stood, ``2024-05-01T06:30:12``, with parts of a second and an
    offset from UTC where the camera wrote them; empty where it wrote no time. ``position`` is where it stood.
    """

    time: str = ""
    position: Position | None = None

    @property
    def shown(self) -> str:
        """:attr:`time` as a person reads it."""
        return self.time.replace("T", " ")


NOT_SAID = Taken()


def taken_of(image: Header) -> Taken:
    """Of an image that was opened and need not be loaded. Broken EXIF says nothing.

    A PNG's EXIF counts only before its pixels: looking behind them would decode the whole file.
    """
    if not has_exif(image):
        return NOT_SAID
    try:
        tags = image.getexif()
        own = tags.get_ifd(_EXIF) if _EXIF in tags else {}
        return Taken(_time(own), _position(tags.get_ifd(GPS)) if GPS in tags else None)
    except Exception:  # Pillow raises nearly everything on bad tags
        return NOT_SAID


def has_exif(image: Header) -> bool:
    """Whether it is cheap to look: a PNG's EXIF may lie behind its pixels."""
    return image.format != "PNG" or bool({"exif", "Raw profile type exif"} & image.info.keys())


def _time(tags: Mapping[int, Any]) -> str:
    for when, parts, offset in _TIMES:
        try:
            found = datetime.strptime(_text(tags.get(when))[:19], "%Y:%m:%d %H:%M:%S")
        except ValueError:  # absent, or the zeros of a clock that was never set
            continue
        digits = _text(tags.get(parts))
        if digits.isascii() and digits.isdecimal():
            found = found.replace(microsecond=int(digits[:6].ljust(6, "0")))
        zone = _zone(_text(tags.get(offset)) or _text(tags.get(_OFFSET)))
        whole = "milliseconds" if found.microsecond else "seconds"
        return found.replace(tzinfo=zone).isoformat(timespec=whole)
    return ""


def _zone(text: str) -> timezone | None:
    """``+02:00`` as a zone; None where it is none."""
    sign, hours, minutes = text[:1], text[1:3], text[4:6]
    if text == "Z":
        return timezone.utc
    if sign not in ("+", "-") or len(text) != 6 or not (hours + minutes).isdecimal():
        return None
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(east if sign == "+" else -east) if east < timedelta(days=1) else None


def _position(tags: Mapping[int, Any]) -> Position | None:
    """None without a fix, and for 0, 0, which is what receivers write that have none."""
    if _text(tags.get(9)) == _NO_FIX:
        return None
    north, east = _degrees(tags.get(2)), _degrees(tags.get(4))
    if north is None or east is None or north > 90 or east > 180 or north == east == 0:
        return None
    south, west = _text(tags.get(1)).upper() == "S", _text(tags.get(3)).upper() == "W"
    return round(-north if south else north, 7), round(-east if west else east, 7)


def _degrees(value: object) -> float | None:
    """Degrees, minutes and seconds as one number, 0 or more; None where they are none."""
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not 1 <= len(value) <= 3:
        return None
    found = sum(float(part) / 60**power for power, part in enumerate(value))
    return found if math.isfinite(found) and found >= 0 else None


def _text(value: object) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    return text.strip(" \0") if isinstance(text, str) else ""
