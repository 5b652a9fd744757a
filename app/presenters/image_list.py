"""The image list: filter, order, selection, and commands for many images."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from app.actions import fill_menu
from app.controllers.workbench import Workbench
from app.presenters.part import Handlers, Presenter
from app.views.accept_dialog import AcceptDialog
from app.views.image_list_view import ImageListView
from app.wiring import follow
from core.base.annotations import Status
from core.project.browse import QUEUES, Browse, Order

_MENU = (
    *("accept", "reject", "no_object", "unmark", ""),
    *("threshold_of_many", "", "remove_images", "", "select_all", "select_one"),
)


class ImageListPresenter(Presenter):
    """Draws and wires the list."""

    def __init__(self, bench: Workbench, images: ImageListView, window: QWidget) -> None:
        super().__init__(bench, window)
        self._images = images
        session = self._session
        images.chosen.connect(session.select)
        images.browse_changed.connect(self._browse)
        bar = images.browse_bar
        bar.filters_opened.connect(lambda: bar.filters.set_classes(bench.editing.labels()))
        images.selection_changed.connect(session.set_selection)
        images.rows_in_view_changed.connect(session.set_rows_in_view)
        self.menu = QMenu(window)
        images.menu_asked.connect(self._show_menu)
        images.selection_bar.status_chosen.connect(bench.review.mark)
        session.view_changed.connect(lambda: images.browse_bar.set_browse(session.view.browse))
        shown = session.current_changed, session.project_changed
        follow(lambda: images.set_current(session.current), *shown)
        follow(self.update, session.images.count_changed, session.measures.changed, *shown)
        follow(self.update, session.progress.changed)
        follow(self.update, session.learning.changed, session.results.labelled.changed)

    def handlers(self) -> Handlers:
        browsing, review = self._bench.browsing, self._bench.review
        return {
            "previous": browsing.previous,
            "next": browsing.next,
            "first": browsing.first,
            "last": browsing.last,
            "accept": lambda: review.judge(Status.ACCEPTED),
            "reject": lambda: review.judge(Status.REJECTED),
            "no_object": review.mark_empty,
            "unmark": lambda: review.mark(Status.UNSEEN),
            "review_boxes": self.review,
            "remove_images": self._bench.members.remove,
            "find_image": self._find_image,
            "select_all": self._images.list.selectAll,
            "select_one": self._images.select_one,
            "accept_above": self._accept_above,
            "least_sure_first": lambda: self._order(Order.LEAST_SURE),
            "most_useful_first": lambda: self._order(Order.USEFUL),
            "worst_first": self.order_worst_first,
        }

    def update(self) -> None:
        session = self._session
        is_open, is_kept = session.project is not None, not session.only_looks
        has_image = is_open and session.current is not None
        self._enable({
            **dict.fromkeys(("previous", "next", "first", "last"), has_image),
            **dict.fromkeys(("accept", "reject", "no_object", "unmark"), has_image and is_kept),
            **dict.fromkeys(("find_image", "select_all", "select_one"), is_open),
            "accept_above": is_open and is_kept,
            "review_boxes": is_open and session.progress.tally.boxed > 0,
            "remove_images": has_image and self._bench.members.can_remove,
            **dict.fromkeys(("least_sure_first", "most_useful_first"), is_open),
            "worst_first": session.measures.standing is not None,
        })  # fmt: skip

    def review(self) -> None:
        """What needs a look most on top, and that in view."""
        session = self._session
        session.results.set_outcome(None)
        wanted = Browse(order=Order.LEAST_SURE)
        session.change_view(browse=wanted)
        session.select(session.images.id_at(0))
        self._images.list.setFocus()

    def order_worst_first(self) -> None:
        """The lowest overlap with the truth on top."""
        self._order(Order.WORST)

    def _order(self, order: Order) -> None:
        self._browse(replace(self._session.view.browse, order=order, descending=False))

    def _browse(self, browse: Browse) -> None:
        """Show these images in this order; an order that says what to look at first begins at its top."""
        session, before = self._session, self._session.view.browse
        if browse.boxes.label != before.boxes.label:
            self._bench.review.refresh_class(browse.boxes.label)
        session.change_view(browse=browse)
        if browse.needs_times and not before.needs_times:
            self._bench.review.read_times()
        is_other = (browse.order, browse.descending) != (before.order, before.descending)
        if browse.order in QUEUES and is_other:
            self._bench.browsing.first()
            self._bench.review.rank_useful(from_top=True)

    def _show_menu(self, at: QPoint) -> None:
        fill_menu(self.menu, self._actions, _MENU)
        self.menu.popup(at)

    def _find_image(self) -> None:
        self._images.show()
        self._images.name_filter.setFocus()
        self._images.name_filter.selectAll()

    def _accept_above(self) -> None:
        dialog = AcceptDialog(self._bench.review.scores(), self._window)
        if dialog.exec() == AcceptDialog.DialogCode.Accepted:
            self._bench.review.accept_above(dialog.score)
        dialog.deleteLater()
