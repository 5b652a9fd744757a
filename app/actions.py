"""Every command of the window: its id, title, menu and key. What it does is given by the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app import style
from core.base.language import mark, tr

SEPARATOR = "-"
CLASS_KEYS = 9
CLASSES = "class menu"
"""In place of an action's name: the menu of classes."""


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
    number: int = 0
    """What a ``{0}`` in the title stands for."""


# In the menu bar, but the classes, which are a menu in that of the edits.
MENUS: tuple[tuple[str, str], ...] = (
    ("file", mark("&File")),
    ("edit", mark("&Edit")),
    ("class", mark("Class by &number")),
    ("image", mark("&Image")),
    ("train", mark("&Train")),
    ("view", mark("&View")),
    ("help", mark("&Help")),
)


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("new", mark("&New project"), "file", ("Ctrl+N",)),
    ActionSpec("open_folder", mark("Open &folder…"), "file", ("Ctrl+O",), "folder"),
    ActionSpec("open_images", mark("Open &images…"), "file", ("Ctrl+Shift+O",), "images"),
    ActionSpec("open_project", mark("Open &project…"), "file", ("Ctrl+Alt+O",)),
    ActionSpec("add_folder", mark("&Add folder to project…"), "file", before=SEPARATOR),
    ActionSpec("add_images", mark("A&dd images to project…"), "file"),
    ActionSpec("save_as", mark("&Save project as…"), "file", ("Ctrl+Shift+S",), "save", before=SEPARATOR),
    ActionSpec("export", mark("&Export boxes…"), "file", ("Ctrl+E",), "export", short=mark("Export")),
    ActionSpec("import_boxes", mark("I&mport boxes…"), "file", ("Ctrl+I",)),
    ActionSpec("remove_truth", mark("Remove g&round truth"), "file"),
    ActionSpec("save_figure", mark("Save fi&gure…"), "file"),
    ActionSpec("settings", mark("Se&ttings…"), "file", ("Ctrl+,",), before=SEPARATOR),
    ActionSpec("quit", mark("&Quit"), "file", ("Ctrl+Q",), before=SEPARATOR),
    ActionSpec("undo", mark("&Undo"), "edit", ("Ctrl+Z",), "undo", short=mark("Undo")),
    ActionSpec("redo", mark("&Redo"), "edit", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", short=mark("Redo")),
    ActionSpec("draw", mark("Draw a &box"), "edit", ("D", "B"), "draw", short=mark("Draw"), before=SEPARATOR),
    ActionSpec("class", mark("&Class of the box…"), "edit", ("C",)),
    *(
        ActionSpec(f"class_{n}", mark("Class &{0}"), "class", (str(n),), number=n)
        for n in range(1, CLASS_KEYS + 1)
    ),
    ActionSpec("next_box", mark("Select the &next box"), "edit", ("G",)),
    ActionSpec("previous_box", mark("Select the &previous box"), "edit", ("Shift+G",)),
    ActionSpec("copy", mark("Cop&y"), "edit", ("Ctrl+C",), "copy", before=SEPARATOR),
    ActionSpec("paste", mark("Pas&te"), "edit", ("Ctrl+V",)),
    ActionSpec("duplicate", mark("D&uplicate the box"), "edit", ("Ctrl+D",)),
    ActionSpec("repeat", mark("Boxes of the previous &image"), "edit", ("R",)),
    ActionSpec(
        "delete_box", mark("&Delete the box"), "edit", ("Del", "Backspace"), "close", before=SEPARATOR
    ),
    ActionSpec("clear", mark("Delete &all boxes of this image"), "edit", ("Ctrl+Del",)),
    ActionSpec(
        "automatic", mark("&Restore automatic boxes"), "edit", ("Ctrl+Shift+B",), "box", before=SEPARATOR
    ),
    ActionSpec("threshold_of_many", mark("Apply threshold to &selected images"), "edit", ("Ctrl+T",)),
    ActionSpec(
        "previous", mark("&Previous image"), "image", ("Left", "P", "K"), "previous", short=mark("Previous")
    ),
    ActionSpec("next", mark("&Next image"), "image", ("Right", "N", "J"), "next", short=mark("Next")),
    ActionSpec("first", mark("&First image"), "image", ("Home",)),
    ActionSpec("last", mark("&Last image"), "image", ("End",)),
    ActionSpec("accept", mark("&Accept"), "image", ("A",), "done", before=SEPARATOR),
    ActionSpec("reject", mark("&Reject"), "image", ("X",), "close"),
    ActionSpec("no_object", mark("N&o object"), "image", ("E",)),
    ActionSpec("unmark", mark("&Unmark"), "image", ("U",)),
    ActionSpec("accept_drawn", mark("Accept after &drawing, and go on"), "image", checkable=True),
    ActionSpec(
        "review_boxes", mark("Re&view the boxes"), "image", ("Ctrl+Return",), "search", short=mark("Review")
    ),
    ActionSpec("remove_images", mark("Remo&ve from project"), "image", before=SEPARATOR),
    ActionSpec("find_image", mark("Find an i&mage"), "image", ("Ctrl+F", "/"), "search", before=SEPARATOR),
    ActionSpec("select_all", mark("&Select all"), "image", ("Ctrl+A",)),
    ActionSpec("select_one", mark("Select &only this one"), "image", ("Ctrl+Shift+A",)),
    ActionSpec("accept_above", mark("A&ccept above a score…"), "image", ("Ctrl+Shift+U",)),
    ActionSpec("least_sure_first", mark("Sort &least sure first"), "image", ("L",)),
    ActionSpec("most_useful_first", mark("Sort most use&ful next"), "image"),
    ActionSpec("worst_first", mark("Sort &worst first"), "image", ("W",)),
    ActionSpec("start", mark("&Find objects"), "train", ("Ctrl+R",), "box"),
    ActionSpec("pause", mark("&Pause"), "train", ("Ctrl+P",), "pause"),
    ActionSpec("stop", mark("S&top and save"), "train", ("Ctrl+.",), "stop"),
    ActionSpec(
        "find_boxes",
        mark("Find &boxes in all images again"),
        "train",
        ("Ctrl+B",),
        "box",
        short=mark("Find boxes"),
        before=SEPARATOR,
    ),
    ActionSpec("teach", mark("&Learn from the reviewed images"), "train", icon="done"),
    ActionSpec("heat_map", mark("Show &heat map"), "view", ("H",), "heat-map", checkable=True),
    ActionSpec("show_truth", mark("Show true b&oxes"), "view", ("T",), checkable=True),
    ActionSpec("zoom_in", mark("Zoom &in"), "view", ("Ctrl++", "Ctrl+=", "+"), "zoom-in", before=SEPARATOR),
    ActionSpec("zoom_out", mark("Zoom &out"), "view", ("Ctrl+-", "-"), "zoom-out"),
    ActionSpec("fit", mark("&Fit to window"), "view", ("Ctrl+0", "F"), "fit"),
    ActionSpec("actual_size", mark("&Actual size"), "view", ("Ctrl+1",), "actual-size"),
    ActionSpec("zoom_to_box", mark("Zoom to the &box"), "view", ("Z",), "search"),
    ActionSpec(
        "side_by_side",
        mark("&Side by side"),
        "view",
        ("S",),
        "side-by-side",
        checkable=True,
        before=SEPARATOR,
    ),
    ActionSpec("display", mark("&Brightness and contrast…"), "view", ("Ctrl+L",), "display"),
    ActionSpec("plain_display", mark("Reset b&rightness and contrast"), "view", ("Ctrl+Shift+L",), "reset"),
    ActionSpec("show_images", mark("&Images"), "view", ("F7",), checkable=True, before=SEPARATOR),
    ActionSpec("show_training", mark("&Training"), "view", ("F8",), checkable=True),
    ActionSpec("show_problems", mark("&Problems"), "view", ("F9",), checkable=True),
    ActionSpec("show_accuracy", mark("A&ccuracy"), "view", ("F10",), checkable=True),
    ActionSpec("grid", mark("Images as a &grid"), "view", ("Ctrl+G",), "grid", checkable=True),
    ActionSpec("review_mode", mark("&Review mode"), "view", ("F11",), checkable=True, before=SEPARATOR),
    ActionSpec("full_screen", mark("F&ull screen"), "view", ("Shift+F11",), checkable=True),
    ActionSpec("guide", mark("&Guide"), "help", ("F1",), "info"),
    ActionSpec("palette", mark("&Find a command…"), "help", ("Ctrl+Shift+P", "Ctrl+K"), "search"),
    ActionSpec("shortcuts", mark("&Keyboard shortcuts"), "help", ("?",)),
    ActionSpec("log", mark("Show the &log file"), "help"),
    ActionSpec("diagnostics", mark("Save &diagnostics…"), "help"),
    ActionSpec("about", mark("&About Boxscout"), "help", before=SEPARATOR),
)


