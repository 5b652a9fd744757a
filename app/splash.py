"""What is on the screen while the window is being made."""

from __future__ import annotations

import time

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QLabel

import resources
from app import paths, style

SIZE = QSize(360, 200)
_LOGO = 64
_PATIENCE_S = 0.25
"""Most seconds that a desktop has to put it on the screen; others go on without."""


def show_splash() -> QLabel:
    """The program's mark and name, at once: nothing of the window is imported yet.

    It is no QSplashScreen, whose ``show`` sleeps for a second: it waits to be on the screen before it asks
    to be shown.
    """
    screen = QGuiApplication.primaryScreen()
    ratio = screen.devicePixelRatio() if screen is not None else 1.0
    splash = QLabel()
    splash.setWindowFlags(Qt.WindowType.SplashScreen | Qt.WindowType.FramelessWindowHint)
    splash.setPixmap(_painted(ratio))
    splash.setFixedSize(SIZE)
    if screen is not None:
        splash.move(screen.availableGeometry().center() - splash.rect().center())
    splash.show()
    handle, limit = splash.windowHandle(), time.monotonic() + _PATIENCE_S
    while not handle.isExposed() and time.monotonic() < limit:
        QApplication.processEvents()
    QApplication.processEvents()  # its paint, before the imports that follow keep the event loop waiting
    return splash


def _painted(ratio: float) -> QPixmap:
    colours, pixmap = style.colours(), QPixmap(SIZE * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(colours.window))
    painter = QPainter(pixmap)
    left = (SIZE.width() - _LOGO) // 2
    icon = QIcon(str(resources.path("icons/boxscout.svg")))
    icon.paint(painter, QRect(left, 40, _LOGO, _LOGO))
    font = QFont(QApplication.font())
    font.setPointSize(20)
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(QColor(colours.text))
    painter.drawText(QRect(0, 120, SIZE.width(), 40), Qt.AlignmentFlag.AlignCenter, paths.APP)
    painter.end()
    return pixmap
