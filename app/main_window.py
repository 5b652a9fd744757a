"""The one window: builds the views and wires them to the workbench. It decides nothing."""

from __future__ import annotations

from collections import ChainMap
from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget, QWidget

from app import actions, paths, style
from app.controllers.workbench import Workbench
from app.drops import local_paths, take_as_copy
from app.keyboard import FocusKeeper, is_own_key, press_by_return
from app.presenters.boxes_bar import BoxesPresenter
from app.presenters.canvas import CanvasPresenter
from app.presenters.exchange import ExchangePresenter
from app.presenters.films import FilmsPresenter
from app.presenters.finish import FinishPresenter
from app.presenters.grid_mode import GridMode
from app.presenters.image_list import ImageListPresenter
from app.presenters.notice import NoticePresenter
from app.presenters.part import Handlers, Presenter
from app.presenters.program import Program
from app.presenters.recent import RecentPresenter
from app.presenters.review_mode import ReviewMode
from app.presenters.status import StatusPresenter
from app.presenters.teaching import TeachingPresenter
from app.presenters.training import TrainPresenter
from app.presenters.truth import TruthPresenter
from app.views import dialogs
from app.views.boxes_bar import BoxesBar
from app.views.canvas_bar import CanvasBar
from app.views.controls import tab_in_order
from app.views.film_strip import FilmStrip
from app.views.image_canvas import ImageCanvas
from app.views.image_grid import ImageGrid
from app.views.image_list_view import ImageListView
from app.views.key_bar import KeyBar
from app.views.layouts import vbox
from app.views.notice_bar import NoticeBar
from app.views.panels import Panels
from app.views.problems_panel import ProblemsPanel
from app.views.status_strip import StatusStrip
from app.views.tool_bar import ToolBar
from app.views.train_panel import TrainPanel
from app.views.welcome import WelcomePage
from app.wiring import follow
from core.base.language import tr
from core.base.preferences import Preferences
from core.setup.diagnostics import write_diagnostics

Part = Presenter | Program
_PANELS = "window/panels"


