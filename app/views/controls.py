"""Small controls that several views share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QObject, QRect, QSignalBlocker, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QStandardItemModel,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from app import style
from app.views.layouts import hbox, vbox

PartT = TypeVar("PartT")
_COMBO_FRAME = 2
_SPIN_WIDTH = 84  # less than a spin box would ask for its longest number
_SPIN_MARGINS = (4, 0, 0, 0)  # a style sheet's padding does not reach the text


def there(what: PartT | None) -> PartT:
    """What Qt says may be None and is not: a widget's layout once it has one, a page of some."""
    assert what is not None
    return what


def named(widget: QWidget, name: str, tip: str = "") -> None:
    """Give a control its ``name`` for people who hear the screen, and a ``tip`` for the mouse."""
    widget.setAccessibleName(name)
    widget.setToolTip(tip)


def fill_width(widget: QWidget) -> None:
    """Let a control take the width there is, and no more height than it needs."""
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)


def _turned(widget: QWidget, event: QWheelEvent, turn: Callable[[QWheelEvent], None]) -> None:
    """A wheel turns a control only when it has the focus, so that scrolling past changes nothing."""
    if widget.hasFocus():
        turn(event)
    else:
        event.ignore()


class Combo(QComboBox):
    """Texts with their data to choose from; with ``whole`` as wide as the longest, else as there is room."""

    def __init__(
        self, items: Mapping[Any, str] | None = None, *, name: str = "", tip: str = "", whole: bool = False
    ) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Not by its contents: such a box shrinks to them whenever they change.
        by_content = self.SizeAdjustPolicy.AdjustToContents
        by_length = self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(by_content if whole else by_length)
        self.setMinimumContentsLength(8)
        if not whole:
            fill_width(self)
        named(self, name, tip)
        for value, text in (items or {}).items():
            self.addItem(text, value)

    def enable(self, index: int, on: bool) -> None:
        """Whether the item at ``index`` can be chosen."""
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        model.item(index).setEnabled(on)

    def show_data(self, value: object) -> None:
        with QSignalBlocker(self):
            self.setCurrentIndex(self.findData(value))

    def shown_text(self) -> str:
        """What there is room for of the text that is chosen; dots stand for the rest."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        if not option.currentIcon.isNull():
            room -= option.iconSize.width() + style.GAP
        dots = Qt.TextElideMode.ElideRight
        return self.fontMetrics().elidedText(self.currentText(), dots, room - _COMBO_FRAME)

    def paintEvent(self, event: QPaintEvent) -> None:
        """As ever, but with :meth:`shown_text`: a style sheet cuts a text off where its room ends."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turned(self, event, super().wheelEvent)


class Spin(QSpinBox):
    """A spin box for whole numbers."""

    def __init__(self, low: int, high: int, *, name: str = "", tip: str = "") -> None:
        super().__init__()
        self.setRange(low, high)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setGroupSeparatorShown(True)
        self.lineEdit().setTextMargins(*_SPIN_MARGINS)
        self.setMinimumWidth(_SPIN_WIDTH)
        named(self, name, tip)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turned(self, event, super().wheelEvent)


class RealSpin(QDoubleSpinBox):
    """A spin box for real numbers."""

    def __init__(self, low: float, high: float, *, step: float = 0.01, name: str = "", tip: str = "") -> None:
        super().__init__()
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(_SPIN_WIDTH)
        self.lineEdit().setTextMargins(*_SPIN_MARGINS)
        named(self, name, tip)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turned(self, event, super().wheelEvent)


class Choice(QWidget):
    """Two buttons side by side of which exactly one is on."""

    changed = Signal(bool)  # whether the first one is on; only when a person changed it

    def __init__(self, first: str, second: str) -> None:
        super().__init__()
        self.first, self.second = QToolButton(self), QToolButton(self)
        group = QButtonGroup(self)
        for button, text, role in ((self.first, first, "left"), (self.second, second, "right")):
            button.setText(text)
            button.setAccessibleName(text)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            style.mark(button, role)
            group.addButton(button)
        hbox(self.first, self.second, on=self, spacing=0)
        self.first.setChecked(True)
        self.first.toggled.connect(self.changed)

    def is_first(self) -> bool:
        return self.first.isChecked()

    def set_first(self, first: bool) -> None:
        with QSignalBlocker(self):
            (self.first if first else self.second).setChecked(True)


class Pages(QStackedWidget):
    """Pages as high as the one in sight: Qt would ask for the highest, and scroll a short one."""

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), there(self.currentWidget()).sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(
            super().minimumSizeHint().width(), there(self.currentWidget()).minimumSizeHint().height()
        )

    def heightForWidth(self, width: int) -> int:
        return there(self.currentWidget()).heightForWidth(width)


