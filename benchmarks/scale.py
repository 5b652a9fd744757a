"""How fast data sets are filled by one worker and by several, in how much memory, and what kills cost.

    python3 benchmarks/scale.py --photos FOLDER [--images 20000] [--image-size 224] [--workers 1,2]
        [--rounds 3] [--kill-every SECONDS] [--kill-scheduler] [--work FOLDER] [--json FILE] [--plot FILE]

The photos are hard-linked under other names, learned from, and localized into data sets by processes of one
thread each (``localize --out``), the numbers of workers taking turns. Memory is the resident set of the
command and of its largest worker, once a second. With ``--kill-every`` a scheduler and workers run by
themselves, one of which is killed (-9) so often, and with ``--kill-scheduler`` the scheduler once in the
middle, after which everything is started again. At the end each image is counted.
``benchmarks/scale_model.py`` prints what more images on more machines take by these figures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from cluster import ROOT, Cluster, cluster_of, environment
from matplotlib.figure import Figure

from core.base.config import FeaturesConfig
from core.images.scan import scan_folder
from core.learn.frozen import learn
from core.maps.localizer import save_localizer
from core.nets.features import load_features
from core.paper.origin import device_name, revision
from core.scale.dataset import SHARD, open_data_set

IN_A_FOLDER = 1000
MIB = 2**20


@dataclass
class Memory:
    """Resident bytes by second: of the command itself and of the largest of its workers."""

    seconds: list[float] = field(default_factory=list)
    client: list[int] = field(default_factory=list)
    worker: list[int] = field(default_factory=list)

    def note(self, seconds: float, client: int, workers: Sequence[int]) -> None:
        self.seconds.append(round(seconds, 1))
        self.client.append(client)
        self.worker.append(max(workers, default=0))

    def growth(self) -> dict[str, float]:
        """MiB from the second quarter of the time to the last: the first is loading."""
        quarter = max(1, len(self.seconds) // 4)

        def of(values: Sequence[int]) -> float:
            middle, end = values[quarter : 2 * quarter], values[-quarter:]
            return (statistics.median(end) - statistics.median(middle or end)) / MIB

        return {"client": of(self.client), "worker": of(self.worker)}


@dataclass
class Run:
    """One filling of a data set."""

    workers: int
    seconds: float
    images: int
    client_cpu_s: float
    memory: Memory
    kills: int = 0
    starts: int = 1

    @property
    def speed(self) -> float:
        return self.images / self.seconds


def main() -> None:
    options = _options()
    with _work(options.work) as work:
        photos = _linked(options.photos, work / "photos", options.images)
        localizer = _learned(photos, work / "localizer.safetensors", options.image_size)
        result: dict[str, Any] = {
            "command": " ".join(sys.argv),
            "commit": revision(),
            "device": device_name("cpu"),
            "images": options.images,
            "image_size": options.image_size,
            "shard": SHARD,
            "bytes_read_an_image": _mean_bytes(options.photos),
            "runs": [],
        }
        for number in range(options.rounds):
            for workers in options.workers:
                out = work / "set"
                run = _filled(photos, localizer, out, workers, options)
                _account(out, options.images)
                result["bytes_written_an_image"] = _size_of(out) / options.images
                shutil.rmtree(out)
                result["runs"].append({**asdict(run), "speed": run.speed, "growth_mib": run.memory.growth()})
                print(
                    f"round {number}: {workers} workers, {run.speed:.1f} images/s, {run.starts} starts, "
                    f"{run.kills} kills, growth {run.memory.growth()} MiB",
                    flush=True,
                )
                if options.json:
                    options.json.write_text(json.dumps(result, indent=1))
                if options.plot:
                    _plot(run.memory, options.plot)
    medians = {
        w: statistics.median(r["speed"] for r in result["runs"] if r["workers"] == w) for w in options.workers
    }
    first = medians[options.workers[0]]
    for workers, speed in medians.items():
        print(f"{workers} workers: {speed:.1f} images/s, {speed / first:.2f} times {options.workers[0]}")


# --- what is measured ---------------------------------------------------------------------------------


def _filled(photos: Path, localizer: Path, out: Path, workers: int, options: argparse.Namespace) -> Run:
    """Fill a data set, with kills where these are asked for, and watch memory."""
    memory, began, run_cpu, kills, starts = Memory(), time.monotonic(), 0.0, 0, 0
    outside = bool(options.kill_every or options.kill_scheduler)
    kill_scheduler = options.kill_scheduler
    while True:
        starts += 1
        with cluster_of(workers) if outside else nullcontext() as cluster:
            words = ["--scheduler", cluster.address] if cluster else ["--workers", str(workers)]
            command = _localize(photos, out, localizer, *words)
            done, cpu, killed = _watched(command, cluster, memory, began, options, kill_scheduler)
        run_cpu, kills, kill_scheduler = run_cpu + cpu, kills + killed, False
        if done:
            return Run(workers, time.monotonic() - began, options.images, run_cpu, memory, kills, starts)
        assert starts < 100, "it never ends"


def _watched(
    command: subprocess.Popen[str],
    cluster: Cluster | None,
    memory: Memory,
    began: float,
    options: argparse.Namespace,
    kill_scheduler: bool,
) -> tuple[bool, float, int]:
    """Wait for a command: whether it ended well, its own CPU seconds, and how many workers were killed."""
    client = psutil.Process(command.pid)
    lines = _lines_of(command)
    last_kill, cpu, kills = time.monotonic(), 0.0, 0
    while command.poll() is None:
        time.sleep(1)
        now = time.monotonic()
        try:
            own, times = client.memory_info().rss, client.cpu_times()
            cpu = times.user + times.system
            memory.note(now - began, own, [_rss(one) for one in _workers(client, cluster)])
        except psutil.Error:
            continue
        if cluster and options.kill_every and now - last_kill >= options.kill_every:
            kills, last_kill = kills + cluster.kill_a_worker(), now
        if cluster and kill_scheduler and lines.done >= options.images / 2:
            cluster.scheduler.kill()
            kill_scheduler = False
    return command.wait() == 0, cpu, kills


class _lines_of:  # noqa: N801 - reads like a function
    """Reads a command's events in a thread; ``done`` is how many images have boxes."""

    def __init__(self, command: subprocess.Popen[str]) -> None:
        self.done = 0
        self._command = command
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._command.stdout is not None
        for line in self._command.stdout:
            self.done = json.loads(line).get("done", self.done)


