"""Films that were opened: the person says how often, and images of them are opened in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app import paths
from app.controllers.job import Controller, Job
from app.models.session import Session
from app.pump import Pump
from app.worker import Worker
from core.base.errors import BoxscoutError, ImageError
from core.base.language import tr
from core.images.film import (
    FilmImages,
    FilmOptions,
    check_extra,
    films_in,
    images_folder,
    is_film,
    take_images,
)


@dataclass(frozen=True, slots=True)
class FilmWish:
    """Films to take images from, what was opened beside them, and whether a project gets them in addition."""

    films: tuple[Path, ...]
    others: tuple[Path, ...]
    adds: bool

    @property
    def folder(self) -> Path:
        """Where their images go, unless the person says otherwise."""
        return images_folder(paths.default_project(self.films))


class FilmsController(Controller):
    """Takes images from films in a thread."""

    asked = Signal(object)
    """A :class:`FilmWish`: how often, and where to?"""
    taken = Signal(object, bool)
    """The paths to open, and whether they are added to the open project."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._taking = Job(session, pump, "films")

    def ask(self, chosen: Sequence[Path], *, adds: bool) -> bool:
        """Whether films are among ``chosen``; the person is asked of them, or told why none can be read."""
        films = films_in(chosen)
        if not films:
            return False
        try:
            check_extra()
        except ImageError as error:
            self._session.error.emit(error, "")
        else:
            others = tuple(path for path in chosen if path not in films and not path.is_dir())
            self.asked.emit(FilmWish(tuple(films), others, adds))
        return True

    def ask_of_films(self, chosen: Sequence[Path], *, adds: bool) -> bool:
        """:meth:`ask` where a film itself was chosen; a folder's photos come first."""
        return any(map(is_film, chosen)) and self.ask(chosen, adds=adds)

    def take(self, wish: FilmWish, folder: Path, options: FilmOptions) -> None:
        """Take the images; :attr:`taken` follows, or an error."""
        text = tr("Taking images from films…")

        def run(worker: Worker) -> FilmImages:
            return take_images(
                wish.films, folder, options, on_progress=worker.put, cancelled=worker.is_stopping
            )

        def show(shares: list[float]) -> None:
            self._taking.tell(text, done=round(100 * shares[-1]), total=100)

        def done(images: FilmImages) -> None:
            if images.problems:
                self._session.error.emit(BoxscoutError(images.sentence()), "")
            else:
                self._session.notice.emit(images.sentence())
            if images.count or wish.others:
                self.taken.emit([*wish.others, *images.folders], wish.adds)

        self._taking.start(run, text=text, on_items=show, on_done=done)

    def stop(self) -> None:
        """End it; films that are done keep their images."""
        self._taking.stop()
