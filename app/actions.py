"""Every command of the window: its id, title, menu and key. What it does is given by the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP as NOOP
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app import style

CONTEXT = "Actions"
SEPARATOR = "-"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command. ``keys`` are portable key names, the first is shown; ``icon`` is in resources."""

    id: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    short: str = ""
    """What the tool bar says."""
    before: str = ""
    """``SEPARATOR`` for a line above it."""


MENUS: tuple[tuple[str, str], ...] = (
    ("file", NOOP("Actions", "&File")),
    ("edit", NOOP("Actions", "&Edit")),
    ("image", NOOP("Actions", "&Image")),
    ("train", NOOP("Actions", "&Train")),
    ("view", NOOP("Actions", "&View")),
    ("help", NOOP("Actions", "&Help")),
)


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("new", NOOP("Actions", "&New project"), "file", ("Ctrl+N",)),
    ActionSpec("open_folder", NOOP("Actions", "Open &folder…"), "file", ("Ctrl+O",), "folder"),
    ActionSpec("open_images", NOOP("Actions", "Open &images…"), "file", ("Ctrl+Shift+O",), "images"),
    ActionSpec("open_project", NOOP("Actions", "Open &project…"), "file", ("Ctrl+Alt+O",)),
    ActionSpec(
        "save_as", NOOP("Actions", "&Save project as…"), "file", ("Ctrl+Shift+S",), "save", before=SEPARATOR
    ),
    ActionSpec(
        "export",
        NOOP("Actions", "&Export boxes…"),
        "file",
        ("Ctrl+E",),
        "export",
        short=NOOP("Actions", "Export"),
    ),
    ActionSpec("save_figure", NOOP("Actions", "Save fi&gure…"), "file"),
    ActionSpec("settings", NOOP("Actions", "Se&ttings…"), "file", ("Ctrl+,",), before=SEPARATOR),
    ActionSpec("import_boxes", NOOP("Actions", "I&mport boxes…"), "file", ("Ctrl+I",)),
    ActionSpec("remove_truth", NOOP("Actions", "Remove the t&ruth…"), "file"),
    ActionSpec("quit", NOOP("Actions", "&Quit"), "file", ("Ctrl+Q",), before=SEPARATOR),
    ActionSpec("undo", NOOP("Actions", "&Undo"), "edit", ("Ctrl+Z",), "undo", short=NOOP("Actions", "Undo")),
    ActionSpec(
        "redo",
        NOOP("Actions", "&Redo"),
        "edit",
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        "redo",
        short=NOOP("Actions", "Redo"),
    ),
    ActionSpec(
        "draw",
        NOOP("Actions", "Draw a &box"),
        "edit",
        ("D", "B"),
        "draw",
        short=NOOP("Actions", "Draw"),
        before=SEPARATOR,
    ),
    ActionSpec("class", NOOP("Actions", "&Class of the box…"), "edit", ("C",)),
    ActionSpec("next_box", NOOP("Actions", "Select the &next box"), "edit", ("G",)),
    ActionSpec("previous_box", NOOP("Actions", "Select the &previous box"), "edit", ("Shift+G",)),
    ActionSpec("delete_box", NOOP("Actions", "&Delete the box"), "edit", ("Del", "Backspace"), "close"),
    ActionSpec("clear", NOOP("Actions", "Delete &all boxes of this image"), "edit", ("Ctrl+Del",)),
    ActionSpec(
        "automatic",
        NOOP("Actions", "Replace &my boxes on this image by automatic ones"),
        "edit",
        ("Ctrl+Shift+B",),
        "box",
        before=SEPARATOR,
    ),
    ActionSpec(
        "threshold_of_many", NOOP("Actions", "Give the &selected images this threshold"), "edit", ("Ctrl+T",)
    ),
    ActionSpec(
        "previous",
        NOOP("Actions", "&Previous image"),
        "image",
        ("Left", "P", "K"),
        "previous",
        short=NOOP("Actions", "Previous"),
    ),
    ActionSpec(
        "next",
        NOOP("Actions", "&Next image"),
        "image",
        ("Right", "N", "J"),
        "next",
        short=NOOP("Actions", "Next"),
    ),
    ActionSpec("first", NOOP("Actions", "&First image"), "image", ("Home",)),
    ActionSpec("last", NOOP("Actions", "&Last image"), "image", ("End",)),
    ActionSpec("accept", NOOP("Actions", "&Accept"), "image", ("A",), "done", before=SEPARATOR),
    ActionSpec("reject", NOOP("Actions", "&Reject"), "image", ("X",), "close"),
    ActionSpec("unmark", NOOP("Actions", "&Unmark"), "image", ("U",)),
    ActionSpec(
        "find_image", NOOP("Actions", "Find an i&mage"), "image", ("Ctrl+F", "/"), "search", before=SEPARATOR
    ),
    ActionSpec("select_all", NOOP("Actions", "&Select all"), "image", ("Ctrl+A",)),
    ActionSpec("select_one", NOOP("Actions", "Select &only this one"), "image", ("Ctrl+Shift+A",)),
    ActionSpec("accept_above", NOOP("Actions", "A&ccept above a score…"), "image", ("Ctrl+Shift+U",)),
    ActionSpec("worst_first", NOOP("Actions", "Order: &worst first"), "image", ("W",)),
    ActionSpec("start", NOOP("Actions", "&Start training"), "train", ("Ctrl+R",), "play"),
    ActionSpec("pause", NOOP("Actions", "&Pause or go on"), "train", ("Ctrl+P",), "pause"),
    ActionSpec("stop", NOOP("Actions", "S&top and save"), "train", ("Ctrl+.",), "stop"),
    ActionSpec(
        "find_boxes",
        NOOP("Actions", "Find &boxes in all images"),
        "train",
        ("Ctrl+B",),
        "box",
        short=NOOP("Actions", "Find boxes"),
        before=SEPARATOR,
    ),
    ActionSpec("heat_map", NOOP("Actions", "Show &heat map"), "view", ("H",), "heat-map", checkable=True),
    ActionSpec("show_truth", NOOP("Actions", "Show true b&oxes"), "view", ("T",), checkable=True),
    ActionSpec(
        "zoom_in", NOOP("Actions", "Zoom &in"), "view", ("Ctrl++", "Ctrl+=", "+"), "zoom-in", before=SEPARATOR
    ),
    ActionSpec("zoom_out", NOOP("Actions", "Zoom &out"), "view", ("Ctrl+-", "-"), "zoom-out"),
    ActionSpec("fit", NOOP("Actions", "&Fit to window"), "view", ("Ctrl+0", "F"), "fit"),
    ActionSpec("actual_size", NOOP("Actions", "&Actual size"), "view", ("Ctrl+1", "1"), "actual-size"),
    ActionSpec("zoom_to_box", NOOP("Actions", "Zoom to the &box"), "view", ("Z",), "search"),
    ActionSpec(
        "side_by_side",
        NOOP("Actions", "&Side by side"),
        "view",
        ("S",),
        "side-by-side",
        checkable=True,
        before=SEPARATOR,
    ),
    ActionSpec("display", NOOP("Actions", "&Brightness and contrast…"), "view", ("Ctrl+L",), "display"),
    ActionSpec("plain_display", NOOP("Actions", "Show &as it is"), "view", ("Ctrl+Shift+L",), "reset"),
    ActionSpec("show_images", NOOP("Actions", "&Images"), "view", ("F7",), checkable=True, before=SEPARATOR),
    ActionSpec("show_training", NOOP("Actions", "&Training"), "view", ("F8",), checkable=True),
    ActionSpec("show_problems", NOOP("Actions", "&Problems"), "view", ("F9",), checkable=True),
    ActionSpec("show_accuracy", NOOP("Actions", "A&ccuracy"), "view", ("F10",), checkable=True),
    ActionSpec(
        "full_screen", NOOP("Actions", "F&ull screen"), "view", ("F11",), checkable=True, before=SEPARATOR
    ),
    ActionSpec("guide", NOOP("Actions", "&Guide"), "help", ("F1",), "info"),
    ActionSpec("palette", NOOP("Actions", "&Find a command…"), "help", ("Ctrl+Shift+P", "Ctrl+K"), "search"),
    ActionSpec("shortcuts", NOOP("Actions", "&Keyboard shortcuts"), "help", ("?",)),
    ActionSpec("log", NOOP("Actions", "Show the &log file"), "help"),
    ActionSpec("about", NOOP("Actions", "&About Boxscout"), "help", before=SEPARATOR),
)