class MainWindow(QMainWindow):
    """Give it folders, images or a project with :meth:`open_paths`."""

    def __init__(self, workbench: Workbench | None = None) -> None:
        super().__init__()
        self.workbench = workbench or Workbench(self)
        self.session = self.workbench.session
        self.setWindowTitle(paths.APP)
        self.setAcceptDrops(True)
        self._build()
        bench = self.workbench
        self.program = Program(self, lambda: self.session.project.data_dir if self.session.project else None)
        self.recent = RecentPresenter(bench.pump, self.welcome)
        self.status = StatusPresenter(bench, self.strip, self.problems, self)
        self.dock = self.status.dock
        self.truth = TruthPresenter(bench, self.train_panel, self)
        self.box_editing = CanvasPresenter(bench, self.canvas, self.bar, self.strip, self)
        self.exchange = ExchangePresenter(bench, self)
        self.teaching = TeachingPresenter(bench, self)
        self.notices = NoticePresenter(bench, self.notice, self.teaching, self)
        self.finish = FinishPresenter(bench, self)
        self.films = FilmsPresenter(bench, self)
        self._parts: tuple[Part, ...] = (
            self.status,
            self.truth,
            self.box_editing,
            ImageListPresenter(bench, self.images, self),
            BoxesPresenter(bench, self.boxes_bar, self.bar.boxes, self),
            TrainPresenter(bench, self.train_panel, self),
            self.teaching,
            self.notices,
            self.exchange,
            self.program,
        )
        self.review_mode, self.grid_mode = self._make_modes()
        self._parts += (self.review_mode, self.grid_mode)
        self._build_actions()
        self._connect()
        self._restore_layout()
        self._let_drops_through()
        self._list_recent()
        self._update()

    def open_paths(self, chosen: list[Path]) -> None:
        self.workbench.open_paths(chosen)

    def _build(self) -> None:
        self.welcome = WelcomePage()
        self.images = ImageListView(self.session.images)
        self.notice, self.boxes_bar = NoticeBar(), BoxesBar()
        self.canvas, self.bar = ImageCanvas(), CanvasBar()
        self.train_panel = TrainPanel()
        self.problems = ProblemsPanel()
        centre = QWidget()
        self.grid = ImageGrid(self.images.list)
        self.film_strip, self.key_bar = FilmStrip(self.session.images), KeyBar()
        below = (self.film_strip, 0), (self.key_bar, 0), (self.boxes_bar, 0), (self.bar, 0)
        parts = (self.notice, 0), (self.grid, 1), (self.canvas, 1), *below
        vbox(*parts, on=centre, spacing=0)
        self.splitter = Panels(self.images, centre, self.train_panel)
        tab_in_order([self.images, centre, *self.train_panel.tab_parts])
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.splitter)
        self.setCentralWidget(self.pages)
        self.strip = StatusStrip()
        self.setStatusBar(self.strip)
        FocusKeeper(self.canvas, self)

    def _make_modes(self) -> tuple[ReviewMode, GridMode]:
        """Of which one at most is on."""
        panels = self.images, self.train_panel, self.dock
        review = ReviewMode(self.workbench, self.film_strip, self.key_bar, panels, self)
        grid = GridMode(self.workbench, self.grid, self.images, (self.canvas, self.bar), self)
        review.changed.connect(grid.give_way)
        grid.changed.connect(review.give_way)
        review.changed.connect(self._update)
        return review, grid

    def _build_actions(self) -> None:
        self.actions_, menus = actions.build(self, self._handlers())
        for part in self._parts:
            part.set_actions(self.actions_)
        classes = menus["class"]
        classes.aboutToShow.connect(lambda: self.box_editing.name_classes(True))
        classes.aboutToHide.connect(lambda: self.box_editing.name_classes(False))
        recent = QMenu(tr("Open &recent"), self)
        recent.aboutToShow.connect(lambda: self._fill_recent(recent))
        menus["file"].insertMenu(self.actions_["save_as"], recent)
        self.tools = ToolBar(self.actions_)
        self.addToolBar(self.tools)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def _handlers(self) -> Handlers:
        own: Handlers = {
            "new": self.workbench.new_project,
            "open_folder": lambda: self._open_chosen(dialogs.choose_folder(self)),
            "open_images": lambda: self._open_chosen(dialogs.choose_images(self)),
            "open_project": lambda: self._open_chosen(dialogs.choose_project(self)),
            "add_folder": lambda: self._add_chosen(dialogs.choose_folder(self)),
            "add_images": lambda: self._add_chosen(dialogs.choose_images(self)),
            "save_as": self._save_as,
            "save_figure": self._save_figure,
            "quit": self.close,
            "show_images": self.images.setVisible,
            "show_training": self.train_panel.setVisible,
            "full_screen": lambda on: self.showFullScreen() if on else self.showNormal(),
            "shortcuts": lambda: dialogs.show_shortcuts(self, self.actions_),
            "log": lambda: dialogs.show_in_folder(paths.log_file()),
            "diagnostics": self._save_diagnostics,
            "about": lambda: dialogs.show_about(self),
        }
        return dict(ChainMap(own, *(part.handlers() for part in self._parts)))

    def _connect(self) -> None:
        session, bench, welcome = self.session, self.workbench, self.welcome
        welcome.open_folder_requested.connect(lambda: self._open_chosen(dialogs.choose_folder(self)))
        welcome.open_images_requested.connect(lambda: self._open_chosen(dialogs.choose_images(self)))
        welcome.sample_requested.connect(bench.library.open_sample)
        welcome.recent_chosen.connect(lambda path: self.open_paths([Path(path)]))
        self.program.failed.connect(session.error)
        self.program.changed.connect(self._follow)
        self._follow(self.program.preferences)
        session.error.connect(self._show_error)
        session.project_changed.connect(self._on_project_changed)
        follow(self._update, session.current_changed, session.activity_changed, session.images.count_changed)
        bench.closed.connect(self._leave)

    def _follow(self, preferences: Preferences) -> None:
        self.train_panel.set_device(preferences.device)
        self.box_editing.accepts_drawn = preferences.accept_drawn
        self.workbench.teaching.set_by_itself(preferences.learn_by_itself)

    def _on_project_changed(self) -> None:
        project = self.session.project
        name = "" if project is None else paths.title(project.path)
        if self.session.only_looks:
            name = tr("{name} (read-only)").format(name=name)
        self.setWindowTitle(f"{name} – {paths.APP}" if name else paths.APP)
        self._update()
        if project is not None:
            self.canvas.setFocus()

    def _update(self) -> None:
        """Which page is shown, and which of the window's own commands make sense now."""
        is_open = self.session.project is not None
        page = self.splitter if is_open else self.welcome
        if self.pages.currentWidget() is not page:
            if page is self.welcome:
                self._list_recent()
            self.pages.setCurrentWidget(page)
        for name in ("add_folder", "add_images"):
            self.actions_[name].setEnabled(is_open and not self.session.only_looks)
        for name in ("new", "save_as", "show_images", "show_training"):
            self.actions_[name].setEnabled(is_open)
        self.actions_["save_figure"].setEnabled(is_open and self.session.images.total > 0)
        self.tools.setVisible(is_open and not self.review_mode.is_on)
        for name, shown in (("show_images", self.images), ("show_training", self.train_panel)):
            with QSignalBlocker(self.actions_[name]):
                self.actions_[name].setChecked(not shown.isHidden())

    def _open_chosen(self, chosen: list[Path]) -> None:
        if chosen:
            self.open_paths(chosen)

    def _add_chosen(self, chosen: list[Path]) -> None:
        if chosen:
            self.workbench.add_paths(chosen)

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

    def _save_diagnostics(self) -> None:
        path = dialogs.choose_diagnostics(self)
        if path is not None:
            log = paths.log_file()
            self.workbench.pump.run(
                "diagnostics",
                lambda _: write_diagnostics(path, log=log, home=Path.home()),
                on_done=lambda names: dialogs.show_diagnostics(self, path, names),
            )

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
        clear = menu.addAction(tr("Clear list"))
        follow(paths.forget_recent, clear.triggered)
        follow(self._list_recent, clear.triggered)

    def _list_recent(self) -> None:
        self.recent.show()

    def _show_error(self, error: BaseException, details: str) -> None:
        # Not from within the tick that brought it: a dialog runs an event loop of its own.
        QTimer.singleShot(0, self, lambda: dialogs.report(self, error, details))

    def _let_drops_through(self) -> None:
        """A drop is for the window wherever it lands; a line edit would take its text."""
        for widget in self.findChildren(QWidget):
            widget.setAcceptDrops(False)

    def event(self, event: QEvent) -> bool:
        if is_own_key(self.focusWidget(), event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._hold(event, True)
        if not press_by_return(self.focusWidget(), event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._hold(event, False)
        super().keyReleaseEvent(event)

    def _hold(self, event: QKeyEvent, on: bool) -> None:
        """The image stays bare for as long as Space is held; a held key repeats itself."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.canvas.set_bare(on and self.canvas.isVisible())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        take_as_copy(event)
        self.welcome.set_drag_active(event.isAccepted())

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        take_as_copy(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.welcome.set_drag_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.welcome.set_drag_active(False)
        chosen = local_paths(event.mimeData())
        take_as_copy(event)
        if event.isAccepted():
            # The drag's source waits until this returns.
            QTimer.singleShot(0, self, lambda: self._take_dropped(chosen))

    def _take_dropped(self, chosen: list[Path]) -> None:
        """A box file that is dropped beside images is offered for import; a project is opened.

        Of photos dropped beside others only the person knows whether they belong to them.
        """
        if len(chosen) == 1 and self.exchange.may_be_boxes(chosen[0]):
            self.exchange.import_boxes(chosen[0])
        elif self.exchange.may_be_added(chosen):
            self.notices.ask_where(chosen)
        else:
            self.open_paths(chosen)

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
        settings.setValue(_PANELS, self.splitter.state())

    def _restore_layout(self) -> None:
        self.resize(1280, 800)
        settings = paths.settings()
        for key, restore in (
            ("window/geometry", self.restoreGeometry),
            (_PANELS, self.splitter.restore),
        ):
            value = settings.value(key)
            if value is not None:
                restore(value)
