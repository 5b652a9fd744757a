"""What comes of a data set: files of boxes, written image by image, and kept as a person reviewed them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from core.base.annotations import ImageBoxes
from core.base.errors import ProjectError
from core.base.language import tr, trn
from core.formats.common import PLAIN, ExportSummary, Format, WriteOptions
from core.formats.selection import Selection
from core.formats.streaming import Leaving, Stream, export_stream
from core.maps.localizer import load_localizer
from core.project.file import absolute
from core.project.provenance import taught_by
from core.project.store import Project
from core.scale.addresses import UNKNOWN, Entry, local_file
from core.scale.dataset import DataSet, Found
from core.scale.remote import is_address

OnImage = Callable[[int, int], None]
FETCHED = "-images"
"""What the name of a project and this make the name of the folder beside it for fetched images."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Images that a person reviewed in a project: all by their path, and fetched ones by their name too."""

    by_path: Mapping[str, ImageBoxes]
    by_name: Mapping[str, ImageBoxes]

    def __len__(self) -> int:
        return len(self.by_path)

    def of(self, found: Found) -> ImageBoxes | None:
        """What was said of an image of a data set; None where nobody has reviewed it."""
        if is_address(found.address):
            return self.by_name.get(found.image.name)
        return self.by_path.get(found.address)


NONE = Reviewed({}, {})


def fetched_folder(project: Path) -> Path:
    """Where images that lie elsewhere are fetched to, to be reviewed in ``project``."""
    return absolute(project).with_name(project.stem + FETCHED)


def reviewed_in(project: Project) -> Reviewed:
    """The images of ``project`` that a person has reviewed, with boxes and statuses as they are there."""
    fetched = fetched_folder(project.path).name  # wherever the two were moved together
    by_path, by_name = {}, {}
    for record, image in zip(project.images(), project.image_boxes(), strict=True):
        if image.reviewed:
            by_path[str(record.path)] = image
            if record.root.name == fetched:
                by_name[record.name] = image
    return Reviewed(by_path, by_name)


def export_data_set(
    data_set: DataSet,
    out: Path,
    *,
    format: Format,
    selection: Selection,
    options: WriteOptions = PLAIN,
    reviewed: Reviewed = NONE,
    on_image: OnImage = lambda done, total: None,
) -> ExportSummary:
    """Write the boxes of ``data_set``, with memory that does not grow with their number.

    Images that were ``reviewed`` leave as they were left there. ``on_image`` is told (done, total) in each
    pass over all images, and may raise to end it.

    Raises
    ------
    FormatError
        It cannot be written, or not in this ``format``.
    ProjectError
        Images were reviewed, and none of them is in the data set.
    BoxscoutError
        The data set is damaged.
    """
    there = sum(reviewed.of(found) is not None for found in data_set.found()) if len(reviewed) else 0
    if len(reviewed) and not there:
        raise ProjectError(
            tr("None of the reviewed images is in the data set: choose the project of a sample.")
        )
    taught = taught_by(load_localizer(data_set.localizer), data_set.folder.name)
    stream = Stream(partial(_leaving, data_set, reviewed, on_image), selection)
    summary = export_stream(stream, out, format=format, options=replace(options, taught=taught))
    missing = data_set.made.images - sum(map(data_set.images_in, data_set.done()))
    notes = (
        (missing, _missing_note(missing)),
        (len(reviewed) - there, _elsewhere_note(len(reviewed) - there)),
    )
    return replace(summary, notes=(*summary.notes, *(note for count, note in notes if count)))


def _missing_note(count: int) -> str:
    return trn(
        "{count:,} image has not been looked at yet and is missing: start ‘localize’ again.",
        "{count:,} images have not been looked at yet and are missing: start ‘localize’ again.",
        count,
    )


def _elsewhere_note(count: int) -> str:
    return trn(
        "{count:,} reviewed image is not in the data set and is left out.",
        "{count:,} reviewed images are not in the data set and are left out.",
        count,
    )


def _leaving(data_set: DataSet, reviewed: Reviewed, on_image: OnImage) -> Iterator[Leaving]:
    total = data_set.made.images
    for done, found in enumerate(data_set.found()):
        on_image(done, total)
        yield Leaving(_as_reviewed(found, reviewed, data_set), partial(_opened, found))
    on_image(total, total)


def _as_reviewed(found: Found, reviewed: Reviewed, data_set: DataSet) -> ImageBoxes:
    said = reviewed.of(found)
    return as_found(found, data_set) if said is None else replace(said, name=found.image.name)


def as_found(found: Found, data_set: DataSet) -> ImageBoxes:
    """An image of ``data_set`` whose boxes say how they were read."""
    made = data_set.made
    boxes = tuple(replace(one, rule=made.rule, threshold=made.threshold) for one in found.image.boxes)
    return replace(found.image, boxes=boxes)


@contextmanager
def _opened(found: Found) -> Iterator[Path]:
    with local_file(as_entry(found)) as file:
        yield file.path


def as_entry(found: Found) -> Entry:
    """An image of a data set as one to be read, as it is now."""
    return Entry(found.address, found.image.name, UNKNOWN, "")
