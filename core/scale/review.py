"""A sample of a data set as a project to review; what is said there teaches a second pass."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.base.atomic import atomic_write
from core.base.errors import BoxscoutError, ImageError, ProjectError, as_reason
from core.base.language import tr
from core.formats.common import Skipped
from core.formats.folders import unusable
from core.formats.selection import shuffled_place
from core.images.decoding import unavailable
from core.images.scan import ImageFile
from core.maps.localizer import Localizer, load_localizer
from core.project.learning import KIND, saved_unit
from core.project.runs import Run, current_run, runs, set_current
from core.project.store import Project
from core.project.workflow import take_in
from core.scale.addresses import local_file
from core.scale.dataset import DataSet, Found
from core.scale.exporting import as_entry, as_found, fetched_folder
from core.scale.remote import is_address


@dataclass(frozen=True, slots=True)
class Sample:
    """What a project got of a data set: so many ``images``, and those that could not be had."""

    images: int
    left_out: tuple[Skipped, ...]


def choose(data_set: DataSet, count: int, *, is_least_sure: bool = False, seed: int = 0) -> list[Found]:
    """``count`` images of a data set that have been looked at, in the list's order.

    The same seed draws the same ones, whatever the shards. The least sure ones are those that come first by
    :attr:`core.project.browse.Order.LEAST_SURE`: by the lowest score of their boxes, those without one last.

    Raises
    ------
    BoxscoutError
        There is none, or the data set is damaged.
    """
    usable = (found for found in data_set.found() if not found.image.reason)
    key = _sureness if is_least_sure else partial(_drawn, seed)
    chosen = heapq.nsmallest(count, usable, key=key)
    if not chosen:
        raise BoxscoutError(
            tr("No image of “{name}” has been looked at yet.").format(name=data_set.folder.name)
        )
    return sorted(chosen, key=lambda found: found.place)


def _sureness(found: Found) -> tuple[bool, float, int]:
    scores = [one.score for one in found.image.boxes if one.score is not None]
    return not scores, min(scores, default=0.0), found.place


def _drawn(seed: int, found: Found) -> tuple[bytes, str]:
    return shuffled_place(found.image.name, seed)


def add_sample(
    project: Project,
    data_set: DataSet,
    chosen: Sequence[Found],
    *,
    on_image: Callable[[int, int], None] = lambda done, total: None,
) -> Sample:
    """Put the ``chosen`` images into ``project``, with their boxes as automatic ones of the localizer.

    Local images are used where they are; others are fetched to :func:`fetched_folder`. What a person has
    said of images that are in the project already stays. ``on_image`` may raise to end it.

    Raises
    ------
    ProjectError
        The project has boxes of another kind.
    BoxscoutError
        The localizer of the data set cannot be read, or none of the images.
    """
    unit = load_localizer(data_set.localizer)
    known_run = _run_of(project, unit)
    left_out: list[Skipped] = []
    files: dict[Path, tuple[ImageFile, Found]] = {}
    for file, found in _files(project.path, chosen, left_out, on_image):
        files[file.path] = file, found
    if not files:
        first = left_out[0]
        text = tr("No image of the sample can be read. “{name}”: {reason}.")
        raise BoxscoutError(text.format(name=first.name, reason=first.reason))
    with project.transaction():
        project.add_images([file for file, _ in files.values()], again=True)
        by_id = {
            one.id: as_found(files[one.path][1], data_set) for one in project.images() if one.path in files
        }
        project.set_sizes({i: (image.width, image.height) for i, image in by_id.items()})
        project.set_auto_boxes(
            {i: image.boxes for i, image in by_id.items()}, max_boxes=data_set.made.max_boxes
        )
        known = {i: image.no_object for i, image in by_id.items() if image.no_object is not None}
        project.set_no_object(known)
        set_current(project, known_run or take_in(project, unit))
    return Sample(len(files), tuple(left_out))


def _run_of(project: Project, unit: Localizer) -> Run | None:
    """The run that has learned ``unit``; None where there is none yet."""
    current = current_run(project)
    known = (run for run in runs(project) if run.kind == KIND and run.is_saved)
    run = next((run for run in known if saved_unit(run).digest == unit.digest), None)
    is_other = current is not None and (run is None or run.id != current.id)
    if is_other and project.heat_maps_step() is not None:
        text = tr("“{name}” has boxes of another run: choose a new project for the sample.")
        raise ProjectError(text.format(name=project.path.name))
    return run


def _files(
    project: Path,
    chosen: Sequence[Found],
    left_out: list[Skipped],
    on_image: Callable[[int, int], None],
) -> Iterator[tuple[ImageFile, Found]]:
    """The images' files; those that cannot be had are added to ``left_out``."""
    for done, found in enumerate(chosen):
        on_image(done, len(chosen))
        try:
            reason, file = _file(project, found)
        except ImageError as error:
            reason = as_reason(error)
        except OSError as error:
            reason = as_reason(unavailable(error))
        if reason:
            left_out.append(Skipped(found.image.name, reason))
        else:
            yield file, found
    on_image(len(chosen), len(chosen))


def _file(project: Path, found: Found) -> tuple[str, ImageFile]:
    """The image's file, and why it cannot be used."""
    with local_file(as_entry(found)) as file:
        if reason := unusable(file.path, found.image):
            return reason, file
        root, name = file.root, file.name
        if is_address(found.address):
            root, name = fetched_folder(project), found.image.name
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(root / name) as temporary:
                shutil.copyfile(file.path, temporary)
    status = (root / name).stat()
    return "", ImageFile(root, name, status.st_size, status.st_mtime_ns)
