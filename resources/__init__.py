"""Icons and style files that are shipped with the program."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The file ``name`` (forward slashes) below ``resources/``; it need not exist."""
    return ROOT / name