def _workers(client: psutil.Process, cluster: Cluster | None) -> list[psutil.Process]:
    if cluster is None:
        return client.children(recursive=True)
    return cluster.workers


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _account(out: Path, images: int) -> None:
    """AssertionError where an image of the list is missing, or is there twice."""
    data_set, names, count = open_data_set(out), set(), 0
    for found in data_set.found():
        assert found.place == count, "in the order of the list"
        assert not found.image.reason, f"{found.image.name}: {found.image.reason}"
        names.add(found.image.name)
        count += 1
    assert count == len(names) == images, f"{count} images, {len(names)} names, {images} wanted"


# --- processes ----------------------------------------------------------------------------------------


def _localize(photos: Path, out: Path, localizer: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "core.cli", "localize", str(photos), "--out", str(out), "--json"),
            *("--localizer", str(localizer), *words),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=environment(),
    )


# --- what it is measured on ---------------------------------------------------------------------------


def _linked(photos: Path, place: Path, count: int) -> Path:
    """``count`` hard links to the photos, in folders of a thousand."""
    files = [file.path for file in scan_folder([photos]).images]
    for number in range(count):
        folder = place / f"{number // IN_A_FOLDER:05d}"
        if number % IN_A_FOLDER == 0:
            folder.mkdir(parents=True)
        source = files[number % len(files)]
        target = folder / f"{number:08d}{source.suffix}"
        try:
            os.link(source, target)
        except OSError:  # another disk
            shutil.copyfile(source, target)
    return place


def _learned(photos: Path, file: Path, image_size: int) -> Path:
    config = FeaturesConfig(image_size=image_size, sample=100, device="cpu", threads=1)
    images = scan_folder([next(photos.iterdir())]).images
    *_, last = learn(config, load_features(device="cpu", threads=1), images)
    assert last.localizer is not None
    save_localizer(file, last.localizer)
    return file


def _mean_bytes(photos: Path) -> float:
    return statistics.mean(file.size_bytes for file in scan_folder([photos]).images)


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def _work(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)


# --- the picture --------------------------------------------------------------------------------------


def _plot(memory: Memory, file: Path) -> None:
    """Resident MiB over minutes."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    minutes = [seconds / 60 for seconds in memory.seconds]
    axes.plot(minutes, [value / MIB for value in memory.client], label="the command")
    axes.plot(minutes, [value / MIB for value in memory.worker], label="its largest worker")
    axes.set(xlabel="minutes", ylabel="resident MiB", ylim=(0, None))
    axes.legend()
    figure.savefig(file)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--workers", type=lambda text: [int(w) for w in text.split(",")], default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kill-every", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--kill-scheduler", action="store_true")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
