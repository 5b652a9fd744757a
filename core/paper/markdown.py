"""The table for people, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.evaluate.report import Report, Row
from core.paper.choices import HINDSIGHT, LAST, PROPOSED, Choice
from core.paper.origin import revision
from core.paper.plan import Job
from core.paper.published import (
    METHODS,
    OTHER_RULE,
    RULE,
    RULES,
    SOURCE,
    TABLE,
    THRESHOLD,
    published,
    published_steps,
)
from core.paper.rows import SeedMean, TableRow, means_of
from core.paper.spread import Spread

NO_TRUTH = "no truth in the data"
_BASELINES = ("whole image", "centred 80 %", "colour contrast", "best fixed box (tuned on the ground truth)")
_HEADING = (
    "set", "method", "steps", "seed", "GT-known Loc (95 %)", "published", "whole image", "centred 80 %",
    "colour contrast", "best fixed box, tuned on truth", "r(cx)", "r(cy)", "by moments (95 %)", "reading",
)  # fmt: skip
_SNAPSHOT_HEADING = (
    "set", "method", "seed", "last: step", "GT-known Loc (95 %)", "r(cx)", "r(cy)",
    "proposed: step", "GT-known Loc (95 %)", "r(cx)", "r(cy)",
    "best in hindsight, chosen on truth: step", "GT-known Loc (95 %)", "r(cx)", "r(cy)", "why the proposed",
)  # fmt: skip
_MEAN_HEADING = (
    "set", "method", "seeds", "last", "r(cx)", "r(cy)", "proposed", "r(cx)", "r(cy)", "seeds that propose",
    "best in hindsight, chosen on truth", "r(cx)", "r(cy)", "last, by moments", "published",
)  # fmt: skip

Cells = tuple[str, ...]


def as_markdown(job: Job, rows: Sequence[TableRow], *, planned: int) -> str:
    """The table: numbers first, then snapshots and seeds, below them how every run was made."""
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
    lines += ["", *_table(_HEADING, map(_cells, rows)), *_snapshots(rows), *_means(rows)]
    lines += ["", "## Runs", "", "Made by:", "", f"    {job.command}", ""]
    lines += [f"Evaluated at {revision()}.", ""]
    lines += [_run_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def mean_line(mean: SeedMean) -> str:
    """The mean over seeds in one line, for the terminal."""
    ours = mean.snapshots[LAST]["accuracy"].text(scale=100.0)
    return (
        f"{mean.set_name}, {METHODS[mean.method].title}: {ours} % over {len(mean.seeds)} seeds, "
        f"published {_published(mean.set_name, mean.method)}"
    )


def _table(heading: Cells, rows: Iterable[Cells]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heading, ("---",) * len(heading), *rows)]


def _steps_sentence(rows: Sequence[TableRow]) -> str:
    said = []
    for method in dict.fromkeys(row.run.method for row in rows):
        steps = next(row.run.config.steps for row in rows if row.run.method == method)
        full = published_steps(method)
        share = "all" if steps == full else f"{100 * steps / full:.3g} %"
        said.append(f"{METHODS[method].title} {steps:,} ({share} of {full:,})")
    return f"Steps: {'; '.join(said)}."


def _cells(row: TableRow) -> Cells:
    run = row.run
    head = (*_names(row), f"{run.config.steps:,}", str(run.config.seed))
    number = _published(run.set_name, run.method)
    if not row.reports:
        return (*head, "failed" if row.failure else NO_TRUTH, number, *["-"] * 7, row.statement)
    report = row.reports[RULE]
    by_name = {one.method: one for one in report.rows}
    baselines = (_percent(by_name.get(name)) for name in _BASELINES)
    ours, moments = (_with_interval(row.reports[rule].rows[0]) for rule in RULES)
    return (*head, ours, number, *baselines, *_correlations(report), moments, row.statement)


# --- snapshots ----------------------------------------------------------------------------------------


def _snapshots(rows: Sequence[TableRow]) -> list[str]:
    """Last, proposed and best in hindsight of every run that has more than its end."""
    shown = [row for row in rows if row.choice(PROPOSED) is not None]
    if not shown:
        return []
    return [
        "",
        "## Which snapshot",
        "",
        "The last snapshot, the one that the stop criterion proposes without any true box, and the best in "
        f"hindsight, all by `{RULE}`. The best in hindsight was chosen on the very boxes that it is measured "
        "on: it and its interval are better than anybody could know. Candidates are the snapshots that a run "
        "keeps. Where the criterion proposes none, the last is used.",
        "",
        *_table(_SNAPSHOT_HEADING, map(_snapshot_cells, shown)),
    ]


def _snapshot_cells(row: TableRow) -> Cells:
    chosen = [row.choice(name) for name in (LAST, PROPOSED, HINDSIGHT)]
    cells = [cell for one in chosen for cell in _choice_cells(one)]
    proposed = row.choice(PROPOSED)
    return (*_names(row), str(row.run.config.seed), *cells, proposed.reason if proposed else "-")


def _choice_cells(choice: Choice | None) -> Cells:
    if choice is None:
        return ("-", NO_TRUTH, "-", "-")
    step = f"{choice.step:,}" if choice.qualifies else f"none; the last, {choice.step:,}"
    if choice.report is None:
        return (step, NO_TRUTH, "-", "-")
    return (step, _with_interval(choice.report.rows[0]), *_correlations(choice.report))


# --- means over seeds ---------------------------------------------------------------------------------


def _means(rows: Sequence[TableRow]) -> list[str]:
    means = means_of(rows)
    if not means:
        return []
    return [
        "",
        "## Means over seeds",
        "",
        "GT-known Loc in % and r, each ± its standard deviation between seeds. All seeds are measured on the "
        "same images, so ± does not say how much other images would change the mean.",
        "",
        *_table(_MEAN_HEADING, map(_mean_cells, means)),
    ]


def _mean_cells(mean: SeedMean) -> Cells:
    last, proposed, best = (_spread_cells(mean.snapshots.get(name)) for name in (LAST, PROPOSED, HINDSIGHT))
    seeds = len(mean.seeds)
    proposing = f"{mean.proposing} of {seeds}" if PROPOSED in mean.snapshots else "-"
    return (
        TABLE[mean.set_name].title,
        METHODS[mean.method].title,
        ", ".join(map(str, mean.seeds)),
        *last,
        *proposed,
        proposing,
        *best,
        mean.moments.text(scale=100.0),
        _published(mean.set_name, mean.method),
    )


def _spread_cells(spreads: Mapping[str, Spread] | None) -> Cells:
    if spreads is None:
        return ("-", "-", "-")
    r = (spreads.get(name) for name in ("r_cx", "r_cy"))
    correlations = ("undefined" if one is None else one.text(digits=2, sign="+") for one in r)
    return (spreads["accuracy"].text(scale=100.0), *correlations)


# --- cells --------------------------------------------------------------------------------------------


def _names(row: TableRow) -> Cells:
    return (TABLE[row.run.set_name].title, METHODS[row.run.method].title)


def _published(set_name: str, method: str) -> str:
    number = published(set_name, method)
    return "nothing" if number is None else f"{number:.1f}"


def _percent(row: Row | None) -> str:
    return "-" if row is None else f"{100 * row.accuracy:.1f}"


def _with_interval(row: Row) -> str:
    return f"{100 * row.accuracy:.1f} ({100 * row.low:.1f} - {100 * row.high:.1f})"


def _correlations(report: Report) -> Cells:
    return tuple("undefined" if r is None else f"{r:+.2f}" for r in (report.r_cx, report.r_cy))


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
