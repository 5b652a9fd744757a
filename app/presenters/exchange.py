"""File > Export and File > Import: their dialogs on the controllers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.models.export import ImportRequest
from app.presenters.part import Handlers, Presenter
from app.views import dialogs
from app.views.import_dialog import ImportDialog
from app.wiring import follow
from core.formats.files import READ
from core.project.file import SUFFIX


class ExchangePresenter(Presenter):
    """Opens the two dialogs and hands on what was chosen in them; tells what came of it."""

    def __init__(self, bench: Workbench, window: QWidget) -> None:
        super().__init__(bench, window)
        bench.exporting.exported.connect(lambda summary: dialogs.show_exported(window, summary))
        for imported in (bench.importing.imported, bench.importing.truth_imported):
            imported.connect(lambda summary: dialogs.show_imported(window, summary))
        session = self._session
        follow(self.update, session.images.count_changed, session.project_changed)

    def handlers(self) -> Handlers:
        return {"export": self.export, "import_boxes": lambda: self.import_boxes()}

    def update(self) -> None:
        session = self._session
        has_images = session.project is not None and session.images.total > 0
        self._enable({"export": has_images, "import_boxes": has_images and not session.only_looks})

    def export(self) -> None:
        exporting = self._bench.exporting
        exporting.list_images()
        request = dialogs.ask_export(self._window, self._bench.session, exporting.listed)
        if request is not None:
            exporting.export(request)

    def may_be_boxes(self, path: Path) -> bool:
        """Whether ``path`` is a file that holds boxes by its ending, and there are images to have them."""
        return path.suffix.lower() in READ and path.is_file() and self._session.images.total > 0

    def may_be_added(self, chosen: list[Path]) -> bool:
        """Whether what was dropped may belong to the open project, or be one of its own."""
        session = self._session
        is_project = any(path.suffix == SUFFIX for path in chosen)
        has_images = session.project is not None and session.images.total > 0
        return has_images and not is_project and not self._bench.library.is_open(chosen)

    def import_boxes(self, path: Path | None = None) -> None:
        """Ask what to bring in; ``path`` is where it looks first."""
        importing = self._bench.importing
        dialog = ImportDialog(folder=dialogs.last_folder("import"), parent=self._window)
        dialog.path_chosen.connect(importing.look_at)
        importing.planned.connect(dialog.show_plan)
        importing.refused.connect(dialog.show_problem)
        dialog.import_requested.connect(self._import)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        if path is not None:
            dialog.path_edit.setText(str(path))

    def _import(self, request: ImportRequest) -> None:
        dialogs.remember("import", request.plan.path)
        self._bench.importing.import_boxes(request)
