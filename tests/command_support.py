"""What tests of the command line share: a command in a process of its own, interrupted as by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def interrupt_after_a_step(*arguments: str) -> tuple[int, str]:
    """Run a training command, send SIGINT once it has reported a step; exit code and standard output."""
    command = [sys.executable, "-c", "import sys; from core.cli.app import main; sys.exit(main())"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=pipe, stderr=pipe, text=True, env=environment
    )
    assert child.stderr is not None
    for line in child.stderr:
        if "step" in line and "/s" in line:  # not the sentence on how many steps there will be
            break
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    return child.returncode, out
