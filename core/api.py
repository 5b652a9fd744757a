"""Boxscout as a library: the commands' main job as functions that give tables back.

    >>> from core import api                      # in an installation: import boxscout
    >>> found = api.find_objects("photos")
    >>> [(box.file, box.x0, box.y0, box.x1, box.y1, box.score) for box in found]
    >>> found.export("coco", "boxes.json")
    >>> found.save_localizer("birds.safetensors")
    >>> api.find_objects("photos of may", localizer="birds.safetensors")

Each function does what the command of the main job does, and raises the errors of :mod:`core.base.errors`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.config import FeaturesConfig
from core.base.errors import BoxscoutError, ImageError
from core.base.limits import is_of_kind
from core.boxes.rules import MAX_BOXES, MAX_THRESHOLD
from core.cli.console import Bar
from core.cli.job import Wanted, run_localize, run_train
from core.cli.learn_commands import run_learn, run_use
from core.formats import WRITTEN, ExportSummary, Selection, WriteOptions, export
from core.images.decoding import read_taken
from core.images.exif import Position
from core.images.sample import draw_sample
from core.maps.localizer import Localizer, save_localizer
from core.project.exchange import exportable
from core.project.file import absolute
from core.project.learning import KIND, saved_unit
from core.project.runs import current_run, newest_finished_run
from core.project.store import Project

if TYPE_CHECKING:
    import pandas

__all__ = ["Found", "FoundBox", "OnProgress", "draw_sample", "find_objects", "learn_from"]

StrPath = str | os.PathLike[str]
OnProgress = Callable[[str, float], None]
"""Told what is being done and how much of that, 0..1; what it raises ends the work."""


@dataclass(frozen=True, slots=True)
class FoundBox:
    """One box, as a row of a table.

    ``file`` is relative to the folder, with forward slashes. The box is half-open, in pixels of the image as
    displayed (EXIF applied), whose size is ``width`` by ``height``. ``score`` is 0..1; None if a person drew
    the box. ``source`` is ``"auto"`` or ``"edited"``. ``no_object`` is the probability, 0..1, that the image
    shows no object; None if it is not known.
    """

    file: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float | None
    label: str
    source: str
    width: int
    height: int
    no_object: float | None


@dataclass(frozen=True, kw_only=True)
class Found(Sequence[FoundBox]):
    """What was found: a sequence of :class:`FoundBox`, image by image.

    ``images`` has every image that could be used, those without a box too; ``files`` says where each lies.
    ``failed`` says of each file that could not be used why. ``localizer`` is what found the boxes.
    """

    images: tuple[ImageBoxes, ...]
    files: Mapping[str, Path]
    failed: Mapping[Path, str]
    localizer: Localizer

    @cached_property
    def boxes(self) -> tuple[FoundBox, ...]:
        """Every box; this sequence's items."""
        return tuple(_row(image, record) for image in self.images for record in image.boxes)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: Any) -> Any:
        return self.boxes[index]

    def __iter__(self) -> Iterator[FoundBox]:
        return iter(self.boxes)

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame with a row for each box and the fields of :class:`FoundBox` as columns.

        Raises
        ------
        BoxscoutError
            pandas is not installed; Boxscout itself does without.
        """
        try:
            import pandas
        except ImportError as error:
            raise BoxscoutError("pandas is not installed: pip install pandas") from error
        columns = [field.name for field in fields(FoundBox)]
        return pandas.DataFrame([asdict(box) for box in self.boxes], columns=columns)

    def export(self, format: str, out: StrPath, *, min_score: float = 0.0, **options: Any) -> ExportSummary:
        """Write the boxes as the command ``export`` does.

        Parameters
        ----------
        format
            A name of :data:`core.formats.WRITTEN`, such as ``"coco"``, ``"yolo"``, ``"voc"`` or ``"csv"``.
        out
            The file to write, or the new folder to make.
        min_score
            The least score, 0..1, of a box that is written.
        options
            Fields of :class:`core.formats.WriteOptions` that the format has, such as ``link=True``.

        Raises
        ------
        FormatError
            There is no box, or nothing can be written there.
        """
        if format not in WRITTEN:
            raise BoxscoutError(f"{format!r} is not one of {', '.join(WRITTEN)}.")
        own = WRITTEN[format].own
        if foreign := ", ".join(options.keys() - set(own)):
            raise BoxscoutError(f"{format!r} has no option {foreign}; it has {', '.join(own) or 'none'}.")
        chosen = WriteOptions(sources=self.files, **options)
        images = self._placed() if chosen.with_gps else self.images
        kept = Selection(min_score=min_score)
        return export(images, Path(out), format=WRITTEN[format], selection=kept, options=chosen)

    def _placed(self) -> tuple[ImageBoxes, ...]:
        """The images, each with where its photo says that it was taken."""
        return tuple(replace(one, position=_position(self.files[one.name])) for one in self.images)

    def save_localizer(self, out: StrPath) -> None:
        """Write what was learned to the safetensors file ``out``; :func:`find_objects` takes it."""
        save_localizer(Path(out), self.localizer)


def find_objects(
    folder: StrPath | Sequence[StrPath],
    *,
    project: StrPath | None = None,
    localizer: StrPath | None = None,
    max_boxes: int = 1,
    threshold: float | None = None,
    again: bool = False,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> Found:
    """Find the object in every image of ``folder``; it learns first what the images share.

    Parameters
    ----------
    folder
        A folder, with its subfolders, or several folders and image files.
    project
        A project file to work in, made where there is none: the window opens it. It keeps what was learned,
        which later calls use. None works in a temporary one.
    localizer
        A file of :meth:`Found.save_localizer` or of ``localizer save``: nothing is learned then.
    max_boxes
        Boxes in an image at most.
    threshold
        The part of a heat map's maximum, 0..1, that counts as object; None: as the rule has it.
    again
        Learn anew, although ``project`` has learned.
    on_progress
        Is told how far the work is.
    settings
        Fields of :class:`core.base.config.FeaturesConfig` for learning, such as ``seed``, ``sample``,
        ``threads``, ``image_size`` or ``device``.

    Raises
    ------
    BoxscoutError
        There is no image, a setting has no such value, or the project cannot be used; the text says what
        to do.
    """
    paths, wanted = _paths(folder), _wanted(max_boxes, threshold)
    with _project(project) as file:
        bar = _Told(on_progress)
        if localizer is None:
            _learn(paths, file, settings, bar, again=again)
        elif settings or again:
            raise BoxscoutError("A localizer has learned already: leave out the settings of learning.")
        else:
            run_use(Path(localizer), file, weights=None, bar=bar)
        return _localized(paths, file, wanted, bar)


def learn_from(
    folder: StrPath | Sequence[StrPath],
    boxes: StrPath,
    *,
    project: StrPath | None = None,
    seed: int = 0,
    max_boxes: int = 1,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> Found:
    """Find the object in every image of ``folder``, taught by right boxes for some of them.

    Parameters
    ----------
    folder, project, max_boxes, on_progress, settings
        As :func:`find_objects` has them; what the images share is learned first where ``project`` has not.
    boxes
        A file or folder of right boxes, in any format that ``import`` reads, of at least three of the images.
        They are in the result as they are.
    seed
        The same seed teaches the same.

    Raises
    ------
    BoxscoutError
        As in :func:`find_objects`, or ``boxes`` cannot be read, or fit too few of the images.
    """
    paths, wanted = _paths(folder), _wanted(max_boxes)
    with _project(project) as file:
        bar = _Told(on_progress)
        _learn(paths, file, settings, bar)
        run_learn(file, Path(boxes), seed=seed, weights=None, bar=bar, stop=Event())
        return _localized(paths, file, wanted, bar)


class _Told(Bar):
    """A command's progress, told to a function in place of a terminal."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        super().__init__(None, None)
        self._on_progress = on_progress

    def update(self, fraction: float, detail: str = "") -> None:
        if self._on_progress is not None:
            self._on_progress(self._title, fraction)

    def note(self, line: str) -> None:
        """Notes are for people at a terminal."""


