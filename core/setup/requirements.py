"""What ``pyproject.toml`` asks for, and what of it this interpreter has. Standard library alone."""

from __future__ import annotations

import importlib.util
import re

#: Where a distribution's module has another name than the distribution.
MODULE_OF = {
    "Babel": "babel",
    "opencv-python-headless": "cv2",
    "Pillow": "PIL",
    "pi-heif": "pi_heif",
    "PyYAML": "yaml",
    "PySide6-Essentials": "PySide6",
    "pytest-qt": "pytestqt",
    "pytest-xdist": "xdist",
}
#: What sets an installation apart; a change in one of these sections of pyproject.toml renews it.
STAMPED_SECTIONS = ("build-system", "project", "tool.setuptools")


def requirements(pyproject: str, extra: str = "") -> tuple[str, ...]:
    """The requirements that ``pyproject.toml`` states, such as ``"numpy>=1.26"``.

    Python 3.10 has no TOML reader, and this is asked at every start: our own layout, one array per key and
    one line per requirement, is read directly.
    """
    found: list[str] = []
    section, wanted = "", False
    for line in pyproject.splitlines():
        if header := re.match(r"\[([\w.-]+)\]\s*$", line):
            section, wanted = header[1], False
            continue
        if key := re.match(r"([\w-]+)\s*=\s*\[", line):
            wanted = (section, key[1]) == ("project", "dependencies") or (
                bool(extra) and (section, key[1]) == ("project.optional-dependencies", extra)
            )
        if wanted and not line.lstrip().startswith("#"):
            found += re.findall(r'"([^"]+)"', line)
        if line.rstrip().endswith("]") and not line.lstrip().startswith('"'):
            wanted = False
    return tuple(found)


def missing_modules(pyproject: str, extra: str = "") -> list[str]:
    """The names of required modules that this interpreter does not find. Nothing is imported."""
    stated = requirements(pyproject, extra)
    if not pyproject:  # an installation without its checkout: the two that matter most
        stated = ("torch", "PySide6-Essentials")
    names = [re.split(r"[^\w.-]", text)[0] for text in stated if ";" not in text]
    modules = [MODULE_OF.get(name, name.replace("-", "_")) for name in names]
    return [module for module in modules if not is_there(module)]


def is_there(module: str) -> bool:
    """Whether this interpreter would find ``module``, without importing it."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None  # no origin: the folder is an empty shell


def stamped_text(pyproject: str) -> str:
    """The lines of ``pyproject.toml`` that decide what an installation holds, without comments."""
    kept: list[str] = []
    section = ""
    for line in pyproject.splitlines():
        if header := re.match(r"\[([\w.-]+)\]\s*$", line):
            section = header[1]
        if section.startswith(STAMPED_SECTIONS) and line.strip() and not line.lstrip().startswith("#"):
            kept.append(line.rstrip())
    return "\n".join(kept)
