"""What heat maps can be made from, and what was measured of it."""

from __future__ import annotations

from app.controllers.workbench import Workbench
from app.models.results import Snapshots
from app.models.training import Kind
from app.presenters.part import Presenter
from app.views.source_picker import Figure, SourceOption, SourceState
from app.views.train_panel import TrainPanel
from app.wiring import follow
from core.base.language import number, tr
from core.learn.stopping import (
    MAX_RELATIVE_MS_SSIM,
    MAX_SEPARATION,
    MIN_MAP_DIFFERENCE,
    MIN_SEPARATION,
    SURE,
    Signal,
    faults,
)


class SourcePresenter(Presenter):
    """Draws and wires what heat maps can be made from, and what speaks for it."""

    def __init__(self, bench: Workbench, panel: TrainPanel) -> None:
        super().__init__(bench, panel)
        self._panel, session = panel, self._session
        panel.source.chosen.connect(bench.localization.choose)
        panel.source.unit_chosen.connect(bench.localization.choose_unit)
        follow(self._show, session.learning.changed, session.view_changed, session.project_changed)
        follow(self._show, session.results.snapshots_changed, session.results.labelled.changed)
        panel.settings.toggle.toggled.connect(self._show)
        self._show()

    def _show(self) -> None:
        session, picker = self._session, self._panel.source
        view, snapshots = session.view, session.results.snapshots
        model, at = session.results.source(view)
        options, proposal = self._options(), snapshots.proposal
        reason = "" if proposal is None else proposal.reason
        figures = self._figures(snapshots, at)
        if model == Kind.CAM.value:
            reason, figures = tr("Learned from folder names. A baseline that needs labels."), ()
        if self._panel.settings.is_open():  # there is no room for both
            reason, figures = "", ()
        picker.setVisible(len(options) > 1 or model != Kind.FEATURES.value)
        for box in (picker.box, picker.unit_box):
            box.setDisabled(session.only_looks)  # another network's heat maps would be made and kept
        both = snapshots.both_units and model == Kind.GAN.value
        picker.set_state(
            SourceState(options, model, at, reason, figures, both, session.results.unit(view) or "own")
        )

    def _options(self) -> tuple[SourceOption, ...]:
        session = self._session
        snapshots, training, gan = session.results.snapshots, session.training, Kind.GAN.value
        options: list[SourceOption] = []
        running = training.phase.running and training.step > 0
        if session.results.free_kind is Kind.FEATURES:
            return (*self._by_features(), *self._by_labels())
        if running or training.saved_step is not None:
            step = training.saved_step
            newest = tr("Newest snapshot") if running else tr("Last: step {0}")
            options.append(SourceOption(gan, "last", newest.format(number(step or 0, ","))))
        proposal = snapshots.proposal
        if proposal is not None:
            title = tr("Recommended: step {0}").format(number(proposal.step, ","))
            if not proposal.qualifies:
                title = tr("Recommended: none")
            options.append(SourceOption(gan, "proposed", title, proposal.reason, proposal.qualifies))
        for signal in reversed(snapshots.signals):
            title = tr("Step {0}").format(number(signal.step, ","))
            options.append(SourceOption(gan, str(signal.step), title, self._tip(signal)))
        return (*options, *self._by_labels())

    def _by_features(self) -> tuple[SourceOption, ...]:
        training = self._session.training
        running = training.phase.running and training.step > 0
        if not running and training.saved_step is None:
            return ()
        tip = tr("No labels from you. The features were trained with ImageNet's labels.")
        return (SourceOption(Kind.FEATURES.value, "last", tr("Frozen features"), tip),)

    def _by_labels(self) -> tuple[SourceOption, ...]:
        labelled = self._session.results.labelled.status.saved_step
        if labelled is None:
            return ()
        title = tr("Class labels: step {0}").format(number(labelled, ","))
        tip = tr("A classifier that learned from folder names. It needs labels.")
        return (SourceOption(Kind.CAM.value, "last", title, tip),)

    def _tip(self, signal: Signal) -> str:
        return "\n".join(f"{figure.caption}: {figure.value}" for figure in self._of(signal))

    def _figures(self, snapshots: Snapshots, at: str) -> tuple[Figure, ...]:
        """What was measured of the snapshot in force."""
        if not snapshots.signals:
            return ()
        step = snapshots.step_of(at)
        last = snapshots.signals[-1]
        return self._of(next((signal for signal in snapshots.signals if signal.step == step), last))

    def _of(self, signal: Signal) -> tuple[Figure, ...]:
        """Its numbers; one is marked only where something speaks against the snapshot."""
        fine, relative, apart = not faults(signal), signal.relative, signal.separation
        tips = (
            tr("0: samples as varied as the real images; 1: all samples alike. Good up to {0}."),
            tr("0: the same heat map for every image; 1: independent ones. Good from {0}."),
            tr(
                "How often a real image seems more real to the discriminator than a generated one. "
                "Good from {0} to {1}."
            ),
        )
        figures = []
        if relative is not None:  # without a generator there are no samples to measure
            good = fine or relative.mean - SURE * relative.error <= MAX_RELATIVE_MS_SSIM
            tip = tips[0].format(number(MAX_RELATIVE_MS_SSIM, "g"))
            figures.append(Figure(tr("Relative MS-SSIM"), number(relative.mean, ".2f"), tip, good))
        good = fine or signal.map_difference >= MIN_MAP_DIFFERENCE
        tip = tips[1].format(number(MIN_MAP_DIFFERENCE, "g"))
        figures.append(Figure(tr("Map difference"), number(signal.map_difference, ".2f"), tip, good))
        if apart is not None:
            good = fine or MIN_SEPARATION <= apart <= MAX_SEPARATION
            tip = tips[2].format(number(MIN_SEPARATION, "g"), number(MAX_SEPARATION, "g"))
            figures.append(Figure(tr("Separation"), number(apart, ".2f"), tip, good))
        return tuple(figures)
