"""What the faults share: how often each is tried, and one try in a process of its own that may do anything.

A try is a fork of the test: everything is imported already, so that hundreds take a minute. The fork says how
it ended through a pipe; what it does not say, such as a crash or a hang, its parent sees.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import RawIOBase, StringIO
from pathlib import Path

from core.base.errors import BoxscoutError
from core.cli.app import main

TRIES = int(os.environ.get("BOXSCOUT_FAULTS", "20"))
SEED = int(os.environ.get("BOXSCOUT_FAULTS_SEED", "0"))
HANG_S = 60.0
# What a file could run: seen where Python itself is asked, whatever does the asking.
_RUNS_CODE = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "ctypes.dlopen")

WORKED, REFUSED = "worked", "refused"
TRACEBACK, CODE, HANG, CRASH = "traceback", "code run", "hang", "crash"


@dataclass(frozen=True)
class Outcome:
    """How a try ended, and its sentence or its traceback."""

    kind: str
    said: str

    @property
    def is_fine(self) -> bool:
        """Whether it worked, or was refused in one sentence."""
        one = len(self.said) > 10 and len(self.said.splitlines()) == 1 and "Traceback" not in self.said
        return self.kind == WORKED or (self.kind == REFUSED and one)


def forked(work: Callable[[], object], *, hang_s: float = HANG_S) -> Outcome:
    """Do ``work`` in a fork, which is killed after ``hang_s`` seconds."""
    [outcome] = forked_each(1, lambda number: work(), hang_s=hang_s)
    return outcome


def forked_each(count: int, work: Callable[[int], object], *, hang_s: float = HANG_S) -> Iterator[Outcome]:
    """Do ``work`` with each number below ``count``, one after another in a fork.

    After one that crashes or takes longer than ``hang_s`` seconds, another fork goes on with the next.
    """
    number = 0
    while number < count:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _in_child(range(number, count), work, writing)
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while number < count and (line := _line(pipe, until=time.monotonic() + hang_s)):
                yield Outcome(**json.loads(line))
                number += 1
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if number < count:
            hung = line is None
            yield Outcome(HANG, f"{hang_s:.0f} s") if hung else Outcome(CRASH, f"wait status {status}")
            number += 1


def _in_child(numbers: range, work: Callable[[int], object], writing: int) -> None:
    ran: list[str] = []
    try:
        sys.addaudithook(lambda event, _: ran.append(event) if event.startswith(_RUNS_CODE) else None)
        for number in numbers:
            os.write(writing, json.dumps(_tried(lambda n=number: work(n), ran)).encode() + b"\n")
    finally:
        os._exit(0)


def _tried(work: Callable[[], object], ran: list[str]) -> dict[str, str]:
    kind, said = WORKED, ""
    try:
        work()
    except BoxscoutError as error:
        kind, said = REFUSED, str(error)
    except BaseException:
        kind, said = TRACEBACK, traceback.format_exc()[-3000:]
    return {"kind": CODE, "said": " ".join(ran)} if ran else {"kind": kind, "said": said}


def _line(pipe: RawIOBase, *, until: float) -> bytes | None:
    """What the fork says of one try; None where it says nothing in time, empty where it has ended."""
    data = b""
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        if not (piece := pipe.read(1)):  # no further than this line
            return b""
        data += piece
    return data


def command(*words: object) -> None:
    """Run a command as a person would; its complaint is raised as the sentence that it is."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(word) for word in words])
    if code:
        lines = [line for line in err.getvalue().splitlines() if line.strip() and "%" not in line]
        raise BoxscoutError("\n".join(lines))


class Tally:
    """The outcomes of one fault, printed at the end; what was not fine fails the test with its cause."""

    def __init__(self, name: str) -> None:
        self.name, self.counts, self.bad = name, Counter[str](), list[str]()

    def add(self, outcome: Outcome, what: object) -> None:
        self.counts[outcome.kind] += 1
        if not outcome.is_fine:
            self.bad.append(f"{what}: {outcome.kind}: {outcome.said}")

    def close(self) -> None:
        total = sum(self.counts.values())
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items()))
        told(f"{self.name}: {total} tries, seed {SEED}: {kinds}")
        assert total and not self.bad, f"{len(self.bad)} of {total}\n" + "\n\n".join(self.bad[:12])


def told(line: str) -> None:
    """Print a figure past pytest's capture, and into the file ``$BOXSCOUT_FAULTS_LOG`` if it is set."""
    with suppress(KeyError), Path(os.environ["BOXSCOUT_FAULTS_LOG"]).open("a", encoding="utf-8") as log:
        log.write(line + "\n")
    sys.__stderr__.write(line + "\n")
