"""One export from choice to summary: what leaves is chosen, split where wanted, and written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from core.base.annotations import ImageBoxes, Status, in_class
from core.base.atomic import os_reason, temporary_name
from core.base.errors import FormatError, ImageError
from core.base.language import tr
from core.formats.common import PLAIN, ExportSummary, Format, WriteOptions
from core.formats.notes import Outdated
from core.formats.selection import Selection, labels_of, select, validation_names
from core.images.decoding import image_size

UP_TO_DATE = Outdated()
NO_FOLDERS: Mapping[str, str] = {}


def export(
    images: Sequence[ImageBoxes],
    path: Path,
    *,
    format: Format,
    selection: Selection | None = None,
    options: WriteOptions = PLAIN,
    outdated: Outdated = UP_TO_DATE,
    folders: Mapping[str, str] = NO_FOLDERS,
) -> ExportSummary:
    """Write what ``selection`` leaves of ``images``; by default all but what was rejected.

    ``folders`` are classes by the names of images: boxes without a class of their own leave in that one.

    The summary warns of those among them that are ``outdated``.

    With a share for validation, a format that has a place for it gets both parts; any other is written
    twice, to :func:`split_paths`, with the same numbers for the same classes.

    Raises
    ------
    FormatError
        Nothing is left to write, or it cannot be written; the files of before are then as they were.
    """
    if format.write is None:
        raise FormatError(tr("{title} is only read, and not written.").format(title=tr(format.title)))
    selection = selection or Selection()
    chosen = [_in_class(_sized(i, options), folders.get(i.name)) for i in select(images, selection)]
    written = [image for image in chosen if image.status is not Status.FAILED]
    if not any(image.boxes for image in written):
        raise FormatError(_nothing(images))
    counted = [image.name for image in written if image.boxes or not format.needs_box]
    val = validation_names(counted, share=selection.val_share, seed=selection.seed)
    options = replace(options, labels=tuple(labels_of(chosen)), val=val)
    if not val or format.splits:
        return _warned(format.write(chosen, path, options), written, outdated)
    if options.beside_images:
        raise FormatError(
            tr("Files saved beside their images cannot be split. Save them to a separate folder.")
        )
    parts = []
    with ExitStack() as undo:
        for is_val, place in zip((False, True), split_paths(path), strict=True):
            part = [image for image in chosen if (image.name in val) is is_val]
            undo.enter_context(_put_back(place))
            parts.append(format.write(part, place, options))
    return _warned(_together(path, parts), written, outdated)


@contextmanager
def _put_back(path: Path) -> Iterator[None]:
    """Where the body fails, what it wrote to ``path`` goes and what was there before comes back."""
    was_there = path.exists()
    aside = temporary_name(path.parent, "old")
    if was_there and path.is_file():
        try:
            shutil.copy2(path, aside)
        except OSError as error:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise FormatError(
                tr("“{name}” could not be written: {reason}.").format(name=path.name, reason=os_reason(error))
            ) from error
    try:
        yield
    except BaseException:
        if aside.exists():
            aside.replace(path)
        elif not was_there:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        raise
    finally:
        aside.unlink(missing_ok=True)


def split_paths(path: Path) -> tuple[Path, Path]:
    """Where the train and the validation part of a split go: ``boxes-train.csv`` and ``boxes-val.csv``."""
    train, val = (path.with_name(f"{path.stem}-{part}{path.suffix}") for part in ("train", "val"))
    return train, val


def _sized(image: ImageBoxes, options: WriteOptions) -> ImageBoxes:
    """``image`` with the size that its file tells, where it has boxes and nobody has looked yet."""
    source = options.sources.get(image.name)
    if image.width > 0 or not image.boxes or source is None:
        return image
    try:
        width, height = image_size(source)
    except ImageError:  # told where the format needs the file or the size
        return image
    return replace(image, width=width, height=height)


def _in_class(image: ImageBoxes, name: str | None) -> ImageBoxes:
    return replace(image, boxes=in_class(image.boxes, name)) if name else image


def _nothing(images: Sequence[ImageBoxes]) -> str:
    if not any(image.boxes for image in images):
        return tr("There is no box to export yet; find boxes first.")
    return tr("No box is left to export: accept some images, lower the score, or choose more classes.")


def _warned(summary: ExportSummary, images: Sequence[ImageBoxes], outdated: Outdated) -> ExportSummary:
    skipped = {one.name for one in summary.skipped}
    told = outdated.sentences(image for image in images if image.name not in skipped)
    return replace(summary, notes=(*summary.notes, *told))


def _together(path: Path, parts: Sequence[ExportSummary]) -> ExportSummary:
    return ExportSummary(
        path=parts[0].path if parts else path,
        images=sum(part.images for part in parts),
        boxes=sum(part.boxes for part in parts),
        without_box=sum(part.without_box for part in parts),
        clamped=sum(part.clamped for part in parts),
        failed=sum(part.failed for part in parts),
        collisions=sum(part.collisions for part in parts),
        skipped=tuple(one for part in parts for one in part.skipped),
        parts=tuple(parts),
    )
