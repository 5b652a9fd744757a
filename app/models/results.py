"""What trainings have shown so far, besides the losses and samples that the session holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.models.training import Kind, Learning, TrainingStatus
from core.learn.reports import BatchSeen
from core.learn.stopping import Estimate, Proposal, propose
from core.learn.stopping import Signal as Measured
from core.project.fitting import FolderSummary
from core.project.store import ProjectView
from core.project.teaching import Change, Teaching


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """The snapshots that can be chosen, by what was measured of each, in the order of their steps.

    ``real`` is the real images' own MS-SSIM. ``both_units`` says that the discriminator has learned both to
    tell object from background and real from generated, so that either can show a heat map.
    """

    signals: tuple[Measured, ...] = ()
    real: Estimate | None = None
    both_units: bool = False

    @property
    def proposal(self) -> Proposal | None:
        """What the stop criterion says of them; None where there is no snapshot."""
        return propose(self.signals) if self.signals else None

    def step_of(self, at: str) -> int | None:
        """The step of the snapshot ``at``; None for the last, and for one that cannot be chosen."""
        if at == "proposed":
            proposal = self.proposal
            return proposal.step if proposal and proposal.qualifies else None
        return next((signal.step for signal in self.signals if str(signal.step) == at), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """How many classes the images' folders name, and how many images lie in one; ``known`` once counted."""

    classes: int = 0
    images: int = 0
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a search for boxes has come to: of how many images it found some, and what ``run`` is called.

    ``kept`` images were left alone, since a person has set or accepted their boxes.
    ``waits`` is the id of that run where its boxes wait until a person takes them. ``teaching`` says what
    corrections have taught it, and ``replaced`` is the id of the run that it took the place of by itself.
    """

    found: int
    run: str
    kept: int = 0
    waits: int | None = None
    teaching: Teaching | None = None
    replaced: int | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """An image to show before and after; ``picture`` is None where its file cannot be read."""

    change: Change
    picture: QImage | None


class TrainingResults(QObject):
    """The trainings of the open project; controllers change it, views are told.

    ``free_kind`` is the kind of the one without labels of the person's that the session's status is of.
    """

    kind_changed = Signal()
    snapshots_changed = Signal()
    summary_changed = Signal()
    seen_changed = Signal()
    outcome_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.kind = self.free_kind = Kind.FEATURES
        self.snapshots = Snapshots()
        self.seen: BatchSeen | None = None
        self.labelled = Learning(self)
        self.folders = Folders()
        self.summary = FolderSummary(0)
        self.outcome: Outcome | None = None

    def reset(self, kind: Kind = Kind.FEATURES) -> None:
        self.kind, self.folders = kind, Folders()
        self.free_kind = Kind.FEATURES if kind is Kind.CAM else kind
        self.set_snapshots(Snapshots())
        self.set_seen(None)
        self.set_summary(FolderSummary(0))
        self.set_outcome(None)
        self.labelled.reset(TrainingStatus())
        self.kind_changed.emit()

    def source(self, view: ProjectView) -> tuple[str, str]:
        """The model and snapshot in force: what ``view`` names, or the last where it is not there."""
        if view.model == Kind.CAM.value and self.labelled.status.saved_step is not None:
            return view.model, "last"
        if self.free_kind is Kind.FEATURES:
            return Kind.FEATURES.value, "last"
        return Kind.GAN.value, view.at if self.snapshots.step_of(view.at) is not None else "last"

    def unit(self, view: ProjectView) -> Literal["real"] | None:
        """The discriminator's unit that heat maps show, where it is not the network's own choice."""
        own = view.unit != "real" or not self.snapshots.both_units or self.source(view)[0] != Kind.GAN.value
        return None if own else "real"

    def set_kind(self, kind: Kind) -> None:
        """Which training is shown; without labels that is the one of :attr:`free_kind`."""
        if kind is not Kind.CAM:
            self.free_kind = kind
        if kind is not self.kind:
            self.kind = kind
            self.kind_changed.emit()

    def set_snapshots(self, snapshots: Snapshots) -> None:
        if snapshots != self.snapshots:
            self.snapshots = snapshots
            self.snapshots_changed.emit()

    def set_seen(self, seen: BatchSeen | None) -> None:
        self.seen = seen
        self.seen_changed.emit()

    def set_summary(self, summary: FolderSummary) -> None:
        """How many images there are and how large they are: what the default training follows."""
        if summary != self.summary:
            self.summary = summary
            self.summary_changed.emit()

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Boxes were just found; None once the person has answered, or something else begins."""
        if outcome != self.outcome:
            self.outcome = outcome
            self.outcome_changed.emit()

    def set_folders(self, folders: Folders) -> None:
        self.folders = folders
        self.labelled.changed.emit()
