"""One run, measured: its accuracies beside the published one, and what seeds say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.evaluate.report import Report, evaluate
from core.paper.choices import HINDSIGHT, LAST, PROPOSED, Choice, choices_of
from core.paper.files import write_boxes
from core.paper.plan import Job, Run
from core.paper.published import OTHER_RULE, RULE, RULES, TABLE, published, published_steps
from core.paper.runs import Trained, boxes_of, truth_of
from core.paper.spread import Spread, spread

CHOICES = (LAST, PROPOSED, HINDSIGHT)


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One run in the table.

    ``reports`` holds the evaluation of its end by rule, empty where there is no truth or the training failed,
    of which ``failure`` then says why; ``choices`` its snapshots by rule, the last first. ``boxes`` names the
    exported files, relative to the table: by rule, and ``proposed-RULE`` where another snapshot is proposed.
    """

    run: Run
    record: Mapping[str, Any]
    reports: Mapping[str, Report]
    choices: Mapping[str, tuple[Choice, ...]]
    boxes: Mapping[str, str]
    failure: str = ""

    @property
    def published(self) -> float | None:
        return published(self.run.set_name, self.run.method)

    @property
    def published_inside(self) -> bool | None:
        """Whether the published number lies in our interval; None where one of the two is missing."""
        if self.published is None or not self.reports:
            return None
        ours = self.reports[RULE].rows[0]
        return 100 * ours.low <= self.published <= 100 * ours.high

    @property
    def statement(self) -> str:
        """What the interval says of the published number, in words, and what else lies inside it."""
        if self.failure:
            return self.failure
        if not self.reports:
            text = f"No true boxes in the data, so not measured; the boxes are in {self.boxes[RULE]}"
            return text + self._fewer + "."
        ours, whole = self.reports[RULE].rows[:2]
        interval = f"our interval {100 * ours.low:.1f} - {100 * ours.high:.1f}"
        too = ours.low <= whole.accuracy <= ours.high
        if self.published is None:
            text = f"nothing was published; the whole image lies {_where(too)} {interval}"
        else:
            text = f"published {self.published:.1f} lies {_where(bool(self.published_inside))} {interval}"
            if self.published_inside:
                text += ", and so does the whole image" if too else ", and the whole image does not"
        share = self.run.config.steps / published_steps(self.run.method)
        return text + (f" (at {100 * share:.3g} % of the published steps)" if share < 1 else "") + self._fewer

    @property
    def _fewer(self) -> str:
        """That the images are not as many as the publication's, where it is known and so."""
        photos, line = self.record.get("photos"), TABLE[self.run.set_name]
        if photos is None or (photos["train"], photos["val"]) == (line.train, line.val):
            return ""
        return (
            f" (on {photos['train']:,} train and {photos['val']:,} val images; the publication has "
            f"{line.train:,} and {line.val:,})"
        )

    def to_dict(self) -> dict[str, Any]:
        """The row for JSON: every number finite or null."""
        return {
            "set": self.run.set_name,
            "method": self.run.method,
            "seed": self.run.config.seed,
            "steps": self.run.config.steps,
            "published_steps": published_steps(self.run.method),
            "published": self.published,
            "published_inside_interval": self.published_inside,
            "statement": self.statement,
            "failure": self.failure or None,
            "accuracy": {rule: report.to_dict() for rule, report in self.reports.items()},
            "snapshots": {rule: [one.to_dict() for one in found] for rule, found in self.choices.items()},
            "boxes": dict(self.boxes),
            "run": dict(self.record),
        }

    def choice(self, name: str, rule: str = RULE) -> Choice | None:
        """The snapshot called ``name``, if the run has such a one."""
        return next((one for one in self.choices.get(rule, ()) if one.name == name), None)


def measured(job: Job, trained: Trained) -> TableRow:
    """Export the boxes of a run by both rules and, where there is truth, evaluate them."""
    run = trained.run
    truth = truth_of(job.data, run.set_name)
    reports: dict[str, Report] = {}
    choices: dict[str, tuple[Choice, ...]] = {}
    files: dict[str, str] = {}
    for rule in RULES:
        images = boxes_of(trained, rule)
        files[rule] = f"boxes/{run.name}-{rule}.csv"
        write_boxes(job.out / files[rule], images)
        if truth:
            reports[rule] = evaluate(images, truth, images_root=job.data if rule == RULE else None)
        choices[rule] = choices_of(trained, truth, rule, reports.get(rule))
        for step in {one.step for one in choices[rule] if one.name == PROPOSED} - {trained.state.step}:
            files[f"proposed-{rule}"] = f"boxes/{run.name}-proposed-{rule}.csv"
            write_boxes(job.out / files[f"proposed-{rule}"], boxes_of(trained, rule, step=step))
    return TableRow(run=run, record=dict(trained.record), reports=reports, choices=choices, boxes=files)


def _where(inside: bool) -> str:
    return "inside" if inside else "outside"


# --- means over seeds ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SeedMean:
    """What the seeds of one set and method say together, by the published reading.

    ``snapshots`` holds, for each name of a choice, the spread of ``accuracy``, ``r_cx`` and ``r_cy`` over the
    seeds that have it; what no seed has is left out. ``moments`` is the accuracy of the last by moments.
    ``proposing`` counts the seeds in which a snapshot qualified.
    """

    set_name: str
    method: str
    seeds: tuple[int, ...]
    snapshots: Mapping[str, Mapping[str, Spread]]
    moments: Spread
    proposing: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def means_of(rows: Sequence[TableRow]) -> list[SeedMean]:
    """The means of every set and method that was measured with at least two seeds."""
    groups: dict[tuple[str, str], list[TableRow]] = {}
    for row in rows:
        if row.reports:
            groups.setdefault((row.run.set_name, row.run.method), []).append(row)
    return [_mean(group) for group in groups.values() if len(group) > 1]


def _mean(rows: Sequence[TableRow]) -> SeedMean:
    snapshots = {
        name: _spreads([one for row in rows if (one := row.choice(name)) is not None]) for name in CHOICES
    }
    run = rows[0].run
    return SeedMean(
        set_name=run.set_name,
        method=run.method,
        seeds=tuple(row.run.config.seed for row in rows),
        snapshots={name: found for name, found in snapshots.items() if found},
        moments=spread([row.reports[OTHER_RULE].rows[0].accuracy for row in rows]),
        proposing=sum(one is not None and one.qualifies for one in (row.choice(PROPOSED) for row in rows)),
    )


def _spreads(choices: Sequence[Choice]) -> dict[str, Spread]:
    reports = [one.report for one in choices if one.report is not None]
    values = {
        "accuracy": [report.rows[0].accuracy for report in reports],
        "r_cx": [report.r_cx for report in reports if report.r_cx is not None],
        "r_cy": [report.r_cy for report in reports if report.r_cy is not None],
    }
    return {name: spread(found) for name, found in values.items() if found}
