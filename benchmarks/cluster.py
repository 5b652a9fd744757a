"""A scheduler of Dask and its workers as processes of their own, to be watched and killed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from distributed import Client

ROOT = Path(__file__).parents[1]
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Cluster:
    """A scheduler and nannies, each of which keeps a worker alive."""

    address: str
    scheduler: subprocess.Popen[bytes]
    nannies: list[subprocess.Popen[bytes]]

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that work now."""
        children = [child for nanny in self.nannies for child in psutil.Process(nanny.pid).children()]
        return [child for child in children if "spawn" in " ".join(child.cmdline())]

    def kill_a_worker(self) -> int:
        """Kill -9 one of the workers, by chance; how many that were."""
        with suppress(psutil.NoSuchProcess, IndexError):
            random.choice(self.workers).kill()
            return 1
        return 0


@contextmanager
def cluster_of(workers: int) -> Iterator[Cluster]:
    """A scheduler on the loopback address with ``workers`` of one thread; all are gone at the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        note = Path(folder) / "scheduler.json"
        alone = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(note))
        scheduler, nannies = _started("distributed.cli.dask_scheduler", *alone), []
        own = ("--nthreads", "1", "--no-dashboard", "--death-timeout", "30", "--local-directory", folder)
        try:
            address = _address(note)
            nannies += [_started("distributed.cli.dask_worker", address, *own) for _ in range(workers)]
            with Client(address) as client:
                client.wait_for_workers(workers, timeout=_PATIENCE_S)
            yield Cluster(address, scheduler, nannies)
        finally:
            for process in [*nannies, scheduler]:
                _kill(process)


def environment(*paths: Path) -> dict[str, str]:
    """That of a process with one thread, which imports from the repository and from ``paths``."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths))), "OMP_NUM_THREADS": "1"}


def _started(*words: str) -> subprocess.Popen[bytes]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", *words], **quiet, cwd=ROOT, env=environment())


def _address(note: Path) -> str:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if note.exists() and (text := note.read_text()):
            return str(json.loads(text)["address"])
        time.sleep(0.1)
    raise TimeoutError(f"no scheduler after {_PATIENCE_S:.0f} s")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.wait()
