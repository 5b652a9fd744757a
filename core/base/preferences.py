"""What a person set for the program as a whole, in one small file that they may also write by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from core.base.atomic import os_errors, write_atomically
from core.base.config import CARD, DEVICES, Settings
from core.base.errors import BoxscoutError
from core.base.language import mark, tr
from core.base.limits import Limits, plain
from core.base.plain_json import parse_json

THEMES = ("system", "light", "dark")
# Each but the first and English has a catalog in resources/languages.
LANGUAGES = ("system", "en", "de")
MAX_THREADS = 256
MAX_KEPT = 1000
APP = "Boxscout"
Keys = Mapping[str, tuple[str, ...]]


def _setting(default: Any, label: str, help: str, **limits: Any) -> Any:
    return field(default=default, metadata={"limits": Limits(label, help, **limits)})


@dataclass(frozen=True, kw_only=True)
class Preferences(Settings):
    """Every setting of the program: the dialog, the file and the checks read these fields.

    ``shortcuts`` holds, by the id of a command, the keys that replace its own; an empty tuple takes them
    away.
    """

    theme: str = _setting(
        "system", mark("Theme"), mark("Light, dark, or the same as your system."), choices=THEMES
    )
    language: str = _setting(
        "system",
        mark("Language"),
        mark("For menus, dialogs and messages."),
        choices=LANGUAGES,
    )
    device: str = _setting("auto", mark("Device"), mark("Used for training."), choices=DEVICES, also=CARD)
    threads: int = _setting(
        0,
        mark("Threads"),
        mark("Processor cores that Boxscout may use."),
        zero=mark("Automatic (all cores but one)"),
        low=0,
        high=MAX_THREADS,
    )
    accept_drawn: bool = _setting(
        False,
        mark("Accept after drawing"),
        mark("A box that you draw is accepted at once, and the next image comes into view."),
    )
    learn_by_itself: bool = _setting(
        False,
        mark("Learn by itself every 10 reviewed images"),
        mark("The boxes of all other images change without asking; Undo takes that back."),
    )
    kept_features: int = _setting(
        2,
        mark("Kept features (GB)"),
        mark("Disk that a project may use so that more corrections are learned in seconds; 0 keeps none."),
        low=0,
        high=MAX_KEPT,
    )
    shortcuts: Keys = field(
        default_factory=dict,
        metadata={"limits": Limits(mark("Shortcuts"), mark("Keys that you changed."))},
    )


def settings_file() -> Path:
    """Where the settings lie that a person may also write by hand."""
    return platformdirs.user_config_path(APP, appauthor=False) / "settings.json"


def load(path: Path) -> tuple[Preferences, str]:
    """The preferences in ``path``, and a sentence where not all of them could be used; empty otherwise.

    What cannot be understood takes its default: settings are never worth a start that fails.
    """
    try:
        values = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Preferences(), ""
    except (OSError, ValueError):
        values = None
    if not isinstance(values, dict):
        said = tr("The settings in “{path}” cannot be read. Default settings are used.")
        return Preferences(), said.format(path=path)
    found, wrong = Preferences(), []
    for each in fields(Preferences):
        if each.name in values:
            value = values[each.name]
            try:
                found = found.with_(**{each.name: _keys(value) if each.name == "shortcuts" else value})
            except (BoxscoutError, TypeError, ValueError):
                wrong.append(each.name)
    said = tr("The settings in “{path}” have no usable value for {names}. The default is used.")
    return found, said.format(path=path, names=", ".join(wrong)) if wrong else ""


def save(path: Path, preferences: Preferences) -> None:
    """Write ``preferences``, whole or not at all.

    Raises
    ------
    BoxscoutError
        The place cannot be written.
    """
    text = json.dumps(preferences.to_dict(), indent=1, ensure_ascii=False) + "\n"
    with os_errors(BoxscoutError, tr("The settings could not be saved in “{path}”: {reason}."), path=path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode("utf-8"))


def keys_in_force(standard: Keys, changed: Keys) -> dict[str, tuple[str, ...]]:
    """The keys of every command: what a person made of them, else its ``standard`` ones.

    A standard key that a person gave to another command stays that command's: a newer version may have
    found another use for it.
    """
    taken = {key.casefold() for command in standard.keys() & changed.keys() for key in changed[command]}
    return {
        command: tuple(changed[command])
        if command in changed
        else tuple(key for key in keys if key.casefold() not in taken)
        for command, keys in standard.items()
    }


def holder_of(key: str, bindings: Keys) -> str | None:
    """The command that has ``key``, in any case, in ``bindings``; None where it is free."""
    wanted = key.casefold()
    return next((name for name, keys in bindings.items() if wanted in map(str.casefold, keys)), None)


def _keys(value: Any) -> dict[str, tuple[str, ...]]:
    """The shortcuts in a file; TypeError or ValueError where they are none."""
    keys = {name: tuple(plain(key, "str") for key in keys) for name, keys in dict(value).items()}
    if not all(isinstance(each, list) for each in dict(value).values()):
        raise TypeError
    return keys
