"""Images from films, one every few seconds, where the extra ``video`` (PyAV) is installed."""

from __future__ import annotations

import importlib
import itertools
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from core.base.atomic import atomic_folder, os_errors
from core.base.errors import BoxscoutError, Cancelled, ImageError, as_reason
from core.base.language import mark, tr, trn
from core.images.scan import FILMS, RejectedFile, is_theirs, natural_key

NEEDS_EXTRA = mark(
    "Films need the extra “video”: install it with “{python} -m pip install av”, or save single pictures of "
    "the film."
)
EVERY_S, SHORTEST_S, LONGEST_S = 2.0, 0.1, 3600.0
QUALITY = 92
_JUMP_S = 10.0  # between two images; below it decoding what lies between is quicker than looking for it
# In a folder of images: size, time and quality of the film, and whether it had more of them.
_NOTE, _DAMAGED = ".boxscout-film", " damaged"
_NO_YEAR = 1970  # or before it: the clock was never set
_TURNS = {  # counterclockwise
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
_TAKEN_AT, _TAKEN_OFFSET, _TAKEN_FRACTION, _EXIF = 0x9003, 0x9011, 0x9291, 0x8769


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmOptions:
    """An image is taken each ``every`` seconds, from the first on, and saved as JPEG of this ``quality``
    (1..100)."""

    every: float = EVERY_S
    quality: int = QUALITY

    def __post_init__(self) -> None:
        if not SHORTEST_S <= self.every <= LONGEST_S:
            raise ImageError(
                tr("Take an image every {least} to {most} seconds.").format(
                    least=f"{SHORTEST_S:g}", most=f"{LONGEST_S:g}"
                )
            )


@dataclass(frozen=True, slots=True)
class FilmImages:
    """What films gave: a folder of images for each, their number, and the films that gave less than all."""

    folders: tuple[Path, ...]
    count: int
    problems: tuple[RejectedFile, ...]

    def sentence(self) -> str:
        """What a person is told of it."""
        films = trn("{count:,} film", "{count:,} films", len(self.folders))
        images = trn("{count:,} image", "{count:,} images", self.count)
        taken = tr("{images} taken from {films}.").format(images=images, films=films)
        told = [tr("{name}: {reason}").format(name=one.path.name, reason=one.reason) for one in self.problems]
        return " ".join([*([taken] if self.count else []), *told])


def check_extra() -> None:
    """Raise ImageError, with what to do, where the extra ``video`` is not installed."""
    _av()


def is_film(path: Path) -> bool:
    """Whether a file is called as films are."""
    return path.suffix.lower() in FILMS


def films_in(paths: Sequence[Path]) -> list[Path]:
    """The films among ``paths`` and in folders among them, with all subfolders, in natural order."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            listed = sorted(path.iterdir(), key=lambda one: (one.is_dir(), natural_key(one.name)))
            found += films_in([one for one in listed if is_theirs(one.name) and not one.is_symlink()])
        elif is_film(path) and path.is_file():
            found.append(path)
    return found


def images_folder(project: Path) -> Path:
    """Where the images of films of the project at this path lie: beside its file and its data."""
    return project.with_name(f"{project.stem}-films")


def holds_images_of(folder: Path, film: Path) -> bool:
    """Whether ``folder`` is one that :func:`take_images` has made of ``film`` as it is now."""
    with suppress(OSError, UnicodeDecodeError):
        return (folder / _NOTE).read_text(encoding="utf-8").startswith(_state(film))
    return False


def take_images(
    films: Sequence[Path],
    folder: Path,
    options: FilmOptions,
    *,
    on_progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FilmImages:
    """Save images of ``films`` below ``folder``, each film's in a folder of its own; what is there is kept.

    They are called after film and time, ``FILM_000012.5s.jpg``. Where the film tells when it was taken, so do
    they (EXIF); its place is not passed on.

    Parameters
    ----------
    on_progress
        Called with the share, 0..1, that is done.
    cancelled
        Asked for each frame.

    Raises
    ------
    ImageError
        The extra is not installed.
    Cancelled
        ``cancelled()`` became true: of the film that was being read nothing is left.
    BoxscoutError
        The images cannot be written.
    """
    _av()
    folders: list[Path] = []
    problems: list[RejectedFile] = []
    count = 0
    for number, film in enumerate(films):

        def report(share: float, number: int = number) -> None:
            if on_progress is not None:
                on_progress((number + share) / len(films))

        try:
            taken = _images_of(film, folder, options, report, cancelled or (lambda: False))
        except ImageError as error:
            problems.append(RejectedFile(film, str(error)))
            continue
        folders.append(taken.folder)
        count += taken.count
        if not taken.is_whole:
            text = trn(
                "Damaged: only {count:,} image could be taken.",
                "Damaged: only {count:,} images could be taken.",
                taken.count,
            )
            problems.append(RejectedFile(film, text))
    return FilmImages(tuple(dict.fromkeys(folders)), count, tuple(problems))


def _state(film: Path) -> str:
    """What a note begins with: it tells a film from another one, or from what it was."""
    status = film.stat()
    return f"{status.st_size} {status.st_mtime_ns} "


@dataclass(frozen=True, slots=True)
class _Taken:
    """A film's folder of images, how many these are, and whether the film is whole."""

    folder: Path
    count: int
    is_whole: bool


def _images_of(
    film: Path,
    folder: Path,
    options: FilmOptions,
    report: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> _Taken:
    """The folder of a film's images below ``folder``: found there, or made, whole or not at all."""
    message = tr("The images of a film cannot be saved in {folder}: {reason}.")
    with os_errors(BoxscoutError, message, folder=folder):
        note = f"{_state(film)}{options.quality}"
        for again in itertools.count(1):
            name = film.name if again == 1 else f"{film.name} ({again})"
            place = folder / f"{name} every {options.every:g} s"
            if not place.exists():
                break
            with suppress(OSError, UnicodeDecodeError):
                told = (place / _NOTE).read_text(encoding="utf-8")
                if told.startswith(note):  # of this very film
                    return _Taken(place, sum(1 for _ in place.glob("*.jpg")), not told.endswith(_DAMAGED))
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_folder(place) as partial:
            count, is_whole = _write(film, partial, options, report, cancelled)
            (partial / _NOTE).write_text(note + ("" if is_whole else _DAMAGED), encoding="utf-8")
    return _Taken(place, count, is_whole)


def _write(
    film: Path,
    folder: Path,
    options: FilmOptions,
    report: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> tuple[int, bool]:
    """Save the images of a film; how many, and whether the film is whole."""
    count, digits = 0, _digits(options.every)
    with closing(_Film(film)) as opened:
        for step, picture in opened.pictures(options.every, cancelled):
            time = step * options.every
            exif = _exif(opened.begun, time)
            width = 7 + digits  # so that names are in the order of time
            picture.save(
                folder / f"{film.stem}_{time:0{width}.{digits}f}s.jpg", quality=options.quality, exif=exif
            )
            count += 1
            report(min(1.0, time / opened.seconds) if opened.seconds else 0.0)
        if not count:
            raise ImageError(tr("Damaged: no image of this film can be decoded."))
        return count, opened.is_whole


def _digits(every: float) -> int:
    """Decimals that tell the times of two images apart."""
    return next((digits for digits in (1, 2) if math.isclose(every, round(every, digits))), 3)


class _Film:
    """A film that is being read. ``begun`` is when it was taken, None where it does not tell."""

    def __init__(self, path: Path) -> None:
        self._av = _av()
        try:
            self._container = self._av.open(str(path), metadata_errors="replace")
        except self._av.FFmpegError as error:
            raise ImageError(_damaged(error)) from error
        if not self._container.streams.video:
            self._container.close()
            raise ImageError(tr("This film has sound alone."))
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.seconds = self._length()
        self.begun = _begun({**self._container.metadata, **self._stream.metadata})
        self.is_whole = True

    def close(self) -> None:
        self._container.close()

    def pictures(self, every: float, cancelled: Callable[[], bool]) -> Iterator[tuple[int, Image.Image]]:
        """The first picture of each ``every`` seconds, with the number of these that lie before it."""
        last, reached = -1, 0.0
        for time, frame in self._frames():
            if cancelled():
                raise Cancelled(tr("Stopped; the images of films that were done are kept."))
            reached = max(reached, time)
            step = math.floor(time / every + 1e-6)
            if step <= last:
                continue
            last = step
            yield step, self._upright(frame)
            if every >= _JUMP_S:
                self._jump((step + 1) * every)
        if self.seconds - reached > max(1.0, every if every >= _JUMP_S else 0.0, 0.02 * self.seconds):
            self.is_whole = False

    def _frames(self) -> Iterator[tuple[float, Any]]:
        """Each frame with its time in seconds; what cannot be decoded is passed over."""
        start = float((self._stream.start_time or 0) * self._stream.time_base)
        for packet in self._packets():
            self.is_whole &= not packet.is_corrupt  # cut off in its midst, say
            try:
                frames = packet.decode()
            except self._av.FFmpegError:
                self.is_whole = False
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.is_whole = False
                elif frame.time is not None:
                    yield max(0.0, frame.time - start), frame

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(self._stream)
        except self._av.FFmpegError:
            self.is_whole = False

    def _jump(self, seconds: float) -> None:
        """Go on at the last whole frame before a time; where a film has no index, all is read."""
        ticks = int(seconds / self._stream.time_base) + (self._stream.start_time or 0)
        with suppress(self._av.FFmpegError):
            self._container.seek(ticks, stream=self._stream)

    def _length(self) -> float:
        """Seconds, as the film says; 0 where it does not."""
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        return float((self._container.duration or 0) / self._av.time_base)

    def _upright(self, frame: Any) -> Image.Image:
        picture: Image.Image = frame.to_image()
        aspect = self._stream.sample_aspect_ratio
        if aspect and aspect > 0 and aspect != 1:
            picture = picture.resize((max(1, round(picture.width * float(aspect))), picture.height))
        turn = _TURNS.get(frame.rotation % 360)
        return picture if turn is None else picture.transpose(turn)


def _begun(told: Mapping[str, str]) -> datetime | None:
    """When a film was taken; a phone also says in which time zone."""
    for key in ("com.apple.quicktime.creationdate", "creation_time"):
        text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", told.get(key, "").replace("Z", "+00:00"))
        with suppress(ValueError):
            begun = datetime.fromisoformat(text)
            if begun.year > _NO_YEAR:
                return begun
    return None


def _exif(begun: datetime | None, seconds: float) -> bytes:
    """The time at which an image was taken; nothing where the film does not tell."""
    exif = Image.Exif()
    if begun is not None:
        taken = begun + timedelta(seconds=seconds)
        inner = exif.get_ifd(_EXIF)
        inner[_TAKEN_AT] = f"{taken:%Y:%m:%d %H:%M:%S}"
        inner[_TAKEN_FRACTION] = f"{taken.microsecond // 1000:03}"
        if taken.tzinfo is not None:
            offset = f"{taken:%z}"
            inner[_TAKEN_OFFSET] = f"{offset[:3]}:{offset[3:5]}"
    return exif.tobytes()


def _damaged(error: Exception) -> str:
    return tr("Damaged: {detail}.").format(detail=as_reason(getattr(error, "strerror", None) or error))


def _av() -> Any:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise ImageError(tr(NEEDS_EXTRA).format(python=sys.executable)) from error
