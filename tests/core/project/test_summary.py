"""What is said of a project that is not open."""

from __future__ import annotations

from pathlib import Path

from core.base.annotations import BoxRecord, Source, Status
from core.base.geometry import Box
from core.images.scan import ImageFile
from core.project.store import Project
from core.project.summary import Summary, summary_of


def test_a_summary_counts_what_a_person_has_said(tmp_path: Path) -> None:
    path = tmp_path / "p.boxscout"
    names = [("/photos", f"{i}.jpg") for i in range(5)] + [("/others", "x.jpg")]
    with Project.open_or_create(path) as project:
        project.add_images(ImageFile(root=Path(r), name=n, size_bytes=1, mtime_ns=1) for r, n in names)
        project.set_statuses({1: Status.ACCEPTED, 2: Status.REJECTED})
        project.set_boxes(3, [BoxRecord(Box(0, 0, 2, 2), source=Source.EDITED)])
        project.set_failed({4: "damaged"})
        during = summary_of(path)  # by another window's list
    before = path.read_bytes()
    after = summary_of(path)
    assert after == during
    assert after is not None and (after.images, after.reviewed) == (5, 3)
    assert after.folder == Path("/photos") and after.picture is not None
    assert after.picture.parent == Path("/photos")
    assert path.read_bytes() == before


def test_what_is_no_project_has_no_summary(tmp_path: Path) -> None:
    (tmp_path / "text.boxscout").write_text("no project at all")
    assert summary_of(tmp_path / "text.boxscout") is None
    assert summary_of(tmp_path / "missing.boxscout") is None
    assert not (tmp_path / "missing.boxscout").exists()
    Project.open_or_create(tmp_path / "empty.boxscout").close()
    assert summary_of(tmp_path / "empty.boxscout") == Summary(0, 0)
