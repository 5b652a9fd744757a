"""What a search for boxes has come to, told in one sentence to the person who waited for it."""

from __future__ import annotations

from enum import Enum, auto

import numpy as np

from core.base.language import tr, trn
from core.project.browse import ImageColumns
from core.project.facts import Tally

# Of float32 scores and shares, which differ in the last digits where images were computed in other batches.
_SAME = 1e-3
_FAINT = 0.1
"""Scores below it are those of heat maps that are as good as empty."""


class Verdict(Enum):
    """What all boxes together say: they are ready to review, or something is wrong with the images."""

    READY = auto()
    ALIKE = auto()
    NOTHING = auto()


def verdict_on(columns: ImageColumns) -> Verdict:
    """``ALIKE`` where all of two boxes or more are the same, ``NOTHING`` where no heat map shows any."""
    scores, shares = columns.score[columns.has_box], columns.share[columns.has_box]
    if len(scores) > 1 and np.ptp(scores) < _SAME and np.ptp(shares) < _SAME and np.min(scores) > 0:
        return Verdict.ALIKE
    if len(scores) > 1 and np.max(scores) < _FAINT:
        return Verdict.NOTHING
    return Verdict.READY


def nothing_found(kept: int) -> str:
    """What is said where no image got a box; so many have ``kept`` those that a person approved."""
    if kept:
        return trn(
            "{count:,} image with edited or accepted boxes is unchanged. There was no other.",
            "{count:,} images with edited or accepted boxes are unchanged. There were no others.",
            kept,
        )
    return tr("No object was found. Are these photos of one kind of object, and sharp enough to see it?")


def sentence(verdict: Verdict, tally: Tally) -> str:
    """The ``verdict`` in a sentence or two."""
    if verdict is Verdict.ALIKE:
        text = tr("These {count:,} images look the same, so their boxes mean little. Add different ones.")
        return text.format(count=tally.boxed)
    if verdict is Verdict.NOTHING:
        text = tr(
            "No object stands out: all {count:,} boxes are unsure. Are these photos of one kind of object, "
            "and sharp enough to see it?"
        )
        return text.format(count=tally.boxed)
    text = trn("The box for {count:,} image is ready.", "Boxes for {count:,} images are ready.", tally.boxed)
    if tally.unsure:
        text += " " + trn("{count:,} is unsure.", "{count:,} are unsure.", tally.unsure)
    return text
