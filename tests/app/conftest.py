"""Fixtures of the window's tests; they live in ``window_support`` because tests/e2e has them too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from window_support import bench, folder, opened, own_folders, tiny, window

__all__ = ["bench", "folder", "opened", "own_folders", "tiny", "window"]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Delete the widgets that qtbot closed. It leaves that to an event loop, and none runs between tests.

    Thousands would pile up, and each change of style would go through them all.
    """
    yield
    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
