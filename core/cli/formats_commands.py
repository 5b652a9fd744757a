"""What ``export`` and ``import`` do; results are plain dictionaries, fit for JSON."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from core.base.annotations import Status, auto_boxes
from core.base.errors import Cancelled, ProjectError
from core.cli.console import Bar
from core.cli.projects import existing_project
from core.formats import FORMATS, Selection, WriteOptions, export
from core.images import cifar10
from core.project.claim import COMMAND, claim
from core.project.exchange import (
    ALL,
    classes_by_name,
    exportable,
    import_boxes,
    outdated_images,
    plan_import,
)
from core.project.provenance import provenance
from core.project.results import results_file
from core.project.runs import current_run, newest_finished_run
from core.project.store import Project
from core.project.workflow import command_line, is_trained, no_training


def run_export(
    project_path: Path,
    format_name: str,
    out: Path,
    *,
    selection: Selection | None = None,
    options: WriteOptions | None = None,
    folder_classes: bool = False,
    bar: Bar,
    stop: Event,
    share: float = 1.0,
) -> dict[str, Any]:
    """Write the project's boxes, as ``share`` of the work shown; ``text`` says what was written."""

    def on_file(done: int, total: int) -> None:
        if stop.is_set():
            raise Cancelled("Stopped; nothing was exported.")
        bar.count(done, total)

    options = options or WriteOptions()
    with existing_project(project_path, to_read=True) as project:
        images, sources = exportable(project, with_gps=options.with_gps, on_file=on_file)
        if not any(image.boxes for image in images):
            raise _no_boxes(project)
        folders = classes_by_name(project) if folder_classes else {}
        outdated, is_behind = outdated_images(project), _is_behind(project)
        taught = provenance(project)
    bar.part("Writing", share)
    options = replace(options, sources=sources, on_file=on_file, taught=taught)
    summary = export(
        images,
        out,
        format=FORMATS[format_name],
        selection=selection,
        options=options,
        outdated=outdated,
        folders=folders,
    )
    if is_behind and any(auto_boxes(image.boxes) for image in images):
        bar.note(
            "These boxes are of an earlier training: the project was trained since they were found, "
            "so run 'localize' and export again for those of the newest."
        )
    return {"text": "\n".join(summary.lines()), **summary.to_dict()}


def _no_boxes(project: Project) -> ProjectError:
    """What to raise where there is nothing to export yet: it says which command comes first."""
    if not is_trained(project):
        return no_training(project)
    line = command_line("localize PHOTOS", project.path)
    return ProjectError(f"{project.path} holds no box yet; run 'localize' first: {line}")


def _is_behind(project: Project) -> bool:
    """Whether what made the boxes was trained since, or a newer run has not looked for any yet."""
    survey, current = project.load_survey(), current_run(project)
    newest = None if current is None else newest_finished_run(project, current.kind)
    is_new = newest is not None and current is not None and newest.id > current.id
    if newest is not None and is_new and not results_file(project, newest).exists():
        return True
    return survey is not None and survey.superseded


def run_import_boxes(
    path: Path,
    project_path: Path,
    wanted: Selection,
    *,
    status: str,
    replace_edited: bool,
    folder_classes: bool = False,
    blanks: bool = False,
) -> dict[str, Any]:
    """Boxes made elsewhere into the project; ``text`` says what came in."""
    with claim(project_path, COMMAND), existing_project(project_path) as project:
        plan = plan_import(project, path, ALL if folder_classes else wanted)
        plan = plan.by_folder().only(wanted) if folder_classes else plan
        plan = plan.with_blanks() if blanks else plan
        summary = import_boxes(project, plan, status=Status(status), replace_held=replace_edited)
    return {"text": "\n".join(summary.lines()), **summary.to_dict()}


def run_import_archive(archive: Path, out: Path, *, bar: Bar, stop: Event) -> dict[str, Any]:
    """CIFAR-10's binary version as PNG files, a folder for each class."""
    bar.part("Unpacking", 1.0)
    result = cifar10.unpack(archive, out, on_progress=bar.count, cancelled=stop.is_set)
    return {
        "text": f"Wrote {result.images:,} images below {result.folder}.",
        "folder": str(result.folder),
        "images": result.images,
    }
