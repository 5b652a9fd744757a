"""Fixtures of the window's tests; they live in ``window_support`` because tests/e2e has them too."""

from review_support import found
from window_support import beetles, bench, folder, opened, own_folders, tiny, window

__all__ = ["beetles", "bench", "folder", "found", "opened", "own_folders", "tiny", "window"]
