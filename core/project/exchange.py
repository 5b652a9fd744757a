"""Between a project and files of boxes: what can leave it, and earlier work that comes in."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.errors import BoxscoutError, FormatError, ImageError, as_reason
from core.base.language import short, tr, trn
from core.evaluate.matching import match_by_name
from core.formats.common import Skipped
from core.formats.gather import ReadOptions
from core.formats.labelme import place_of
from core.formats.notes import Outdated, outside_note
from core.formats.reading import read_truth
from core.formats.selection import Selection
from core.images.decoding import image_size
from core.images.exif import Position
from core.project.class_folders import by_folder, folder_classes
from core.project.edits import BoxesEdit, Edit, ReviewEdit, StatusEdit, TruthEdit
from core.project.names import export_names
from core.project.queries import boxes_of_earlier_maps, held_among, kept
from core.project.resized import former_sizes
from core.project.rows import Kept
from core.project.store import ImageRecord, Project, ProjectView
from core.project.taken import positions, read_times, taken_times
from core.project.truth import true_boxes

_SHOWN = 5


ALL = Selection()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a file holds for a project: ``boxes`` by image id, and the ids of images that it shows ``empty``.

    Empty ones change nothing, but with :meth:`with_blanks`; one that shows no object by its status there is
    among ``boxes``. Boxes of those that are ``rejected`` there come in as such. A person has set, taken away
    or accepted the boxes of the images ``held``. ``sizes`` are (width, height), by id, of images whose size
    the project did not know yet; ``classes`` are those that their folders name. ``unknown`` are names in the
    file that no image of the project has; ``skipped`` images fit by name and not otherwise; ``outside``
    counts boxes that show nothing of their image. ``told`` are sentences on what of the file could not be
    read, or fits more than one image.
    """

    path: Path
    boxes: dict[int, tuple[BoxRecord, ...]]
    sizes: dict[int, tuple[int, int]]
    held: frozenset[int]
    unknown: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    empty: tuple[int, ...] = ()
    rejected: frozenset[int] = frozenset()
    classes: Mapping[int, str] = field(default_factory=dict)
    outside: int = 0
    told: tuple[str, ...] = ()

    @property
    def without_box(self) -> int:
        """How many images the file shows empty."""
        return len(self.empty)

    def labels(self) -> dict[str, int]:
        """Every class of the boxes with their number, by first appearance."""
        return dict(Counter(record.label for boxes in self.boxes.values() for record in boxes))

    def only(self, wanted: Selection) -> ImportPlan:
        """This with the boxes that ``wanted`` has; an image that loses all of them is one without a box."""
        kept = {i: tuple(filter(wanted.has, boxes)) for i, boxes in self.boxes.items()}
        boxes = {i: some for i, some in kept.items() if some or not self.boxes[i]}
        empty = (*self.empty, *(kept.keys() - boxes.keys() - self.rejected))
        return replace(self, boxes=boxes, empty=empty)

    def status_of(self, image_id: int, wanted: Status) -> Status:
        """What an image becomes whose boxes are imported: ``wanted``, where the file does not say more."""
        if image_id in self.rejected:
            return Status.REJECTED
        return wanted if self.boxes[image_id] else Status.NO_OBJECT

    @property
    def held_boxes(self) -> int:
        """How many images with boxes in the file are ``held``."""
        return len(self.held & self.boxes.keys())

    def by_folder(self) -> ImportPlan:
        """This with boxes without a class of their own in that of their image's folder."""
        return replace(self, boxes=by_folder(self.boxes, self.classes))

    def with_blanks(self) -> ImportPlan:
        """This with images that the file shows without a box as such: they show no object."""
        return replace(self, boxes={**self.boxes, **dict.fromkeys(self.empty, ())}, empty=())

    def count(self, *, replace_held: bool) -> tuple[int, int]:
        """How many images and boxes :func:`import_boxes` would write."""
        written = [b for i, b in self.boxes.items() if replace_held or i not in self.held]
        return len(written), sum(map(len, written))

    def lines(self) -> list[str]:
        """What will not come in, and why, as sentences."""
        lines = list(self.told)
        if self.unknown:
            names = ", ".join(tr("“{name}”").format(name=short(name)) for name in self.unknown[:3])
            more = ", …" if len(self.unknown) > 3 else ""
            lines.append(
                tr("Not in this project: {images} ({names}{more}).").format(
                    images=_images(len(self.unknown)), names=names, more=more
                )
            )
        lines += [
            tr("Left out “{name}”: {reason}.").format(name=short(one.name), reason=one.reason)
            for one in self.skipped[:_SHOWN]
        ]
        if len(self.skipped) > _SHOWN:
            lines.append(
                tr("Left out for such reasons too: {images}.").format(
                    images=_images(len(self.skipped) - _SHOWN)
                )
            )
        lines += outside_note(self.outside)
        if self.without_box:
            lines.append(
                tr("No box in the file, left unchanged: {images}.").format(images=_images(self.without_box))
            )
        return lines


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import wrote, ``as_truth`` or as boxes; ``edit.inverse`` takes it back.

    ``kept`` images were left alone, since a person has set or accepted their boxes.
    """

    path: Path
    images: int
    boxes: int
    kept: int
    plan: ImportPlan
    edit: Edit
    as_truth: bool = False

    def lines(self) -> list[str]:
        """The summary as sentences, what was done first."""
        if self.as_truth:
            boxes = trn("{count} true box", "{count} true boxes", self.boxes)
            images = trn("{count} image", "{count} images", self.images)
            first = tr("Imported {boxes} of {images} from {path}.").format(
                boxes=boxes, images=images, path=self.path
            )
            return [first, tr("Used for measuring only. Your boxes are unchanged."), *self.plan.lines()]
        boxes = trn("{count:,} box", "{count:,} boxes", self.boxes)
        left = tr("Kept, because you edited or accepted their boxes: {0}.").format(_images(self.kept))
        first = tr("Imported {boxes} into {images} from {path}.").format(
            boxes=boxes, images=_images(self.images), path=self.path
        )
        return [first, *([left] if self.kept else []), *self.plan.lines()]

    def to_dict(self) -> dict[str, Any]:
        """The summary for JSON."""
        return {
            "path": str(self.path),
            "images": self.images,
            "boxes": self.boxes,
            "kept": self.kept,
            "unknown": list(self.plan.unknown),
            "skipped": [asdict(one) for one in self.plan.skipped],
            "without_box": self.plan.without_box,
            "outside": self.plan.outside,
            "told": list(self.plan.told),
        }


def exportable(
    project: Project,
    *,
    with_gps: bool = False,
    on_file: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[ImageBoxes], dict[str, Path]]:
    """The project's images with their boxes, and where each one's file lies, by name.

    Photos whose time is not known yet are opened for it. Only ``with_gps`` says where they were taken.
    ``on_file`` is told (done, total) and may raise to end it.
    """
    new = read_times(project, on_progress=on_file)
    images, records = project.image_boxes(), project.images()
    times = taken_times(project) | {i: one.time for i, one in new.items() if one.time}
    places: dict[int, Position] = {}
    if with_gps:  # those whose header has just been read say it already
        places = {i: one.position for i, one in new.items() if one.position is not None}
        places |= positions([one for one in records if one.id not in new], on_progress=on_file)
    # Images may have been added in between; they come last.
    known = list(zip(images, records, strict=False))
    told = [
        replace(image, taken=times.get(one.id, ""), position=places.get(one.id))
        if one.id in times or one.id in places
        else image
        for image, one in known
    ]
    return told, {image.name: one.path for image, one in known}


def outdated_images(project: Project) -> Outdated:
    """Which images' boxes an export had better warn of."""
    earlier, changed = set(boxes_of_earlier_maps(project)), set(former_sizes(project))
    if not earlier and not changed:
        return Outdated()
    by_id = {record.id: name for name, record in _by_name(project).items()}
    return Outdated(*(frozenset(by_id[i] for i in ids if i in by_id) for ids in (earlier - changed, changed)))


