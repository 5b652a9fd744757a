"""The command ``train`` as torchrun starts it: two processes, one project, signals, a killed process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_support import ROOT, run
from PIL import Image

from core.learn import checkpoint

TORCHRUN = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
SMALL = ("--preset", "scratch", "--width", "8", "--batch-size", "8", "--device", "cpu")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train",), "Frozen features are learned in one process"),
        (("train", "--method", "ddt"), "Frozen features are learned in one process"),
        (("train-cam",), "'train-cam' runs in one process: start it without torchrun."),
        (("localize",), "'localize' runs in one process: start it without torchrun."),
    ],
)
def test_what_runs_in_one_process_says_so_once(
    photos: Path,
    arguments: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = photos.with_name("a.boxscout")
    if arguments == ("localize",):
        project.touch()
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    answers = []
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        answers.append(run(capsys, arguments[0], photos, "--project", project, *arguments[1:]))
    first, second = answers
    assert first[0] == 1 and sentence in first[2]
    # Well, or torchrun might end the first before it has spoken.
    assert second == (0, "", "")
    assert not project.exists() or not project.stat().st_size


def _torchrun(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    # Its rendezvous takes a free port, of the loopback address alone.
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1"]
    return subprocess.Popen(
        [*command, str(ROOT / "main.py"), "train", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.long
def test_two_processes_train_one_project_and_one_goes_on(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = photos.with_name("a.boxscout")
    started = _torchrun(photos, "--project", project, *SMALL, "--steps", 3, "--json")
    output, errors = started.communicate(timeout=300)
    assert started.returncode == 0, errors
    (line,) = output.splitlines()
    result = json.loads(line)
    assert (result["step"], result["stopped"]) == (3, False)
    assert checkpoint.load(Path(result["checkpoint"])).step == 3
    assert errors.count("Reading images 100%") == 1
    code, said, _ = run(capsys, "train", photos, "--project", project, *SMALL[:2], "--resume", "--steps", 4)
    assert code == 0 and said.startswith("Trained 4 steps on 12 images")


def _end_all(torchrun: int, workers: dict[int, int]) -> None:
    os.killpg(torchrun, signal.SIGINT)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
@pytest.mark.parametrize(
    ("end", "saves"),
    [
        (_end_all, True),
        (lambda torchrun, workers: os.kill(torchrun, signal.SIGTERM), True),
        (lambda torchrun, workers: os.kill(workers[1], signal.SIGTERM), True),
        (lambda torchrun, workers: os.kill(workers[0], signal.SIGKILL), False),
        (lambda torchrun, workers: os.kill(workers[1], signal.SIGKILL), False),
    ],
    ids=["Ctrl-C", "SIGTERM to torchrun", "SIGTERM to one", "first killed", "second killed"],
)
def test_whatever_ends_one_ends_all_and_it_resumes(
    photos: Path,
    end: Callable[[int, dict[int, int]], None],
    saves: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = photos.with_name("a.boxscout")
    code, out, _ = run(capsys, "train", photos, "--project", project, *SMALL, "--steps", 2, "--json")
    assert code == 0
    file = Path(json.loads(out)["checkpoint"])
    started = _torchrun(photos, "--project", project, "--preset", "scratch", "--resume", "--steps", 100_000)
    assert started.stderr is not None
    said = next(line for line in started.stderr if re.search(r"step \d+/", line))
    workers = _workers(started.pid)
    end(started.pid, workers)
    output, errors = started.communicate(timeout=120)
    assert started.returncode != 0
    assert not [pid for pid in workers.values() if Path(f"/proc/{pid}").exists()]
    reached = int(re.findall(r"step (\d+)/", said)[0])
    saved = checkpoint.load(file).step
    # A process that is killed between two steps leaves a whole step to save; within one, the last save.
    assert saved >= reached or (saved == 2 and not saves)
    assert output == (f"Stopped at step {saved} and saved; add --resume to go on.\n" if saves else "")
    assert 'main.py", line' not in errors  # torchrun tells its own traceback, and no other is
    more = str(saved + 1)
    assert run(capsys, "train", photos, "--project", project, *SMALL[:2], "--resume", "--steps", more)[0] == 0


def _workers(torchrun: int) -> dict[int, int]:
    """The process of each rank."""
    found = {}
    for child in Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split():
        rank = re.search(rb"(?:^|\0)RANK=(\d+)\0", Path(f"/proc/{child}/environ").read_bytes())
        if rank is not None:
            found[int(rank[1])] = int(child)
    assert sorted(found) == [0, 1]
    return found