def title_of(spec: ActionSpec) -> str:
    """The title in the person's language, with its mnemonic."""
    return QCoreApplication.translate(CONTEXT, spec.title)


def plain_title(spec: ActionSpec) -> str:
    return title_of(spec).replace("&", "")


def key_text(action: QAction) -> str:
    """Its keys, which a person may have changed, as this system writes them."""
    return "  ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts())


def build(
    window: QMainWindow, handlers: Mapping[str, Callable[..., None]]
) -> tuple[dict[str, QAction], dict[str, QMenu]]:
    """Make the menu bar of ``window``. Each spec needs a handler of its id; each handler a spec.

    A checkable action's handler is called with the new state, the others with nothing.
    """
    assert {spec.id for spec in ACTIONS} == set(handlers), "actions and handlers differ"
    menus = {name: window.menuBar().addMenu(QCoreApplication.translate(CONTEXT, t)) for name, t in MENUS}
    actions = {}
    for spec in ACTIONS:
        action = QAction(title_of(spec), window)
        action.setObjectName(f"action_{spec.id}")
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(spec.checkable)
        if spec.short:
            action.setIconText(QCoreApplication.translate(CONTEXT, spec.short))
        if spec.icon:
            style.set_icon(action, spec.icon)
        if spec.checkable:
            action.toggled.connect(handlers[spec.id])
        else:
            action.triggered.connect(lambda _=False, call=handlers[spec.id]: call())
        if spec.before == SEPARATOR:
            menus[spec.menu].addSeparator()
        menus[spec.menu].addAction(action)
        actions[spec.id] = action
    actions["settings"].setMenuRole(QAction.MenuRole.PreferencesRole)
    actions["quit"].setMenuRole(QAction.MenuRole.QuitRole)
    actions["about"].setMenuRole(QAction.MenuRole.AboutRole)
    return actions, menus
