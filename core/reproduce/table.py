"""Our accuracies beside the published ones, as Markdown and JSON; only an interval says what reproduced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from core import __version__
from core.annotations import ImageBoxes
from core.datasets import tiny_imagenet
from core.errors import BoxscoutError, TrainingError
from core.evaluate.report import Report, Row, evaluate
from core.formats import FORMATS
from core.reproduce.files import write_text
from core.reproduce.origin import device_name, revision
from core.reproduce.plan import Job, Run, plan, shares
from core.reproduce.published import (
    METHODS,
    RULE,
    SOURCE,
    TABLE,
    THRESHOLD,
    published,
    published_steps,
)
from core.reproduce.runs import Meter, Trained, boxes_of, complete

OTHER_RULE = "moments"
RULES = (RULE, OTHER_RULE)
_BASELINES = ("whole image", "centred 80 %", "colour contrast", "best fixed box (tuned on truth)")
_HEADING = (
    "set", "method", "steps", "seed", "GT-known Loc (95 %)", "published", "whole image", "centred 80 %",
    "colour contrast", "best fixed box, tuned on truth", "r(cx)", "r(cy)", "by moments (95 %)", "reading",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One run in the table.

    ``reports`` holds its evaluation by rule, empty where there is no truth or the training failed, of which
    ``failure`` then says why. ``boxes`` names the exported files by rule, relative to the table.
    """

    run: Run
    record: dict[str, Any]
    reports: dict[str, Report]
    boxes: dict[str, str]
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
            return f"No true boxes in the data, so not measured; the boxes are in {self.boxes[RULE]}."
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
        return text + (f" (at {100 * share:.3g} % of the published steps)" if share < 1 else "")

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
            "boxes": self.boxes,
            "run": self.record,
        }


def make_table(job: Job, *, meter: Meter, stop: Event) -> list[TableRow]:
    """Do every run of ``job`` and write ``table2.md`` and ``table2.json`` into its folder after each.

    A training that breaks down is a row of its own and stops no other.

    Raises
    ------
    Cancelled
        ``stop`` was set; the table holds the runs that are complete.
    BoxscoutError
        As in :func:`core.reproduce.runs.complete`.
    """
    rows: list[TableRow] = []
    runs = plan(job)
    for row in _rows(job, runs, meter, stop):
        rows.append(row)
        write_text(job.out / "table2.md", as_markdown(job, rows, planned=len(runs)))
        write_text(
            job.out / "table2.json",
            json.dumps(as_dict(job, rows, planned=len(runs)), indent=1, allow_nan=False) + "\n",
        )
    meter.update(1.0)
    return rows


def _rows(job: Job, runs: Sequence[Run], meter: Meter, stop: Event) -> Iterator[TableRow]:
    for run, share in zip(runs, shares(runs), strict=True):
        try:
            trained = complete(job, run, share, meter, stop)
        except TrainingError as error:
            yield TableRow(run=run, record=run.record(), reports={}, boxes={}, failure=str(error))
        else:
            yield measured(job, trained)


def measured(job: Job, trained: Trained) -> TableRow:
    """Export the boxes of a run by both rules and, where there is truth, evaluate them."""
    run = trained.run
    truth = truth_of(job.data, run.set_name)
    reports: dict[str, Report] = {}
    files: dict[str, str] = {}
    for rule in RULES:
        images = boxes_of(trained, rule)
        files[rule] = f"boxes/{run.name}-{rule}.csv"
        _export(images, job.out / files[rule])
        if truth:
            reports[rule] = evaluate(images, truth, images_root=job.data if rule == RULE else None)
    return TableRow(run=run, record=dict(trained.record), reports=reports, boxes=files)


def truth_of(data: Path, set_name: str) -> list[ImageBoxes]:
    """The true boxes of a set's val images; empty where the data has none."""
    return tiny_imagenet.read_truth(data, wnids=tiny_imagenet.SETS[set_name], split="val")


