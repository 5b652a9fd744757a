"""The strip that tells of moved folders, changed sizes and found truth, on their controllers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app import paths
from app.controllers.workbench import Workbench
from app.presenters.part import Presenter
from app.presenters.teaching import TeachingPresenter
from app.views import dialogs
from app.views.notice_bar import NoticeBar
from app.wiring import follow
from core.base.language import tr, trn
from core.project import resized
from core.project.places import LostFolder
from core.project.verdict import Verdict, nothing_found, sentence, verdict_on


class NoticePresenter(Presenter):
    """Says one thing at a time.

    What was dropped, else a folder that is gone, else that nothing is kept, else an image that has another
    size, then truth, then what reviewed images can teach, then boxes that are ready.
    """

    def __init__(
        self, bench: Workbench, bar: NoticeBar, teaching: TeachingPresenter, window: QWidget
    ) -> None:
        super().__init__(bench, window)
        self._bar, self._teaching, session = bar, teaching, self._session
        self._dropped: list[Path] = []
        self._added = 0
        """How many images were added whose objects nobody has looked for yet."""
        self._is_lost_known = False
        session.project_changed.connect(self._forget)
        bench.library.added.connect(self._on_added)
        changed = session.mending_changed, session.current_changed, session.project_changed
        follow(self._show, *changed, session.measures.offer_changed)
        follow(self._show, session.results.outcome_changed, session.progress.changed, session.runs.changed)
        teaching.changed.connect(self._show)

    def ask_where(self, dropped: list[Path]) -> None:
        """Ask whether what was dropped is a project of its own, or belongs to the open one."""
        self._bar.say("")  # the same words may be of other files
        self._dropped = dropped
        self._show()

    def _forget(self) -> None:
        self._dropped, self._added, self._is_lost_known = [], 0, False

    def _on_added(self, ids: tuple[int, ...]) -> None:
        self._added = len(ids)
        self._show()

    def _find_added(self, *, wanted: bool) -> None:
        self._added = 0
        self._show()
        if wanted:
            self._bench.localization.find_boxes()

    def _answer(self, then: Callable[[list[Path]], object] | None) -> None:
        dropped, self._dropped = self._dropped, []
        self._show()
        if then is not None:
            then(dropped)

    def _ask_where(self, project: Path) -> None:
        first = self._dropped[0]
        name = tr("“{name}”").format(name=first.name or first)
        if len(self._dropped) > 1:
            name = trn("{count:,} file", "{count:,} files", len(self._dropped))
        text = tr("Open {dropped} as a project of its own, or add it to “{project}”?")
        offers = [
            (tr("Open"), lambda: self._answer(self._bench.open_paths)),
            (tr("Add to project"), lambda: self._answer(self._bench.add_paths)),
            (tr("Cancel"), lambda: self._answer(None)),
        ]
        if self._session.only_looks:
            del offers[1]
            text = tr("Open {dropped} as a project of its own, in place of “{project}”?")
        self._bar.say(text.format(dropped=name, project=paths.title(project)), offers, sign="info")

    def _show(self) -> None:
        session, mending = self._bench.session, self._bench.mending
        record, size = session.record, session.in_view.size
        former = session.mending.former_sizes.get(session.current or 0)
        if self._dropped and session.project is not None:
            self._ask_where(session.project.path)
        elif session.mending.lost:
            folder = session.mending.lost[0]
            offers = [
                (tr("Locate folder…"), lambda: self._choose(folder)),
                (tr("Not now"), lambda: mending.leave_lost(folder)),
            ]
            text, place = folder.sentence(), folder.beside
            if place is not None:
                use = tr("Use this folder"), lambda: mending.relocate(folder.root, place)
                offers = [use, *offers]
            else:
                text += " " + tr("If it is on an external disk or a network drive, connect it again.")
            self._bar.say(text, offers)
        elif session.project is not None and session.only_looks:
            text = tr("“{name}” is read-only. You can browse and export, but changes are not saved.")
            offers = [(tr("Save a copy…"), self._save_copy)]
            self._bar.say(text.format(name=session.project.path.name), offers, sign="info")
        elif record is not None and size is not None and former not in (None, size):
            offers = [
                (tr("Scale the boxes with it"), mending.scale_boxes),
                (tr("Keep boxes unchanged"), mending.keep_boxes),
            ]
            self._bar.say(resized.sentence(record.name, former, size), offers)
        elif session.runs.listed.lost and not self._is_lost_known:
            text = tr("{lost} Put it back and open the project again, or find objects anew.")
            offers = [(tr("Find objects"), self._find_anew), (tr("Not now"), self._leave_lost)]
            self._bar.say(text.format(lost=session.runs.listed.lost), offers)
        else:
            self._offer_truth()

    def _offer_truth(self) -> None:
        found, importing = self._bench.session.measures.offer, self._bench.importing
        if found is None:
            self._tell_outcome()
            return
        text = trn(
            "{count:,} true box found beside these photos. Use it to measure how well boxes fit?",
            "{count:,} true boxes found beside these photos. Use them to measure how well boxes fit?",
            found.boxes,
        )
        offers = [(tr("Use to measure"), importing.use_found), (tr("No"), importing.decline_found)]
        self._bar.say(text, offers, sign="info")

    def _tell_outcome(self) -> None:
        """Boxes are found: what there is, and what comes next; it stays until there is an answer."""
        session = self._session
        outcome, tally, results = session.results.outcome, session.progress.tally, session.results
        taught = self._teaching.notice(outcome)
        if taught is not None:
            self._bar.say(taught.text, taught.offers, sign=taught.sign)
        elif outcome is None and self._added and self._bench.can_find_boxes:
            text = trn("{count:,} image was added.", "{count:,} images were added.", self._added)
            offers = [
                (tr("Find objects in them"), lambda: self._find_added(wanted=True)),
                (tr("Not now"), lambda: self._find_added(wanted=False)),
            ]
            self._bar.say(text, offers, sign="info")
        elif outcome is None:
            self._bar.say("")
        elif outcome.waits is not None:
            self._offer_run(outcome.waits, outcome.run)
        elif not outcome.found:
            self._bar.say(nothing_found(outcome.kept), [(tr("Close"), lambda: results.set_outcome(None))])
        else:
            verdict = verdict_on(session.images.table.columns)
            offers = [(tr("Review"), lambda: self._actions["review_boxes"].trigger())]
            if verdict is Verdict.READY:
                offers.append((tr("Export"), self._export))
            else:
                offers.append((tr("Add images…"), lambda: self._actions["add_folder"].trigger()))
            sign = "done" if verdict is Verdict.READY else "warning"
            self._bar.say(sentence(verdict, tally), offers, sign=sign)

    def _offer_run(self, run_id: int, name: str) -> None:
        if run_id not in self._session.runs.listed.ready:
            return  # its boxes are being listed
        text = tr("{run} has found its boxes. Yours are unchanged.").format(run=name)
        offers = [
            (tr("Use its boxes"), lambda: self._take(run_id)),
            (tr("Keep mine"), lambda: self._session.results.set_outcome(None)),
        ]
        self._bar.say(text, offers, sign="info")

    def _take(self, run_id: int) -> None:
        self._session.results.set_outcome(None)
        self._bench.runs.take(run_id)

    def _export(self) -> None:
        self._session.results.set_outcome(None)
        self._actions["export"].trigger()

    def _save_copy(self) -> None:
        project = self._bench.session.project
        path = None if project is None else dialogs.choose_copy(self._window, project.path.name)
        if path is not None:
            self._bench.library.save_copy(path)

    def _leave_lost(self) -> None:
        self._is_lost_known = True
        self._show()

    def _find_anew(self) -> None:
        self._leave_lost()
        self._actions["start"].trigger()

    def _choose(self, folder: LostFolder) -> None:
        new = dialogs.choose_new_place(self._window, folder.root.name)
        if new is not None:
            self._bench.mending.relocate(folder.root, new)
