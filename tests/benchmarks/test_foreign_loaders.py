"""The check of others' loaders: a loader that gives our boxes fits, one that gives others does not."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOREIGN = Path(__file__).parents[2] / "benchmarks" / "foreign"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOREIGN))
    import check  # type: ignore[import-not-found]

    return check  # type: ignore[no-any-return]


def test_a_loader_fits_only_with_our_boxes(check: ModuleType, tmp_path: Path) -> None:
    images, files = check.drawn(tmp_path)
    check.lay_out(tmp_path, images, files)
    found = check.LOADERS["pycocotools"][3](tmp_path)
    row = check.compared("pycocotools", {"version": "1", "images": found}, images)
    assert (row["fits"], row["images"], row["boxes"]) == (True, 12, 12)
    names = [name for name, boxes in found.items() if boxes]

    def changed(**boxes: Any) -> bool:
        answer = {"version": "1", "images": {**found, **boxes}}
        return bool(check.compared("pycocotools", answer, images)["fits"])

    label, *sides = found[names[0]][0]
    assert not changed(**{names[0]: []})
    assert not changed(**{names[0]: [["other", *sides]]})
    assert not changed(**{names[0]: [[label, sides[0] + 0.1, *sides[1:]]]})
    assert not changed(more=[])
    failed = check.compared("pycocotools", {"version": "", "images": None, "error": ["x"]}, images)
    assert (failed["fits"], failed["error"]) == (False, ["x"])
