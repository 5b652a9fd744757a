"""The names of YOLO's classes, wherever a tool has written them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.base.errors import FormatError
from core.base.language import tr
from core.formats.files import WESTERN, text_and_coding, western_note, wrong
from core.formats.gather import Told
from core.formats.others import CLASS_FILES

CONFIG_SUFFIXES = {".yaml", ".yml"}
_NAMES = re.compile(r"^names\s*:.*?(?=^\S(?<![-#\]}])|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Classes:
    """``names`` by number, and ``keypoints``, what ``kpt_shape`` says."""

    names: Mapping[int, str] = field(default_factory=dict)
    keypoints: tuple[int, int] | None = None


class ClassNames:
    """Finds the names that hold for a label file: of ``data.yaml``, else of the nearest file of names."""

    def __init__(self, root: Path, files: Iterable[Path], told: Told, config: Path | None = None) -> None:
        self.told = told
        listed = list(files)
        configs = [file for file in listed if file.suffix.lower() in CONFIG_SUFFIXES]
        top = [file for file in configs if file.parent in (root, root.parent)]
        named = [file for file in top if file.stem.lower() in ("data", "dataset")]
        chosen = (
            [config] if config else named or (configs if len(configs) == 1 else top if len(top) == 1 else [])
        )
        self.config = _config(chosen[0], told) if chosen else Classes()
        self.by_folder = {
            file.parent: file
            for file in reversed(listed)
            if file.name.lower() in CLASS_FILES or file.suffix.lower() == ".names"
        }
        self._read = lru_cache(maxsize=None)(self._lines)

    def of(self, label_file: Path) -> Classes:
        """The classes by which ``label_file`` counts; the nearest file above it, else any."""
        if self.config.names:
            return self.config
        above = (folder for folder in label_file.parents if folder in self.by_folder)
        anywhere = min(self.by_folder, key=lambda folder: len(folder.parts), default=None)
        found = next(above, anywhere)
        return Classes(self._read(self.by_folder[found]), self.config.keypoints) if found else self.config

    def _lines(self, file: Path) -> Mapping[int, str]:
        """The names in a file; none, and the reason told, where it is no text."""
        try:
            text, coding = text_and_coding(file)
            if coding == WESTERN:
                self.told.note(western_note(file))
            return dict(enumerate(line.strip() for line in text.splitlines()))
        except FormatError as error:
            self.told.note(str(error))
            return {}


def _config(file: Path, told: Told) -> Classes:
    """What ``data.yaml`` says; of one that is no YAML, as with a Windows path in quotes, the names alone."""
    try:
        text, coding = text_and_coding(file)
        if coding == WESTERN:
            told.note(western_note(file))
    except FormatError as error:
        told.note(str(error))
        return Classes()
    try:
        content = _loaded(text)
    except Exception as error:  # of what it does not understand, PyYAML raises what it meets
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = "" if line is None else tr(", line {line}").format(line=line + 1)
        told.note(
            str(
                wrong(
                    tr("{name} is not valid YAML{place}: only class names are read from it."),
                    file,
                    place=place,
                )
            )
        )
        content = _names_alone(text)
    return Classes(_numbered(content), _keypoints(content))


def _loaded(text: str) -> Any:
    # Every value as the text that it is: 0, yes and no are names of classes.
    return yaml.load(text, Loader=yaml.BaseLoader)


def _names_alone(text: str) -> Any:
    found = _NAMES.search(text)
    try:
        return _loaded(found.group(0)) if found else None
    except Exception:
        return None


def _numbered(content: Any) -> dict[int, str]:
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = {str(i): name for i, name in enumerate(names)}
    if not isinstance(names, dict):
        return {}
    # A list of lists that name one another is short in the file, and endless as text.
    return {
        int(key): name
        for key, name in names.items()
        if isinstance(key, str) and key.isdecimal() and len(key) < 10 and isinstance(name, str) and name
    }


def _keypoints(content: Any) -> tuple[int, int] | None:
    shape = content.get("kpt_shape") if isinstance(content, dict) else None
    if not isinstance(shape, list) or len(shape) != 2:
        return None
    if not all(isinstance(one, str) and one.isdecimal() and len(one) < 5 for one in shape):
        return None
    return int(shape[0]), int(shape[1])
