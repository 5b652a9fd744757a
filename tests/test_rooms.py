"""The house's one rule of direction: imports point down from room to room, and the core knows no window."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Sequence, Set
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
IMPORT_ALL = """
import importlib, pkgutil, sys
import core
for module in pkgutil.walk_packages(core.__path__, "core."):
    importlib.import_module(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""
QT = {"PySide6", "shiboken6", "PySide2", "PyQt5", "PyQt6", "qtpy", "pyqtgraph", "superqt"}
#: Folder, and what nothing in it may import.
FORBIDDEN = {
    "core": {"app", "main", *QT},
    "app/views": {"core.learn.engine"},
}
#: The rooms, lowest floor first: a room imports from the floors below its own.
FLOORS = (
    {"base"},
    {"images", "nets", "boxes"},
    {"setup"},
    {"maps", "formats", "evaluate"},
    {"learn"},
    {"project"},
    {"paper", "scale"},
    {"cli", "app"},
    {"api"},
)
#: The same within ``app``, where a single file is a room too: a view knows no controller, a presenter both.
APP_FLOORS = (
    {"drops", "keyboard", "loader", "memory", "paths", "speech", "style", "wiring", "worker"},
    {"actions", "pump", "splash"},
    {"models"},
    {"controllers", "views"},
    {"presenters"},
    {"main_window"},
    {"application"},
)


def test_no_module_of_the_core_loads_qt() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "core" in loaded
    assert not loaded & (QT | {"app"})


def imported_names(source: str) -> set[str]:
    """Every module that ``source`` imports, in functions too; ``from a import b`` gives ``a`` and ``a.b``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_scan_sees_every_form_of_import() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from e.g import h\n"
    assert imported_names(source) == {"a.b", "c", "c.d", "e.g", "e.g.h"}


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_point_down(folder: str) -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        for name in sorted(imported_names(path.read_text(encoding="utf-8")))
        if any(name == banned or name.startswith(banned + ".") for banned in FORBIDDEN[folder])
    ]
    assert not wrong


def room_of(module: str) -> str:
    """The room of a module of ours; empty for others and for ``core`` itself."""
    top, _, rest = module.partition(".")
    return {"app": "app", "core": rest.partition(".")[0]}.get(top, "")


def app_room_of(module: str) -> str:
    """The room within ``app``; empty for all else."""
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == "app" else ""


def upward(floors: Sequence[Set[str]], room: Callable[[str], str]) -> set[tuple[str, str]]:
    """Files of ours and the rooms that they import from though these are not below their own."""
    floor_of = {name: floor for floor, rooms in enumerate(floors) for name in rooms}
    found = set()
    for path in [path for top in ("core", "app") for path in (REPOSITORY / top).rglob("*.py")]:
        file = path.relative_to(REPOSITORY).as_posix()
        own = room(file.removesuffix(".py").replace("/", "."))
        for other in map(room, imported_names(path.read_text(encoding="utf-8"))):
            if own in floor_of and other in floor_of and other != own and floor_of[other] >= floor_of[own]:
                found.add((file, other))
    return found


def test_every_room_has_its_floor() -> None:
    rooms = {path.parent.name for path in (REPOSITORY / "core").glob("*/*.py")} | {"app", "api"}
    assert rooms == set().union(*FLOORS)
    assert {path.name for path in (REPOSITORY / "core").glob("*.py")} == {
        "__init__.py",
        "api.py",
        "errors.py",
    }


def test_the_tests_lie_in_the_same_rooms() -> None:
    tested = {path.parent.relative_to(REPOSITORY / "tests" / "core").as_posix() for path in
              (REPOSITORY / "tests" / "core").rglob("*.py")}  # fmt: skip
    assert tested <= set().union(*FLOORS)


def test_rooms_import_from_the_floors_below() -> None:
    assert not upward(FLOORS, room_of)


def test_the_rooms_of_the_window_do_too() -> None:
    files = {path.stem for path in (REPOSITORY / "app").glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in (REPOSITORY / "app").glob("*/*.py")}
    assert files | folders == set().union(*APP_FLOORS)
    assert not upward(APP_FLOORS, app_room_of)
