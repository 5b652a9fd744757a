"""What reviewed images teach: the offer, its answer before and after, and what is learned by itself."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.models.results import Outcome, Pair
from app.presenters.part import Handlers, Presenter
from app.views.compare_dialog import CompareDialog
from app.views.notice_bar import Notice
from app.wiring import follow
from core.base.language import tr, trn
from core.base.pace import rounded
from core.project.teaching import Teaching


class TeachingPresenter(Presenter):
    """Wires the command, and has the words for the strip."""

    changed = Signal()
    """The strip may have other words."""

    def __init__(self, bench: Workbench, window: QWidget) -> None:
        super().__init__(bench, window)
        self._dialog: CompareDialog | None = None
        self._asked_at: int | None = None
        teaching, session = bench.teaching, self._session
        teaching.pictures_ready.connect(self._show_pairs)
        follow(self.changed.emit, teaching.changed, session.activity_changed)
        follow(self.update, session.project_changed, session.activity_changed, session.learning.changed)
        follow(self.update, session.results.labelled.changed)
        session.project_changed.connect(self._close)
        session.results.outcome_changed.connect(self._on_outcome)

    def handlers(self) -> Handlers:
        return {"teach": self.start}

    def update(self) -> None:
        session = self._session
        busy = session.is_training or session.activities or session.only_looks
        self._enable({"teach": session.project is not None and not busy})

    def start(self) -> None:
        self._asked_at = self._session.current
        self._bench.teaching.start()

    def notice(self, outcome: Outcome | None) -> Notice | None:
        """What the strip says of it; None where there is nothing to say."""
        runs = self._session.runs
        if outcome is not None and outcome.waits is not None:
            return self._proposed(outcome) if outcome.teaching is not None else None
        if outcome is not None and outcome.teaching is not None:
            is_so = runs.current is not None and runs.current.id == outcome.teaching.run.id
            return self._taken(outcome) if is_so else Notice("")
        return self._offer() if self._bench.teaching.is_offered else None

    def _offer(self) -> Notice:
        count = self._session.progress.tally.lessons
        text = tr("Your corrections can teach the other images.")
        learn = trn("Learn from {count:,} reviewed image", "Learn from {count:,} reviewed images", count)
        seconds = self._bench.teaching.estimate
        if seconds is not None:
            learn += tr(": about {time}").format(time=_short(seconds))
        return Notice(text, ((learn, self.start), (tr("Not now"), self._bench.teaching.put_off)), "info")

    def _proposed(self, outcome: Outcome) -> Notice:
        teaching = outcome.teaching
        assert teaching is not None, "asked where there is one"
        if not teaching.changed:
            unchanged = tr("No box would change.")
            return Notice(f"{_learned(teaching)} {unchanged}", ((tr("Close"), self.keep),), "done")
        if teaching.run.id not in self._session.runs.listed.ready:
            return Notice("")
        offers = (
            (tr("Use these boxes"), self.use),
            (tr("Keep mine"), self.keep),
            (tr("Compare…"), self.compare),
        )
        return Notice(f"{_learned(teaching)} {_would_change(teaching)}", offers, "info")

    def _taken(self, outcome: Outcome) -> Notice:
        teaching = outcome.teaching
        assert teaching is not None, "asked where there is one"
        changed = trn("{count:,} box has changed.", "{count:,} boxes have changed.", teaching.changed)
        results = self._session.results
        offers = (tr("Close"), lambda: results.set_outcome(None)), (tr("Undo"), self._take_back)
        return Notice(f"{_learned(teaching)} {changed}", offers, "done")

    def use(self) -> None:
        """Let the boxes be those that were learned."""
        outcome = self._session.results.outcome
        self._session.results.set_outcome(None)
        if outcome is not None and outcome.waits is not None:
            self._bench.runs.take(outcome.waits)

    def keep(self) -> None:
        """Leave the boxes as they are; what was learned stays as a run."""
        current = self._session.runs.current
        self._session.results.set_outcome(None)
        if current is not None:
            self._bench.runs.show(current.id)

    def compare(self) -> None:
        outcome = self._session.results.outcome
        if outcome is not None and outcome.teaching is not None:
            self._asked_at = self._session.current
            self._bench.teaching.look(outcome.teaching)

    def _take_back(self) -> None:
        outcome, editing = self._session.results.outcome, self._bench.editing
        if outcome is None or outcome.replaced is None or outcome.teaching is None:
            return
        self._session.results.set_outcome(None)
        if editing.undo_text == self._bench.runs.take_text(outcome.teaching.run):
            editing.undo()
        else:  # something else was done since
            self._bench.runs.take(outcome.replaced)
        self._bench.runs.show(outcome.replaced)

    def _show_pairs(self, pairs: list[Pair]) -> None:
        """Unless the person has gone on meanwhile: the strip asks them as well."""
        outcome = self._session.results.outcome
        teaching = None if outcome is None or outcome.waits is None else outcome.teaching
        if teaching is None or not pairs or self._asked_at != self._session.current:
            return
        self._close()
        dialog = CompareDialog(pairs, f"{_learned(teaching)} {_would_change(teaching)}", self._window)
        dialog.used.connect(self.use)
        dialog.kept.connect(self.keep)
        self._dialog = dialog
        dialog.open()

    def _on_outcome(self) -> None:
        if self._session.results.outcome is None:
            self._close()

    def _close(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.close()
            dialog.deleteLater()


def _learned(teaching: Teaching) -> str:
    text = trn(
        "Learned from {count:,} reviewed image.", "Learned from {count:,} reviewed images.", teaching.reviewed
    )
    if not teaching.left_out:
        return text
    left_out = trn(
        "{count:,} could not be used: its file is away or another one.",
        "{count:,} could not be used: their files are away or others.",
        teaching.left_out,
    )
    return f"{text} {left_out}"


def _would_change(teaching: Teaching) -> str:
    return trn("{count:,} box would change.", "{count:,} boxes would change.", teaching.changed)


def _short(seconds: float) -> str:
    count, is_minutes = rounded(seconds)
    return (tr("{count} min") if is_minutes else tr("{count} s")).format(count=count)
