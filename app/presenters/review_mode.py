"""Review mode: the image, a film strip and the keys, with everything else out of the way."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app import actions
from app.controllers.workbench import Workbench
from app.presenters.part import Handlers, Presenter
from app.views.film_strip import FilmStrip
from app.views.key_bar import KeyBar
from app.wiring import follow
from core.base.language import mark, tr

# Actions with what their keys do, in a word or two.
_HINTS = (
    ("accept", mark("Accept")),
    ("reject", mark("Reject")),
    ("no_object", mark("No object")),
    ("undo", mark("Undo")),
    ("next", mark("Next")),
    ("previous", mark("Previous")),
    ("class", mark("Class")),
)


class ReviewMode(Presenter):
    """Hides ``others`` while it is on; what of them was in sight comes back with its end."""

    changed = Signal()

    def __init__(
        self, bench: Workbench, strip: FilmStrip, keys: KeyBar, others: Sequence[QWidget], window: QWidget
    ) -> None:
        super().__init__(bench, window)
        self.is_on = False
        self._strip, self._keys, self._others = strip, keys, others
        self._hidden: list[QWidget] = []
        session = self._session
        strip.chosen.connect(session.select)
        strip.stepped.connect(lambda step: bench.browsing.next() if step > 0 else bench.browsing.previous())
        keys.leave.clicked.connect(lambda: self._actions["review_mode"].setChecked(False))
        follow(lambda: strip.set_current(session.current), session.current_changed, session.project_changed)
        follow(self.update, session.project_changed)
        for shown in (strip, keys):
            shown.hide()

    def handlers(self) -> Handlers:
        return {"review_mode": self.set_on}

    def set_on(self, on: bool) -> None:
        if on == self.is_on:
            return
        self.is_on = on
        if on:
            self._hidden = [one for one in self._others if not one.isHidden()]
            self._show_keys()
        for one in self._hidden:
            one.setVisible(not on)
        for shown in (self._strip, self._keys):
            shown.setVisible(on)
        self.changed.emit()

    def update(self) -> None:
        is_open = self._session.project is not None
        if not is_open and self.is_on:
            self._actions["review_mode"].setChecked(False)
        self._enable({"review_mode": is_open})

    def _show_keys(self) -> None:
        def key(name: str) -> str:
            return actions.key_text(self._actions[name]).partition("  ")[0]

        hints = [(key(name), tr(text)) for name, text in _HINTS]
        hints[3:3] = [(tr("Drag"), tr("New box")), (tr("Shift+Drag"), tr("One more"))]
        self._keys.set_hints([(name, text) for name, text in hints if name])
        self._keys.leave.setText(f"{tr('Leave review mode')} ({key('review_mode')})")
