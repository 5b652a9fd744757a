"""JSON that is wrong in any way is a ValueError, and where it is kept a default takes its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.base import preferences
from core.base.plain_json import parse_json
from core.project.survey import survey_from_json
from core.project.view import ProjectView, view_from_json

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000 + "1" + "}" * 100_000, "{", "", b"\xff", "[1,]"])
def test_what_is_wrong_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def test_what_is_right_is_as_it_was() -> None:
    assert parse_json('{"a": [1, 2.5, null, "\\u00e9"]}') == {"a": [1, 2.5, None, "é"]}
    assert parse_json(b"[{}]", object_hook=lambda entry: {**entry, "seen": True}) == [{"seen": True}]


@pytest.mark.parametrize(
    "text",
    [
        DEEP,
        '{"step":1e999,"prior":null,"sureness":null}',
        f'{{"step":1,"prior":{{"images":3,"a":{"9" * 400}}},"sureness":null}}',
        f'{{"step":1,"prior":{{"images":{DEEP}}},"sureness":null}}',
    ],
)
def test_values_without_sense_take_their_defaults(tmp_path: Path, text: str) -> None:
    assert survey_from_json(text) is None
    assert view_from_json(text) == ProjectView()
    (tmp_path / "settings.json").write_text(text)
    found, said = preferences.load(tmp_path / "settings.json")
    assert found == preferences.Preferences()
    assert ("cannot be read" in said) == (DEEP in text)
