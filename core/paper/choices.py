"""Which snapshot of a run to use: the last, the proposed one, and the best in hindsight.

Candidates are the snapshots that the run's project keeps, so ``localize --at`` can go back to each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.base.annotations import ImageBoxes
from core.evaluate.report import Report, Row, evaluate
from core.learn.checkpoint import TrainState
from core.learn.stopping import Proposal, propose
from core.paper.runs import Trained, boxes_of

LAST, PROPOSED, HINDSIGHT = "last", "proposed", "best in hindsight"
CHOSEN_ON_TRUTH = "Chosen on the true boxes that it is measured on, so better than anybody could know."


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One snapshot of a run, and how well ``rule`` localizes with it; no ``report`` without truth.

    ``step`` is the one used. ``qualifies`` is false where nothing could be proposed: then it is the last,
    and ``reason`` says why.
    """

    name: str
    rule: str
    step: int
    report: Report | None
    reason: str = ""
    qualifies: bool = True

    @property
    def row(self) -> Row | None:
        """The accuracy of its boxes with its interval."""
        return None if self.report is None else self.report.rows[0]

    def to_dict(self) -> dict[str, Any]:
        """The choice for JSON: every number finite or null."""
        row, report = self.row, self.report
        return {
            "choice": self.name,
            "step": self.step,
            "qualifies": self.qualifies,
            "reason": self.reason,
            "correct": row and row.correct,
            "n": row and row.n,
            "accuracy": row and row.accuracy,
            "low": row and row.low,
            "high": row and row.high,
            "r_cx": report and report.r_cx,
            "r_cy": report and report.r_cy,
        }


def choices_of(
    trained: Trained, truth: Sequence[ImageBoxes], rule: str, last: Report | None
) -> tuple[Choice, ...]:
    """Last, proposed and best in hindsight, as far as each exists.

    A classifier has the last alone; nothing is best in hindsight without truth. Of equally good ones the
    earliest is the best.

    Parameters
    ----------
    last
        The evaluation of the run's end by ``rule``; None where there is no truth.
    """
    end = trained.state.step
    found = [Choice(name=LAST, rule=rule, step=end, report=last)]
    proposal = proposal_of(trained)
    if proposal is None:
        return tuple(found)
    reports: dict[int, Report] = {} if last is None else {end: last}
    for step in candidates(trained) if truth else ():
        reports.setdefault(step, evaluate(boxes_of(trained, rule, step=step), truth))
    used = proposal.step if proposal.qualifies else end
    found.append(
        Choice(
            name=PROPOSED,
            rule=rule,
            step=used,
            report=reports.get(used),
            reason=proposal.reason,
            qualifies=proposal.qualifies,
        )
    )
    if reports:
        best = max(sorted(reports), key=lambda step: reports[step].rows[0].correct)
        found.append(
            Choice(name=HINDSIGHT, rule=rule, step=best, report=reports[best], reason=CHOSEN_ON_TRUTH)
        )
    return tuple(found)


def candidates(trained: Trained) -> tuple[int, ...]:
    """The steps whose snapshots are kept and whose heat maps of the val images are there, ascending."""
    return tuple(step for step in trained.kept if step in trained.trace)


def proposal_of(trained: Trained) -> Proposal | None:
    """What the stop criterion proposes among the candidates, from no true box; None without any."""
    state, known = trained.state, set(candidates(trained))
    if not isinstance(state, TrainState):
        return None
    signals = [signal for signal in state.signals if signal.step in known]
    return propose(signals) if signals else None
