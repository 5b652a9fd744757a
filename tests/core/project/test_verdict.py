"""What is said of all boxes together."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.annotations import Status
from core.project.browse import ImageColumns
from core.project.facts import BoxFacts
from core.project.verdict import Verdict, nothing_found, sentence, verdict_on

NAN = float("nan")


def columns(scores: list[float], shares: list[float]) -> ImageColumns:
    """Images with one box each, of these scores and parts of their image."""
    count = len(scores)
    made, ids = ImageColumns(), np.arange(1, count + 1)
    made.append(ids.tolist(), [f"{i}.png" for i in ids], [Status.UNSEEN] * count)
    unknown = np.full(count, NAN, np.float32)
    facts = (np.array(values, np.float32) for values in (scores, shares))
    made.set_facts(BoxFacts(ids, *facts, np.zeros(count, bool), np.ones(count, np.int32), unknown))
    return made


@pytest.mark.parametrize(
    ("scores", "shares", "verdict"),
    [
        ([0.9, 0.8, 0.7], [0.2, 0.3, 0.2], Verdict.READY),
        ([0.4, 0.3, 0.5], [0.2, 0.3, 0.2], Verdict.READY),  # unsure, and yet something
        ([0.9, 0.9, 0.9], [0.2, 0.2, 0.2], Verdict.ALIKE),
        ([0.9, 0.9, 0.9], [0.2, 0.3, 0.2], Verdict.READY),
        ([0.9], [0.2], Verdict.READY),
        ([0.0, 0.0], [1.0, 1.0], Verdict.NOTHING),
        ([0.02, 0.0, 0.05], [1.0, 0.9, 0.5], Verdict.NOTHING),
        ([0.02, 0.9], [1.0, 0.5], Verdict.READY),
        ([NAN, NAN], [0.3, 0.3], Verdict.READY),  # boxes of a person's have no score
        ([], [], Verdict.READY),
    ],
)
def test_it_goes_by_scores_and_sizes_alone(
    scores: list[float], shares: list[float], verdict: Verdict
) -> None:
    assert verdict_on(columns(scores, shares)) is verdict


def test_sentences_count() -> None:
    own = columns([0.9, 0.4], [0.2, 0.3]).tally()
    assert sentence(Verdict.READY, own) == "Boxes for 2 images are ready. 1 is unsure."
    assert sentence(Verdict.READY, columns([0.9], [0.2]).tally()) == "The box for 1 image is ready."
    assert "These 2 images look the same" in sentence(Verdict.ALIKE, own)
    assert nothing_found(1).startswith("1 image with edited or accepted boxes is unchanged.")
    assert nothing_found(0).startswith("No object was found.")
