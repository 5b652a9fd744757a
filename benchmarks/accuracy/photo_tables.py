"""The figures of ``photos.py`` as numbers and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from photo_scores import Floats, Share, blind_rows, bootstrap, is_right
from photo_sets import HALVES, JUDGES, half

if TYPE_CHECKING:
    from photos import Result

HALF_TITLES = {
    "even": "Even half, on which things were chosen",
    "odd": "Odd half, which reports",
    "whole": "All photos",
}
OURS = "Boxscout, without a label"


def document(results: Sequence[Result]) -> str:
    """Every table; Tiny ImageNet's apart, whose classes the features have learned."""
    photos = [result for result in results if not result.job.judged_apart]
    apart = [result for result in results if result.job.judged_apart]
    parts = []
    for which in HALVES if photos else ():
        parts.append(f"## {HALF_TITLES[which]}\n\n{_table(photos, which)}\n")
    if apart:
        title = "## Tiny ImageNet, val: the features have seen these classes, with labels"
        parts.append(f"{title}\n\n{_table(apart, 'whole')}\n")
    if results:
        parts.append(f"## Time and memory of the commands\n\n{_times(results)}\n")
    return "\n".join(parts)


def figures(results: Sequence[Result]) -> dict[str, Any]:
    """CorLoc by half and set, and the mean of the last five, with intervals, for JSON."""
    photos = [result for result in results if not result.job.judged_apart]
    return {
        which: {
            **{result.job.name: asdict(bootstrap([_hits(result, which)])) for result in results},
            **({"mean of the last five": asdict(mean)} if (mean := _judged(photos, which)) else {}),
        }
        for which in HALVES
    }


def _table(results: Sequence[Result], which: str) -> str:
    judged = [i for i, result in enumerate(results) if result.job.name in JUDGES]
    with_mean = len(judged) == len(JUDGES)
    rows: list[list[str]] = []

    def add(title: str, value: Callable[[Result], float | None], digits: int = 1) -> None:
        values = [value(result) for result in results]
        cells = ["" if v is None else f"{100 * v:.{digits}f}" for v in values]
        if with_mean:
            last = [values[i] for i in judged]
            known = [v for v in last if v is not None]
            cells.append(f"{100 * np.mean(known):.{digits}f}" if len(known) == len(last) else "")
        rows.append([title, *cells])

    blind = {id(result): blind_rows(result.job.truth, which) for result in results}
    for title in blind[id(results[0])]:
        add(title, lambda result, title=title: blind[id(result)][title])
    shares = [bootstrap([_hits(result, which)]) for result in results]
    mean = [_with_interval(one)] if (one := _judged(results, which)) else []
    rows.append([f"**{OURS}**", *map(_with_interval, shares), *mean])
    for i, run in enumerate(results[0].runs):
        add(f"seed {run['seed']}", lambda result, i=i: float(_hits(result, which)[i].mean()))
    for boxes in ("one box", "several boxes"):
        if (key := f"precision, {boxes}") in results[0].runs[0]:
            add(f"AP 0.5, {boxes} an image", lambda result, key=key: _precision(result, key, which, 0))
    add("AP 0.5, whole image", lambda result: _precision(result, "precision, one box", which, 1))
    if which == "whole" and "chosen_on_truth" in results[0].runs[0]:
        add("MaxBoxAccV2, threshold chosen on truth", _max_box_acc)
    heading = ["CorLoc, %", *(result.job.name for result in results)]
    return markdown([[*heading, *(["mean of the last five"] if with_mean else [])], *rows])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows of one length as a Markdown table, a heading first."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _times(results: Sequence[Result]) -> str:
    rows = [["median", *(result.job.name for result in results)]]
    for command in ("train", "localize"):
        for key, unit in (("seconds", "s"), ("peak_mb", "MB")):
            values = [np.median([run[command][key] for run in result.runs]) for result in results]
            rows.append([f"{command}, {unit}", *(f"{value:.0f}" for value in values)])
    return markdown(rows)


def _hits(result: Result, which: str) -> Floats:
    """Which photos of a half each run gets right, float64 (seeds, photos)."""
    chosen = half([image.name for image in result.job.truth], which)
    return is_right(np.stack(result.overlaps)[:, chosen])


def _judged(results: Sequence[Result], which: str) -> Share | None:
    hits = [_hits(result, which) for result in results if result.job.name in JUDGES]
    return bootstrap(hits) if len(hits) == len(JUDGES) else None


def _with_interval(share: Share) -> str:
    return f"**{100 * share.value:.1f}** ({100 * share.low:.0f} to {100 * share.high:.0f})"


def _precision(result: Result, key: str, which: str, row: int) -> float:
    return float(np.mean([run[key][which][row]["ap50"] for run in result.runs]))


def _max_box_acc(result: Result) -> float:
    return float(np.mean([run["chosen_on_truth"]["max_box_acc_v2"] for run in result.runs]))
