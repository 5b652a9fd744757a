"""A person's edits: done at once, on disk before the next, and taken back one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from app.controllers.done import Done
from app.controllers.job import Controller, Job
from app.models.session import Session
from app.pump import Pump
from app.wiring import one_shot
from core.base.annotations import DEFAULT_LABEL, BoxRecord, Source, Status
from core.base.geometry import Box
from core.base.language import tr, trn
from core.boxes.options import BoxOptions
from core.images.scan import natural_key
from core.project.edits import (
    BoxesEdit,
    DecisionEdit,
    Edit,
    MembersEdit,
    ReviewEdit,
    StatusEdit,
    TakeEdit,
    TruthEdit,
    edited,
    with_drawn,
)
from core.project.queries import kept, labels, settled_among
from core.project.rows import Kept

UNDO_LIMIT = 1000
# Moves of a threshold that follow each other within this are taken back as one.
PAUSE_MS = 1000
# An import of so many images is taken back in a thread: the window would stand still.
MANY = 1000
ACTIVITY, TAKING = "undo", "taking"


class EditingController(Controller):
    """Changes boxes, statuses and thresholds, and keeps the list of what can be taken back.

    The list only remembers: an edit is first written to the project, and where that fails (a full disk)
    the person is told, and list, window and file still agree.
    """

    about_to_edit = Signal()
    """What the project holds of the image in view is needed now."""
    boxes_edited = Signal(object)
    """The ids of images with other boxes."""
    statuses_edited = Signal(object)
    """The :class:`StatusEdit` that was made."""
    truth_edited = Signal()
    """Images have other true boxes, or none."""
    about_to_take = Signal()
    """Nothing may write boxes now."""
    members_edited = Signal(object)
    """The :class:`MembersEdit` that was taken back, or made again."""
    taken = Signal(int)
    """The id of the run that boxes come from now."""
    history_changed = Signal()

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._beside = Job(session, pump, ACTIVITY)
        self._taking = Job(session, pump, TAKING)
        self._stack = QUndoStack(self)
        self._stack.setUndoLimit(UNDO_LIMIT)
        self._stack.indexChanged.connect(self.history_changed)
        self._label = DEFAULT_LABEL
        self._is_applying = self._is_held = self._is_unsaved = False
        self._gesture = self._changes = 0
        self._pause = one_shot(self, PAUSE_MS, self._end_gesture)
        session.project_changed.connect(self.forget)
        session.options_changed.connect(self._on_options_changed)
        self.about_to_edit.connect(self.wait)

    # ---- boxes of the image in view ---------------------------------------------------------------

    def draw(self, box: Box, *, adds: bool = False, accepts: bool = False) -> bool:
        """Take a drawn box, of the class that was chosen last, for the automatic one that it corrects.

        With ``adds`` it is one more; with ``accepts`` the image is accepted with it. False where it could
        not be kept.
        """
        boxes, text = self._boxes(), tr("Draw a box")
        held, current = self._session.in_view.held, self._session.current
        new = BoxRecord(box, label=self._label, source=Source.EDITED)
        kept_now = Kept(with_drawn(boxes, new, held=held, adds=adds), edited=True)
        if accepts and current is not None:
            return not self._session.refuses_change() and self.review(
                {current: Status.ACCEPTED}, kept_now, text
            )
        return self._set_kept(kept_now, text)

    def change(self, index: int, box: Box, *, nudged: bool = False) -> None:
        """Give one box other sides; by ``nudged`` the keys pressed in a row are one edit to take back."""
        self._replace(index, tr("Move or resize a box"), box=box, nudged=nudged)

    def delete(self, index: int) -> None:
        boxes = self._boxes()
        if index < len(boxes):
            self.set_boxes((*boxes[:index], *boxes[index + 1 :]), tr("Delete a box"))

    def relabel(self, index: int, label: str) -> None:
        """Give one box another class; the next box drawn gets it too."""
        self._label = label.strip() or DEFAULT_LABEL
        self._replace(index, tr("Change a class"), label=self._label)

    def class_names(self) -> list[str]:
        """The classes that have a name, in the order of the number keys: one that stays as boxes come."""
        return sorted((name for name in self.labels() if name != DEFAULT_LABEL), key=natural_key)

    def give_class(self, number: int, index: int) -> None:
        """Give the box at ``index``, and those drawn from now on, the class of a number key, from 1."""
        names = self.class_names()
        if number > len(names):
            told = trn("There is {count} named class.", "There are {count} named classes.", len(names))
            self._session.notice.emit(told if names else tr("No class has a name yet: give a box one first."))
            return
        self._label = names[number - 1]
        self._replace(index, tr("Change a class"), label=self._label)

    def clear(self) -> None:
        """Take all boxes away; the image stays without any."""
        if self._boxes():
            self.set_boxes((), tr("Delete all boxes"))

    def replace_by_automatic(self) -> None:
        """Give the person's boxes up: the image gets what its heat map says, now and at each later run.

        It is no longer accepted: what was accepted is gone.
        """
        self.about_to_edit.emit()
        session, shown, text = self._session, self._session.in_view, tr("Restore automatic boxes")
        if not shown.held or session.current is None:
            return
        # Without a heat map nothing can be made anew: what it found once stays.
        automatic = Kept(shown.automatic or (() if shown.kept.edited else shown.boxes))
        if shown.accepted:
            self.review({session.current: Status.UNSEEN}, automatic, text)
        else:
            self._set_kept(automatic, text)

    def review(
        self,
        statuses: Mapping[int, Status],
        seen: Kept | None,
        text: str,
        others: Mapping[int, Kept] | None = None,
    ) -> bool:
        """Say something of images, by id, together with the boxes that they were seen with.

        ``seen`` are those of the image in view, None for those that the project holds; ``others`` those of
        other images by id.
        """
        session, project = self._session, self._session.project
        if project is None:
            return False
        said = session.images.table.columns.statuses(list(statuses))
        changed = dict(others or {})
        if seen is not None and session.current is not None:
            changed[session.current] = seen
        with self._told():
            before = kept(project, changed.keys() | (statuses.keys() & {session.current}))
            after = {**before, **changed}
            return self.perform(ReviewEdit(BoxesEdit(before, after), StatusEdit(said, statuses)), text)
        return False

    def labels(self) -> list[str]:
        """The class names to choose from, the most used first."""
        project = self._session.project
        used = labels(project) if project is not None else []
        return used if DEFAULT_LABEL in used else [*used, DEFAULT_LABEL]

    def _boxes(self) -> tuple[BoxRecord, ...]:
        self.about_to_edit.emit()
        return self._session.boxes

    def _replace(
        self, index: int, text: str, *, box: Box | None = None, label: str | None = None, nudged: bool = False
    ) -> None:
        """Give one box other sides or another class, if they are others."""
        boxes = self._boxes()
        if index < len(boxes):
            old = boxes[index]
            if (box or old.box, label or old.label) != (old.box, old.label):
                new = edited(old, box=box, label=label)
                self.set_boxes((*boxes[:index], new, *boxes[index + 1 :]), text, nudged=nudged)

    def set_boxes(self, boxes: Sequence[BoxRecord], text: str, *, nudged: bool = False) -> None:
        """Give the image in view these boxes, which are a person's from now on; undone as ``text``."""
        self._set_kept(Kept(tuple(boxes), edited=True), text, nudged=nudged)

    def _set_kept(self, after: Kept, text: str, *, nudged: bool = False) -> bool:
        project, current = self._session.project, self._session.current
        if project is not None and current is not None:
            with self._told():
                before = kept(project, [current])
                return self.perform(BoxesEdit(before, {current: after}), text, goes_on=nudged)
        return False

    # ---- all edits --------------------------------------------------------------------------------

    def perform(self, edit: Edit, text: str, *, goes_on: bool = False) -> bool:
        """Make ``edit``, remember it as ``text``; False, and the person is told, where it cannot be saved.

        ``goes_on`` joins it to the one just before where both are of the same kind.
        """
        if not isinstance(edit, DecisionEdit) and self._session.refuses_change():
            return False
        self.wait()
        if goes_on:
            self._save_options()
        else:
            self.settle()
        if not self._apply(edit):
            return False
        self._push(edit, text)
        if goes_on:
            self._pause.start()
        else:
            self._end_gesture()
        return True

    def wait(self) -> None:
        """Let what is just being taken back, or done again, come to its end: the next edit begins with it."""
        self._beside.finish()
        self._taking.finish()

    def begin(self) -> int:
        """A thread is about to make an edit: what :meth:`remember` must be told then."""
        self.settle()
        return self._changes

    def remember(self, edit: Edit, text: str, begun: int) -> None:
        """A thread has made ``edit`` since :meth:`begin`.

        Where the person has edited something meanwhile, nobody knows in which order the two were
        written: nothing of before can be taken back then.
        """
        if begun == self._changes:
            self._push(edit, text)
        else:
            self._stack.clear()

    def undo(self) -> None:
        self.settle()
        done = self._stack.command(self._stack.index() - 1)
        if isinstance(done, Done):
            self._repeat(done.edit.inverse, tr("Undoing…"), self._stack.undo)

    def redo(self) -> None:
        self.settle()
        done = self._stack.command(self._stack.index())
        if isinstance(done, Done):
            self._repeat(done.edit, tr("Redoing…"), self._stack.redo)

    def _repeat(self, edit: Edit, text: str, move: Callable[[], None]) -> None:
        """Make ``edit``, in a thread where it is an import of many images, and ``move`` in the history."""

        def moved() -> None:
            self._changes += 1
            move()
            self._show_image(edit)

        if isinstance(edit, (TakeEdit, MembersEdit)):
            self.about_to_take.emit()
            self._apply_beside(edit, text, moved)
        elif isinstance(edit, (ReviewEdit, TruthEdit)) and len(edit.images) >= MANY:
            self._apply_beside(edit, text, moved)
        elif self._apply(edit):
            moved()

    def _apply_beside(
        self, edit: ReviewEdit | TruthEdit | TakeEdit | MembersEdit, text: str, moved: Callable[[], None]
    ) -> None:
        project, view = self._session.project, self._session.view
        if project is None:
            return

        def done(_: object) -> None:
            if self._session.project is project:
                self.tell(edit)
                moved()

        job = self._taking if isinstance(edit, (TakeEdit, MembersEdit)) else self._beside
        job.start(lambda _: edit.apply(project, view), text=text, can_stop=False, on_done=done)

    @property
    def undo_text(self) -> str:
        """What :meth:`undo` would take back; empty for nothing."""
        return self._stack.undoText()

    @property
    def redo_text(self) -> str:
        return self._stack.redoText()

    def _push(self, edit: Edit, text: str) -> None:
        self._changes += 1
        self._stack.push(Done(edit, text, self._gesture))

    def _apply(self, edit: Edit) -> bool:
        session = self._session
        if session.project is None:
            return False
        with self._told():
            view = edit.apply(session.project, session.view)
            if isinstance(edit, DecisionEdit):
                self._follow(view.options)
            else:
                self.tell(edit)
            return True
        return False

    def _follow(self, options: BoxOptions) -> None:
        """Let the window follow a decision that is made and remembered already."""
        self._is_applying = True
        self._session.set_view(self._session.view.with_options(options))
        self._is_applying = False

    def tell(self, edit: BoxesEdit | StatusEdit | ReviewEdit | TruthEdit | TakeEdit | MembersEdit) -> None:
        if isinstance(edit, ReviewEdit):
            self._session.set_kept(edit.boxes.after)
            self.tell(edit.statuses)
            if edit.boxes.before != edit.boxes.after:
                self.tell(edit.boxes)
        elif isinstance(edit, TakeEdit):
            self._follow(edit.becomes)
            self.taken.emit(edit.after)
        elif isinstance(edit, MembersEdit):
            self.members_edited.emit(edit)
        elif isinstance(edit, BoxesEdit):
            self._session.set_kept(edit.after)
            self._session.set_statuses(self._settled(edit.images))
            self.boxes_edited.emit(edit.images)
        elif isinstance(edit, StatusEdit):
            self._session.set_statuses({**edit.after, **self._settled(edit.images)})
            self.statuses_edited.emit(edit)
        else:
            self.truth_edited.emit()

    def _settled(self, images: Sequence[int]) -> dict[int, Status]:
        """Which of these are accepted and which show no object: the project knows, by their boxes."""
        return {} if (project := self._session.project) is None else settled_among(project, images)

    def _show_image(self, edit: Edit) -> None:
        images = edit.images
        if images and not isinstance(edit, MembersEdit) and self._session.current not in images:
            self._session.select(images[0])

    # ---- thresholds that are being moved ------------------------------------------------------------

    def hold(self) -> None:
        """The slider is pressed: all moves until :meth:`settle` are one edit, saved at its end."""
        self._pause.stop()  # the press itself may have moved it: that belongs to the drag
        self._is_held = True

    def settle(self) -> None:
        """The slider is let go, or something else begins: save the moves since :meth:`hold`."""
        self.wait()
        self._is_held = False
        self._end_gesture()
        self._save_options()

    def _on_options_changed(self, before: BoxOptions, after: BoxOptions) -> None:
        if self._is_applying or self._session.project is None:
            return
        self.wait()
        edit = DecisionEdit(before, after)
        text = tr("Change the threshold") if before.rule == after.rule else tr("Change the rule")
        if edit.limits:
            text = tr("Change the number of boxes")
        self._is_unsaved = True
        if not self._is_held:
            self._save_options()
            self._pause.start()
        self._push(edit, text)

    def _save_options(self) -> None:
        session = self._session
        if self._is_unsaved and session.project is not None:
            self._is_unsaved = False
            with self._told():
                session.project.save_view(session.view)

    def _end_gesture(self) -> None:
        self._pause.stop()
        self._gesture += 1

    def forget(self) -> None:
        """Nothing can be taken back any more: the project, or what it holds, is another."""
        self._pause.stop()
        self._is_held = self._is_unsaved = False
        self._changes += 1
        self._label = DEFAULT_LABEL
        self._stack.clear()
