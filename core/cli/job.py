"""The commands of the main job, ``train`` and ``localize``; what each way of learning does lies beside it.

Results are plain dictionaries, fit for JSON. What needs torch is imported where it is needed: frozen features
do without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from core.base.annotations import auto_boxes
from core.base.errors import BoxscoutError
from core.base.language import trn
from core.base.presets import DEFAULT_PRESET, FEATURES_PRESETS, SCRATCH_PRESET
from core.boxes.no_object import LIKELY
from core.boxes.options import BoxOptions
from core.boxes.rules import default_rule
from core.cli import left_out
from core.cli.console import Bar
from core.cli.one_process import FEATURES_ALONE, in_one_process
from core.cli.preset_options import refuse_unused
from core.cli.projects import existing_project
from core.formats import tiny_imagenet
from core.images.scan import RejectedFile
from core.project import resized
from core.project.claim import COMMAND, claim
from core.project.learning import KIND
from core.project.queries import held_among
from core.project.results import results_of, take
from core.project.runs import Run, runs
from core.project.workflow import WITHOUT_LABELS, add_folders, run_to_use


def chosen_paths(folders: Sequence[Path], set_name: str | None, split: str | None) -> Sequence[Path]:
    """The folders, or with a set's name the image files of that set below the only one."""
    if set_name is None:
        return folders
    if len(folders) != 1:
        raise BoxscoutError("With --set, give one folder: the one that holds Tiny ImageNet's train and val.")
    return tiny_imagenet.images_of(folders[0], set_name, split)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What ``localize`` was asked for; None and False for what was not said.

    ``looks``, ``long_side``, ``at`` and ``predicted_class`` speak of networks trained from scratch, ``again``
    and ``weights`` of frozen features.
    """

    rule: str | None = None
    threshold: float | None = None
    max_boxes: int = 1
    at: str = "last"
    predicted_class: bool = False
    looks: str | None = None
    long_side: int | None = None
    again: bool = False
    weights: Path | None = None

    @property
    def options(self) -> BoxOptions:
        """How heat maps become boxes."""
        return BoxOptions(self.rule or "", self.threshold, max_boxes=self.max_boxes)

    def of_scratch(self) -> list[str]:
        """The options given that frozen features do not have."""
        given = {
            "--at": self.at != "last",
            "--predicted-class": self.predicted_class,
            "--looks": self.looks is not None,
            "--long-side": self.long_side is not None,
        }
        return [name for name, is_given in given.items() if is_given]

    def of_features(self) -> list[str]:
        """The options given that only frozen features have."""
        given = {"--again": self.again, "--weights": self.weights is not None}
        return [name for name, is_given in given.items() if is_given]


@dataclass(frozen=True, kw_only=True)
class Located:
    """What a search for boxes came to: the ``looked_at`` images' ids, what was ``unusable``, and what to say.

    ``others`` are images left out because they are of no class that was trained.
    """

    looked_at: frozenset[int]
    step: int
    unusable: tuple[RejectedFile, ...] = ()
    others: int = 0
    notes: tuple[str, ...] = ()


def run_train(
    folders: Sequence[Path],
    project_path: Path,
    preset: str | None,
    changes: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
    bar: Bar,
    stop: Event,
    set_name: str | None = None,
) -> dict[str, Any]:
    """Train into the project, by frozen features or, with another preset, from scratch.

    With ``set_name`` the one folder is Tiny ImageNet's, and its train images of that set are used.
    """
    paths = chosen_paths(folders, set_name, "train")
    if preset is None and resume and _newest_kind(project_path) == "gan":
        preset = ""  # whatever it was begun with
    ways = {"resume": resume, "restart": restart}
    used = preset if preset is not None else DEFAULT_PRESET
    refuse_unused(used or SCRATCH_PRESET, changes)
    if used in FEATURES_PRESETS:
        in_one_process(FEATURES_ALONE)
        from core.cli.features_commands import train_by_features

        return train_by_features(paths, project_path, used, changes, **ways, bar=bar, stop=stop)
    from core.cli.gan_commands import train_from_scratch

    return train_from_scratch(paths, project_path, preset or None, changes, **ways, bar=bar, stop=stop)


def _newest_kind(path: Path) -> str:
    """Of which kind the newest training without labels in the project at ``path`` is; empty without one."""
    if not path.exists():
        return ""
    with existing_project(path, to_read=True) as project:
        known = [run for run in runs(project) if run.kind in WITHOUT_LABELS and run.is_saved]
    return known[-1].kind if known else ""


def run_localize(
    folders: Sequence[Path],
    project_path: Path,
    wanted: Wanted,
    *,
    bar: Bar,
    stop: Event,
    set_name: str | None = None,
    model: str | None = None,
    run_id: int | None = None,
) -> dict[str, Any]:
    """A box for every image of ``folders``, into the project.

    They are found by the newest finished run, or by ``run_id``, from which all boxes come then.

    With ``set_name`` the one folder is Tiny ImageNet's, and its train and val images of that set are used.
    ``model`` is a kind of run, None for any that needs no labels.
    """
    paths = chosen_paths(folders, set_name, None)
    with claim(project_path, COMMAND), existing_project(project_path) as project:
        run = run_to_use(project, model, run_id)
        _check_options(run, wanted)
        rule = wanted.rule or default_rule(run.kind)
        records = add_folders(project, paths)
        held = held_among(project, [record.id for record in records])
        locate = _locate(run)
        with results_of(project, run) as place:
            located = locate(place, project, records, run, replace(wanted, rule=rule), paths, bar, stop)
        take(project, run)
        view = replace(project.load_view(), rule=rule, threshold=wanted.threshold, max_boxes=wanted.max_boxes)
        project.save_view(view)
        survey, boxes = project.load_survey(), project.all_boxes()
        count = sum(len(auto_boxes(boxes.get(i, ()))) for i in located.looked_at)
        no_object = project.no_object()
        empty = sum(no_object.get(i, 0.0) > LIKELY for i in located.looked_at)
        resizes = resized.summary(resized.former_sizes(project))
        unusable = left_out.not_used(project, paths, located.unusable)
    sure = survey.sureness if survey else None
    kept = len(held & located.looked_at)
    boxes_found = trn("{count:,} box", "{count:,} boxes", count)
    text = (
        f"Found {boxes_found} in {images_text(len(located.looked_at))} with {run.name}, {_by(run, located)}."
    )
    text += "".join(f" {note}" for note in located.notes)
    if kept:
        text += f" {kept} edited or accepted {'images were' if kept > 1 else 'image was'} left alone."
    text += left_out.sentence(unusable)
    if resizes:
        text += f" {resizes}"
    if located.others:
        text += (
            f" Images left out, because they lie in no folder of a class that was trained: {located.others}."
        )
    text += left_out.lines(unusable)
    if sure is not None:
        text += f"\n{sure.sentence()}"
    if empty:
        text += f"\n{images_text(empty)} may show no object (probability above {100 * LIKELY:.0f} %)."
    return {
        "text": text, "boxes": count, "edited": kept, "step": located.step, "rule": rule,
        "failed": left_out.in_json(unusable),
        "run": run.id, "model": run.kind, "other_classes": located.others, "may_show_no_object": empty,
        "sureness": None if sure is None else {**asdict(sure), "beyond_chance": sure.beyond_chance},
    }  # fmt: skip


def _by(run: Run, located: Located) -> str:
    return f"learned from {images_text(located.step)}" if run.kind == KIND else f"step {located.step}"


def images_text(count: int) -> str:
    """How many images there are, in words."""
    return trn("{count:,} image", "{count:,} images", count)


def _check_options(run: Run, wanted: Wanted) -> None:
    """BoxscoutError where an option was given that this kind of run does not have."""
    odd = wanted.of_scratch() if run.kind == KIND else wanted.of_features()
    if odd:
        other = "trained from scratch" if run.kind == KIND else "that learned from frozen features"
        raise BoxscoutError(f"{run.name} has no {', '.join(odd)}: choose with --run one {other}.")


def _locate(run: Run) -> Callable[..., Located]:
    """What finds boxes by a run of this kind."""
    if run.kind == KIND:
        from core.cli.features_commands import locate_by_features

        return locate_by_features
    from core.cli.gan_commands import locate_from_scratch

    return locate_from_scratch
