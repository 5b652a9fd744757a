"""Workers of Dask, as processes: the same bits as here, and whatever dies, each image is there once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_support import run
from scale_support import COUNT, SHARD, by_name, made, wanted

from core.base.errors import BoxscoutError
from core.maps.localizer import Localizer, save_localizer
from core.scale.dataset import open_data_set
from core.scale.manifest import Task
from core.scale.pools import OnDask, on_workers
from core.scale.work import ENDED

ROOT = Path(__file__).parents[3]
#: A file of this name kills who opens it, in each process that finds this module (the interpreter does).
POISON = """
import builtins, os
usual = builtins.open
def open(file, *more, **options):
    if isinstance(file, (str, os.PathLike)) and str(file).endswith("poison.jpg"):
        os.kill(os.getpid(), 9)
    return usual(file, *more, **options)
builtins.open = open
"""


@dataclass(frozen=True)
class Done:
    """A command that came to its end: exit code, events of its standard output, and what it complained of."""

    code: int
    events: list[dict[str, Any]]
    complaints: str

    def of(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == event]


def begin(photos: Path, out: Path, *options: object, hooks: Path | None = None) -> subprocess.Popen[str]:
    words = ["localize", photos, "--out", out, "--shard", SHARD, "--json", *options]
    paths = [str(ROOT), *([str(hooks)] if hooks else [])]
    return subprocess.Popen(
        [sys.executable, "-m", "core.cli", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def finish(process: subprocess.Popen[str]) -> Done:
    with process:
        out, complaints = process.communicate(timeout=120)
    return Done(process.returncode, [json.loads(line) for line in out.splitlines()], complaints)


@pytest.fixture
def file(tmp_path: Path, localizer: Localizer) -> Path:
    save_localizer(tmp_path / "a.safetensors", localizer)
    return tmp_path / "a.safetensors"


def test_two_workers_and_an_image_that_kills_them(
    photos: Path, localizer: Localizer, file: Path, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    shutil.copy(photos / "beetle-001.jpg", tmp_path / "photos" / "beetle-005 poison.jpg")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "sitecustomize.py").write_text(POISON)
    process = begin(
        tmp_path / "photos", tmp_path / "set", "--localizer", file, "--workers", 2, hooks=tmp_path / "hooks"
    )
    done = finish(process)
    assert done.code == 0, done.complaints
    assert "Traceback" not in done.complaints and "distributed" not in done.complaints
    (result,) = done.of("done")
    assert (result["images"], result["usable"], result["missing"]) == (COUNT + 1, COUNT, 0)
    assert done.of("left out") == [{"event": "left out", "file": "beetle-005 poison.jpg", "reason": ENDED}]
    assert done.of("progress")[-1]["done"] == COUNT + 1

    data_set = open_data_set(tmp_path / "set")
    found = by_name(data_set)
    assert found.pop("beetle-005 poison.jpg").image.reason == ENDED
    alone, _ = made(wanted(photos, tmp_path / "alone", localizer))
    assert {name: one.image for name, one in found.items()} == {
        name: one.image for name, one in by_name(alone).items()
    }, "the same as in one process, to the last bit"


@pytest.mark.long
def test_any_number_of_workers_learns_the_same_by_ddt_from_all(photos: Path, tmp_path: Path) -> None:
    files = []
    for workers in ((), ("--workers", 1), ("--workers", 2)):
        out = tmp_path / f"set{len(files)}"
        done = finish(begin(photos, out, "--learn-from", "all", *workers))
        assert done.code == 0, done.complaints
        assert done.of("learning")[-1]["share"] == 1
        files.append((out / "localizer.safetensors").read_bytes())
    assert files[0] == files[1] == files[2]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two workers of a scheduler, as the benchmark has them."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from cluster import cluster_of  # type: ignore[import-not-found]

    with cluster_of(2) as running:
        yield running


@pytest.fixture
def many(photos: Path, tmp_path: Path) -> Path:
    """The photos under other names, by hard links, thirty times."""
    (tmp_path / "many").mkdir()
    for number in range(30):
        for photo in photos.iterdir():
            os.link(photo, tmp_path / "many" / f"{number:02d} {photo.name}")
    return tmp_path / "many"


def until(process: subprocess.Popen[str], done: int) -> None:
    """Until so many images have boxes by the events of ``process``."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("done", 0) >= done:
            return
    raise AssertionError("it ended before")


