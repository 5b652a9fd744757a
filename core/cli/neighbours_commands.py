"""What ``reproduce neighbours`` does."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from core.base.atomic import write_atomically
from core.base.errors import BoxscoutError, Cancelled
from core.base.presets import DEFAULT_PRESET, FEATURES_PRESETS
from core.cli.console import Bar
from core.learn.frozen import threads_of
from core.nets.features import load_features
from core.paper.neighbours import DEFAULT, METHODS, Result, results_of, sets_in
from core.paper.neighbours_table import as_json, as_markdown
from core.paper.origin import device_name, revision


def run_neighbours(
    data: Path,
    out: Path,
    sets: Sequence[str],
    methods: Sequence[str],
    *,
    image_size: int,
    threads: int,
    seed: int,
    bar: Bar,
    stop: Event,
) -> str:
    """Measure, write both files after each set, and give the table.

    Raises
    ------
    BoxscoutError
        A set or method is not known, or nothing can be measured.
    Cancelled
        ``stop`` was set; what was measured before is written.
    """
    chosen = _chosen(methods)
    config = FEATURES_PRESETS[DEFAULT_PRESET].with_(
        image_size=image_size, threads=threads, seed=seed, device="cpu"
    )
    features = load_features(device="cpu", threads=threads_of(config))
    out.mkdir(parents=True, exist_ok=True)
    bar.part("Measuring", 1.0)
    line = f"main.py {' '.join(sys.argv[1:])}, commit {revision()}, {device_name('cpu')}, {features.version}."
    done, results, text = [], list[Result](), ""

    def tell(what: str, share: float) -> None:
        if stop.is_set():
            raise Cancelled("Stopped; the sets that were measured before are written.")
        bar.update(share, what)

    for photos in sets_in(data, out, sets):
        results += results_of(photos, chosen, features, config, on_share=tell)
        done.append(photos)
        text = as_markdown(done, results, made_by=line)
        write_atomically(out / "neighbours.md", text.encode("utf-8"))
        content = as_json(done, results, command=sys.argv[1:], commit=revision(), runtime=features.version)
        write_atomically(out / "neighbours.json", json.dumps(content, indent=1).encode("utf-8"))
    return text


def _chosen(methods: Sequence[str]) -> list[str]:
    """The methods by the short names of the command, in the table's order."""
    known = {"default": DEFAULT, **{name.lower(): name for name in METHODS}}
    if unknown := [name for name in methods if name.lower() not in known]:
        raise BoxscoutError(f"There is no method {unknown[0]}; there are {', '.join(known)}.")
    wanted = {name.lower() for name in methods} or set(known)
    return [title for name, title in known.items() if name in wanted]
