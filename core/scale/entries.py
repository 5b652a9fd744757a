"""One image of a data set, by its address."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = -1
"""The size of a file that nobody has asked for yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image.

    ``address`` is the absolute path of a local file or a URL such as ``s3://bucket/a.jpg``; it holds no
    password or signature. ``name`` is relative to where the images are, with forward slashes. ``size_bytes``
    is :data:`UNKNOWN` and ``version`` empty where a list did not say them. ``version`` changes with the file:
    the time of change in nanoseconds of a local one, the ETag of another.
    """

    address: str
    name: str
    size_bytes: int
    version: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """What lies among the images and cannot be used, by its name there, and why."""

    name: str
    reason: str
