"""What tests of the command line share: a command in a process of its own, interrupted as by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.app import main

ROOT = Path(__file__).parents[1]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command within this process: its exit code, output and error stream."""
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return code, output.out, output.err


def interrupt_after_a_step(*arguments: str) -> tuple[int, str]:
    """Run a training command, send SIGINT once it has reported a step; exit code and standard output."""
    # Not at the sentence on how many steps there will be.
    code, out, _ = interrupt_when(lambda line: "step" in line and "/s" in line, *arguments)
    return code, out


def interrupt_when(has_come: Callable[[str], bool], *arguments: str) -> tuple[int, str, list[str]]:
    """Run a command, send SIGINT once its error stream has such a line; code, output and error lines."""
    command = [sys.executable, "-c", "import sys; from core.cli.app import main; sys.exit(main())"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=pipe, stderr=pipe, text=True, env=environment
    )
    assert child.stderr is not None
    said = []
    for line in child.stderr:
        said.append(line)
        if has_come(line):
            break
    child.send_signal(signal.SIGINT)
    out, rest = child.communicate(timeout=60)
    return child.returncode, out, [*said, *rest.splitlines()]
