"""What ``localize --out`` does: boxes of any number of images into a data set, here or on workers."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

from core.base.errors import BoxscoutError
from core.base.language import printable, trn
from core.base.presets import DEFAULT_PRESET, FEATURES_PRESETS
from core.boxes.options import BoxOptions
from core.boxes.rules import default_rule
from core.cli.console import Bar
from core.cli.job import images_text
from core.cli.projects import existing_project
from core.cli.scale_app import DataSetOptions
from core.cli.scale_watch import BarWatch, JsonWatch, Watched
from core.maps.localizer import Localizer, load_localizer
from core.project.learning import KIND, saved_unit
from core.project.workflow import run_to_use
from core.scale.pools import Here, OnDask, Pool, on_scheduler, on_workers
from core.scale.run import SAMPLE, Totals, Wanted, find_boxes


def run_data_set(
    where: str,
    options: DataSetOptions,
    how: BoxOptions,
    *,
    as_json: bool,
    bar: Bar,
    stop: Event,
) -> dict[str, Any]:
    """Fill the data set ``options.out`` with the boxes of the images at ``where``.

    Raises
    ------
    BoxscoutError
        Two options exclude each other; and what :func:`core.scale.run.find_boxes` raises.
    """
    assert options.out is not None
    weights = None if options.weights is None else str(options.weights)
    wanted = Wanted(
        where=where,
        folder=options.out,
        options=BoxOptions(how.rule or default_rule(KIND), how.threshold, max_boxes=how.max_boxes),
        config=FEATURES_PRESETS[DEFAULT_PRESET].with_(weights=weights),
        localizer=_localizer(options),
        learn_from=options.learn_from or SAMPLE,
        **({} if options.shard is None else {"shard": options.shard}),
    )
    watch = JsonWatch() if as_json else BarWatch(bar)
    with _pool(options) as pool:
        if isinstance(pool, OnDask):
            watch.dashboard(pool.dashboard)
        found = find_boxes(wanted, pool, watch, is_cancelled=stop.is_set)
    result = {"event": "done", **asdict(found), "failed": watch.failed, "out": str(options.out)}
    return {"text": _text(found, watch, options.out), **result}


def _localizer(options: DataSetOptions) -> Localizer | None:
    """The one of a file or of a project's run; None where it is to be learned."""
    sources = {
        "--localizer": options.localizer,
        "--project": options.project,
        "--learn-from": options.learn_from,
    }
    given = [name for name, value in sources.items() if value is not None]
    if len(given) > 1:
        raise BoxscoutError(f"{given[0]} and {given[1]} exclude each other: both say what finds the boxes.")
    if options.localizer is not None:
        return load_localizer(options.localizer)
    if options.project is None:
        return None
    with existing_project(options.project, to_read=True) as opened:
        return saved_unit(run_to_use(opened, KIND, options.run))


def _pool(options: DataSetOptions) -> AbstractContextManager[Pool]:
    if options.workers is not None and options.scheduler is not None:
        raise BoxscoutError("--workers and --scheduler exclude each other.")
    if options.scheduler is not None:
        return on_scheduler(options.scheduler)
    return nullcontext(Here()) if options.workers is None else on_workers(options.workers)


def _text(found: Totals, watch: Watched, out: Path) -> str:
    boxes = trn("{count:,} box", "{count:,} boxes", found.boxes)
    text = f"Found {boxes} in {images_text(found.usable)}; they are in {out}."
    unusable = found.images - found.usable
    if unusable:
        text += f" Images that could not be used: {unusable:,}; the data set has the reasons."
    if watch.others:
        text += f" Other files, left out: {watch.others:,}."
    if found.missing:
        text += f" {images_text(found.missing)} could not be worked on: start the same command again."
    lines = [f"Left out “{printable(one['file'])}”: {one['reason']}" for one in watch.failed]
    return "\n".join([text, *lines])
