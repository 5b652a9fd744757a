"""File > Export and File > Import: their dialogs on the controllers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.models.export import ImportRequest
from app.views import dialogs
from app.views.import_dialog import ImportDialog


class Exchange(QObject):
    """Opens the two dialogs for ``window`` and hands on what was chosen in them."""

    def __init__(self, workbench: Workbench, window: QWidget) -> None:
        super().__init__(window)
        self._bench, self._window = workbench, window
        workbench.exporting.exported.connect(lambda summary: dialogs.show_summary(window, summary))
        workbench.importing.imported.connect(lambda summary: dialogs.show_imported(window, summary))

    def handlers(self) -> dict[str, Callable[..., None]]:
        """What the actions of these names do."""
        return {"export": self.export, "import_boxes": self.import_boxes}

    def export(self) -> None:
        exporting = self._bench.exporting
        exporting.list_images()
        request = dialogs.ask_export(self._window, self._bench.session, exporting.listed)
        if request is not None:
            exporting.export(request)

    def import_boxes(self) -> None:
        importing = self._bench.importing
        dialog = ImportDialog(folder=dialogs.last_folder("import"), parent=self._window)
        dialog.path_chosen.connect(importing.look_at)
        importing.planned.connect(dialog.show_plan)
        importing.refused.connect(dialog.show_problem)
        dialog.import_requested.connect(self._import)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _import(self, request: ImportRequest) -> None:
        dialogs.remember("import", request.plan.path)
        self._bench.importing.import_boxes(request)
