"""Which name an image goes by: one name per path, whatever folder it was added by."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


def overlapping(roots: Iterable[Path]) -> set[Path]:
    """Those of ``roots`` that lie inside another or hold one: a path may be reached by two of them."""
    known = set(roots)
    nested: set[Path] = set()
    for root in known:
        if above := known.intersection(root.parents):
            nested |= above | {root}
    return nested


def other_names(root: Path, name: str, roots: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Each other (root, name) among ``roots`` that stands for the same path."""
    path = root / name
    for other in roots:
        if other != root and path.is_relative_to(other):
            yield other, path.relative_to(other).as_posix()


def export_names(images: Sequence[tuple[Path, str]]) -> list[str]:
    """A unique relative name, with forward slashes, for each (root, name).

    Relative to the root where there is one, else to the common parent of all roots. Roots without a
    common parent (two drives) put the root's own parts first.
    """
    roots = list(dict.fromkeys(root for root, _ in images))
    prefixes = {root: _prefix(root, roots) for root in roots}
    names = [prefixes[root] + name for root, name in images]
    taken = set(names)
    seen: set[str] = set()
    result = []
    for name in names:
        # Two equal names are the same path twice, which add_images() rules out; a damaged or
        # relocated project may still hold it, and a reader must never mix up two images.
        unique = name
        number = 2
        while unique in seen or (unique != name and unique in taken):
            stem, dot, suffix = name.rpartition(".")
            unique = f"{stem} ({number}){dot}{suffix}" if dot else f"{name} ({number})"
            number += 1
        seen.add(unique)
        result.append(unique)
    return result


def _prefix(root: Path, roots: Sequence[Path]) -> str:
    if len(roots) == 1:
        return ""
    try:
        relative = root.relative_to(os.path.commonpath(roots)).as_posix()
    except ValueError:
        relative = "/".join(part.strip(":\\/") for part in root.parts)
    return "" if relative == "." else relative + "/"
