"""The strip that tells of moved folders, changed sizes and found truth, on their controllers."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.presenters.part import Presenter
from app.views import dialogs
from app.views.notice_bar import NoticeBar
from app.wiring import follow
from core.base.language import tr, trn
from core.project import resized
from core.project.places import LostFolder


class NoticePresenter(Presenter):
    """Says one thing at a time.

    A folder that is gone, else that nothing is kept, else an image that has another size, then truth.
    """

    def __init__(self, bench: Workbench, bar: NoticeBar, window: QWidget) -> None:
        super().__init__(bench, window)
        self._bar, session = bar, self._session
        changed = session.mending_changed, session.current_changed, session.project_changed
        follow(self._show, *changed, session.measures.offer_changed)

    def _show(self) -> None:
        session, mending = self._bench.session, self._bench.mending
        record, size = session.record, session.in_view.size
        former = session.mending.former_sizes.get(session.current or 0)
        if session.mending.lost:
            folder = session.mending.lost[0]
            offers = [
                (tr("Locate folder…"), lambda: self._choose(folder)),
                (tr("Not now"), lambda: mending.leave_lost(folder)),
            ]
            hint = tr("If it is on an external disk or a network drive, connect it again.")
            self._bar.say(f"{folder.sentence()} {hint}", offers)
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
        else:
            self._offer_truth()

    def _offer_truth(self) -> None:
        found, importing = self._bench.session.measures.offer, self._bench.importing
        if found is None:
            self._bar.say("")
            return
        text = trn(
            "{count:,} true box found beside these photos. Use it to measure how well boxes fit?",
            "{count:,} true boxes found beside these photos. Use them to measure how well boxes fit?",
            found.boxes,
        )
        offers = [(tr("Use to measure"), importing.use_found), (tr("No"), importing.decline_found)]
        self._bar.say(text, offers, sign="info")

    def _save_copy(self) -> None:
        project = self._bench.session.project
        path = None if project is None else dialogs.choose_copy(self._window, project.path.name)
        if path is not None:
            self._bench.library.save_copy(path)

    def _choose(self, folder: LostFolder) -> None:
        new = dialogs.choose_new_place(self._window, folder.root.name)
        if new is not None:
            self._bench.mending.relocate(folder.root, new)
