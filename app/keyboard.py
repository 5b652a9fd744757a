"""Keys and the keyboard focus of a window, if Qt's own way would surprise."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QApplication, QComboBox, QTabBar, QWidget

_MOVES = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)
_OF_LISTS = (
    *_MOVES,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Space,
    Qt.Key.Key_Backspace,
    Qt.Key.Key_Delete,
)


def is_own_key(widget: QWidget | None, event: QEvent) -> bool:
    """Whether a key means something to ``widget`` itself, or nothing at all, while it has the focus.

    ``event`` is the ``ShortcutOverride`` that Qt sends before it looks for a shortcut. A slider is moved by
    Home, not the list of images; Ctrl+A and BackSpace over a list of choices select and delete nothing.
    """
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if isinstance(widget, QComboBox):
        if event.matches(QKeySequence.StandardKey.SelectAll):
            return True
        return not event.modifiers() and event.key() in _OF_LISTS
    return isinstance(widget, (QAbstractSlider, QTabBar)) and not event.modifiers() and event.key() in _MOVES


def press_by_return(widget: QWidget | None, event: QKeyEvent) -> bool:
    """Press the button that has the focus, if ``event`` is Return: Qt does so within dialogs only."""
    is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat()
    if not is_return or not isinstance(widget, QAbstractButton) or not widget.isEnabled():
        return False
    widget.click()
    return True


class FocusKeeper(QObject):
    """Gives the focus to ``home`` if the widget that had it disappears or is disabled.

    Qt gives it to whatever comes next in the order of Tab, which may be a field that takes letters: keys that
    a person means for the images would be typed there.
    """

    def __init__(self, home: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._home = home
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)

    def _on_focus_changed(self, before: QWidget | None, now: QWidget | None) -> None:
        home = self._home
        if before is None or now is home or before.window() is not home.window():
            return
        lost = before.isHidden() or not before.isEnabled() or not before.isVisibleTo(before.window())
        if lost and home.isVisible() and home.isEnabled() and QApplication.activeModalWidget() is None:
            home.setFocus(Qt.FocusReason.OtherFocusReason)
