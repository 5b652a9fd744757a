"""Training in bf16 against training in fp32: the same config and seeds, compared pair by pair.

Two trainings that differ by a rounding drift apart within some steps, so single runs say nothing: only
the differences over seeds do, and next to them how much seeds differ among themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from threading import Event
from typing import Any

import numpy as np

from core import __version__
from core.base.annotations import ImageBoxes
from core.evaluate.report import Report, evaluate
from core.learn.checkpoint import TrainState
from core.paper.files import write_text
from core.paper.origin import device_name, revision
from core.paper.photos import check_sets
from core.paper.plan import Job, Run, plan, shares
from core.paper.published import RULES, TABLE
from core.paper.runs import Meter, Trained, boxes_of, complete, truth_of
from core.paper.spread import PairedDifference, Spread, paired_difference, spread

PRECISIONS = ("fp32", "bf16")
POINTS = 20
"""Of each training's curves; a mean over the second half of them is compared."""

Measures = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is measured of one training; None where it is undefined or the data has no true boxes."""

    seed: int
    precision: str
    seconds: float
    measures: Measures


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure over all seeds for which both trainings have it."""

    measure: str
    fp32: Spread
    bf16: Spread
    difference: PairedDifference


def compare_precisions(job: Job, *, meter: Meter, stop: Event) -> list[Comparison]:
    """Do the trainings of ``job`` in both precisions and write ``precision.md`` and ``precision.json``.

    Raises
    ------
    Cancelled
        ``stop`` was set; what was trained is saved, and the next call goes on from there.
    BoxscoutError
        As in :func:`core.paper.runs.complete`.
    """
    check_sets(job)
    runs = precision_runs(job)
    outcomes = [
        _outcome(complete(job, run, share, meter, stop), truth_of(job.data, run.set_name))
        for run, share in zip(runs, shares(runs), strict=True)
    ]
    found = comparisons(outcomes)
    write_text(job.out / "precision.md", as_markdown(job, found))
    content = json.dumps(as_dict(job, runs, outcomes, found), indent=1, allow_nan=False)
    write_text(job.out / "precision.json", content + "\n")
    meter.update(1.0)
    return found


def precision_runs(job: Job) -> list[Run]:
    """Each run of ``job`` twice, in fp32 and in bf16; what is not compared here is measured seldom."""
    return [
        replace(
            run,
            config=run.config.with_(
                precision=precision,
                sample_every=max(1, run.config.steps // POINTS),
                snapshot_every=run.config.steps,
            ),
        )
        for run in plan(job)
        for precision in PRECISIONS
    ]


def _outcome(trained: Trained, truth: Sequence[ImageBoxes]) -> Outcome:
    state = trained.state
    assert isinstance(state, TrainState), "only a GAN has two losses"
    late = [point for point in state.history if 2 * point.step > state.step]
    diversities = [point.ms_ssim for point in late if point.ms_ssim is not None]
    measures: dict[str, float | None] = {
        "discriminator's loss, second half": float(np.mean([point.d_loss for point in late])),
        "generator's loss, second half": float(np.mean([point.g_loss for point in late])),
        "MS-SSIM of samples, second half": float(np.mean(diversities)) if diversities else None,
    }
    for rule in RULES if truth else ():
        measures |= _places(evaluate(boxes_of(trained, rule), truth), rule)
    config = trained.run.config
    return Outcome(seed=config.seed, precision=config.precision, seconds=state.elapsed_s, measures=measures)


def _places(report: Report, rule: str) -> dict[str, float | None]:
    return {
        f"GT-known Loc, {rule}": report.rows[0].accuracy,
        f"r(cx), {rule}": report.r_cx,
        f"r(cy), {rule}": report.r_cy,
    }


def comparisons(outcomes: Sequence[Outcome]) -> list[Comparison]:
    """The paired differences, bf16 less fp32, of every measure that both precisions of a seed have."""
    by_run = {(one.seed, one.precision): one.measures for one in outcomes}
    seeds = [seed for seed, precision in by_run if precision == "fp32" and (seed, "bf16") in by_run]
    found = []
    for measure in dict.fromkeys(name for one in outcomes for name in one.measures):
        pairs = [
            (a, b)
            for seed in seeds
            if (a := by_run[seed, "fp32"].get(measure)) is not None
            and (b := by_run[seed, "bf16"].get(measure)) is not None
        ]
        if pairs:
            fp32, bf16 = ([pair[i] for pair in pairs] for i in (0, 1))
            difference = paired_difference(fp32, bf16)
            found.append(
                Comparison(measure=measure, fp32=spread(fp32), bf16=spread(bf16), difference=difference)
            )
    return found


def reading(found: Sequence[Comparison]) -> str:
    """What the intervals say together, in a sentence."""
    if any(one.difference.low is None for one in found):
        return "One seed alone says nothing: give at least two."
    seen = [one.measure for one in found if one.difference.is_seen]
    if not seen:
        return (
            "No difference is seen: every interval holds 0. They say how large one could still be, not that "
            "there is none."
        )
    return (
        f"The interval leaves 0 out for: {'; '.join(seen)}. Of {len(found)} intervals of 95 %, one in "
        "twenty does so by chance."
    )


# --- as text ------------------------------------------------------------------------------------------


def as_dict(
    job: Job, runs: Sequence[Run], outcomes: Sequence[Outcome], found: Sequence[Comparison]
) -> dict[str, Any]:
    """The comparison for JSON, with all that is needed to make it again."""
    return {
        "table": "precision",
        "command": job.command,
        "commit": revision(),
        "version": __version__,
        "device": device_name(job.device),
        "reading": reading(found),
        "comparisons": [asdict(one) for one in found],
        "outcomes": [asdict(one) for one in outcomes],
        "runs": [run.record() for run in runs],
    }


def as_markdown(job: Job, found: Sequence[Comparison]) -> str:
    """The comparison for people."""
    rows = [("measure", "fp32", "bf16", "bf16 - fp32 (95 %)", "seeds"), ("---",) * 5, *map(_cells, found)]
    lines = [
        "# Training in bf16 against fp32",
        "",
        scope(job),
        "",
        *(f"| {' | '.join(cells)} |" for cells in rows),
        "",
        "Means over seeds ± the standard deviation between seeds; differences are paired by seed, their "
        "intervals Student's t.",
        "",
        reading(found),
        "",
        "Made by:",
        "",
        f"    {job.command}",
    ]
    return "\n".join(lines) + "\n"


def scope(job: Job) -> str:
    """How small a check this is."""
    config = plan(job)[0].config
    return (
        f"A small check: {TABLE[job.sets[0]].title}, {config.image_size} px, width {config.width}, batch "
        f"{config.batch_size}, {config.steps:,} steps, {len(job.seeds)} seeds. It says nothing of longer or "
        "larger trainings."
    )


def _cells(one: Comparison) -> tuple[str, ...]:
    is_share = one.measure.startswith("GT-known Loc")
    scale, digits = (100.0, 1) if is_share else (1.0, 3)

    def write(value: float) -> str:
        return f"{scale * value:+.{digits}f}"

    d = one.difference
    interval = "" if d.low is None or d.high is None else f" ({write(d.low)} to {write(d.high)})"
    return (
        one.measure + (", %" if is_share else ""),
        one.fp32.text(scale=scale, digits=digits),
        one.bf16.text(scale=scale, digits=digits),
        write(d.mean) + interval,
        str(d.n),
    )
