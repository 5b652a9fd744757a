"""Which of the images that are known a name in somebody's file stands for.

Names come from other systems and tools. They are compared as they are first, then looser and looser; an image
is taken only where it is the one that fits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

Parts = tuple[str, ...]
#: The rank of a name that is the same.
EXACT = (0, 0)

_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://[^/]*")
_DRIVE = re.compile(r"^[A-Za-z]:(?=/|[^/]*$)")
_ENDING = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{1,4}$")
# Roboflow's IMG_1_JPG.rf.0a1b….jpg, and the eight digits that Label Studio puts before an upload.
_ROBOFLOW = re.compile(r"^(.+)_(\w{3,4})\.rf\.[0-9A-Za-z]{8,}(\.\w+)?$")
_QUERY = re.compile(r"(\.\w{2,5})\?.*$")
_JPEG = re.compile(r"\.(?:jpeg|jpe|jfif)$")
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")


def inside(name: str) -> str:
    """``name`` as a path that stays inside its folder, with forward slashes; empty where it names nothing.

    Drive, address and what climbs out go: such a name says where an image once lay, and no file is opened
    by it.
    """
    text = _DRIVE.sub("", _ADDRESS.sub("", name.replace("\\", "/")))
    if "\0" in text or text.rpartition("/")[2] in ("", ".", ".."):
        return ""
    kept: list[str] = []
    for part in text.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    return "/".join(kept)


def without_ending(name: str) -> str:
    """``name`` without what looks like the ending of an image's file."""
    return _ENDING.sub("", name)


def _as_it_is(name: str) -> Parts:
    return tuple(name.split("/"))


def _as_a_path(name: str) -> Parts:
    return tuple(inside(name).split("/"))


def _composed(name: str) -> Parts:
    return _as_a_path(unicodedata.normalize("NFC", name.strip()))


def _unescaped(name: str) -> Parts:
    return _composed(unquote(name))


def _any_case(name: str) -> Parts:
    return tuple(part.casefold() for part in _unescaped(name))


def _as_before_upload(name: str) -> Parts:
    *folders, last = _any_case(name)
    last = _ROBOFLOW.sub(r"\1.\2", _UPLOAD.sub("", _QUERY.sub(r"\1", last)))
    return (*folders, _JPEG.sub(".jpg", last))


#: From strict to loose; each one takes the freedom of those before it.
_WAYS: tuple[Callable[[str], Parts], ...] = (
    _as_it_is, _as_a_path, _composed, _unescaped, _any_case, _as_before_upload,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fit:
    """The known ``names`` that a name fits: one is a match, more cannot be told apart.

    ``rank`` is smaller the stricter the comparison was, and of one comparison, the longer the shared end.
    """

    names: Parts
    rank: tuple[int, int] = EXACT

    @property
    def name(self) -> str | None:
        """The one that fits; None where there is none, or more."""
        return self.names[0] if len(self.names) == 1 else None


class KnownNames:
    """Names of images, to be found by what other programs call them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = dict.fromkeys(names)
        self._by_end: list[Mapping[str, Sequence[tuple[str, Parts]]] | None] = [None] * (len(_WAYS) + 1)

    def find(self, given: str) -> Fit:
        """What ``given`` fits: the same name, else the longest end of a path that both share.

        ``images/a.png`` and ``val/images/a.png`` fit, ``x/a.png`` and ``y/a.png`` do not.
        """
        if given in self._names:
            return Fit((given,))
        for way, read in enumerate(_WAYS):
            if found := self._ends(way, read, read(given), lambda a, b: a == b):
                return Fit(*found)
        wanted = _as_before_upload(given)
        return Fit(*self._ends(len(_WAYS), _as_before_upload, wanted, _lacks_ending) or ((),))

    def _ends(
        self, way: int, read: Callable[[str], Parts], wanted: Parts, same: Callable[[str, str], bool]
    ) -> tuple[Parts, tuple[int, int]] | None:
        best: dict[str, None] = {}
        longest = (0, False)  # parts that both share, and whether these are all
        keys = (wanted[-1], without_ending(wanted[-1])) if way == len(_WAYS) else (wanted[-1],)
        for key in keys if wanted[-1] else ():
            for name, parts in self._index(way, read).get(key, ()):
                length = min(len(parts), len(wanted)), len(parts) == len(wanted)
                folders = (side[-length[0] : -1] for side in (parts, wanted))
                if length < longest or len(set(folders)) > 1 or not same(parts[-1], wanted[-1]):
                    continue
                best = {name: None} if length > longest else {**best, name: None}
                longest = length
        return (tuple(best), (way + 1, -longest[0])) if best else None

    def _index(self, way: int, read: Callable[[str], Parts]) -> Mapping[str, Sequence[tuple[str, Parts]]]:
        known = self._by_end[way]
        if known is None:
            made: dict[str, list[tuple[str, Parts]]] = {}
            for name in self._names:
                parts = read(name)
                ends = {parts[-1], without_ending(parts[-1])} if way == len(_WAYS) else {parts[-1]}
                for end in ends:
                    made.setdefault(end, []).append((name, parts))
            self._by_end[way] = known = made
        return known


def _lacks_ending(a: str, b: str) -> bool:
    """Whether the two are one but for an ending that one of them lacks."""
    return a == without_ending(b) or b == without_ending(a)
