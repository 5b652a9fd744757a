"""What an evaluation says, in one sentence that claims no more than its numbers do."""

from __future__ import annotations

from core.base.language import number, tr
from core.evaluate.compare import Difference, paired_bootstrap
from core.evaluate.matching import Alignment
from core.evaluate.report import Baselines, right_images


def beside_strongest(aligned: Alignment, baselines: Baselines) -> tuple[str, Difference]:
    """The baseline that is right most often, and what the predicted boxes are ahead of it.

    Of two that are level the later row counts. The difference is that of
    :func:`~core.evaluate.compare.paired_bootstrap` on the same images.
    """
    place = max(reversed(range(len(baselines.rows))), key=lambda i: baselines.rows[i].correct)
    ours = right_images(aligned.surest_boxes(), aligned.truth)
    return baselines.rows[place].method, paired_bootstrap(ours, baselines.right[place])


def sentence(method: str, difference: Difference) -> str:
    """How the predicted boxes stand beside the strongest baseline ``method``."""
    points, low, high = (100 * value for value in (difference.difference, difference.low, difference.high))
    fields = {"points": number(abs(points), ".1f"), "name": method_title(method)}
    interval = {"low": number(low, "+.1f"), "high": number(high, "+.1f")}
    if low <= 0 <= high:
        text = tr(
            "No significant difference from the strongest baseline, {name} "
            "(95\u00a0% interval {low} to {high})."
        )
        return text.format(**fields, **interval)
    if points > 0:
        text = tr(
            "{points} points better than the strongest baseline, {name} (95\u00a0% interval {low} to {high})."
        )
    else:
        text = tr(
            "{points} points worse than the strongest baseline, {name} (95\u00a0% interval {low} to {high})."
        )
    return text.format(**fields, **interval)


def method_title(method: str) -> str:
    """A row's ``method`` in the person's language."""
    return {
        "predicted boxes": tr("boxes here"),
        "whole image": tr("whole image"),
        "centred 80 %": tr("centred 80 %"),
        "colour contrast": tr("colour contrast"),
        "best fixed box (tuned on the ground truth)": tr("best possible fixed box"),
    }.get(method, method)
