"""What tests of the command line share: a command in a process of its own, interrupted as by Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.app import main

ROOT = Path(__file__).parents[1]
_INTERRUPTED = """
import re, signal, sys
from core.cli import console
from core.cli.app import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
complain, awaited = console.complain, [sys.argv.pop(1)]

def interrupted(line):
    complain(line)
    if awaited and re.search(awaited[0], line):
        awaited.clear()
        signal.raise_signal(signal.SIGINT)

console.complain = interrupted
console.PLAIN_EVERY_S = 0.0  # every step is told, and the first is soon
sys.exit(main())
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command within this process: its exit code, output and error stream."""
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return code, output.out, output.err


def interrupt_after_a_step(*arguments: str) -> tuple[int, str]:
    """Interrupt a training command once it has reported a step; exit code and standard output."""
    # Not at the sentence on how many steps there will be.
    code, out, _ = interrupt_when(r"step.*/s", *arguments)
    return code, out


def interrupt_when(said: str, *arguments: str) -> tuple[int, str, list[str]]:
    """Run a command that gets SIGINT once its error stream has a line in which ``said`` is found.

    It sends the signal to itself, then and there: from outside it might be over before, on a fast processor
    or where this process waits for its turn. Exit code, output and error lines come back.
    """
    command = [sys.executable, "-c", _INTERRUPTED, said, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, done.stderr.splitlines()
