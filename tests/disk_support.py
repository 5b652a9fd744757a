"""Small disks for the tests that fill one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(place: Path, size: str, *, lazily: bool = False) -> Iterator[Path]:
    """A disk of ``size`` (``64k``) at the new folder ``place``; ``lazily`` lets go of it while in use."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "boxscout-test", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk cannot be mounted here (it takes root on Linux)")
    try:
        yield place
    finally:
        subprocess.run(["umount", *(["--lazy"] if lazily else []), str(place)], check=True)
