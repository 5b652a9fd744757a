"""The buttons of a training and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from app import style
from app.models.training import Kind, Phase, TrainingStatus
from app.views.controls import fill_width, plain_label, push_button
from app.views.layouts import STRETCH, hbox, vbox
from core.base.language import number, tr, trn
from core.base.pace import rounded

_BAR = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPanelState:
    """All that the panel shows of a run, besides samples and curves.

    ``resumable_step`` is the step of a checkpoint that can be continued. ``kind`` is that of the run, whose
    steps are images where it learns from frozen features. ``note`` is one sentence: why it cannot start, or
    what it needs. ``hint`` says what a start will take, ``caution`` what speaks against it. Where
    ``can_review`` the boxes are there, and looking through them is what comes next.
    """

    status: TrainingStatus = field(default_factory=TrainingStatus)
    can_start: bool = True
    resumable_step: int | None = None
    kind: Kind = Kind.GAN
    note: str = ""
    hint: str = ""
    caution: str = ""
    can_review: bool = False


class RunControls(QWidget):
    """Start, continue, pause, stop; progress in a bar and in words."""

    start_requested = Signal()
    resume_requested = Signal()
    pause_requested = Signal()
    stop_requested = Signal()
    review_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.review_button = push_button(tr("Review"), self.review_requested.emit, role="primary")
        self.review_button.setToolTip(tr("Look through the boxes, those that need it most first."))
        self.continue_button = push_button("", self.resume_requested.emit, role="primary")
        self.start_button = push_button("", self.start_requested.emit, role="primary")
        self.pause_button = push_button("", self.pause_requested.emit, role="plain")
        self.stop_button = push_button(tr("Stop"), self.stop_requested.emit, icon="stop", role="plain")
        self.progress = QProgressBar(self)
        self.progress.setRange(0, _BAR)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(tr("Progress of the training"))
        self.step_label, self.time_label = plain_label("", "muted"), plain_label("", "muted")
        self.message_label = plain_label("", "muted", wrap=True)
        self.hint_label, self.caution_label = (
            plain_label("", role, wrap=True) for role in ("muted", "warning")
        )
        fill_width(self.review_button)
        buttons = self.continue_button, self.start_button, self.pause_button, self.stop_button
        for button in buttons:
            fill_width(button)
        figures = hbox(self.step_label, STRETCH, self.time_label)
        self._above, self._row = hbox(), hbox(self.review_button, *buttons, spacing=style.SPACING)
        told = self.hint_label, self.caution_label, self.progress, figures, self.message_label
        vbox(self._above, self._row, *told, STRETCH, on=self, spacing=style.SPACING)

    def set_state(self, state: TrainPanelState, problem: str) -> None:
        """``problem`` is what is wrong with the form."""
        self._show_buttons(state)
        self._show_progress(state.status, by_images=state.kind is Kind.FEATURES, reviewed=state.can_review)
        phase = state.status.phase
        idle = not phase.running
        self.start_button.setEnabled(idle and state.can_start and not problem)
        if problem:
            self.start_button.setToolTip(problem)
        self.continue_button.setEnabled(idle and state.can_start)
        for label, text in ((self.hint_label, state.hint), (self.caution_label, state.caution)):
            label.setText(text)
            label.setVisible(bool(text) and idle)
        self.pause_button.setEnabled(phase in (Phase.TRAINING, Phase.PAUSED))
        self.stop_button.setEnabled(phase in (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED))

    def _show_buttons(self, state: TrainPanelState) -> None:
        status, busy = state.status, state.status.phase.running
        resumable = not busy and state.resumable_step is not None
        reviews = not busy and state.can_review
        self.review_button.setVisible(reviews)
        # Three buttons have no room beside each other.
        if resumable:
            self._above.addWidget(self.review_button)
        else:
            self._row.insertWidget(0, self.review_button)
        self.continue_button.setVisible(resumable)
        style.mark(self.continue_button, "plain" if reviews else "primary")
        self.start_button.setVisible(not busy)
        self.pause_button.setVisible(busy)
        self.stop_button.setVisible(busy)
        plain = resumable or reviews
        if resumable:
            step = number(state.resumable_step or 0, ",")
            self.continue_button.setText(tr("Continue from step {0}").format(step))
        again = resumable or status.step > 0
        self.start_button.setText(tr("New run") if again else tr("Find objects"))
        style.mark(self.start_button, "plain" if plain else "primary")
        tip = tr(
            "Finds the objects in all images. What they have in common is learned without labels from you."
        )
        if again:
            tip = tr("Train again as a new run. Existing runs are kept.")
        self.start_button.setToolTip(tip)
        tip = tr("Stop and save; the run can be continued later.")
        if state.kind is Kind.FEATURES:
            tip = tr("Stop. Nothing is kept.")
        self.stop_button.setToolTip(tip)
        paused = status.phase is Phase.PAUSED
        self.pause_button.setText(tr("Resume") if paused else tr("Pause"))
        style.set_icon(self.pause_button, "play" if paused else "pause")

    def _show_progress(self, status: TrainingStatus, *, by_images: bool, reviewed: bool) -> None:
        self.progress.setValue(round(min(max(status.fraction, 0.0), 1.0) * _BAR))
        self.step_label.setText((images_text if by_images else step_text)(status.step, status.steps))
        speed = tr("{0} steps/s").format(number(status.steps_per_s, ".1f")) if status.steps_per_s > 0 else ""
        left = time_left(status.seconds_left) if status.phase in (Phase.TRAINING, Phase.PAUSED) else ""
        self.time_label.setText(" · ".join(part for part in (left, speed) if part))
        # Once boxes are there they are what counts: no word on how they came about.
        is_over = not status.phase.running and reviewed and status.phase is not Phase.FAILED
        has_figures = bool(self.step_label.text() or self.time_label.text()) and not is_over
        self.progress.setVisible(has_figures or status.phase.running)
        self.step_label.setVisible(has_figures)
        self.time_label.setVisible(has_figures)
        self.message_label.setText(status.message)
        self.message_label.setVisible(bool(status.message) and not is_over)
        style.mark(self.message_label, "error" if status.phase is Phase.FAILED else "muted")


def step_text(step: int, steps: int) -> str:
    """Such as "Step 600 of 2,000"; empty before the first step."""
    if step <= 0:
        return ""
    if steps <= 0:
        return tr("Step {0}").format(number(step, ","))
    text = tr("Step {0} of {1}")
    return text.format(number(step, ","), number(steps, ","))


def images_text(done: int, images: int) -> str:
    """Such as "40 of 200 images"; empty before the first."""
    return tr("{0} of {1} images").format(number(done, ","), number(images, ",")) if done > 0 else ""


def about(seconds: float) -> str:
    """Such as "About 40 seconds on this computer."."""
    count, is_minutes = rounded(seconds)
    if is_minutes:
        text = trn("About {count} minute on this computer.", "About {count} minutes on this computer.", count)
    else:
        text = trn("About {count} second on this computer.", "About {count} seconds on this computer.", count)
    return text


def time_left(seconds: float | None) -> str:
    """Such as "12 s left", "3 min left", "1 h 20 min left"; empty where unknown."""
    if seconds is None or not 0 <= seconds < 1e9:
        return ""
    if seconds < 59.5:
        return tr("{0} s left").format(number(seconds, ".0f"))
    minutes = round(seconds / 60)
    if minutes < 60:
        return tr("{0} min left").format(minutes)
    hours, rest = divmod(minutes, 60)
    return tr("{0} h {1} min left").format(hours, rest)
