"""Review mode: the image, a film strip and the keys, with everything else out of the way."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app import actions
from app.controllers.workbench import Workbench
from app.presenters.mode import Mode
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


class ReviewMode(Mode):
    """Draws and wires the strip and the line of keys."""

    action = "review_mode"

    def __init__(
        self, bench: Workbench, strip: FilmStrip, keys: KeyBar, others: Sequence[QWidget], window: QWidget
    ) -> None:
        super().__init__(bench, others, window)
        self._strip, self._keys = strip, keys
        session = self._session
        strip.chosen.connect(session.select)
        strip.stepped.connect(lambda step: bench.browsing.next() if step > 0 else bench.browsing.previous())
        keys.leave.clicked.connect(lambda: self.set_on(False))
        follow(lambda: strip.set_current(session.current), session.current_changed, session.project_changed)
        for shown in (strip, keys):
            shown.hide()

    def show_own(self, on: bool) -> None:
        if on:
            self._show_keys()
        for shown in (self._strip, self._keys):
            shown.setVisible(on)

    def _show_keys(self) -> None:
        def key(name: str) -> str:
            return actions.key_text(self._actions[name]).partition("  ")[0]

        hints = [(key(name), tr(text)) for name, text in _HINTS]
        drags = (tr("Drag"), tr("New box")), (tr("Shift+Drag"), tr("One more"))
        hints[3:3] = [*drags, (tr("Space"), tr("Bare image"))]
        self._keys.set_hints([(name, text) for name, text in hints if name])
        self._keys.leave.setText(tr("Leave review mode ({key})").format(key=key("review_mode")))
