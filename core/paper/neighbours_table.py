"""The table of neighbours for people, as Markdown, and its figures as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.paper.neighbours import PhotoSet, Result

_KNOWN = "†"
_INTRODUCTION = """# The paper's neighbours on the same photos

CorLoc in %: the share of images whose one box has an IoU of .5 or more with a true box, with its 95 %
interval (Wilson). All methods read the same frozen features at the same size; LOST and TokenCut were
published on a vision transformer that was trained without labels (DINO), and LOST gets these features without
their mean over the image, else its box is the whole image. No published figure stands here, since none was
measured on these photos.
"""


def as_markdown(sets: Sequence[PhotoSet], results: Sequence[Result], *, made_by: str) -> str:
    """A row for each method, a column for each set, then what it is told and how long it takes an image."""
    names = [one.name for one in sets]
    titles = [f"{one.name}{_KNOWN if one.is_known else ''} ({len(one.measured)})" for one in sets]
    lines = [_INTRODUCTION, _line(["method", *titles, "told", "s an image"])]
    lines.append("|" + "---|" * (len(titles) + 3))
    for method in dict.fromkeys(one.method for one in results):
        own = {one.set_name: one for one in results if one.method == method}
        seconds = [one.seconds for one in own.values() if one.seconds is not None]
        told = next(iter(own.values())).told
        time = f"{sum(seconds) / len(seconds):.3f}" if seconds else ""
        lines.append(_line([method, *(_cell(own.get(name)) for name in names), told, time]))
    if any(one.is_known for one in sets):
        lines += ["", f"{_KNOWN} The features have learned these very classes, with labels."]
    return "\n".join([*lines, "", made_by, ""])


def as_json(sets: Sequence[PhotoSet], results: Sequence[Result], **made_by: Any) -> dict[str, Any]:
    """Every figure."""
    return {
        **made_by,
        "sets": [
            {"name": one.name, "images": len(one.measured), "learned": len(one.learned)} for one in sets
        ],
        "results": [asdict(one) for one in results],
    }


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    row = result.row
    return f"{100 * row.accuracy:.1f} ({100 * row.low:.0f} to {100 * row.high:.0f})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
