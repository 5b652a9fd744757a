"""``--every``: films among the folders of a command become images first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.base.errors import BoxscoutError, ImageError
from core.cli.console import complain, progress_bar, stop_on_signal
from core.images.film import FilmOptions, films_in, images_folder, is_film, take_images


def with_images_of_films(folders: Sequence[Path], project: Path, every: float | None) -> list[Path]:
    """``folders`` and the images of films among them, one every ``every`` seconds; None takes no film along.

    What was taken before is used again.
    """
    folders = list(folders)
    if every is None:
        return folders
    options = FilmOptions(every=every)
    films = films_in(folders)
    if not films:
        raise ImageError("--every takes images from films, and there is none in these folders.")
    with stop_on_signal() as stop, progress_bar() as bar:
        bar.part("Taking images from films", 1.0)
        taken = take_images(
            films, images_folder(project), options, on_progress=bar.update, cancelled=stop.is_set
        )
    complain(taken.sentence())
    if not taken.count:
        raise BoxscoutError("No image could be taken from these films.")
    return [*(path for path in folders if not is_film(path)), *taken.folders]