def classes_by_name(project: Project) -> dict[str, str]:
    """The class that each image's folder names, by the name that the image has in exports."""
    records = {record.id: name for name, record in _by_name(project).items()}
    return {records[i]: label for i, label in folder_classes(project.images()).items() if i in records}


def plan_import(project: Project, path: Path, wanted: Selection = ALL) -> ImportPlan:
    """Read the boxes at ``path`` and find their images in ``project``; nothing is changed.

    Images match by name as :func:`core.evaluate.matching.match_by_name` has it. One whose size in the file is
    not its size here is left out: its boxes were made on other pixels.

    Raises
    ------
    FormatError
        The file cannot be understood, or none of its images is in the project.
    """
    by_name = _by_name(project)
    options = ReadOptions(places=_places(by_name))
    found = read_truth(path, options)
    matches = match_by_name(found, [ImageBoxes(name, 0, 0) for name in by_name])
    if not matches.pairs:
        raise FormatError(matches.doubt() or _no_image(path, found))
    boxes: dict[int, tuple[BoxRecord, ...]] = {}
    sizes: dict[int, tuple[int, int]] = {}
    skipped: list[Skipped] = []
    empty: list[int] = []
    rejected: set[int] = set()
    outside = 0
    for theirs, ours in matches.pairs:
        record = by_name[ours.name]
        try:
            width, height = _size(theirs, record)
        except ImageError as error:
            skipped.append(Skipped(theirs.name, as_reason(error)))
            continue
        if not record.width:
            sizes[record.id] = width, height
        fitted = _fitted(theirs.in_pixels(width, height), width, height)
        outside += len(theirs.boxes) - len(fitted)
        shows_none = theirs.status is Status.NO_OBJECT and not theirs.boxes
        if theirs.status is Status.REJECTED:
            rejected.add(record.id)
        elif not theirs.boxes and not shows_none:
            empty.append(record.id)
        if fitted or shows_none:
            boxes[record.id] = fitted
    plan = ImportPlan(
        path=path,
        boxes=boxes,
        sizes=sizes,
        held=frozenset(held_among(project, (*boxes, *empty))),
        unknown=tuple(image.name for image in matches.extra),
        skipped=tuple(skipped),
        empty=tuple(empty),
        rejected=frozenset(rejected),
        classes=folder_classes([by_name[ours.name] for _, ours in matches.pairs]),
        outside=outside,
        told=tuple(filter(None, (*options.told.sentences(), matches.doubt()))),
    )
    return plan.only(wanted)


