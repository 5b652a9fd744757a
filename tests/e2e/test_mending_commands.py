"""Moved folders and damaged projects from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from window_support import draw_folder

from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.cli.app import main
from core.images.scan import scan_folder
from core.project.store import Project

EDITED = BoxRecord(Box(4, 6, 20, 15), source=Source.EDITED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "work.boxscout"
    with Project.open_or_create(path) as project:
        project.add_images(scan_folder([draw_folder(tmp_path / "photos", 3)]).images)
        project.set_boxes(1, [EDITED])
    return path


def test_relocate(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "photos"
    assert main(["relocate", "--project", str(path), str(new)]) == 1
    assert "is where it was" in capsys.readouterr().err
    new = new.rename(tmp_path / "new")
    (new / "image 3.png").unlink()
    assert main(["relocate", "--project", str(path), str(tmp_path / "no"), "--json"]) == 1
    assert "There is no folder" in capsys.readouterr().err
    assert main(["relocate", "--project", str(path), str(new), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["found"], result["missing"]) == (2, [str(new / "image 3.png")])
    with Project.open(path) as project:
        assert {image.root for image in project.images()} == {new}
        assert project.boxes(1) == (EDITED,)


def test_repair(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repair", "--project", str(path)]) == 0
    assert "is whole" in capsys.readouterr().out
    damaged = b"rubbish" + path.read_bytes()[7:]
    path.write_bytes(damaged)
    out = tmp_path / "boxes.csv"
    assert main(["export", "--project", str(path), "--format", "csv", "--out", str(out)]) == 1
    assert main(["repair", "--project", str(path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["images"], result["boxes"], result["lost"]) == (3, 1, 0)
    assert Path(result["copy"]).read_bytes() == damaged
    with Project.open(path) as project:
        assert project.boxes(1) == (EDITED,)
