"""The published table made again: every run in turn, and the table as Markdown and JSON after each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

from core import __version__
from core.base.errors import TrainingError
from core.paper.files import write_text
from core.paper.markdown import as_markdown
from core.paper.origin import device_name, revision
from core.paper.photos import check_sets
from core.paper.plan import Job, Run, plan, shares
from core.paper.published import RULE, SOURCE, THRESHOLD
from core.paper.rows import TableRow, means_of, measured
from core.paper.runs import Meter, complete


def make_table(job: Job, *, meter: Meter, stop: Event) -> list[TableRow]:
    """Do every run of ``job`` and write ``table2.md`` and ``table2.json`` into its folder after each.

    A training that breaks down is a row of its own and stops no other.

    Raises
    ------
    Cancelled
        ``stop`` was set; the table holds the runs that are complete.
    BoxscoutError
        As in :func:`core.paper.runs.complete`.
    """
    check_sets(job)
    rows: list[TableRow] = []
    runs = plan(job)
    for row in _rows(job, runs, meter, stop):
        rows.append(row)
        write_text(job.out / "table2.md", as_markdown(job, rows, planned=len(runs)))
        content = json.dumps(as_dict(job, rows, planned=len(runs)), indent=1, allow_nan=False)
        write_text(job.out / "table2.json", content + "\n")
    meter.update(1.0)
    return rows


def _rows(job: Job, runs: Sequence[Run], meter: Meter, stop: Event) -> Iterator[TableRow]:
    for run, share in zip(runs, shares(runs), strict=True):
        try:
            trained = complete(job, run, share, meter, stop)
        except TrainingError as error:
            yield TableRow(run=run, record=run.record(), reports={}, choices={}, boxes={}, failure=str(error))
        else:
            yield measured(job, trained)


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
        "means": [mean.to_dict() for mean in means_of(rows)],
    }
