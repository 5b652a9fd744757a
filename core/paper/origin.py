"""Where a result comes from: the commit and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from pathlib import Path

import torch

from core import __version__
from core.base.devices import resolve_device
from core.setup.doctor import cpu_name

_ROOT = Path(__file__).resolve().parents[2]


@cache
def revision() -> str:
    """The commit of this checkout, with ``+changes`` where files differ from it; else the version."""
    if not (_ROOT / ".git").exists():
        return f"version {__version__}"
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return f"version {__version__}"
    return commit[:12] + ("+changes" if _git("status", "--porcelain", "--untracked-files=no") else "")


def device_name(choice: str) -> str:
    """The device that :func:`resolve_device` finds; TrainingError where there is none."""
    device = resolve_device(choice)
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    if device.type == "mps":
        return f"Apple GPU ({platform.processor() or platform.machine()})"
    return f"CPU {cpu_name()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
