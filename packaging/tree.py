"""The trees that a wheel and an sdist are made from (docs/decisions/0027-wheel.md says why).

In a wheel everything lies in one package, ``boxscout``: ``core`` is ``boxscout.core`` there, in every import.
"""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

PACKAGE = "boxscout"
#: The names that the checkout has at its top, and that only ``boxscout`` may have in site-packages.
OURS = ("app", "core", "main", "resources")
FOLDERS = ("app", "core", "resources", "docs")
ABOUT = ("README.md", "LICENSE", "NOTICE", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.po", "*.pot")
LEFT_OUT_OF_DOCS = shutil.ignore_patterns("*.py", "notebooks")  # nothing that only a checkout can run
#: What setuptools is told of the copy, in place of what pyproject.toml tells it of the checkout.
WHEEL_SETTINGS = """
[tool.setuptools.packages.find]
include = ["boxscout*"]

[tool.setuptools.package-data]
boxscout = ["**/*"]

[tool.setuptools.dynamic]
version = { attr = "boxscout.core.__version__" }
"""
_LINK = re.compile(r"(?P<picture>!?)(?P<text>\[[^\]]*\])\((?P<target>[^)\s#]+)(?P<place>#[^)\s]*)?\)")


class BuildError(Exception):
    """The checkout cannot be made into a package; the text says which line is in the way."""


def for_wheel(checkout: Path, target: Path) -> None:
    """Fill ``target`` with what a wheel is built from; ``checkout`` stays as it is."""
    package = target / PACKAGE
    shutil.copytree(checkout / "packaging" / PACKAGE, package, ignore=LEFT_OUT)
    for name in FOLDERS:
        left_out = LEFT_OUT_OF_DOCS if name == "docs" else LEFT_OUT
        shutil.copytree(checkout / name, package / name, ignore=left_out)
    shutil.copy(checkout / "main.py", package)
    for name in ABOUT:
        shutil.copy(checkout / name, target)
    for path in package.rglob("*.py"):
        _rewrite(path, renamed(path.read_text(encoding="utf-8"), path.name))
    settings = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    _rewrite(target / "pyproject.toml", without_sections(settings, "tool.setuptools") + WHEEL_SETTINGS)
    address = source_address(settings)
    _rewrite(target / "README.md", absolute_links((target / "README.md").read_text("utf-8"), address))
    for path in (package / "docs").rglob("*.md"):
        folder = Path("docs", path.relative_to(package / "docs").parent)
        text = path.read_text(encoding="utf-8")
        _rewrite(path, absolute_links(text, address, folder=folder, kept=package))


def for_sdist(checkout: Path, target: Path) -> None:
    """Fill ``target`` with the checkout's own files, from which the same wheel can be built."""
    for name in (*FOLDERS, "packaging"):
        shutil.copytree(checkout / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for name in (*ABOUT, "CHANGELOG.md", "main.py"):
        shutil.copy(checkout / name, target)
    address = source_address((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    _rewrite(target / "README.md", absolute_links((target / "README.md").read_text("utf-8"), address))
    _rewrite(target / "MANIFEST.in", "global-include *\nglobal-exclude *.pyc\n")


def _rewrite(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


# Imports


def renamed(source: str, name: str = "source") -> str:
    """``source`` with every import of ours from the one package.

    Raises
    ------
    BuildError
        A line like ``import core.base``, which binds the name ``core`` itself.
    """
    lines = source.encode("utf-8").splitlines(keepends=True)
    places = [place for node in ast.walk(ast.parse(source)) for place in _places(node, name)]
    for line, column, new in sorted(places, reverse=True):  # from the end, so that columns stay right
        text = lines[line - 1]
        lines[line - 1] = text[:column] + new + text[column:]
    return b"".join(lines).decode("utf-8")


def _places(node: ast.AST, name: str) -> list[tuple[int, int, bytes]]:
    """Line, column in bytes, and what is to be put in there, for one import."""
    if isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module or ""):
        return [(node.lineno, node.col_offset + len("from "), f"{PACKAGE}.".encode())]
    if not isinstance(node, ast.Import):
        return []
    own = [alias for alias in node.names if _is_ours(alias.name)]
    if len(node.names) == 1 and own and "." not in own[0].name:
        return [(node.lineno, node.col_offset, f"from {PACKAGE} ".encode())]
    if any(alias.asname is None for alias in own):
        raise BuildError(f"{name}, line {node.lineno}: write 'from … import …', which a package can rename.")
    return [(alias.lineno, alias.col_offset, f"{PACKAGE}.".encode()) for alias in own]


def _is_ours(module: str) -> bool:
    return module.split(".")[0] in OURS


# pyproject.toml, read without a TOML reader: Python 3.10 has none


def without_sections(toml: str, name: str) -> str:
    """``toml`` without the section ``name`` and those below it."""
    kept, inside = [], False
    for line in toml.splitlines(keepends=True):
        if header := re.match(r"\[+([\w.-]+)\]", line):
            inside = header[1] == name or header[1].startswith(f"{name}.")
        if not inside:
            kept.append(line)
    return "".join(kept)


def source_address(toml: str) -> str:
    """Where the project's files lie on the web: ``Source`` of ``[project.urls]``, without a last slash."""
    found = re.search(r'^Source = "([^"]+)"', toml, re.MULTILINE)
    if not found:
        raise BuildError("pyproject.toml names no Source in [project.urls].")
    return found[1].rstrip("/")


def absolute_links(text: str, address: str, *, folder: Path = Path(), kept: Path | None = None) -> str:
    """Markdown whose links to files of the checkout lead to ``address``.

    Parameters
    ----------
    folder
        Where the text lies in the checkout.
    kept
        A folder with files that links may go on naming, because they go along with the text.
    """

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if re.match(r"[a-z]+:", target):
            return found[0]
        path = _plain(folder / target)
        if kept is not None and (kept / path).exists():
            return found[0]
        kind = "raw" if found["picture"] else "blob"
        return f"{found['picture']}{found['text']}({address}/{kind}/HEAD/{path}{found['place'] or ''})"

    return _LINK.sub(link, text)


def _plain(path: Path) -> str:
    """``path`` without ``..``, by forward slashes."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
