"""A panel below the canvas that can be closed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from app import style
from app.views.controls import plain_label, tool_button
from app.views.layouts import STRETCH, hbox
from core.base.language import tr


class Dock(QDockWidget):
    """A panel with a close button of its own."""

    closed = Signal()
    """By its button, not by the program."""


def add_dock(window: QMainWindow, name: str, title: str, inside: QWidget) -> Dock:
    """Put ``inside`` under a heading at the bottom of ``window``, hidden at first."""
    dock = Dock(title, window)
    dock.setObjectName(name)
    dock.setWidget(inside)
    dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetClosable)
    dock.setTitleBarWidget(_heading(dock, title))
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    dock.hide()
    return dock


def _heading(dock: Dock, title: str) -> QWidget:
    """The style's own close button is too faint on a dark window."""
    heading = QWidget()
    label = plain_label(title, "title")
    dock.windowTitleChanged.connect(label.setText)
    close = tool_button("close", tr("Close"), tr("Close this panel"))
    close.clicked.connect(dock.hide)
    close.clicked.connect(dock.closed)
    hbox(label, STRETCH, close, on=heading, margins=(style.MARGIN, style.GAP, style.SPACING, 0))
    return heading
