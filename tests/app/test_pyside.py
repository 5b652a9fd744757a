"""A trap of our window library that no other test would show."""

from __future__ import annotations

import sys

from pytestqt.qtbot import QtBot


def test_calls_keep_the_count_of_none_and_true(qtbot: QtBot) -> None:
    """PySide6 6.12.0 lost one reference to None or True at each call, and Python aborts when none is left."""
    from PySide6.QtWidgets import QLabel

    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None), sys.getrefcount(True)
    for number in range(5000):
        label.setText(str(number))
        label.setEnabled(True)
        label.isEnabled()
    after = sys.getrefcount(None), sys.getrefcount(True)
    assert abs(after[0] - before[0]) < 500
    assert abs(after[1] - before[1]) < 500