def _position(photo: Path) -> Position | None:
    with suppress(ImageError):  # gone or changed since: a format that needs the file says so
        return read_taken(photo).position
    return None


def _paths(folder: StrPath | Sequence[StrPath]) -> list[Path]:
    several = [folder] if isinstance(folder, str | os.PathLike) else folder
    try:
        found = [absolute(Path(one)) for one in several]
    except TypeError as error:
        raise BoxscoutError(f"{folder!r} is neither a folder nor a list of folders and images.") from error
    if not found:
        raise BoxscoutError("There is no folder to look into.")
    return found


def _wanted(max_boxes: int, threshold: float | None = None) -> Wanted:
    """BoxscoutError where a value is not one that the command ``localize`` takes."""
    if not is_of_kind(max_boxes, "int") or not 1 <= max_boxes <= MAX_BOXES:
        raise BoxscoutError(f"max_boxes is a whole number from 1 to {MAX_BOXES}, not {max_boxes!r}.")
    given = 0.0 if threshold is None else threshold
    if not is_of_kind(given, "float") or not 0 <= given <= MAX_THRESHOLD:
        raise BoxscoutError(f"threshold is a number from 0 to {MAX_THRESHOLD}, not {threshold!r}.")
    return Wanted(max_boxes=max_boxes, threshold=threshold)