def menu_titles() -> dict[str, str]:
    """What each menu is called, without the mark of its key."""
    return {name: tr(title).replace("&", "") for name, title in MENUS}


def title_of(spec: ActionSpec) -> str:
    return tr(spec.title).format(spec.number) if spec.number else tr(spec.title)


def plain_title(spec: ActionSpec) -> str:
    return title_of(spec).replace("&", "")


def key_text(action: QAction) -> str:
    """Its keys, which a person may have changed, as this system writes them."""
    return "  ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts())


def build(
    window: QMainWindow, handlers: Mapping[str, Callable[..., object]]
) -> tuple[dict[str, QAction], dict[str, QMenu]]:
    """Make the menu bar of ``window``. Each spec needs a handler of its id; each handler a spec.

    A checkable action's handler is called with the new state, the others with nothing.
    """
    assert {spec.id for spec in ACTIONS} == set(handlers), "actions and handlers differ"
    menus = {name: QMenu(tr(title), window) for name, title in MENUS}
    for name, menu in menus.items():
        if name != "class":
            window.menuBar().addMenu(menu)
    actions = {}
    for spec in ACTIONS:
        action = QAction(title_of(spec), window)
        action.setObjectName(f"action_{spec.id}")
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(spec.checkable)
        if spec.short:
            action.setIconText(tr(spec.short))
        if spec.icon:
            style.set_icon(action, spec.icon)
        if spec.checkable:
            action.toggled.connect(handlers[spec.id])
        else:
            action.triggered.connect(lambda _=False, call=handlers[spec.id]: call())
        if spec.before == SEPARATOR:
            menus[spec.menu].addSeparator()
        if spec.number == 1:
            menus["edit"].addMenu(menus[spec.menu])
        menus[spec.menu].addAction(action)
        actions[spec.id] = action
    actions[CLASSES] = menus["class"].menuAction()
    actions["settings"].setMenuRole(QAction.MenuRole.PreferencesRole)
    actions["quit"].setMenuRole(QAction.MenuRole.QuitRole)
    actions["about"].setMenuRole(QAction.MenuRole.AboutRole)
    return actions, menus


def fill_menu(menu: QMenu, actions: Mapping[str, QAction], names: Sequence[str]) -> None:
    """Let ``menu`` show these actions; an empty name is a line between."""
    menu.clear()
    for name in names:
        menu.addAction(actions[name]) if name else menu.addSeparator()
