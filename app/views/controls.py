"""Small controls that several views share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QStackedWidget,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QWidget,
)

from app import style
from app.views.layouts import vbox

_SPIN_WIDTH = 84  # less than a spin box would ask for its longest number

_SPIN_MARGINS = (4, 0, 0, 0)  # a style sheet's padding does not reach the text


class JumpSlider(QSlider):
    """A horizontal slider whose handle jumps to where the groove is pressed."""

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(low, high)

    def span(self) -> tuple[int, int]:
        """Where the middle of the handle is at the lowest and at the highest value, in its pixels."""
        half = self._handle().width() // 2
        return half, self.width() - half

    def _handle(self) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        return self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            handle = self._handle()
            if not handle.contains(event.position().toPoint()):
                room = self.width() - handle.width()
                at = round(event.position().x() - handle.width() / 2)
                self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), at, room))
        super().mousePressEvent(event)


class Combo(QComboBox):
    """A combo box that a wheel turns only when it has the focus, so that scrolling past changes nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Not by its contents: such a box shrinks to them whenever they change.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Spin(QSpinBox):
    """A spin box that a wheel turns only when it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setGroupSeparatorShown(True)
        self.lineEdit().setTextMargins(*_SPIN_MARGINS)
        self.setMinimumWidth(_SPIN_WIDTH)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class RealSpin(QDoubleSpinBox):
    """A spin box for real numbers that a wheel turns only when it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(_SPIN_WIDTH)
        self.lineEdit().setTextMargins(*_SPIN_MARGINS)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Choice(QWidget):
    """Two buttons side by side of which exactly one is on."""

    changed = Signal(bool)  # whether the first one is on; only when a person changed it

    def __init__(self, first: str, second: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.first, self.second = QToolButton(self), QToolButton(self)
        group = QButtonGroup(self)
        for button, text, role in ((self.first, first, "left"), (self.second, second, "right")):
            button.setText(text)
            button.setAccessibleName(text)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            style.mark(button, role)
            group.addButton(button)
            row.addWidget(button)
        self.first.setChecked(True)
        self.first.toggled.connect(self._toggled)
        self._quiet = False

    def is_first(self) -> bool:
        return self.first.isChecked()

    def set_first(self, first: bool) -> None:
        """Choose without emitting ``changed``."""
        self._quiet = True
        (self.first if first else self.second).setChecked(True)
        self._quiet = False

    def _toggled(self, first: bool) -> None:
        if not self._quiet:
            self.changed.emit(first)


class Pages(QStackedWidget):
    """Pages as high as the one in sight: Qt would ask for the highest, and scroll a short one."""

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.currentWidget().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.currentWidget().minimumSizeHint().height())

    def heightForWidth(self, width: int) -> int:
        return self.currentWidget().heightForWidth(width)


class FitScroll(QScrollArea):
    """A vertical scroll area that asks for the height of what it holds, and no more."""

    LEAST = 144
    """Fewer pixels of height would be a slit."""

    def __init__(self, inside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        wished = self.widget().sizeHint()
        wrapped = self.widget().heightForWidth(self.viewport().width())
        return QSize(wished.width(), max(wished.height(), wrapped))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()  # texts wrap otherwise

    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self.widget().minimumSizeHint().width() + bar, min(self.sizeHint().height(), self.LEAST))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class Section(QWidget):
    """A heading that shows or hides what is below it; hidden at first."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.toggle = QPushButton(title, self)
        self.toggle.setCheckable(True)
        style.mark(self.toggle, "section")
        self.content = QWidget(self)
        vbox((self.toggle, 0, Qt.AlignmentFlag.AlignLeft), self.content, on=self, spacing=style.GAP)
        self.toggle.toggled.connect(self.set_open)
        self.set_open(False)

    def is_open(self) -> bool:
        return self.toggle.isChecked()

    def set_open(self, on: bool) -> None:
        """Show or hide the content."""
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
        widget = widget.nextInFocusChain()
        if widget is part:
            return found


def tool_button(icon: str, name: str, tip: str) -> QToolButton:
    """A flat button with an icon; ``name`` is for people who hear the screen, ``tip`` for the mouse."""
    button = QToolButton()
    style.set_icon(button, icon)
    button.setIconSize(QSize(style.ICON_SIZE, style.ICON_SIZE))
    named(button, name, tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
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


def named(widget: QWidget, name: str, tip: str = "") -> None:
    """Give a control its ``name`` for people who hear the screen, and a ``tip`` for the mouse."""
    widget.setAccessibleName(name)
    widget.setToolTip(tip)


class HintLabel(QLabel):
    """A muted word beside others that matter more: it ends in dots where there is no room for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        style.mark(self, "muted")

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("…"), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        told = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
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