class FitScroll(QScrollArea):
    """A vertical scroll area that asks for the height of what it holds, and no more."""

    LEAST = 144
    """Fewer pixels of height would be a slit."""

    def __init__(self, inside: QWidget, *, bar_on_margin: bool = False) -> None:
        super().__init__()
        self._inside = inside
        self._bar_on_margin = bar_on_margin
        """Whether the margin of what it holds is wide enough for the scroll bar."""
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.setWidget(inside)
        inside.setAutoFillBackground(False)
        inside.installEventFilter(self)

    def sizeHint(self) -> QSize:
        wished = self._inside.sizeHint()
        wrapped = self._inside.heightForWidth(self.viewport().width())
        return QSize(wished.width(), max(wished.height(), wrapped))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()  # texts wrap otherwise

    def minimumSizeHint(self) -> QSize:
        bar = 0 if self._bar_on_margin else self.verticalScrollBar().sizeHint().width()
        return QSize(self._inside.minimumSizeHint().width() + bar, min(self.sizeHint().height(), self.LEAST))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class Section(QWidget):
    """A heading that shows or hides what is below it; hidden at first."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.toggle, self.content = push_button(title, role="section"), QWidget()
        self.toggle.setCheckable(True)
        vbox((self.toggle, 0, Qt.AlignmentFlag.AlignLeft), self.content, on=self, spacing=style.GAP)
        self.toggle.toggled.connect(self.set_open)
        self.set_open(False)

    def is_open(self) -> bool:
        return self.toggle.isChecked()

    def set_open(self, on: bool) -> None:
        self.toggle.setChecked(on)
        self.content.setVisible(on)
        style.set_icon(self.toggle, "down" if on else "next", "muted")


def tab_in_order(parts: Sequence[QWidget]) -> None:
    """Let Tab go through ``parts`` one after the other, within each in the order that it has.

    Without, Tab follows the order in which widgets were made, whatever a person sees.
    """
    stops = [stop for part in parts for stop in _stops(part)]
    for before, after in pairwise(stops):
        QWidget.setTabOrder(before, after)


def _stops(part: QWidget) -> list[QWidget]:
    found, widget = [], part
    while True:
        inside = widget is part or part.isAncestorOf(widget)
        if inside and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
            found.append(widget)
        widget = there(widget.nextInFocusChain())
        if widget is part:
            return found


def tool_button(icon: str, name: str, tip: str, clicked: SignalInstance | None = None) -> QToolButton:
    """A flat button with an icon, named as in :func:`named`, that sends on what it is ``clicked`` for."""
    button = QToolButton()
    style.set_icon(button, icon)
    button.setIconSize(QSize(style.ICON_SIZE, style.ICON_SIZE))
    named(button, name, tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if clicked is not None:
        button.clicked.connect(lambda: clicked.emit())
    return button


def plain_label(text: str = "", role: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """A label that shows its text as it is, never as markup."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    label.setWordWrap(wrap)
    if selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        style.mark(label, role)
    return label


def push_button(
    text: str,
    slot: Callable[[], object] | None = None,
    *,
    icon: str = "",
    tint: str = "text",
    tip: str = "",
    role: str = "",
) -> QPushButton:
    """A button that calls ``slot``; ``icon`` and ``tint`` as in :func:`app.style.set_icon`."""
    button = QPushButton(text)
    button.setToolTip(tip)
    if icon:
        style.set_icon(button, icon, tint)
    if role:
        style.mark(button, role)
    if slot is not None:
        button.clicked.connect(lambda: slot())
    return button


class HintLabel(QLabel):
    """Muted words beside others that matter more: dots stand for what there is no room for."""

    def __init__(self, text: str = "", dots: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__(text)
        self._dots = dots
        self.setTextFormat(Qt.TextFormat.PlainText)
        style.mark(self, "muted")

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("…"), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        told = self.fontMetrics().elidedText(self.text(), self._dots, self.width())
        painter.drawText(self.rect(), int(self.alignment()), told)


class Placeholder(QWidget):
    """A quiet area that says what will be there."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_text(text)
        self.setMinimumHeight(48)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_text(self, text: str) -> None:
        self._text = text
        self.setAccessibleName(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, 96)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_placeholder(QPainter(self), self.rect(), self._text)


def paint_placeholder(painter: QPainter, room: QRect, text: str) -> None:
    """Draw plain ``text`` in the middle of a quiet, rounded ``room``."""
    c = style.colours()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(c.hover))
    painter.drawRoundedRect(room, 6, 6)
    painter.setPen(QColor(c.muted))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    inset = style.MARGIN
    painter.drawText(room.adjusted(inset, inset, -inset, -inset), int(flags), text)
