"""Boxes out of the project into a file."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.controllers.deciding import decide
from app.models.export import ExportRequest
from app.models.session import Session
from app.models.training import Activity
from app.pump import Pump
from core.exchange import exportable
from core.formats import FORMATS, ExportSummary, WriteOptions, export
from core.project.store import Project, ProjectView

ACTIVITY = "export"


class ExportController(QObject):
    """Writes in a thread; the boxes are first brought up to the threshold in force."""

    exported = Signal(object)
    """The :class:`~core.formats.ExportSummary` of a finished export."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pump = pump

    def export(self, request: ExportRequest) -> None:
        session = self._session
        project, view = session.project, session.view
        if project is None:
            return
        session.set_activity(ACTIVITY, Activity(text=self.tr("Exporting…"), can_stop=False))
        self._pump.run(
            "export",
            lambda _: _export(project, view, request),
            on_done=self._on_done,
            on_failed=lambda _: session.set_activity(ACTIVITY, None),
        )

    def _on_done(self, summary: ExportSummary) -> None:
        self._session.set_activity(ACTIVITY, None)
        self.exported.emit(summary)


def _export(project: Project, view: ProjectView, request: ExportRequest) -> ExportSummary:
    decide(project, view)
    images, sources = exportable(project)
    return export(
        images,
        request.path,
        format=FORMATS[request.format],
        selection=request.selection,
        options=WriteOptions(sources=sources),
    )
