"""Settings come back as they were saved; a damaged file gives defaults and one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.base.errors import BoxscoutError
from core.base.preferences import Preferences, holder_of, keys_in_force, load, save

CHANGED = Preferences(theme="dark", device="cpu", threads=3, shortcuts={"next": ("Space", "N"), "quit": ()})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "settings.json"
    save(path, CHANGED)
    assert load(path) == (CHANGED, "")
    assert json.loads(path.read_text())["shortcuts"] == {"next": ["Space", "N"], "quit": []}


def test_no_file_is_the_standard_and_no_sentence(tmp_path: Path) -> None:
    assert load(tmp_path / "settings.json") == (Preferences(), "")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_a_damaged_file_is_the_standard_and_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    loaded, said = load(path)
    assert loaded == Preferences()
    assert said.endswith("Default settings are used.")
    assert path.read_bytes() == content, "it is left for its person to repair"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", 3),
        ("threads", -1),
        ("threads", 10_000),
        ("threads", True),
        ("threads", "two"),
        ("language", None),
        ("shortcuts", {"next": "N"}),
        ("shortcuts", [1]),
    ],
)
def test_one_wrong_value_takes_its_default_and_leaves_the_others(
    tmp_path: Path, name: str, value: object
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"device": "cpu", name: value, "from a newer version": 1}))
    loaded, said = load(path)
    assert loaded == Preferences(device="cpu")
    assert name in said


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BoxscoutError, match="could not be saved"):
        save(tmp_path / "file" / "settings.json", CHANGED)


def test_keys_and_their_holders() -> None:
    standard = {"next": ("Right", "N"), "quit": ("Ctrl+Q",)}
    keys = keys_in_force(standard, {"next": ("Space",), "gone": ("X",)})
    assert keys == {"next": ("Space",), "quit": ("Ctrl+Q",)}
    assert holder_of("ctrl+q", keys) == "quit"
    assert holder_of("N", keys) is None
