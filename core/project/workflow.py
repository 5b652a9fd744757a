"""The main job on a project, one function for each step; the window and the commands both call these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from core import PROGRAM
from core.base.errors import ImageError, ProjectError
from core.base.language import mark, tr
from core.images.pixels import Pixels, prepare_pixels
from core.images.scan import ImageFolder, are_only_films, none_found, scan_folder
from core.maps.localizer import Localizer, save_localizer
from core.project.learning import KIND
from core.project.runs import (
    Run,
    begin_run,
    forget_if_empty,
    forget_killed,
    lost_run,
    lost_sentence,
    newest_finished_run,
    newest_run,
    run_of,
    runs,
)
from core.project.search import OnProgress, note_training
from core.project.store import ImageRecord, Project

WITHOUT_LABELS = ("features", "gan")
"""Kinds of training that need no label of the person's, the default first."""
IMPORTED = "imported"
"""Preset of a run that was learned elsewhere."""
COMMANDS = {
    "features": (mark(" by frozen features"), "train"),
    "gan": (mark(" from scratch"), "train --preset scratch"),
    "cam": (mark(" with class labels"), "train-cam"),
}
"""How a kind of training is told from others, and the command that does it."""


def saved_run(project: Project, kind: str) -> Run:
    """The newest run of this ``kind``; ProjectError where there is none."""
    run = newest_run(project, kind)
    if run is None:
        raise no_training(project, *COMMANDS[kind])
    return run


def is_trained(project: Project) -> bool:
    """Whether any training of the project is saved."""
    return any(run.is_saved for run in runs(project))


def no_training(project: Project, named: str = "", command: str = "train") -> ProjectError:
    """What to raise where nothing was trained, or that is gone: it says by which command that is done."""
    kind, line = (tr(named) if named else ""), command_line(f"{command} PHOTOS", project.path)
    own = next((one for one, (text, _) in COMMANDS.items() if text == named), None)
    lost = lost_run(project, own)
    if lost is not None:
        text = tr("{lost} Put it back, or train again: {line}")
        return ProjectError(text.format(lost=lost_sentence(project, lost), line=line))
    text = tr("{path} holds no training{kind} yet; run '{command}' first: {line}")
    return ProjectError(text.format(path=project.path, kind=kind, command=command, line=line))


def command_line(command: str, project: Path) -> str:
    """What to type for a ``command`` with its arguments and options, on a ``project``."""
    return f"{PROGRAM} {command} --project {quote(str(project))}"


def run_to_use(project: Project, model: str | None = None, run_id: int | None = None) -> Run:
    """The run that finds boxes: ``run_id``, or the newest whose training came to its end.

    Parameters
    ----------
    model
        Of which kind; None for any of :data:`WITHOUT_LABELS`.

    Raises
    ------
    ProjectError
        There is none, or nothing of its training is there.
    """
    if run_id is not None and runs(project):
        wanted = run_of(project, run_id)
        if not wanted.is_saved:
            text = tr("{run} holds no training: choose another run, or train again.")
            raise ProjectError(text.format(run=wanted.name))
        return wanted
    kinds = WITHOUT_LABELS if model is None else (model,)
    found = [run for kind in kinds if (run := newest_finished_run(project, kind)) is not None]
    if not found:
        raise no_training(project, *(COMMANDS[model] if model else ()))
    finished = [run for run in found if run.finished]
    return max(finished or found, key=lambda run: run.id)


@contextmanager
def training_run(project: Project, kind: str, saved: Run | None = None, *, preset: str = "") -> Iterator[Run]:
    """The run to train: the ``saved`` one, or a new one beside all others.

    Where the body ends before anything of a new one was saved, there was none.
    """
    if saved is not None:
        yield saved
        return
    forget_killed(project)
    run = begin_run(project, kind, preset=preset)
    try:
        yield run
    finally:
        forget_if_empty(project, run)


def take_in(project: Project, unit: Localizer) -> Run:
    """A new run that is what was learned elsewhere, finished."""
    with training_run(project, KIND, preset=IMPORTED) as run:
        save_localizer(run.file, unit)
        note_training(project, run, complete=True)
    return run


def add_folders(project: Project, paths: Sequence[Path]) -> list[ImageRecord]:
    """Scan ``paths`` into the project and return the records of what they hold.

    Raises
    ------
    ImageError
        A path does not exist, or there is no image file under any of them.
    """
    found: ImageFolder = scan_folder(paths)
    project.add_rejected(found.rejected)
    if are_only_films(found.rejected) and not found.images:
        raise ImageError(none_found(paths, found.rejected))
    if not found.images:
        where = ", ".join(str(path) for path in paths)
        raise ImageError(tr("There is no image in {where}.").format(where=where))
    project.add_images(found.images)
    wanted = {file.path for file in found.images}
    return [record for record in project.images() if record.path in wanted]


def load_pixels(
    project: Project,
    records: Sequence[ImageRecord],
    *,
    size: int,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Pixels:
    """The pixels of ``records`` at the model's size; what cannot be used is marked in the project.

    Raises
    ------
    ImageError
        No image can be used.
    Cancelled
        ``cancelled()`` became true.
    """
    pixels = prepare_pixels(
        [record.file for record in records],
        size=size,
        cache_dir=project.data_dir,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    ids = {record.path: record.id for record in records}
    sizes = zip(pixels.files, pixels.sizes.tolist(), strict=True)
    project.set_sizes({ids[file.path]: (width, height) for file, (width, height) in sizes})
    project.set_failed({ids[file.path]: file.reason for file in pixels.rejected})
    return pixels
