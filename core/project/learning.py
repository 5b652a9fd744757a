"""Learning from frozen features into a run of the project."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.base.config import FeaturesConfig
from core.images.parallel import Failure
from core.images.scan import ImageFile
from core.learn.frozen import Learned, learn, threads_of
from core.maps.localizer import Localizer, load_localizer, save_localizer
from core.nets.features import Features, features_named
from core.project.runs import Run
from core.project.store import ImageRecord, Project

if TYPE_CHECKING:
    from core.nets.backbones import Agree  # which imports torch

KIND = "features"
"""Of a run that learns from frozen features."""


def features_of(config: FeaturesConfig, *, agree: Agree | None = None) -> Features:
    """The frozen network that ``config`` names; raises what :func:`features_named` raises."""
    return features_named(
        config.features,
        device=config.device,
        threads=threads_of(config),
        weights=None if config.weights is None else Path(config.weights),
        agree=agree,
    )


def saved_unit(run: Run) -> Localizer:
    """What was learned in ``run``; CheckpointError where that cannot be read."""
    return load_localizer(run.file)


def features_for(localizer: Localizer, config: FeaturesConfig) -> Features:
    """The network that ``localizer`` was learned on, with the rest as ``config`` has it.

    Raises
    ------
    FeaturesError
        It is not here, or is another one by now.
    BoxscoutError
        Images are to have a size for it that no training gives them.
    """
    weights = config.weights if config.features == localizer.features else None
    form = localizer.form
    features = features_of(config.with_(features=localizer.features, weights=weights, image_size=form.size))
    localizer.check(features)
    return features


def learn_and_save(
    project: Project,
    records: Sequence[ImageRecord],
    config: FeaturesConfig,
    features: Features,
    run: Run,
    *,
    on_failure: Callable[[ImageFile, Failure], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Generator[Learned, None, None]:
    """:func:`core.learn.frozen.learn`; what it comes to is saved in ``run`` before the last report.

    Images that cannot be used are marked in the project, and told to ``on_failure``. What was interrupted
    has saved nothing.
    """
    ids = {record.path: record.id for record in records}

    def failed(file: ImageFile, failure: Failure) -> None:
        project.set_failed({ids[file.path]: failure.reason})
        if on_failure is not None:
            on_failure(file, failure)

    files = [record.file for record in records]
    for report in learn(config, features, files, on_failure=failed, cancelled=cancelled):
        if report.complete and report.localizer is not None:
            save_localizer(run.file, report.localizer)
        yield report
