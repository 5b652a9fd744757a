"""Boxes out of the project into a file, and earlier ones from a file into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.controllers.editing import EditingController
from app.controllers.job import Controller, Job
from app.models.export import ExportRequest, ImportRequest, Listed
from app.models.session import Session
from app.pump import Pump
from app.worker import Worker, no_error_once_stopped
from core.base.errors import BoxscoutError, Cancelled
from core.base.language import tr
from core.boxes.options import BoxOptions
from core.formats import WRITTEN, ExportSummary, export
from core.formats.export import NO_FOLDERS
from core.project.class_folders import folder_classes
from core.project.decide import decide
from core.project.exchange import (
    ImportPlan,
    ImportSummary,
    classes_by_name,
    exportable,
    import_boxes,
    import_truth,
    outdated_images,
    plan_import,
)
from core.project.found_truth import FoundTruth, truth_beside
from core.project.provenance import provenance
from core.project.store import ImageRecord, Project


class ExportController(Controller):
    """Writes in a thread; the boxes are first brought up to the threshold in force."""

    listed = Signal(object)
    """The :class:`Listed` of an export now."""
    exported = Signal(object)
    """The :class:`~core.formats.ExportSummary` of a finished export."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._writing = Job(session, pump, "export")

    def list_images(self) -> None:
        project, options = self._session.project, self._session.view.options
        if project is not None:
            self._pump.run("list", lambda _: _listed(project, options), on_done=self.listed.emit)

    def export(self, request: ExportRequest) -> None:
        project, options, text = self._session.project, self._session.view.options, tr("Exporting…")
        if project is not None:
            self._writing.start(
                lambda worker: _export(worker, project, options, request),
                text=text,
                on_items=lambda items: self._writing.tell(text, *items[-1]),
                on_done=self.exported.emit,
            )

    def stop(self) -> None:
        self._writing.stop()


class ImportController(Controller):
    """Looks first what a file holds for the project, then brings it in."""

    planned = Signal(object)
    """The :class:`~core.project.exchange.ImportPlan` of the file last looked at."""
    refused = Signal(str)
    """Why the file last looked at cannot be imported."""
    imported = Signal(object)
    """The :class:`~core.project.exchange.ImportSummary` of a finished import of boxes."""
    truth_imported = Signal(object)
    """The :class:`~core.project.exchange.ImportSummary` of a finished import of truth."""

    def __init__(
        self, session: Session, pump: Pump, editing: EditingController, parent: QObject | None = None
    ) -> None:
        super().__init__(session, pump, parent)
        self._editing = editing
        self._planning, self._importing = Job(session, pump, "plan"), Job(session, pump, "import")
        self._beside = self._job("truth-beside")
        session.project_changed.connect(self._on_project_changed)

    def look_at(self, path: Path) -> None:
        """Read the boxes at ``path``; :attr:`planned` or :attr:`refused` follows for the newest path."""
        project = self._session.project
        if project is not None:
            self._planning.start(lambda _: _plan(project, path), on_done=self._on_planned)

    def import_boxes(self, request: ImportRequest) -> None:
        session = self._session
        project = session.project
        if project is None or session.refuses_change():
            return
        begun = self._editing.begin()
        self._importing.start(
            lambda _: _import(project, request),
            text=tr("Importing boxes…"),
            can_stop=False,
            on_done=lambda result: self._on_imported(project, begun, *result),
        )

    def look_beside(self, folders: Sequence[Path]) -> None:
        """Offer the true boxes that lie beside the images, unless the person has said no to that.

        What was offered before and not answered still is.
        """
        project, view = self._session.project, self._session.view
        open_yet = dict.fromkeys((*map(Path, view.offered_truth), *folders))
        wanted = [folder for folder in open_yet if str(folder) not in view.declined_truth]
        self._beside.abandon()
        if project is not None and wanted and not project.is_copy:
            self._beside.start(lambda worker: _look_beside(worker, project, wanted), on_done=self._offer)

    def use_found(self) -> None:
        """Measure by the true boxes that are offered."""
        offer = self._session.measures.offer
        if offer is not None:
            self._session.measures.set_offer(None)
            self.import_boxes(ImportRequest(offer.plan, as_truth=True))

    def decline_found(self) -> None:
        """Do without them, and do not ask again."""
        session, offer = self._session, self._session.measures.offer
        if offer is not None:
            view, folder = session.view, str(offer.folder)
            session.change_view(
                offered_truth=tuple(one for one in view.offered_truth if one != folder),
                declined_truth=(*view.declined_truth, folder),
            )
            session.measures.set_offer(None)
            self.look_beside(())

    def _on_project_changed(self) -> None:
        self._session.measures.set_offer(None)
        self.look_beside(())

    def _offer(self, found: FoundTruth | None) -> None:
        session = self._session
        session.measures.set_offer(found)
        if found is not None:
            # Kept with the project: whoever closes it before an answer is asked again.
            offered = dict.fromkeys((*session.view.offered_truth, str(found.folder)))
            session.change_view(offered_truth=tuple(offered))

    def _on_planned(self, result: ImportPlan | BoxscoutError) -> None:
        if isinstance(result, BoxscoutError):
            self.refused.emit(str(result))
        else:
            self.planned.emit(result)

    def _on_imported(
        self, project: Project, begun: int, summary: ImportSummary, records: list[ImageRecord]
    ) -> None:
        if self._session.project is project:
            self._session.merge_records(records)
            self._session.images.set_statuses({record.id: record.status for record in records})
            text = tr("Import ground truth") if summary.as_truth else tr("Import boxes")
            self._editing.remember(summary.edit, text, begun)
            if summary.as_truth:
                self.abandon()  # what lies beside the images need not be offered any more
                self._session.change_view(offered_truth=())
                self._session.measures.set_offer(None)
            (self.truth_imported if summary.as_truth else self.imported).emit(summary)


def _listed(project: Project, options: BoxOptions) -> Listed:
    decide(project, options)
    return Listed(project.image_boxes(), outdated_images(project), bool(folder_classes(project.images())))


def _export(worker: Worker, project: Project, options: BoxOptions, request: ExportRequest) -> ExportSummary:
    def on_file(done: int, total: int) -> None:
        if worker.stopping:
            raise Cancelled(tr("Stopped; nothing was exported."))
        worker.put((done, total))

    decide(project, options)
    images, sources = exportable(project, with_gps=request.options.with_gps, on_file=on_file)
    written = replace(request.options, sources=sources, on_file=on_file, taught=provenance(project))
    return export(
        images,
        request.path,
        format=WRITTEN[request.format],
        selection=request.selection,
        options=written,
        outdated=outdated_images(project),
        folders=classes_by_name(project) if request.folder_classes else NO_FOLDERS,
    )


def _look_beside(worker: Worker, project: Project, folders: Sequence[Path]) -> FoundTruth | None:
    with no_error_once_stopped(worker):
        return truth_beside(project, folders)


def _plan(project: Project, path: Path) -> ImportPlan | BoxscoutError:
    try:
        return plan_import(project, path)
    except BoxscoutError as error:  # shown where the path is typed, not in a box of its own
        return error


def _import(project: Project, request: ImportRequest) -> tuple[ImportSummary, list[ImageRecord]]:
    if request.as_truth:
        summary = import_truth(project, request.plan)
    else:
        summary = import_boxes(
            project, request.plan, status=request.status, replace_held=request.replace_held
        )
    # Truth changes nothing that the list shows but sizes that were not known yet.
    touched = request.plan.sizes.keys() | (() if request.as_truth else request.plan.boxes.keys())
    return summary, [record for record in project.images() if record.id in touched]