def _no_image(path: Path, found: Sequence[ImageBoxes]) -> str:
    name = tr(", such as “{name}”").format(name=short(found[0].name)) if found else ""
    return tr("None of the images in “{name}”{example} is in this project.").format(
        name=path.name, example=name
    )


def import_boxes(
    project: Project, plan: ImportPlan, *, status: Status = Status.UNSEEN, replace_held: bool = False
) -> ImportSummary:
    """Write the boxes of ``plan`` as edited ones, so that no automatic run undoes them.

    ``status`` is what the images become, ``ACCEPTED`` or ``UNSEEN``; one that shows no object becomes
    ``NO_OBJECT``, one that is rejected in the file ``REJECTED``. An image whose boxes a person has set, taken
    away or accepted is left alone unless ``replace_held``.
    """
    if status not in (Status.ACCEPTED, Status.UNSEEN):
        raise BoxscoutError(tr("Imported images become accepted or unseen."))
    with project.transaction():
        project.set_sizes(plan.sizes)
        # Asked again: more may have been edited since the plan was made.
        before, held = kept(project, plan.boxes), held_among(project, plan.boxes)
        written = {i: boxes for i, boxes in plan.boxes.items() if replace_held or i not in held}
        statuses = {image.id: image.status for image in project.images() if image.id in written}
        edit = ReviewEdit(
            BoxesEdit({i: before[i] for i in written}, {i: Kept(written[i], edited=True) for i in written}),
            StatusEdit(statuses, {i: plan.status_of(i, status) for i in statuses}),
        )
        edit.apply(project, ProjectView())
    return ImportSummary(
        path=plan.path,
        images=len(written),
        boxes=sum(len(plan.boxes[i]) for i in written),
        kept=len(plan.boxes) - len(written),
        plan=plan,
        edit=edit,
    )


def import_truth(project: Project, plan: ImportPlan) -> ImportSummary:
    """Keep the boxes of ``plan`` as true ones, to measure by; boxes and statuses of the project stay.

    They take the place of true boxes that these images had before.
    """
    with project.transaction():
        project.set_sizes(plan.sizes)
        boxes = {i: own for i, own in plan.boxes.items() if own}
        edit = _truth_edit(project, boxes)
    return ImportSummary(
        path=plan.path,
        images=len(boxes),
        boxes=sum(map(len, plan.boxes.values())),
        kept=0,
        plan=plan,
        edit=edit,
        as_truth=True,
    )


def remove_truth(project: Project) -> TruthEdit:
    """Forget all true boxes; the boxes of the project stay. What was done, as an edit."""
    with project.transaction():
        return _truth_edit(project, dict.fromkeys(true_boxes(project), ()))


def _truth_edit(project: Project, after: Mapping[int, tuple[BoxRecord, ...]]) -> TruthEdit:
    before = true_boxes(project, after)
    edit = TruthEdit({i: before.get(i, ()) for i in after}, after)
    edit.apply(project, ProjectView())
    return edit


def _by_name(project: Project) -> dict[str, ImageRecord]:
    """The project's images in their order, by the names that they have in exports."""
    records = project.images()
    return dict(zip(export_names([(one.root, one.name) for one in records]), records, strict=True))


def _places(images: Mapping[str, ImageRecord]) -> dict[str, str]:
    """The names of images by where they lie."""
    roots = {root: place_of(root, ".") for root in {record.root for record in images.values()}}
    return {f"{roots[record.root]}{os.sep}{record.name}": name for name, record in images.items()}


def _size(theirs: ImageBoxes, record: ImageRecord) -> tuple[int, int]:
    """Width and height of the image here; ImageError, as the end of a sentence, where boxes do not fit it."""
    if Status.FAILED in (record.status, theirs.status):
        raise ImageError(record.reason or theirs.reason or tr("the image could not be used"))
    width, height = (record.width, record.height) if record.width else image_size(record.path)
    if theirs.width and theirs.height and (theirs.width, theirs.height) != (width, height):
        size = f"{theirs.width} x {theirs.height}"
        raise ImageError(
            tr("it has {size} pixels in the file and {width} x {height} here").format(
                size=size, width=width, height=height
            )
        )
    return width, height


def _fitted(theirs: ImageBoxes, width: int, height: int) -> tuple[BoxRecord, ...]:
    """The boxes as the project keeps them."""
    clamped = ((one.box.clamped(width, height), one) for one in theirs.boxes)
    return tuple(
        BoxRecord(box, label=one.label, score=one.score, source=Source.EDITED)
        for box, one in clamped
        if box.area > 0
    )


def _images(number: int) -> str:
    return trn("{count:,} image", "{count:,} images", number)
