"""The right side of the window: set up a training, run it, watch it, choose what it gives."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QSplitter, QStackedWidget, QWidget

from app import style
from app.models.training import Kind
from app.views.accuracy_panel import AccuracyPanel
from app.views.config_form import CLASS_FIELDS, FEATURES_FIELDS, ConfigForm
from app.views.controls import Choice, FitScroll, Pages, Section, fill_width, plain_label, push_button, there
from app.views.gallery import Gallery
from app.views.layouts import STRETCH, vbox
from app.views.own_images import OwnImages
from app.views.run_controls import RunControls, TrainPanelState
from app.views.runs_picker import RunsPicker
from app.views.source_picker import SourcePicker
from app.views.tabs import Tabs
from app.views.training_plot import ClassPlot, TrainingPlot
from core.base.language import tr
from core.base.presets import (
    CLASSIFIER_PRESETS,
    DEFAULT_CLASSIFIER_PRESET,
    DEFAULT_PRESET,
    FEATURES_PRESETS,
    PRESETS,
)

OWN, SAMPLES, ACCURACY = 0, 1, 2
"""The tabs."""


class TrainPanel(QWidget):
    """One of the trainings: its form, buttons, progress and curves; below, where heat maps come from."""

    kind_chosen = Signal(bool)  # whether it is the one with class labels
    start_requested = Signal(object)  # the config of one of the forms
    config_changed = Signal()
    train_generator_requested = Signal()
    tab_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: TrainPanelState | None = None
        self.features_form = ConfigForm(
            presets=FEATURES_PRESETS, default=DEFAULT_PRESET, main=FEATURES_FIELDS, others=PRESETS
        )
        self.form = ConfigForm(others=FEATURES_PRESETS)
        self.class_form = ConfigForm(
            presets=CLASSIFIER_PRESETS, default=DEFAULT_CLASSIFIER_PRESET, main=CLASS_FIELDS
        )
        self._free = self.features_form
        """Of the two that need no labels of the person's, the one that is set up."""
        self.controls = RunControls(self)
        self.runs = RunsPicker(self)
        self.source = SourcePicker(self)
        self.gallery = Gallery(self)
        self.plot, self.class_plot = TrainingPlot(), ClassPlot()
        self.own = OwnImages(self)
        self.accuracy = AccuracyPanel()
        self.tabs = Tabs(tr("Your images"), tr("Samples"), tr("Accuracy"))
        self._generates = True
        self.samples = self.gallery.samples
        self.kind = Choice(tr("Without labels"), tr("Class labels"))
        self.kind.first.setToolTip(
            tr(
                "No labels from you. The features were trained with ImageNet's labels; the preset From "
                "scratch uses no labels at all."
            )
        )
        self.kind.second.setToolTip(
            tr("A baseline that needs labels: a classifier learns which folder each image is in.")
        )
        for button in (self.kind.first, self.kind.second):
            fill_width(button)
        self.features_note = plain_label(
            tr(
                "Boxscout finds what your images have in common, without labels from you. Its features "
                "were trained with ImageNet's labels."
            ),
            "muted",
            wrap=True,
        )
        self.features_note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note_label = plain_label("", "muted", wrap=True)
        self._lend_controls()
        self._lay_out()
        self._connect()
        self.set_state(TrainPanelState())

    def sizeHint(self) -> QSize:
        return QSize(300, 720)

    def minimumSizeHint(self) -> QSize:
        """As high as its texts are once they are wrapped: by their single lines the curves would be cut."""
        least = super().minimumSizeHint()
        height = max(least.height(), there(self.layout()).minimumHeightForWidth(self.width()))
        return QSize(least.width(), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    # State

    def config(self, kind: Kind | None = None) -> Any:
        """What the form of this kind, else the shown one, says; BoxscoutError where that is no config."""
        return self._form(kind).config()

    def set_config(self, config: Any) -> None:
        """Show ``config`` in the form that it is of, and emit nothing."""
        for form in (self.features_form, self.form, self.class_form):
            if form.makes(config):
                form.set_config(config)
                if form is not self.class_form:
                    self._set_free(form)
        self._enable()

    def choose_generator(self) -> None:
        """Set up a training with a generator."""
        self._set_free(self.form)
        self.form.choose("generator")

    def offer_devices(self, available: Collection[str]) -> None:
        for form in self._all_forms():
            form.set_devices(available)

    def set_device(self, device: str) -> None:
        """Let what needs no labels run on another device, and emit nothing."""
        for form in (self.features_form, self.form):
            form.set_device(device)

    def set_state(self, state: TrainPanelState) -> None:
        if state == self._state:
            return
        before, self._state = self._state, state
        if before is None or self._has_samples(before) != self._has_samples(state):
            self._choose_tab(state)
        if before is not None and state.status.phase.running and not before.status.phase.running:
            self.settings.set_open(False)  # a run leaves its room to what it shows
        self._show_kind(state)
        self._enable()

    def refresh(self) -> None:
        """Draw the points that were added; call it at most ten times a second."""
        self.plot.refresh()
        self.class_plot.refresh()
        self._make_room()

    def clear(self) -> None:
        self.samples.set_samples(None)
        self.plot.clear()

    def start(self) -> None:
        """What the key does: go on where that is offered; only a click on New run begins another."""
        offered = self.continue_button if self.continue_button.isVisibleTo(self) else self.start_button
        offered.click()

    # Making

    def _lend_controls(self) -> None:
        """The parts of the controls, where the rest of the window looks for them."""
        controls = self.controls
        self.review_button = controls.review_button
        self.start_button, self.continue_button = controls.start_button, controls.continue_button
        self.pause_button, self.stop_button = controls.pause_button, controls.stop_button
        self.progress, self.message_label = controls.progress, controls.message_label
        self.step_label, self.time_label = controls.step_label, controls.time_label

    def _lay_out(self) -> None:
        vbox(
            self.controls,
            self._settings(),
            self.runs,
            self.source,
            self.tabs,
            (self._results(), 1),
            on=self,
            margins=(10, style.SPACING, 10, style.MARGIN),
            spacing=style.SPACING,
        )
        forms = self._all_forms()
        details = self.settings.toggle, self.kind, *forms
        self.tab_parts: list[QWidget] = [self.controls, *details, self.runs, self.source, self.tabs]

    def _settings(self) -> Section:
        self.settings = Section(tr("Training details"))
        self.forms = Pages(self)
        for form in self._all_forms():
            self.forms.addWidget(form)
        self.form_scroll = FitScroll(self.forms)
        parts = self.kind, self.note_label, self.features_note, self.form_scroll
        vbox(*parts, on=self.settings.content, spacing=style.SPACING)
        return self.settings

    def _results(self) -> QStackedWidget:
        both = QSplitter(Qt.Orientation.Vertical, self)
        both.setChildrenCollapsible(False)
        both.setHandleWidth(style.SPACING)
        style.mark(both, "quiet")
        both.addWidget(self.gallery)
        both.addWidget(self.plot)
        self.results = QStackedWidget(self)
        self.results.addWidget(both)
        self.shown_learning = both
        self.results.addWidget(self.class_plot)
        self.offer = self._generator_offer()
        self.results.addWidget(self.offer)
        self.results.addWidget(self.own)
        self.results.addWidget(self.accuracy)
        # It takes what is left: by its wish for room it would squeeze the form into a slit.
        self.results.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        return self.results

    def _generator_offer(self) -> QWidget:
        """What stands in place of samples where no generator was trained."""
        offer = QWidget(self)
        text = tr("No generator was trained: boxes need none. One shows what a network learns to draw.")
        button = push_button(tr("Train a generator"), self.train_generator_requested.emit)
        button.setObjectName("train_generator")
        self.generator_button = button
        fill_width(button)
        vbox(plain_label(text, "muted", wrap=True), button, STRETCH, on=offer, spacing=style.SPACING)
        return offer

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        wanted = QEvent.Type.Resize if watched is self.results else QEvent.Type.LayoutRequest
        if event.type() == wanted:
            self._make_room()
        return super().eventFilter(watched, event)

    def _make_room(self) -> None:
        """What is shown keeps the height that it needs; the panel scrolls where there is less."""
        page, learning = self.results.currentWidget(), self.shown_learning
        if page is self.accuracy:
            least = page.heightForWidth(self.results.width())
        elif page is self.class_plot:
            least = page.minimumSizeHint().height()
        else:
            least = learning.minimumSizeHint().height() if page is learning else 0
        self.results.setMinimumHeight(least)

    def _connect(self) -> None:
        controls = self.controls
        for watched in (self.results, self.accuracy):  # which has other words once it is measured
            watched.installEventFilter(self)
        controls.start_requested.connect(self._start)
        for form in self._all_forms():
            form.config_changed.connect(self._config_edited)
        self.form.other_chosen.connect(lambda name: self._choose_other(self.features_form, name))
        self.features_form.other_chosen.connect(lambda name: self._choose_other(self.form, name))
        self.tabs.changed.connect(lambda _: self._show_tab())
        self.kind.changed.connect(self._choose_kind)
        self.settings.toggle.toggled.connect(self._on_settings_toggled)

    # Showing

    def _on_settings_toggled(self) -> None:
        self.controls.setMinimumHeight(0)
        self._enable()
        self._make_room()

    def _all_forms(self) -> tuple[ConfigForm, ...]:
        return self.features_form, self.form, self.class_form

    def _form(self, kind: Kind | None = None) -> ConfigForm:
        if kind is None and self._state is not None:
            kind = self._state.kind
        return self.class_form if kind is Kind.CAM else self._free

    def _set_free(self, form: ConfigForm) -> None:
        """Show this form of the two that need no labels."""
        if form is not self._free:
            self._free = form
            if self._state is not None:
                self._show_kind(self._state)

    def _page(self, state: TrainPanelState) -> QWidget:
        """What the tab shows: of the run that is shown, else of what the form sets up."""
        if self.tabs.index() in (OWN, ACCURACY):
            return self.own if self.tabs.index() == OWN else self.accuracy
        if state.kind is Kind.CAM:
            return self.class_plot
        return self.offer if self._by_features(state) else self.shown_learning

    def _by_features(self, state: TrainPanelState) -> bool:
        return state.kind is Kind.FEATURES if has_results(state) else self._free is self.features_form

    def set_generator(self, on: bool) -> None:
        """Whether what is shown trains a generator, whose samples come first."""
        if on != self._generates:
            self._generates = on
            if self._state is not None:
                self._choose_tab(self._state)
                self._show_kind(self._state)

    def choose_tab(self, index: int | None) -> None:
        """Bring a tab in front; None brings what a run shows, where it was that of accuracy."""
        if index is not None:
            self.tabs.set_index(index)
        elif self.tabs.index() == ACCURACY:
            self.tabs.set_index(SAMPLES if self._has_samples(there(self._state)) else OWN)
        self._show_tab()

    def _show_tab(self) -> None:
        self._show_kind(there(self._state))
        self.tab_changed.emit()

    def _choose_tab(self, state: TrainPanelState) -> None:
        if self.tabs.index() != ACCURACY:
            self.tabs.set_index(SAMPLES if self._has_samples(state) else OWN)

    def _has_samples(self, state: TrainPanelState) -> bool:
        return state.kind is Kind.GAN and has_results(state) and self._generates

    def _choose_other(self, form: ConfigForm, preset: str) -> None:
        """A preset was chosen that the other form makes."""
        had_focus = self._free.isAncestorOf(QApplication.focusWidget() or self)
        self._set_free(form)
        form.choose(preset)
        if had_focus:
            form.preset_box.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_kind(self, state: TrainPanelState) -> None:
        self.kind.set_first(state.kind is not Kind.CAM)
        chosen = self.class_form if state.kind is Kind.CAM else self._free
        self.forms.setCurrentWidget(chosen)
        self.form_scroll.updateGeometry()
        curves = state.kind is Kind.CAM or not (self._by_features(state) or self._generates)
        self.tabs.set_text(SAMPLES, tr("Curves") if curves else tr("Samples"))
        self.features_note.setVisible(state.kind is not Kind.CAM and self._free is self.features_form)
        self.results.setCurrentWidget(self._page(state))
        self._make_room()
        self.note_label.setText(state.note)
        self.note_label.setVisible(bool(state.note))

    def _enable(self) -> None:
        state = self._state
        if state is None:
            return
        idle = not state.status.phase.running
        self.kind.setEnabled(idle)
        for form in self._all_forms():
            form.setEnabled(idle)
        self.controls.set_state(state, self._form().problem())

    # A person's doing

    def _choose_kind(self, first: bool) -> None:
        # The other kind may have less to say above: what was pressed stays under the mouse all the same.
        self.controls.setMinimumHeight(self.controls.height())
        self.kind_chosen.emit(not first)

    def _config_edited(self) -> None:
        self._enable()
        self.config_changed.emit()

    def _start(self) -> None:
        if not self._form().problem():
            self.start_requested.emit(self._form().config())


def has_results(state: TrainPanelState) -> bool:
    """Whether there is more to see of a run than its settings."""
    return state.status.phase.running or state.status.step > 0
