"""Fixtures of the window's tests; they live in ``window_support`` because tests/e2e has them too."""

from window_support import bench, folder, opened, own_folders, tiny, window

__all__ = ["bench", "folder", "opened", "own_folders", "tiny", "window"]
