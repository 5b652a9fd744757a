"""What ``train`` and ``localize`` do with frozen features. torch is not imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from core.base.config import FeaturesConfig
from core.base.errors import Cancelled, CheckpointError, TrainingError
from core.base.presets import DEFAULT_PRESET, FEATURES_PRESETS
from core.cli import left_out
from core.cli.console import Bar, duration
from core.cli.job import Located, Wanted, images_text
from core.cli.preset_options import refuse_idle_seed
from core.cli.projects import project_to_train
from core.images.scan import RejectedFile
from core.learn.frozen import Learned
from core.maps.localizer import Localizer
from core.nets.features import Features
from core.nets.lite0 import NAME
from core.project.frozen import localize_by_features, other_runtime
from core.project.learning import KIND, features_for, features_of, learn_and_save, saved_unit
from core.project.runs import Run, newest_run
from core.project.search import note_training
from core.project.store import ImageRecord, Project
from core.project.workflow import add_folders, training_run


def train_by_features(
    paths: Sequence[Path],
    project_path: Path,
    preset: str,
    changes: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
    bar: Bar,
    stop: Event,
) -> dict[str, Any]:
    """Learn from frozen features into the project, by one of :data:`FEATURES_PRESETS`.

    Nothing is saved before the end, a minute away: what was interrupted begins again, with ``resume`` or
    without.

    Raises
    ------
    TrainingError
        There is a training that came to its end and can be read, and no ``restart``; or an option changes
        nothing.
    Cancelled
        ``stop`` was set.
    """
    agreed = changes.get("download", False)
    config = FEATURES_PRESETS[preset].with_(**{k: v for k, v in changes.items() if k != "download"})
    refuse_idle_seed(config, changes)
    _refuse_weights(config.features, config.weights, agreed=agreed)
    with project_to_train(project_path) as project:
        saved = newest_run(project, KIND)
        if saved is not None and not restart and _is_whole(saved):
            raise TrainingError(
                f"{saved.name} has learned from these features already: run 'localize' to find boxes, "
                "or add --restart for a new run beside it."
            )
        records = add_folders(project, paths)
        features = features_of(config, agree=(lambda _: True) if agreed else None)
        _note(bar, features)
        bar.part("Learning", 1.0)
        with training_run(project, KIND, preset=preset) as run:
            last, failed = _follow(project, records, config, features, run, bar, stop)
        project.save_view(replace(project.load_view(), config=config))
        unusable = left_out.not_used(project, paths, failed)
    result = {
        "text": f"Learned from {images_text(last.done)} in {duration(last.elapsed_s)}.",
        "stopped": False,
        "step": last.done,
        "elapsed_s": last.elapsed_s,
        "images": last.done,
        "features": features.name,
        "sha256": features.sha256,
        "runtime": features.version,
        "run": run.id,
        "checkpoint": str(run.file),
        "config": config.to_dict(),
    }
    return left_out.told(result, unusable)


def _is_whole(run: Run) -> bool:
    """Whether what ``run`` has learned can be read; where it is damaged, a new run takes its place."""
    try:
        saved_unit(run)
    except CheckpointError:
        return False
    return True


def _follow(
    project: Project,
    records: Sequence[ImageRecord],
    config: FeaturesConfig,
    features: Features,
    run: Run,
    bar: Bar,
    stop: Event,
) -> tuple[Learned, list[RejectedFile]]:
    """Learn to the end; the last report, and the images that could not be used."""
    last: Learned | None = None
    failed: list[RejectedFile] = []
    training = learn_and_save(
        project, records, config, features, run,
        on_failure=lambda file, failure: failed.append(RejectedFile(file.path, failure.reason)),
        cancelled=stop.is_set,
    )  # fmt: skip
    try:
        for last in training:
            bar.update(last.fraction, f"{last.done}/{last.images}")
            if stop.is_set() and not last.complete:
                raise Cancelled
    except Cancelled as error:
        raise Cancelled("Stopped; nothing was saved, the same command begins again.") from error
    assert last is not None, "where no image can be used, learning raises"
    note_training(project, run, complete=True)
    return last, failed


def locate_by_features(
    place: Project,
    project: Project,
    records: Sequence[ImageRecord],
    run: Run,
    wanted: Wanted,
    _paths: Sequence[Path],
    bar: Bar,
    stop: Event,
) -> Located:
    """Boxes into ``place`` by what was learned in ``run``."""
    localizer = saved_unit(run)
    features = features_to_use(project, localizer, wanted.weights, bar)
    note = "" if wanted.again else other_runtime(place.load_survey(), features.version)
    bar.part("Finding boxes", 1.0)
    found = localize_by_features(
        place,
        project,
        records,
        localizer,
        features,
        how=wanted.options,
        again=wanted.again,
        on_progress=bar.count,
        cancelled=stop.is_set,
    )
    failed = set(found.failed)
    reasons = {record.id: record.reason for record in project.images()}
    return Located(
        looked_at=frozenset(record.id for record in records) - failed,
        step=localizer.images,
        unusable=tuple(RejectedFile(r.path, reasons[r.id]) for r in records if r.id in failed),
        notes=(f"{note} (--again)",) if note else (),
    )


def features_to_use(project: Project, localizer: Localizer, weights: Path | None, bar: Bar) -> Features:
    """The network that ``localizer`` reads, with other ``weights`` where these are given."""
    _refuse_weights(localizer.features, weights)
    features = features_for(localizer, _config(project, weights))
    _note(bar, features)
    return features


def _refuse_weights(features: str, weights: object, *, agreed: bool = False) -> None:
    """TrainingError where weights are named, or a download is agreed to, that ``features`` would not use."""
    if weights and agreed and features != NAME:
        raise TrainingError("--weights names a file that is here, so leave out --download.")
    odd = [name for name, given in (("--weights", weights), ("--download", agreed)) if given]
    if odd and features == NAME:
        raise TrainingError(
            f"{NAME} brings its own weights, so leave out {', '.join(odd)}: "
            f"{'these are' if len(odd) > 1 else 'that is'} for --features timm/NAME."
        )


def _config(project: Project, weights: Path | None) -> FeaturesConfig:
    """The project's settings for features, with other ``weights`` where these are given."""
    config = project.load_view().config
    if not isinstance(config, FeaturesConfig):
        config = FEATURES_PRESETS[DEFAULT_PRESET]
    return config if weights is None else config.with_(weights=str(weights))


def _note(bar: Bar, features: Features) -> None:
    if features.note:
        bar.note(features.note)