@contextmanager
def _project(wanted: StrPath | None) -> Iterator[Path]:
    """The project's file: the ``wanted`` one, or one that goes with its folder at the end."""
    if wanted is not None:
        yield absolute(Path(wanted))
        return
    with tempfile.TemporaryDirectory(prefix="boxscout-", ignore_cleanup_errors=True) as folder:
        yield Path(folder, "boxes.boxscout")


def _learn(
    paths: Sequence[Path], file: Path, settings: Mapping[str, Any], bar: Bar, *, again: bool = False
) -> None:
    """Learn what the images share into the project in ``file``, where that has not learned or ``again``."""
    if again or not _has_learned(file):
        run_train(paths, file, None, _known(settings), resume=False, restart=True, bar=bar, stop=Event())
    elif settings:
        names = ", ".join(settings)
        raise BoxscoutError(f"{file} has learned already: leave out {names}, or delete the project.")


def _has_learned(file: Path) -> bool:
    if not file.exists():
        return False
    with Project.open_to_read(file) as project:
        run = newest_finished_run(project, KIND)
        return run is not None and run.finished


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings; BoxscoutError where one is none of learning from frozen features."""
    allowed = {field.name for field in fields(FeaturesConfig)}
    unknown = ", ".join(sorted(settings.keys() - allowed))
    if unknown:
        raise BoxscoutError(f"There is no setting {unknown}; there are {', '.join(sorted(allowed))}.")
    return dict(settings)


def _localized(paths: Sequence[Path], file: Path, wanted: Wanted, bar: Bar) -> Found:
    """Boxes for the images of ``paths`` by the newest run of the project in ``file``."""
    told = run_localize(paths, file, wanted, bar=bar, stop=Event(), model=KIND)
    failed = {Path(one["file"]): str(one["reason"]) for one in told["failed"]}
    with Project.open_to_read(file) as project:
        images, files = exportable(project)
        run = current_run(project)
        assert run is not None, "boxes have just been found"
        localizer = saved_unit(run)
    here = {name for name, path in files.items() if any(map(path.is_relative_to, paths))}
    usable = [image for image in images if image.name in here and files[image.name] not in failed]
    return Found(
        images=tuple(usable),
        files={image.name: files[image.name] for image in usable},
        failed=failed,
        localizer=localizer,
    )


def _row(image: ImageBoxes, record: BoxRecord) -> FoundBox:
    return FoundBox(
        image.name,
        *record.box.sides,
        score=record.score,
        label=record.label,
        source=record.source.value,
        width=image.width,
        height=image.height,
        no_object=image.no_object,
    )
