"""What a project's trainings have come to: networks to read heat maps from, and whose map each image gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.base.devices import resolve_device
from core.base.errors import BoxscoutError
from core.base.language import tr
from core.learn import class_training as classify
from core.learn.labels import class_names
from core.learn.snapshots import chosen_snapshot
from core.nets.networks import Judge
from core.nets.resnet import PreActResNet34
from core.project.runs import Run
from core.project.store import ImageRecord


@dataclass(frozen=True)
class Localizer:
    """A network in evaluation mode, the step of its training, and the classes it knows, if any.

    ``reason`` says why this step was proposed, where it was.
    """

    network: Judge | PreActResNet34
    step: int
    image_size: int
    classes: tuple[str, ...] = ()
    reason: str = ""


def saved_localizer(run: Run, *, at: str = "last") -> Localizer:
    """The discriminator (``gan``) or the classifier (``cam``) that was trained in ``run``.

    Parameters
    ----------
    at
        Of the discriminator: which snapshot, as in :func:`core.learn.snapshots.chosen_snapshot`.

    Raises
    ------
    TrainingError
        No snapshot can be proposed.
    CheckpointError
        What was saved of it cannot be used.
    """
    if run.kind == "gan":
        gan, reason = chosen_snapshot(run.file, at)
        return Localizer(gan.discriminator, gan.step, gan.image_size, reason=reason)
    cam = classify.snapshot_of(classify.load(run.file))
    # Many times a discriminator's work: worth a graphics card where there is one.
    network = cam.network.to(resolve_device("auto"))
    return Localizer(network, cam.step, cam.image_size, cam.classes)


def known_classes(
    known: Sequence[str], records: Sequence[ImageRecord], folders: Sequence[Path]
) -> dict[int, int]:
    """The position in ``known`` of each image's own class, by image id; images of other classes have none."""
    names = class_names([record.path for record in records], folders, known=known)
    pairs = zip(records, names, strict=True)
    return {record.id: known.index(name) for record, name in pairs if name is not None}


def own_classes(
    known: Sequence[str], records: Sequence[ImageRecord], folders: Sequence[Path]
) -> dict[int, int]:
    """:func:`known_classes`, of which there must be some.

    Raises
    ------
    BoxscoutError
        No image is of any of them.
    """
    classes = known_classes(known, records, folders)
    if not classes:
        shown = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
        raise BoxscoutError(
            tr(
                "No image lies in a folder named after a class that was trained ({shown}): "
                "choose the folder that holds theirs, or add --predicted-class."
            ).format(shown=shown)
        )
    return classes
