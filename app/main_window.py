"""The one window: builds the views and wires them to the workbench. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QMainWindow, QMenu, QSplitter, QStackedWidget, QTabBar, QWidget

from app import actions, paths, style
from app.box_editing import BoxEditing
from app.controllers.workbench import Workbench
from app.drops import take_as_copy
from app.exchange import Exchange
from app.many_images import ManyImages
from app.mending import MendingNotice
from app.models.training import Phase
from app.program import Program
from app.train_wiring import connect_training
from app.truth_wiring import TruthWiring
from app.views import dialogs
from app.views.boxes_bar import BoxesBar
from app.views.boxes_presenter import BoxesPresenter
from app.views.canvas_bar import CanvasBar
from app.views.controls import tab_in_order
from app.views.dock import add_dock
from app.views.image_canvas import ImageCanvas
from app.views.image_list_view import ImageListView
from app.views.layouts import vbox
from app.views.notice_bar import NoticeBar
from app.views.presenters import CanvasPresenter, StatusPresenter
from app.views.problems_panel import ProblemsPanel
from app.views.status_strip import StatusStrip
from app.views.tool_bar import ToolBar
from app.views.train_panel import TrainPanel
from app.views.welcome import WelcomePage
from core.base.annotations import Status
from core.base.language import tr

SIZES = (240, 700, 340)
# Within these widgets the keys that also go from image to image have their own meaning.
_OWN_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)


class MainWindow(QMainWindow):
    """Give it folders, images or a project with :meth:`open_paths`."""

    def __init__(self, workbench: Workbench | None = None) -> None:
        super().__init__()
        self.workbench = workbench or Workbench(self)
        self.session = self.workbench.session
        self.setWindowTitle(paths.APP)
        self.setAcceptDrops(True)
        self._build()
        self.program = Program(self)
        self.exchange = Exchange(self.workbench, self)
        self.many = ManyImages(self.workbench, self.images, self)
        self.truth = TruthWiring(self.workbench, self.canvas, self.bar, self)
        self.box_editing = BoxEditing(self.workbench, self.canvas, self.bar, self.strip, self)
        self._build_actions()
        self._connect_views()
        self._connect_session()
        self._restore_layout()
        self._let_drops_through()
        self._list_recent()
        self._update()

    def open_paths(self, chosen: list[Path]) -> None:
        """What a drop, a dialog and the command line all come to."""
        self.workbench.open_paths(chosen)

    # ---- building -------------------------------------------------------------------------------

    def _build(self) -> None:
        self.welcome = WelcomePage()
        self.images = ImageListView(self.session.images)
        self.notice, self.boxes_bar = NoticeBar(), BoxesBar()
        self.canvas, self.bar = ImageCanvas(), CanvasBar()
        self.train_panel = TrainPanel()
        self.problems = ProblemsPanel()
        centre = QWidget()
        parts = (self.notice, 0), (self.canvas, 1), (self.boxes_bar, 0), (self.bar, 0)
        vbox(*parts, on=centre, spacing=0)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        for index, widget in enumerate((self.images, centre, self.train_panel)):
            self.splitter.addWidget(widget)
            self.splitter.setCollapsible(index, False)
            self.splitter.setStretchFactor(index, int(index == 1))
        self.splitter.setSizes(list(SIZES))
        tab_in_order([self.images, centre, *self.train_panel.tab_parts])
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.splitter)
        self.setCentralWidget(self.pages)
        self.dock = add_dock(self, "problems_dock", tr("Problems"), self.problems)
        self.strip = StatusStrip()
        self.setStatusBar(self.strip)

    def _build_actions(self) -> None:
        self.actions_, menus = actions.build(self, self._handlers())
        self.program.set_actions(self.actions_)
        recent = QMenu(tr("Open &recent"), self)
        recent.aboutToShow.connect(lambda: self._fill_recent(recent))
        menus["file"].insertMenu(self.actions_["save_as"], recent)
        self.tools = ToolBar(self.actions_)
        self.addToolBar(self.tools)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def _handlers(self) -> dict[str, Callable[..., None]]:
        bench = self.workbench
        return {
            "new": bench.new_project,
            "open_folder": self._choose_folder,
            "open_images": self._choose_images,
            "open_project": self._choose_project,
            "save_as": self._save_as,
            "save_figure": self._save_figure,
            "quit": self.close,
            "previous": bench.browsing.previous,
            "next": bench.browsing.next,
            "first": bench.browsing.first,
            "last": bench.browsing.last,
            "accept": bench.review.accept,
            "reject": lambda: bench.review.mark(Status.REJECTED),
            "unmark": lambda: bench.review.mark(Status.UNSEEN),
            "start": self.train_panel.start,
            "pause": lambda: bench.run.pause_or_go_on(),
            "stop": lambda: bench.run.stop(),
            "find_boxes": lambda: bench.localization.find_boxes(),
            "heat_map": lambda on: self.session.change_view(show_heat_map=on),
            "zoom_in": self.canvas.zoom_in,
            "zoom_out": self.canvas.zoom_out,
            "fit": self.canvas.fit,
            "actual_size": self.canvas.actual_size,
            "show_images": self.images.setVisible,
            "show_training": self.train_panel.setVisible,
            "show_problems": self.dock.setVisible,
            "full_screen": lambda on: self.showFullScreen() if on else self.showNormal(),
            "shortcuts": lambda: dialogs.show_shortcuts(self, self.actions_),
            "log": lambda: dialogs.show_in_folder(paths.log_file()),
            "about": lambda: dialogs.show_about(self),
            **self.exchange.handlers(),
            **self.many.handlers(),
            **self.program.handlers(),
            **self.box_editing.handlers(),
            **self.truth.handlers(),
        }

    # ---- wiring ---------------------------------------------------------------------------------

    def _connect_views(self) -> None:
        bench, bar = self.workbench, self.bar
        self.images.chosen.connect(self.session.select)
        self.many.connect()
        self.program.failed.connect(self.session.error)
        self.program.changed.connect(lambda wanted: self.train_panel.set_device(wanted.device))
        self.train_panel.set_device(self.program.preferences.device)
        self.canvas.cursor_moved.connect(self.strip.set_cursor)
        self.canvas.zoom_changed.connect(self.bar.set_zoom)
        bar.threshold_changed.connect(bench.browsing.set_threshold)
        bar.rule_changed.connect(bench.browsing.set_rule)
        bar.scope_changed.connect(lambda everywhere: bench.browsing.set_this_image_only(not everywhere))
        self.boxes_bar.max_boxes_changed.connect(lambda count: self.session.change_view(max_boxes=count))
        self.boxes_bar.find_requested.connect(bench.localization.find_boxes_again)
        bar.reset_threshold_requested.connect(bench.browsing.reset_threshold)
        bar.opacity_changed.connect(lambda value: self.session.change_view(opacity=value))
        bar.colour_map_changed.connect(lambda name: self.session.change_view(colour_map=name))
        bar.heat_map_toggled.connect(lambda on: self.session.change_view(show_heat_map=on))
        bar.fit_requested.connect(self.canvas.fit)
        bar.actual_size_requested.connect(self.canvas.actual_size)
        self.welcome.open_folder_requested.connect(self._choose_folder)
        self.welcome.open_images_requested.connect(self._choose_images)
        self.welcome.sample_requested.connect(bench.library.open_sample)
        self.welcome.recent_chosen.connect(lambda path: self.open_paths([Path(path)]))
        self.strip.stop_requested.connect(bench.stop_activities)
        self.strip.problems_requested.connect(self.dock.show)
        self.problems.show_in_folder_requested.connect(dialogs.show_in_folder)
        self.dock.visibilityChanged.connect(self._update)

    def _connect_session(self) -> None:
        session, bench = self.session, self.workbench
        CanvasPresenter(session, bench.browsing.thumbnails, self.canvas, self.bar, self)
        BoxesPresenter(session, self.boxes_bar, self)
        connect_training(bench, self.train_panel)
        MendingNotice(bench, self.notice, self)
        StatusPresenter(session, self.strip, self.images, self.problems, self)
        session.error.connect(self._show_error)
        session.project_changed.connect(self._on_project_changed)
        for changed in (
            session.training_changed,
            session.results.labelled_changed,
            session.results.kind_changed,
            session.current_changed,
            session.activity_changed,
            session.view_changed,
            session.images.count_changed,
        ):
            changed.connect(self._update)
        self.box_editing.connect(self.actions_)
        self.truth.connect(self.actions_)
        bench.closed.connect(self._leave)

    def _on_project_changed(self) -> None:
        project = self.session.project
        if project is None:
            self.dock.hide()
        name = "" if project is None else paths.title(project.path)
        if self.session.only_looks:
            name = tr("{name} (read-only)").format(name=name)
        self.setWindowTitle(f"{name} – {paths.APP}" if name else paths.APP)
        self._update()
        if project is not None:
            self.canvas.setFocus()

    def _update(self) -> None:
        """Which page is shown, and which commands make sense now."""
        session, bench = self.session, self.workbench
        is_open, phase = session.project is not None, bench.run.status.phase
        page = self.splitter if is_open else self.welcome
        if self.pages.currentWidget() is not page:
            if page is self.welcome:
                self._list_recent()
            self.pages.setCurrentWidget(page)
        has_image = is_open and session.current is not None
        is_kept = not session.only_looks
        enabled = {
            **dict.fromkeys(("new", "save_as", "show_images", "show_training", "show_problems"), is_open),
            **dict.fromkeys(("previous", "next", "first", "last", "zoom_in", "zoom_out"), has_image),
            **dict.fromkeys(("fit", "actual_size", "heat_map"), has_image),
            **dict.fromkeys(("accept", "reject", "unmark"), has_image and is_kept),
            **dict.fromkeys(self.many.handlers(), is_open),
            "accept_above": is_open and is_kept,
            **dict.fromkeys(("export", "import_boxes", "save_figure"), is_open and session.images.total > 0),
            "import_boxes": is_open and is_kept and session.images.total > 0,
            "start": is_open and self.train_panel.start_button.isEnabled() and not phase.running,
            "pause": phase in (Phase.TRAINING, Phase.PAUSED),
            "stop": phase in (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED),
            "find_boxes": is_open and bench.can_find_boxes,
        }
        for name, on in enabled.items():
            self.actions_[name].setEnabled(on)
        self.tools.setVisible(is_open)
        self._check("heat_map", session.view.show_heat_map)
        self._check("show_images", not self.images.isHidden())
        self._check("show_training", not self.train_panel.isHidden())
        self._check("show_problems", not self.dock.isHidden())

    def _check(self, name: str, on: bool) -> None:
        action: QAction = self.actions_[name]
        if action.isChecked() != on:
            action.blockSignals(True)
            action.setChecked(on)
            action.blockSignals(False)

    # ---- dialogs --------------------------------------------------------------------------------

    def _choose_folder(self) -> None:
        self._open_chosen(dialogs.choose_folder(self))

    def _choose_images(self) -> None:
        self._open_chosen(dialogs.choose_images(self))

    def _choose_project(self) -> None:
        self._open_chosen(dialogs.choose_project(self))

    def _open_chosen(self, chosen: list[Path]) -> None:
        if chosen:
            self.open_paths(chosen)

    def _save_as(self) -> None:
        project = self.session.project
        path = dialogs.choose_copy(self, project.path.name) if project else None
        if path is not None:
            self.workbench.library.save_copy(path)

    def _save_figure(self) -> None:
        rows = sorted(index.row() for index in self.images.list.selectionModel().selectedIndexes())
        chosen = [image_id for row in rows if (image_id := self.session.images.id_at(row)) is not None]
        current = self.session.current
        images = tuple(chosen) or (() if current is None else (current,))
        request = dialogs.ask_figure(self, self.session, images)
        if request is not None:
            self.workbench.figures.save(request)

    def _fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        for path in paths.recent_projects():
            action = menu.addAction(style.without_mnemonic(paths.title(path)))
            action.setToolTip(str(path))
            action.triggered.connect(lambda _=False, path=path: self.open_paths([path]))
        if menu.isEmpty():
            menu.addAction(tr("No projects yet")).setEnabled(False)
            return
        menu.addSeparator()
        clear = menu.addAction(tr("Clear this list"))
        clear.triggered.connect(lambda: (paths.forget_recent(), self._list_recent()))

    def _list_recent(self) -> None:
        self.welcome.set_recent(paths.recent_projects())

    def _show_error(self, error: BaseException, details: str) -> None:
        # Not from within the tick that brought it: a dialog runs an event loop of its own.
        QTimer.singleShot(0, self, lambda: dialogs.report(self, error, details))

    # ---- drops and keys -------------------------------------------------------------------------

    def _let_drops_through(self) -> None:
        """A drop is for the window wherever it lands; a line edit would take its text."""
        for widget in self.findChildren(QWidget):
            widget.setAcceptDrops(False)
            if isinstance(widget, (QAbstractSlider, QTabBar)):
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and event.key() in _OWN_KEYS and not event.modifiers():
            event.accept()
        return super().eventFilter(watched, event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        take_as_copy(event)
        self.welcome.set_drag_active(event.isAccepted())

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        take_as_copy(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.welcome.set_drag_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.welcome.set_drag_active(False)
        chosen = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        take_as_copy(event)
        if event.isAccepted():
            # The drag's source waits until this returns.
            QTimer.singleShot(0, self, lambda: self.open_paths(chosen))

    # ---- leaving --------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Training is stopped and saved first; the window lives on meanwhile and says so."""
        self._save_layout()
        if self.workbench.is_closed:
            event.accept()
            return
        event.ignore()
        self.pages.setEnabled(False)
        self.menuBar().setEnabled(False)
        self.strip.say(tr("Saving…"))
        self.workbench.shut_down()

    def _leave(self) -> None:
        QTimer.singleShot(0, self, self.close)

    def _save_layout(self) -> None:
        settings = paths.settings()
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/splitter", self.splitter.saveState())

    def _restore_layout(self) -> None:
        self.resize(1280, 800)
        settings = paths.settings()
        for key, restore in (
            ("window/geometry", self.restoreGeometry),
            ("window/splitter", self.splitter.restoreState),
        ):
            value = settings.value(key)
            if value is not None:
                restore(value)
