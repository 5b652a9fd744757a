"""What many images on many machines take, on paper, by the figures that benchmarks/scale.py has measured.

    python3 benchmarks/scale_model.py FILE [--images 20000000] [--machines 100] [--cores 16] [--price 0.5]

FILE is its ``--json``, of runs by one worker and by several. The time of one core an image is that of one
worker; so many cores take it on together, at the share of their speed that several workers kept here. The
command that hands out the shards takes its own core's time, which no number of machines shortens.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--images", type=int, default=20_000_000)
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--cores", type=int, default=16, help="of a machine")
    parser.add_argument("--price", type=float, default=0.5, help="of a machine's hour")
    options = parser.parse_args()
    rows = rows_of(json.loads(options.file.read_text()), options)
    print("\n".join(["| what | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]))


def rows_of(measured: dict[str, Any], options: argparse.Namespace) -> list[tuple[str, str]]:
    """Each figure with its name."""
    runs, images = measured["runs"], options.images
    many = max(run["workers"] for run in runs)
    one = statistics.median(run["seconds"] / run["images"] for run in runs if run["workers"] == 1)
    together = statistics.median(run["seconds"] / run["images"] for run in runs if run["workers"] == many)
    kept = min(one / together / many, 1.0)
    hours = images * one / (options.machines * options.cores) / kept / 3600
    # Its start and its waiting are in it too, so this is more than an image costs.
    client = images * min(run["client_cpu_s"] / run["images"] for run in runs) / 3600
    read, written = (images * measured[f"bytes_{what}_an_image"] for what in ("read", "written"))
    return [
        ("one core, seconds an image (measured)", f"{one:.4f}"),
        (f"share of their speed that {many} workers kept (measured)", f"{kept:.2f}"),
        (f"{images:,} images, {options.machines} machines of {options.cores} cores: hours", f"{hours:.2f}"),
        ("of the command that hands out shards, on one core, at most: hours", f"{client:.2f}"),
        ("read: TB; all machines, MB/s", f"{read / 1e12:.2f}; {read / hours / 3600 / 1e6:,.0f}"),
        ("written: GB; files", f"{written / 1e9:.2f}; {images // measured['shard']:,}"),
        (f"cost at {options.price} an hour", f"{options.machines * max(hours, client) * options.price:,.0f}"),
        ("what is reached first", "the command" if client > hours else "the machines' cores"),
    ]


if __name__ == "__main__":
    main()
