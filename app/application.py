"""The program with a window: starts Qt, catches every error, leaves in order."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from app import paths, style
from app.memory import leave_what_stays_to_itself
from app.splash import show_splash
from core import __version__

log = logging.getLogger("boxscout")
SIGNAL_POLL_MS = 200
LOG_BYTES = 1_000_000


class ErrorHandler(QObject):
    """Where errors end that nobody else has caught, from any thread and from Qt."""

    caught = Signal(object, str)

    def install(self) -> None:
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        qInstallMessageHandler(self._on_qt_message)

    def uninstall(self) -> None:
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)

    def note(self, error: BaseException, details: str) -> None:
        log.error("%s\n%s", error, details)

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        details = "".join(traceback.format_exception(kind, error, trace))
        log.error(details)
        if not issubclass(kind, KeyboardInterrupt):
            # A signal: from another thread it waits for the window's event loop.
            self.caught.emit(error, details)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    def _on_qt_message(self, kind: QtMsgType, _: QMessageLogContext, text: str) -> None:
        levels = {QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO}
        log.log(levels.get(kind, logging.WARNING), "Qt: %s", text)


def run(arguments: Sequence[str]) -> int:
    """Show the window and return the exit code when it is left.

    ``arguments`` are folders and image files to add, or one project to open.
    """
    # On a busy machine a shorter interval brought the 99th percentile of the window's tick from 36 to 27 ms.
    sys.setswitchinterval(0.0005)
    app = make_application()
    _start_log()
    errors = ErrorHandler()
    errors.install()
    try:
        splash = show_splash()
        # Here, not above: importing the views takes its time, and their errors should be caught too.
        from app import speech
        from app.main_window import MainWindow
        from app.presenters import program

        speech.speak(app, program.language_set())
        window = MainWindow()
        window.session.error.connect(errors.note)
        errors.caught.connect(window.session.error)
        app.aboutToQuit.connect(window.workbench.shut_down_now)
        program.apply(window.program.preferences)
        window.show()
        splash.close()
        leave_what_stays_to_itself()
        if arguments:
            chosen = [Path(os.path.abspath(text)) for text in arguments]  # noqa: PTH100 - keeps links
            QTimer.singleShot(0, window, lambda: window.open_paths(chosen))
        with closing_on_signals(window.close):
            return app.exec()
    finally:
        errors.uninstall()
        logging.shutdown()


def make_application() -> QApplication:
    """The styled ``QApplication``; the one there is, where there is one."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([paths.APP])
    app.setApplicationName(paths.APP)
    app.setOrganizationName(paths.APP)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("boxscout")
    style.apply(app)
    return app


@contextmanager
def closing_on_signals(close: Callable[[], Any]) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the window in order, training saved."""

    def handle(_: int, __: FrameType | None) -> None:
        close()

    wanted = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    former = {number: signal.signal(number, handle) for number in wanted}
    # Python sees a signal only between two of its own instructions, and an idle Qt runs none.
    timer = QTimer()
    timer.timeout.connect(lambda: None)
    timer.start(SIGNAL_POLL_MS)
    try:
        yield
    finally:
        timer.stop()
        for number, handler in former.items():
            signal.signal(number, handler)


def _start_log() -> None:
    try:
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            paths.log_file(), maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.info("Boxscout %s", __version__)
