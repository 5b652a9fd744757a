"""The command ``train-cam``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from core.base.config import DEVICES
from core.base.presets import CLASSIFIER_PRESETS, DEFAULT_CLASSIFIER_PRESET
from core.cli.shared import (
    AsJson,
    Augmentation,
    Folders,
    ProjectFile,
    Restart,
    Resume,
    SetName,
    one_of,
    run_training,
)


def train_cam(
    folders: Folders,
    project: ProjectFile,
    preset: Annotated[
        str | None, one_of(CLASSIFIER_PRESETS, f"Default: {DEFAULT_CLASSIFIER_PRESET}.")
    ] = None,
    steps: Annotated[Optional[int], typer.Option(help="Batches in all.")] = None,  # noqa: UP045
    minutes: Annotated[Optional[float], typer.Option(help="Training time in all, in minutes.")] = None,  # noqa: UP045
    width: Annotated[Optional[int], typer.Option(help="Channels of the first group.")] = None,  # noqa: UP045
    image_size: Annotated[Optional[int], typer.Option(help="32, 64 or 128 pixels.")] = None,  # noqa: UP045
    batch_size: Annotated[Optional[int], typer.Option(help="Images per step.")] = None,  # noqa: UP045
    augmentation: Augmentation = None,
    seed: Annotated[Optional[int], typer.Option(help="The same seed gives the same training.")] = None,  # noqa: UP045
    device: Annotated[Optional[str], one_of(DEVICES, "Where to train.")] = None,  # noqa: UP045
    resume: Resume = False,
    restart: Restart = False,
    set_: SetName = None,
    as_json: AsJson = False,
) -> None:
    """Train the published baseline that needs class labels.

    'localize --model cam' then uses it. The class of an image is its folder: the first one below FOLDERS,
    or, where several FOLDERS are given, each of them. Tiny ImageNet's own layout is known, and --set picks
    a set of it.
    """
    from core.cli.cam_commands import run_train_cam

    settings = {
        "steps": steps,
        "minutes": minutes,
        "width": width,
        "image_size": image_size,
        "batch_size": batch_size,
        "augmentation": augmentation,
        "seed": seed,
        "device": device,
    }
    run_training(
        run_train_cam, folders, project, preset, settings,
        resume=resume, restart=restart, set_name=set_, as_json=as_json,
    )  # fmt: skip