def _export(images: Sequence[ImageBoxes], path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BoxscoutError(f"{path.parent} cannot be made: {error.strerror}.") from error
    FORMATS["csv"].write(images, path)


# --- as text ------------------------------------------------------------------------------------------


def as_dict(job: Job, rows: Sequence[TableRow], *, planned: int) -> dict[str, Any]:
    """The table for JSON, with all that is needed to make it again."""
    return {
        "table": "table2",
        "published_source": SOURCE,
        "rule": RULE,
        "threshold": THRESHOLD,
        "command": job.command,
        "commit": revision(),
        "version": __version__,
        "device": device_name(job.device),
        "runs_planned": planned,
        "runs_done": len(rows),
        "rows": [row.to_dict() for row in rows],
    }


def as_markdown(job: Job, rows: Sequence[TableRow], *, planned: int) -> str:
    """The table for people: numbers first, below them what every run was and how it was made."""
    lines = [
        "# GT-known Loc beside the published table",
        "",
        f"Published: {SOURCE}.",
        "",
        f"Ours: the box by the published reading (`{RULE}`, threshold {THRESHOLD:g}) and, in a column of its "
        f"own, by `{OTHER_RULE}`; all in %, with 95 % Wilson intervals. The last column goes by the interval "
        "alone. Where the whole image lies inside it too, agreement is no sign that anything was learned.",
        "",
        _steps_sentence(rows),
    ]
    if len(rows) < planned:
        lines += ["", f"**Not finished: {len(rows)} of {planned} runs.** The same command goes on."]
    table = [_HEADING, ("---",) * len(_HEADING), *(_cells(row) for row in rows)]
    lines += ["", *(f"| {' | '.join(cells)} |" for cells in table)]
    lines += ["", "## Runs", "", "Made by:", "", f"    {job.command}", ""]
    lines += [f"Evaluated at {revision()}.", ""]
    lines += [_run_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def _steps_sentence(rows: Sequence[TableRow]) -> str:
    said = []
    for method in dict.fromkeys(row.run.method for row in rows):
        steps = next(row.run.config.steps for row in rows if row.run.method == method)
        full = published_steps(method)
        share = "all" if steps == full else f"{100 * steps / full:.3g} %"
        said.append(f"{METHODS[method].title} {steps:,} ({share} of {full:,})")
    return f"Steps: {'; '.join(said)}."


def _cells(row: TableRow) -> tuple[str, ...]:
    run = row.run
    number = "-" if row.published is None else f"{row.published:.1f}"
    head = (
        TABLE[run.set_name].title,
        METHODS[run.method].title,
        f"{run.config.steps:,}",
        str(run.config.seed),
    )
    if not row.reports:
        return (*head, "-", number, *["-"] * 7, row.statement)
    report = row.reports[RULE]
    by_name = {one.method: one for one in report.rows}
    baselines = (_percent(by_name.get(name)) for name in _BASELINES)
    r = ("undefined" if value is None else f"{value:+.2f}" for value in (report.r_cx, report.r_cy))
    ours, moments = (_with_interval(row.reports[rule].rows[0]) for rule in RULES)
    return (*head, ours, number, *baselines, *r, moments, row.statement)


def _where(inside: bool) -> str:
    return "inside" if inside else "outside"


def _percent(row: Row | None) -> str:
    return "-" if row is None else f"{100 * row.accuracy:.1f}"


def _with_interval(row: Row) -> str:
    return f"{100 * row.accuracy:.1f} ({100 * row.low:.1f} - {100 * row.high:.1f})"


def _run_line(row: TableRow) -> str:
    record, c = row.record, row.run.config
    sessions = record.get("sessions", [])
    commits = ", ".join(dict.fromkeys(str(one["commit"]) for one in sessions)) or "unknown"
    devices = ", ".join(dict.fromkeys(str(one["device"]) for one in sessions)) or "unknown"
    seconds = float(record.get("seconds", 0.0))
    return (
        f"- `{row.run.name}`: width {c.width}, batch {c.batch_size}, {c.steps:,} steps, seed {c.seed}, "
        f"{seconds:,.1f} s of training, sessions: {len(sessions)}, on {devices}, commit {commits}"
    )
