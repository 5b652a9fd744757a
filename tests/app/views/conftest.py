"""What tests of single views share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app import style


@pytest.fixture(autouse=True)
def styled(qapp: QApplication) -> Iterator[None]:
    """The program's own style in its light colours, before and after each test."""
    if qapp.property("boxscoutScheme") != "light":
        style.apply(qapp, "light")
    yield
    if qapp.property("boxscoutScheme") != "light":
        style.apply(qapp, "light")


@pytest.fixture
def show(qtbot: QtBot) -> Callable[..., QWidget]:
    """Show a widget at a size and wait until it is there."""

    def shown(widget: QWidget, width: int, height: int) -> QWidget:
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        qtbot.waitExposed(widget)
        return widget

    return shown
