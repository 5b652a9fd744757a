"""The panel on the right: both trainings and what they have learned."""

from __future__ import annotations

from contextlib import suppress

from PySide6.QtWidgets import QWidget

from app import style
from app.controllers.workbench import AnyConfig, Workbench
from app.models.training import Kind, Phase, Point, TrainingStatus
from app.presenters.own_images import OwnImagesPresenter
from app.presenters.part import Handlers, Presenter
from app.presenters.runs import RunsPresenter
from app.presenters.source import SourcePresenter
from app.views.run_controls import TrainPanelState, about
from app.views.train_panel import TrainPanel
from app.wiring import follow, one_shot
from core.base.config import ClassifierConfig, FeaturesConfig, TrainConfig
from core.base.errors import BoxscoutError
from core.base.language import number, tr, trn
from core.base.presets import PRESETS, SCRATCH_PRESET
from core.learn.reports import ClassifierPoint
from core.nets.features import devices_here
from core.project.fitting import fitted_to
from core.project.store import Project

POINTS_WAIT_MS = 100
FEW = 10  # images; of fewer the window warns


class TrainPresenter(Presenter):
    """Draws and wires the panel. Points that arrive step by step are drawn a few times a second."""

    def __init__(self, bench: Workbench, panel: TrainPanel, window: QWidget) -> None:
        super().__init__(bench, window)
        self._panel = panel
        self._asked_for: Project | None = None
        self._refresh = one_shot(self, POINTS_WAIT_MS, panel.refresh)
        SourcePresenter(bench, panel)
        RunsPresenter(bench, panel.runs)
        OwnImagesPresenter(bench, panel.own, panel)
        session, results = self._session, self._session.results
        follow(self._show_state, session.learning.changed, session.images.count_changed, panel.config_changed)
        follow(self._show_state, results.labelled.changed, results.kind_changed)
        session.learning.cleared.connect(panel.clear)
        session.learning.added.connect(self._add_points)
        session.samples_changed.connect(panel.samples.set_samples)
        session.project_changed.connect(self._show_config)
        session.activity_changed.connect(lambda: None if session.activities else self._count_folders())
        results.labelled.cleared.connect(panel.class_plot.clear)
        results.summary_changed.connect(self._fit)
        results.labelled.added.connect(self._add_class_points)
        results.snapshots_changed.connect(self._show_reference)
        results.seen_changed.connect(self._show_seen)
        results.kind_changed.connect(self._count_folders)
        follow(self.update, session.learning.changed, session.activity_changed, session.view_changed)
        follow(self.update, results.labelled.changed, results.kind_changed, session.images.count_changed)
        follow(self.update, session.project_changed)
        follow(self._show_state, bench.pacing.changed, session.progress.changed, session.activity_changed)
        follow(self._show_state, session.project_changed)
        self._wire()
        self._show_state()
        self._show_reference()
        # In a thread, since a driver takes its time to answer.
        bench.pump.run("devices", lambda _: devices_here(), on_done=panel.offer_devices)

    def _wire(self) -> None:
        bench, panel, results = self._bench, self._panel, self._session.results
        panel.kind_chosen.connect(
            lambda labelled: results.set_kind(Kind.CAM if labelled else results.free_kind)
        )
        panel.start_requested.connect(bench.start_training)
        panel.controls.resume_requested.connect(lambda: bench.start_training(panel.config(), resume=True))
        panel.controls.pause_requested.connect(lambda: bench.run.pause_or_go_on())
        panel.train_generator_requested.connect(self._train_generator)
        panel.controls.review_requested.connect(lambda: self._actions["review_boxes"].trigger())
        panel.controls.stop_requested.connect(lambda: bench.run.stop())
        panel.gallery.real_wanted.connect(self._look)

    def handlers(self) -> Handlers:
        bench = self._bench
        return {
            "start": self._panel.start,
            "pause": lambda: bench.run.pause_or_go_on(),
            "stop": lambda: bench.run.stop(),
            "find_boxes": lambda: bench.localization.find_boxes(),
        }

    def update(self) -> None:
        is_open, phase = self._session.project is not None, self._bench.run.status.phase
        self._enable({
            "start": is_open and self._panel.start_button.isEnabled() and not phase.running,
            "pause": phase in (Phase.TRAINING, Phase.PAUSED),
            "stop": phase in (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED),
            "find_boxes": is_open and self._bench.can_find_boxes,
        })  # fmt: skip
        if "pause" in self._actions:
            paused = phase is Phase.PAUSED
            self._actions["pause"].setText(tr("&Resume") if paused else tr("&Pause"))
            style.set_icon(self._actions["pause"], "play" if paused else "pause")

    def _train_generator(self) -> None:
        """Beside the run that is there, whose boxes stay."""
        self._panel.choose_generator()
        self._panel.start_button.click()

    def _count_folders(self) -> None:
        if self._session.results.kind is Kind.CAM and self._session.images.total:
            self._bench.class_training.count_folders()

    def _look(self) -> None:
        with suppress(BoxscoutError):  # the form says so
            self._bench.training.look(self._panel.form.config())

    def _show_config(self) -> None:
        config = self._session.view.config
        if config is not None:
            self._panel.set_config(config)
        self._show_state()

    def _fit(self) -> None:
        fitted = fitted_to(PRESETS[SCRATCH_PRESET], self._session.results.summary)
        self._panel.form.set_fitted(fitted.config, fitted.sentence)
        self._show_state()

    def _status(self) -> TrainingStatus:
        is_class = self._session.results.kind is Kind.CAM
        return self._session.results.labelled.status if is_class else self._session.training

    def _show_state(self) -> None:
        session, status = self._session, self._status()
        is_class = session.results.kind is Kind.CAM
        self._show_what_is_learned()
        has_classes = not is_class or session.results.folders.classes >= 2
        self._panel.set_state(
            TrainPanelState(
                status=status,
                can_start=self._can_start(status) and has_classes,
                resumable_step=status.saved_step if self._can_resume(status) else None,
                kind=session.results.kind,
                note=self._class_note() if is_class else "",
                hint="" if self._can_review() else self._hint(),
                caution="" if self._can_review() else self._caution(),
                can_review=self._can_review(),
            )
        )

    def _can_start(self, status: TrainingStatus) -> bool:
        session = self._session
        free = not (status.phase.running or session.only_looks or self._bench.teaching.running)
        return session.images.total > 0 and free

    def _show_what_is_learned(self) -> None:
        """Of the GAN that is shown, else of the one that the form sets up."""
        session, panel = self._session, self._panel
        config = session.view.config if session.training.step or session.training.phase.running else None
        if not isinstance(config, TrainConfig):
            try:
                config = panel.form.config()
            except BoxscoutError:
                return
        panel.set_generator(config.adversarial > 0)
        panel.gallery.set_generator(config.adversarial > 0)
        panel.plot.set_generator(config.adversarial > 0)
        is_gan = session.results.free_kind is Kind.GAN
        wanted = (
            not config.adversarial and is_gan and session.training.step > 0 and session.results.seen is None
        )
        if wanted and self._asked_for is not session.project:
            self._asked_for = session.project
            panel.gallery.real_wanted.emit()  # the pixels of a run lie at hand

    def _can_review(self) -> bool:
        session = self._session
        return session.progress.tally.boxed > 0 and not (session.is_training or session.activities)

    def _hint(self) -> str:
        """What a start will take; no time before one was measured on this computer."""
        images, config = self._session.images.total, self._config()
        if not images:
            return ""
        text = trn("{count:,} image.", "{count:,} images.", images)
        seconds = None
        if isinstance(config, FeaturesConfig):
            seconds = self._bench.pacing.estimate(config, images)
        elif config is not None and config.minutes is None:
            text += " " + trn("{count:,} step.", "{count:,} steps.", config.steps)
        if seconds is not None:
            text += " " + about(seconds)
        return text

    def _caution(self) -> str:
        images, config = self._session.images.total, self._config()
        if isinstance(config, TrainConfig) and config.steps >= PRESETS["paper"].steps:
            text = tr(
                "The paper's training takes {paper} steps, and From scratch {scratch}. It can be stopped."
            )
            scratch = number(PRESETS[SCRATCH_PRESET].steps, ",")
            return text.format(paper=number(config.steps, ","), scratch=scratch)
        if 0 < images < FEW:
            return trn(
                "{count} image shows little of what belongs to the object. Add more of the same kind.",
                "{count} images show little of what belongs to the object. Add more of the same kind.",
                images,
            )
        return ""

    def _config(self) -> AnyConfig | None:
        try:
            config: AnyConfig = self._panel.config(self._session.results.kind)
        except BoxscoutError:
            return None
        return config

    def _class_note(self) -> str:
        folders = self._session.results.folders
        if not folders.known:
            return ""
        if folders.classes < 2:
            return tr(
                "There are no class folders here: this baseline needs the images of each class in a folder "
                "of its own."
            )
        text = tr("A baseline that needs labels: {images} images in {classes} class folders.")
        return text.format(classes=number(folders.classes, ","), images=number(folders.images, ","))

    def _can_resume(self, status: TrainingStatus) -> bool:
        """A finished training goes on only where the form now says more steps."""
        if self._session.results.kind is Kind.FEATURES:
            return False
        if status.phase is not Phase.FINISHED or status.saved_step is None:
            return True
        config = self._config()
        if not isinstance(config, (TrainConfig, ClassifierConfig)):
            return False
        return config.minutes is not None or config.steps > status.saved_step

    def _add_points(self, points: list[Point]) -> None:
        for point in points:
            self._panel.plot.add_point(point.step, point.d_loss, point.g_loss)
            if point.ms_ssim is not None:
                self._panel.plot.add("ms_ssim", point.step, point.ms_ssim)
            if point.told_apart is not None:
                self._panel.plot.add("told_apart", point.step, point.told_apart)
        self._draw_soon()

    def _add_class_points(self, points: list[ClassifierPoint]) -> None:
        for point in points:
            self._panel.class_plot.add_point(point.step, point.loss, point.accuracy)
        self._draw_soon()

    def _draw_soon(self) -> None:
        if not self._refresh.isActive():
            self._refresh.start()

    def _show_reference(self) -> None:
        real = self._session.results.snapshots.real
        self._panel.plot.set_reference(None if real is None else (real.mean, *real.interval))

    def _show_seen(self) -> None:
        seen = self._session.results.seen
        self._panel.gallery.set_real(*((None, None) if seen is None else (seen.real, seen.background)))
