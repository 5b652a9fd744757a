"""The command ``train-cam``."""

from __future__ import annotations

from typing import Annotated, Any

from core.base.config import ClassifierConfig
from core.base.presets import CLASSIFIER_PRESETS, DEFAULT_CLASSIFIER_PRESET
from core.cli.settings_options import with_settings
from core.cli.shared import (
    AsJson,
    Folders,
    ProjectFile,
    Restart,
    Resume,
    SetName,
    one_of,
    run_training,
)


@with_settings(
    ClassifierConfig,
    ("steps", "minutes", "width", "image_size", "batch_size", "augmentation", "hide", "seed", "device"),
    words={"image_size": "32, 64 or 128 pixels."},
)
def train_cam(
    folders: Folders,
    project: ProjectFile,
    settings: dict[str, Any],
    preset: Annotated[
        str | None, one_of(CLASSIFIER_PRESETS, f"Default: {DEFAULT_CLASSIFIER_PRESET}.")
    ] = None,
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

    run_training(
        run_train_cam, folders, project, preset, settings,
        resume=resume, restart=restart, set_name=set_, as_json=as_json,
    )  # fmt: skip
