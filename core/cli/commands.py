"""What the commands that measure do; results are plain values, fit for JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from core.base.annotations import ImageBoxes
from core.base.errors import BoxscoutError, ProjectError
from core.cli.console import Bar, complain
from core.cli.job import images_text
from core.cli.projects import existing_project
from core.evaluate.compare import Comparison, compare
from core.evaluate.matching import match_by_name
from core.evaluate.pixel_precision import pixel_average_precision, read_mask
from core.evaluate.report import Report
from core.evaluate.report import evaluate as evaluate_boxes
from core.evaluate.threshold_curve import Curve, threshold_curve, threshold_grid
from core.formats import tiny_imagenet
from core.formats.gather import ReadOptions
from core.formats.reading import read_truth
from core.project.file import SUFFIX
from core.project.queries import framing_rows, reviewed_images, under_priors
from core.project.workflow import command_line, is_trained, no_training


def run_evaluate(
    boxes: Path, truth: Path, *, images: Path | None, set_name: str | None, split: str | None
) -> Report:
    """The accuracy of a box file."""
    predicted, true = _boxes(boxes), _truth(truth, set_name, split)
    return evaluate_boxes(predicted, true, images_root=_images_root(images, truth, true))


def run_evaluate_project(
    project: Path, truth: Path, *, images: Path | None, set_name: str | None, split: str | None
) -> tuple[Report, str]:
    """The accuracy of a project's boxes where nobody has reviewed them, and what that leaves out."""
    predicted, reviewed = _unreviewed(project)
    true = _truth(truth, set_name, split)
    here = [true_one for _, true_one in match_by_name(predicted, true).pairs]  # all others count as missed
    note = f"Measured on images that nobody has reviewed; left out: {images_text(reviewed)}."
    report = evaluate_boxes(predicted, here, images_root=_images_root(images, truth, here))
    return report, note if reviewed else ""


def _unreviewed(path: Path) -> tuple[list[ImageBoxes], int]:
    """The images of a project that nobody has reviewed, with their boxes, and how many were.

    Raises
    ------
    ProjectError
        There is none.
    """
    with existing_project(path, to_read=True) as project:
        records, images = project.images(), project.image_boxes()
        reviewed = reviewed_images(project)
    rest = [own for record, own in zip(records, images, strict=True) if record.id not in reviewed]
    if not rest:
        raise ProjectError(f"All images of {path} are reviewed: none is left to measure on.")
    return rest, len(reviewed)


def run_compare(
    a: Path, b: Path, truth: Path, *, images: Path | None, set_name: str | None, split: str | None
) -> Comparison:
    """Two box files against the same truth and each other."""
    names = (f"A: {a.name}", f"B: {b.name}")
    first, second, true = _boxes(a), _boxes(b), _truth(truth, set_name, split)
    return compare(first, second, true, names=names, images_root=_images_root(images, truth, true))


def _images_root(images: Path | None, truth: Path, true: Sequence[ImageBoxes]) -> Path | None:
    """Where the images lie: as told, or beside the truth as in Tiny ImageNet's own folder."""
    beside = images is None and truth.is_dir() and bool(true) and (truth / true[0].name).is_file()
    return truth if beside else images


def run_curve(
    project_path: Path,
    truth: Path,
    *,
    rule: str,
    step: float,
    set_name: str | None,
    split: str | None,
    masks: Path | None,
    bar: Bar,
) -> tuple[Curve, float | None]:
    """The accuracy of the project's heat maps at every threshold, and PxAP where there are masks."""
    grid = threshold_grid(step)
    true = _truth(truth, set_name, split)
    with existing_project(project_path, to_read=True) as project:
        if not is_trained(project):
            raise no_training(project)
        records, images = project.images(), project.image_boxes()
        heat_maps = [project.heat_map(record.id) for record in records]
        ids = [record.id for record in records]
        priors = {i: prior for prior, some in under_priors(project, ids) for i in some}
        own = framing_rows(project, ids)
    bar.part("Measuring", 1.0)
    curve = threshold_curve(
        images,
        heat_maps,
        true,
        rule=rule,
        priors=[priors[i] for i in ids],
        framings=own,
        thresholds=grid,
        images_root=_common_root([record.root for record in records]),
        on_progress=bar.count,
    )
    if masks is None:
        return curve, None
    named = zip(images, heat_maps, strict=True)
    return curve, pixel_average_precision(_with_masks([(i.name, heat) for i, heat in named], masks))


def _with_masks(named: Sequence[tuple[str, Any]], folder: Path) -> Iterator[tuple[Any, Any]]:
    for name, heat in named:
        mask = read_mask(folder, name) if heat is not None else None
        if mask is not None:
            yield heat, mask


def _common_root(roots: Sequence[Path]) -> Path | None:
    """The folder that the names of a project's images start from; None where there is none."""
    try:
        return Path(os.path.commonpath(roots))
    except ValueError:  # two drives, or no image
        return None


def _boxes(path: Path) -> list[ImageBoxes]:
    """The boxes of a file or folder; where there is none, the error says which command writes one."""
    if not path.exists():
        line = command_line(f"export --format coco --out {quote(str(path))}", Path("birds.boxscout"))
        raise BoxscoutError(
            f"There are no boxes at {path}; run 'train' and 'localize' first, then 'export': {line}"
        )
    if path.suffix == SUFFIX:
        line = command_line("export --format coco --out boxes.json", path)
        raise BoxscoutError(f"{path} is a project, not a file of boxes; run 'export' first: {line}")
    return _read(path)


def _read(path: Path) -> list[ImageBoxes]:
    """The boxes at ``path``; what could not be read is told on the error stream."""
    options = ReadOptions()
    images = read_truth(path, options)
    for sentence in options.told.sentences():
        complain(sentence)
    return images


def _truth(path: Path, set_name: str | None, split: str | None) -> list[ImageBoxes]:
    if set_name is None and split is None:
        return _read(path)
    wnids = tiny_imagenet.SETS[set_name] if set_name else None
    truth = tiny_imagenet.read(path, wnids=wnids, split=split)
    if not truth:
        what = " ".join(filter(None, [f"the set “{set_name}”" if set_name else "", split and f"in {split}"]))
        raise BoxscoutError(
            f"{path} has no true boxes for {what}, so that nothing can be measured; its images can be "
            "localized and exported all the same."
        )
    return truth