@pytest.mark.long
def test_a_scheduler_that_is_lost_costs_nothing_that_was_done(
    many: Path, file: Path, cluster: Any, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    process = begin(many, out, "--localizer", file, "--scheduler", cluster.address)
    until(process, 5 * SHARD)
    cluster.scheduler.kill()
    lost = finish(process)
    assert lost.code == 1 and "The scheduler was lost" in lost.complaints
    assert "Traceback" not in lost.complaints
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "boxes").glob("part-*")}
    assert len(kept) >= 5
    again = finish(begin(many, out, "--localizer", file))
    assert again.code == 0 and again.of("done")[0]["missing"] == 0
    assert {name: (out / "boxes" / name).stat().st_mtime_ns for name in kept} == kept
    assert len(by_name(open_data_set(out))) == 30 * COUNT


@pytest.mark.long
def test_workers_that_are_killed_cost_no_image(
    many: Path, localizer: Localizer, file: Path, cluster: Any, tmp_path: Path
) -> None:
    process = begin(many, tmp_path / "set", "--localizer", file, "--scheduler", cluster.address)
    until(process, 2 * SHARD)
    killed = 0
    while process.poll() is None and killed < 4:
        killed += cluster.kill_a_worker()
        time.sleep(3)
    done = finish(process)
    assert killed and done.code == 0, done.complaints
    assert done.of("done")[0]["usable"] == 30 * COUNT
    alone, _ = made(wanted(many, tmp_path / "alone", localizer))
    assert by_name(open_data_set(tmp_path / "set")) == by_name(alone)


@dataclass(frozen=True, eq=False)
class Ended:
    """A future of Dask."""

    shard: int
    status: str = "finished"

    def result(self) -> int:
        return self.shard


class SlowFirst:
    """Stands for Dask: one worker; each task is done at once but the first, which waits for the others."""

    def submit(self, work: Any, task: Task, *, pure: bool) -> Any:
        return Ended(task.shard)

    def scheduler_info(self, n_workers: int = -1) -> dict[str, Any]:
        return {"workers": {"one": None}}

    def cancel(self, futures: Any, force: bool) -> None:
        assert not futures

    def wait(self, futures: list[Any], **options: Any) -> tuple[list[Any], list[Any]]:
        later = [one for one in futures if one.shard > 0]
        return later or futures, []


def test_few_results_come_before_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who adds them in their order holds so many: a folder of any size takes the same memory."""
    slow = SlowFirst()
    monkeypatch.setattr("core.scale.pools._distributed", lambda: slow)
    tasks = (Task(shard, shard, ()) for shard in range(500))
    done = list(OnDask(slow).run(lambda task: task.shard, tasks, is_cancelled=lambda: False))
    assert sorted(done) == list(range(500))
    assert done.index(0) <= 30


def test_without_workers_no_dask_is_needed(
    photos: Path, localizer: Localizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("dask", "distributed"):
        monkeypatch.setitem(sys.modules, package, None)
    made(wanted(photos, tmp_path / "set", localizer))
    with pytest.raises(BoxscoutError, match=r"Several workers need the extra “scale”"), on_workers(2):
        pass


@pytest.mark.long
def test_a_scheduler_that_does_not_answer_is_one_sentence(
    photos: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = finish(begin(photos, tmp_path / "set", "--localizer", file, "--scheduler", "tcp://127.0.0.1:9"))
    assert done.code == 1 and "No scheduler of Dask answers at tcp://127.0.0.1:9" in done.complaints
    assert "Traceback" not in done.complaints


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["PHOTOS", "--workers", "2", "--project", "a"], "--workers needs --out"),
        (["PHOTOS"], "Give --project, or --out"),
        (["PHOTOS", "--out", "a", "--workers", "2", "--scheduler", "b"], "exclude each other"),
        (["PHOTOS", "--out", "a", "--project", "b", "--learn-from", "all"], "exclude each other"),
        (["PHOTOS", "MORE", "--out", "a"], "takes one folder"),
        (["PHOTOS", "--out", "a", "--set", "dog"], "--set and --out exclude each other"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    code, _, complaints = run(capsys, "localize", *words)
    assert code in (1, 2) and said in complaints
