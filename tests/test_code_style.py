"""Style and types are part of the suite: what the pre-commit hooks say, a test run says too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CHECKS = {
    "ruff check": ["ruff", "check", "--quiet", "."],
    "ruff format": ["ruff", "format", "--check", "--quiet", "--diff", "."],
    "mypy": ["mypy"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_clean(check: str) -> None:
    if check == "mypy" and sys.version_info[:2] not in ((3, 11), (3, 12)):
        pytest.skip("the newest numpy for this Python describes its types otherwise")
    done = subprocess.run(
        [sys.executable, "-m", *CHECKS[check]], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{check}:\n{done.stdout}{done.stderr}"
