"""The project file: what goes in comes out, at once and after a kill, and nothing else is opened as one."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.annotations import BoxRecord, Source, Status
from core.base.config import TrainConfig
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.boxes.thresholds import Thresholds
from core.images.scan import ImageFile, RejectedFile
from core.project.file import APPLICATION_ID
from core.project.queries import framings, kept
from core.project.rows import Kept
from core.project.store import Project, ProjectView
from core.project.view import view_from_json, view_to_json

REPOSITORY = Path(__file__).parents[3]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _file(name: str, root: str = "/photos", size: int = 10, time: int = 1) -> ImageFile:
    return ImageFile(root=Path(root), name=name, size_bytes=size, mtime_ns=time)


def _auto(x: float = 1.0) -> BoxRecord:
    return BoxRecord(Box(x, 2, 30, 40.5), score=0.75, threshold=0.2, rule="component")


EDITED = BoxRecord(Box(5, 6, 7, 8), label="cat", source=Source.EDITED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my project.boxscout"


@pytest.fixture
def project(path: Path) -> Iterator[Project]:
    with Project.open_or_create(path) as project:
        project.add_images([_file("b.png"), _file("sub/a.png"), _file("c.png")])
        yield project


def _ids(project: Project) -> list[int]:
    return [image.id for image in project.images()]


# -- images ---------------------------------------------------------------------------------------


def test_images_keep_order_and_ids(project: Project, path: Path) -> None:
    before = project.images()
    assert [image.name for image in before] == ["b.png", "sub/a.png", "c.png"]
    assert before[1].path == Path("/photos/sub/a.png")
    assert before[1].file == _file("sub/a.png")
    assert project.add_images(iter([_file("c.png"), _file("new.png"), _file("b.png")])) == 1
    project.close()
    with Project.open(path) as again:
        assert again.images()[:3] == before
        assert [image.name for image in again.images(after=before[2].id)] == ["new.png"]
        assert again.image(before[0].id) == before[0]
        with pytest.raises(ProjectError, match="99"):
            again.image(99)


def test_a_changed_file_gets_a_new_chance_and_keeps_its_box(project: Project) -> None:
    first, second, _ = _ids(project)
    project.set_sizes({first: (640, 480), second: (64, 32)})
    project.set_boxes(first, [EDITED])
    heat = np.ones((2, 2), np.float32)
    project.set_heat_maps(
        {first: heat, second: heat}, step=7, framings=dict.fromkeys((first, second), np.ones(4))
    )
    project.set_failed({first: "It is torn."})
    assert project.image(first).reason == "It is torn."
    project.add_images([_file("b.png", time=2), _file("sub/a.png")])
    changed, same = project.image(first), project.image(second)
    assert (changed.status, changed.reason, changed.width, changed.mtime_ns) == (Status.UNSEEN, "", 0, 2)
    assert (same.width, same.height) == (64, 32)
    assert project.heat_map(first) is None
    assert project.heat_map(second) is not None
    assert list(framings(project, [first, second])) == [second]
    assert project.boxes(first) == (EDITED,)


def test_one_path_by_two_folders_is_one_image(project: Project) -> None:
    ids = _ids(project)
    assert project.add_images([_file("photos/c.png", root="/"), _file("a.png", root="/photos/sub")]) == 0
    assert project.add_images([_file("x/new.png", root="/"), _file("new.png", root="/x")]) == 1
    assert _ids(project)[:3] == ids
    # A folder whose name only begins alike is another folder.
    assert project.add_images([_file("c.png", root="/photos2"), _file("c.png", root="/phot")]) == 2


def test_status_sizes_and_failures(project: Project) -> None:
    a, b, c = _ids(project)
    project.set_auto_boxes({a: [_auto()], b: [_auto()]})
    project.set_statuses(dict.fromkeys([a, b], Status.ACCEPTED))
    project.set_failed({c: "It is empty."})
    project.set_sizes({b: (3, 4)})
    assert [image.status for image in project.images()] == [Status.ACCEPTED, Status.ACCEPTED, Status.FAILED]
    project.set_statuses({c: Status.REJECTED})
    assert project.image(c).status is Status.FAILED, "nothing that is said makes it usable"
    project.set_sizes({c: (1, 1)})
    assert (project.image(c).status, project.image(c).reason) == (Status.UNSEEN, "")


def test_a_file_that_is_away_takes_nobodys_work(project: Project) -> None:
    a, b, c = _ids(project)
    project.set_auto_boxes({a: [_auto()]})
    project.set_statuses({a: Status.ACCEPTED})
    project.set_statuses({b: Status.REJECTED})
    project.set_boxes(c, [])
    for _ in range(2):
        project.set_failed(dict.fromkeys((a, b, c), "It is no longer there."))
        found = [(image.status, image.reason) for image in project.images()]
        assert found == [
            (status, "It is no longer there.") for status in (Status.ACCEPTED, Status.REJECTED, Status.UNSEEN)
        ]
        assert (project.boxes(a), kept(project, [c])[c]) == ((_auto(),), Kept((), edited=True))
    project.set_statuses(dict.fromkeys([b, c], Status.UNSEEN))
    assert [image.status for image in project.images()][1:] == [Status.FAILED, Status.UNSEEN]
    project.set_sizes(dict.fromkeys((a, b, c), (3, 4)))
    assert [image.reason for image in project.images()] == ["", "", ""]
    assert project.image(a).status is Status.ACCEPTED


def test_rejected_files_keep_names_that_are_not_text(project: Project) -> None:
    odd = RejectedFile(path=Path(os.fsdecode(b"/photos/\xff.png")), reason="Its name is not text \udcff.")
    project.add_rejected([odd, RejectedFile(path=Path("/p/x.txt"), reason="old")])
    project.add_rejected([RejectedFile(path=Path("/p/x.txt"), reason="new")])
    assert project.rejected() == [odd, RejectedFile(path=Path("/p/x.txt"), reason="new")]
    project.add_images([_file("a.png", root=os.fsdecode(b"/odd\xff"))])
    assert project.images()[-1].root == Path(os.fsdecode(b"/odd\xff"))


def test_relocate(project: Project) -> None:
    ids = _ids(project)
    project.relocate(Path("/photos"), Path("/moved"))
    assert _ids(project) == ids
    assert project.images()[0].path == Path("/moved/b.png")
    with pytest.raises(ProjectError, match="not in the project"):
        project.relocate(Path("/photos"), Path("/x"))


# -- boxes ----------------------------------------------------------------------------------------


def test_an_automatic_run_never_touches_an_edited_image(project: Project) -> None:
    a, b, c = _ids(project)
    project.set_auto_boxes({a: [_auto()], b: [_auto()]})
    project.set_boxes(a, [EDITED, _auto(9)])
    assert project.set_auto_boxes({a: [_auto(3)], b: [_auto(3)], c: []}) == 1
    assert project.all_boxes() == {a: (EDITED, _auto(9)), b: (_auto(3),)}
    project.set_boxes(a, [])
    assert project.set_auto_boxes({a: [_auto(4)]}) == 1
    assert project.boxes(a) == ()
    project.set_kept({a: Kept()})
    assert project.set_auto_boxes({a: [_auto(4)]}) == 0
    assert project.boxes(a) == (_auto(4),)


def test_edited_boxes_of_an_older_file_count_as_edited(project: Project, path: Path) -> None:
    a, b, _ = _ids(project)
    project.set_boxes(a, [EDITED])
    project.set_auto_boxes({b: [_auto()]})
    project._db.execute("DROP TABLE edited")
    project.close()
    with Project.open(path) as again:
        assert kept(again, [a, b]) == {a: Kept((EDITED,), edited=True), b: Kept((_auto(),))}
        assert again.set_auto_boxes({a: [_auto(7)], b: [_auto(7)]}) == 1


_sides = st.floats(-1e6, 1e6)
_records = st.builds(
    BoxRecord,
    box=st.builds(Box, _sides, _sides, _sides, _sides),
    label=st.text(alphabet=st.characters()),
    score=st.none() | st.floats(0, 1),
    source=st.sampled_from(Source),
    threshold=st.none() | st.floats(0, 0.95),
    rule=st.none() | st.sampled_from(["moments", "component"]),
)


@settings(max_examples=40, deadline=None)
@given(records=st.lists(_records, max_size=4))
def test_boxes_come_back_as_they_went(records: list[BoxRecord]) -> None:
    with tempfile.TemporaryDirectory() as folder, Project.open_or_create(Path(folder) / "p") as project:
        project.add_images([_file("a.png")])
        project.set_boxes(1, records)
        assert project.boxes(1) == tuple(records)


def test_a_failed_bulk_change_changes_nothing(project: Project) -> None:
    a, b, _ = _ids(project)
    project.set_auto_boxes({a: [_auto()]})
    with pytest.raises(ProjectError, match="no longer in"):
        project.set_auto_boxes({a: [_auto(5)], 999: [_auto()]})
    with pytest.raises(ProjectError, match="not a number"):
        project.set_auto_boxes({b: [_auto(5)], a: [BoxRecord(Box(0, 0, float("nan"), 1))]})
    assert project.all_boxes() == {a: (_auto(),)}


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("p.set_boxes(1, [BoxRecord(Box(1, 2, 3, 4))])", "p.boxes(1)[0].box == Box(1, 2, 3, 4)"),
        ("p.set_statuses({2: Status.REJECTED})", "p.image(2).status is Status.REJECTED"),
        ("p.save_view(ProjectView(threshold=0.3))", "p.load_view().threshold == 0.3"),
    ],
)
def test_an_edit_is_durable_when_the_call_returns(project: Project, change: str, check: str) -> None:
    project.close()
    program = (
        "import os, sys; from pathlib import Path; from core.project.store import *\n"
        f"from core.base.annotations import *; from core.base.geometry import Box\n"
        f"p = Project.open(Path(sys.argv[1])); {change}; os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(project.path)], cwd=REPOSITORY, check=True)
    names = {"Box": Box, "Status": Status}
    with Project.open(project.path) as again:
        assert eval(check, {**names, "p": again})


def test_threads_share_a_project(project: Project) -> None:
    ids, errors = _ids(project), []

    def work(n: int) -> None:
        try:
            for i in range(20):
                project.set_boxes(ids[n], [_auto(float(i))])
                project.images()
                project.set_auto_boxes({ids[n]: [_auto(float(i))]})
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert project.all_boxes() == {image_id: (_auto(19.0),) for image_id in ids}


# -- export names ---------------------------------------------------------------------------------


def test_export_names_of_one_and_of_several_folders(path: Path) -> None:
    with Project.open_or_create(path) as project:
        project.add_images([_file("sub/a.png", root="/home/me/cats")])
        assert [image.name for image in project.image_boxes()] == ["sub/a.png"]
        project.add_images([_file("sub/a.png", root="/home/me/dogs"), _file("a.png", root="/home/you")])
        project.set_failed({3: "It is torn."})
        project.set_boxes(1, [EDITED])
        exported = project.image_boxes()
        names = [image.name for image in exported]
        assert names == ["me/cats/sub/a.png", "me/dogs/sub/a.png", "you/a.png"]
        assert exported[0].boxes == (EDITED,)
        assert (exported[2].status, exported[2].reason) == (Status.FAILED, "It is torn.")
        # The names lead to the files, from the common parent of all.
        assert [Path("/home") / name for name in names] == [image.path for image in project.images()]


def test_export_names_stay_unique_where_a_move_made_two_paths_one(path: Path) -> None:
    with Project.open_or_create(path) as project:
        project.add_images(
            [_file("x/a.png", root="/p"), _file("x/a (2).png", root="/p"), _file("a.png", root="/q")]
        )
        project.relocate(Path("/q"), Path("/p/x"))
        names = [image.name for image in project.image_boxes()]
        assert names == ["x/a.png", "x/a (2).png", "x/a (3).png"]


# -- heat maps and view ---------------------------------------------------------------------------


def test_heat_maps(project: Project) -> None:
    a, b, _ = _ids(project)
    assert project.heat_maps_step() is None
    heat_map = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    project.set_heat_maps({a: heat_map.T, b: heat_map}, step=200)
    found = project.heat_map(a)
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, heat_map.T)
    found[0, 0] = 1  # a copy of one's own
    assert project.heat_maps_step() == 200


def test_framings_come_and_go_with_the_maps(path: Path, project: Project) -> None:
    a, b, c = _ids(project)
    heat, own = np.ones((2, 2), np.float32), np.array([1 / 3, -0.1, math.log(0.7), 1e-9])
    project.set_heat_maps({a: heat, b: heat}, step=1, framings={a: own, b: own + 1})
    project.close()
    with Project.open(path) as again:
        found = framings(again, [c, b, a])
        assert sorted(found) == [a, b]
        np.testing.assert_array_equal(found[a], own)
        np.testing.assert_array_equal(found[b], own + 1)
        assert list(framings(again, [b])) == [b]
        again.set_heat_maps({b: heat}, step=2)
        assert list(framings(again, [a, b])) == [a]
        with pytest.raises(ProjectError):
            again.set_heat_maps({a: heat * 2}, step=3, framings={99: own})
        np.testing.assert_array_equal(again.heat_map(a), heat)


def test_a_project_from_before_framing_opens_and_can_hold_it(path: Path, project: Project) -> None:
    a, *_ = _ids(project)
    heat = np.ones((2, 2), np.float32)
    project.set_heat_maps({a: heat}, step=1)
    project.close()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE framing")
    db.close()
    with Project.open(path) as again:
        assert framings(again, [a]) == {}
        again.set_heat_maps({a: heat}, step=2, framings={a: np.zeros(4)})
        assert list(framings(again, [a])) == [a]


def test_how_likely_images_show_no_object_stays_until_they_have_another_map(
    path: Path, project: Project
) -> None:
    a, b, _ = _ids(project)
    heat = np.ones((2, 2), np.float32)
    project.set_heat_maps({a: heat, b: heat}, step=1)
    project.set_no_object({a: 0.1, b: 1.0})
    project.close()
    with Project.open(path) as again:
        assert again.no_object() == {a: 0.1, b: 1.0}
        assert [image.no_object for image in again.image_boxes()] == [0.1, 1.0, None]
        again.set_heat_maps({b: heat}, step=2)
        assert again.no_object() == {a: 0.1}
        file = again.image(a).file
        again.add_images([replace(file, mtime_ns=file.mtime_ns + 1)])
        assert again.no_object() == {}, "it is another file now"


def test_the_view_comes_back(project: Project) -> None:
    assert project.load_view() == ProjectView()
    view = ProjectView(
        rule="component",
        threshold=0.25,
        thresholds=Thresholds.of({1: 0.5, 3: 0.0}),
        current_image=3,
        opacity=0.1,
        colour_map="magma",
        show_heat_map=False,
        config=TrainConfig(steps=7, minutes=2.5),
        model="cam",
        at="600",
    )
    project.save_view(view)
    assert project.load_view() == view


def test_thresholds_as_earlier_versions_wrote_them_are_read() -> None:
    def read(written: str) -> Thresholds:
        values = {**json.loads(view_to_json(ProjectView())), "thresholds": json.loads(written)}
        return view_from_json(json.dumps(values)).thresholds

    assert read('{"7": 0.25, "9": 0.5}') == {7: 0.25, 9: 0.5}
    assert read("[[2, 4, 0.25], [5, 5, 0.5]]") == {2: 0.25, 3: 0.25, 4: 0.25, 5: 0.5}
    assert read("[]") == {}


@pytest.mark.parametrize(
    "text",
    [
        '{"opacity": 0.9, "later": [1], "config": {"steps": 9, "later": 1}}',
        '{"opacity": 0.9, "config": {"steps": 9}, "threshold": "x", "thresholds": {"x": 2}, "rule": 3, '
        '"model": "other", "at": "-5"}',
        '{"opacity": 0.9, "config": {"steps": 9}, "thresholds": [[1, 9000000000000, 0.5]]}',
        '{"opacity": 0.9, "config": {"steps": 9}, "thresholds": [[5, 9, 0.5], [2, 6, 0.4]]}',
        '{"opacity": 0.9, "config": {"steps": 9}, "thresholds": "AAAA"}',
        '{"opacity": 0.9, "config": {"steps": 9}, "thresholds": "?"}',
    ],
)
def test_a_view_of_a_later_or_broken_writer_keeps_what_is_understood(project: Project, text: str) -> None:
    project.save_view(ProjectView())
    with sqlite3.connect(project.path) as db:
        db.execute("UPDATE view SET json = ?", (text,))
    db.close()
    assert project.load_view() == ProjectView(opacity=0.9, config=TrainConfig(steps=9))


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"config": {"steps": -5}}', '{"config": 3}', '{"rule": 1}']
)
def test_a_senseless_view_is_the_default(project: Project, text: str) -> None:
    project.save_view(ProjectView())
    with sqlite3.connect(project.path) as db:
        db.execute("UPDATE view SET json = ?", (text,))
    db.close()
    assert project.load_view() == ProjectView()


# -- opening and closing --------------------------------------------------------------------------


def test_one_file_remains_after_closing(project: Project, path: Path, tmp_path: Path) -> None:
    project.set_boxes(1, [EDITED])
    project.close()
    project.close()
    assert _names(tmp_path) == [path.name]
    with pytest.raises(ProjectError, match="closed"):
        project.images()
    assert path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big")


def test_data_dir_is_made_beside_it(project: Project, path: Path) -> None:
    assert not Path(f"{path}-data").exists()
    assert project.data_dir == Path(f"{path}-data")
    assert project.data_dir.is_dir()


def _text(path: Path) -> None:
    path.write_text("hello " * 100)


def _foreign_database(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE image (x)")
    db.commit()
    db.close()


def _empty_database(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("VACUUM")
    db.close()


def _newer(path: Path) -> None:
    Project.open_or_create(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _with_a_view(path: Path) -> None:
    """In place of a table, and without an end."""
    Project.open_or_create(path).close()
    db = sqlite3.connect(path)
    db.execute("DROP TABLE rejected")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    db.execute(f"CREATE VIEW rejected AS SELECT i AS id, 'a' || i AS path, '' AS reason FROM ({numbers})")
    db.close()


def _with_a_trigger(path: Path) -> None:
    Project.open_or_create(path).close()
    db = sqlite3.connect(path)
    db.execute("CREATE TRIGGER t AFTER INSERT ON view BEGIN DELETE FROM box; END")
    db.close()


def _torn(path: Path) -> None:
    with Project.open_or_create(path) as project:
        project.add_images([_file(f"{i}.png") for i in range(5000)])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _scribbled(path: Path) -> None:
    with Project.open_or_create(path) as project:
        project.add_images([_file(f"{i}.png") for i in range(5000)])
    data = bytearray(path.read_bytes())
    data[8192:40960] = b"\xa5" * (40960 - 8192)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_text, "not a Boxscout project"),
        (_foreign_database, "not a Boxscout project"),
        (_empty_database, "not a Boxscout project"),
        (_with_a_view, "not a Boxscout project"),
        (_with_a_trigger, "not a Boxscout project"),
        (lambda path: path.write_bytes(b"SQLite format 3\x00"), "not a Boxscout project"),
        (Path.mkdir, "not a Boxscout project"),
        (os.mkfifo, "not a Boxscout project"),
        (Path.touch, "not a Boxscout project"),
        (_newer, "newer Boxscout"),
        (_torn, "damaged"),
        (_scribbled, "damaged"),
        (lambda path: None, "no project"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_not_a_project_is_refused_and_not_touched(
    path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ProjectError, match=sentence) as caught:
        Project.open(path)
    assert str(caught.value).endswith(".")
    assert (path.read_bytes() if path.is_file() else None) == before
    assert _names(path.parent) == ([path.name] if path.exists() else [])
    if sentence not in ("no project",) and before != b"":
        with pytest.raises(ProjectError):
            Project.open_or_create(path)


def test_an_empty_file_becomes_a_project_and_a_missing_folder_none(path: Path) -> None:
    path.touch()
    Project.open_or_create(path).close()
    Project.open_or_create(path).close()
    with pytest.raises(ProjectError, match="does not exist"):
        Project.open_or_create(path.parent / "missing" / "p")


def test_a_kill_while_it_is_made_leaves_something_that_opens(path: Path) -> None:
    for statements in range(8):
        path.unlink(missing_ok=True)
        program = (
            "import os, sys; from pathlib import Path; import core.project.file as f\n"
            f"def stop():\n yield from f_schema[:{statements}]\n os._exit(9)\n"
            "f_schema = f.SCHEMA; f.SCHEMA = stop(); f.connect(Path(sys.argv[1]), may_create=True)"
        )
        done = subprocess.run([sys.executable, "-c", program, str(path)], cwd=REPOSITORY, check=False)
        assert done.returncode == 9
        with Project.open_or_create(path) as project:
            assert project.add_images([_file("a.png")]) == 1


def test_a_kill_in_the_middle_of_a_change_loses_only_that(project: Project, path: Path) -> None:
    project.set_boxes(1, [EDITED])
    project.close()
    program = (
        "import os, sys; from pathlib import Path; from core.project.store import Project\n"
        "p = Project.open(Path(sys.argv[1]))\nwith p.transaction() as db:\n"
        " db.execute('DELETE FROM box'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], cwd=REPOSITORY, check=False)
    with Project.open(path) as again:
        assert again.boxes(1) == (EDITED,)


def test_a_read_only_file_or_folder_is_told_at_opening(unprivileged: Path) -> None:
    path = unprivileged / "p.boxscout"
    Project.open_or_create(path).close()
    path.chmod(0o444)
    with pytest.raises(ProjectError, match="read-only"):
        Project.open(path)
    path.chmod(0o000)
    with pytest.raises(ProjectError, match="may not open"):
        Project.open(path)
    path.chmod(0o644)
    with Project.open(path) as project:
        (unprivileged / "shut").mkdir(mode=0o555)
        with pytest.raises(ProjectError, match="read-only"):
            project.backup(unprivileged / "shut" / "copy")
    with pytest.raises(ProjectError, match="read-only"):
        Project.open_or_create(unprivileged / "shut" / "p")
    (unprivileged / "shut").chmod(0o755)
    Project.open_or_create(unprivileged / "shut" / "p").close()
    (unprivileged / "shut").chmod(0o555)
    with pytest.raises(ProjectError, match="read-only"):
        Project.open(unprivileged / "shut" / "p")


def test_a_full_disk_is_told_and_what_was_there_stays(project: Project) -> None:
    project.set_boxes(1, [EDITED])
    pages = project._db.execute("PRAGMA page_count").fetchone()[0]
    project._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(ProjectError, match="disk is full"):
        project.add_images([_file(f"{i}.png") for i in range(5000)])
    assert len(project.images()) == 3
    assert project.boxes(1) == (EDITED,)


def test_a_project_held_by_another_program_is_told(
    project: Project, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.project.file.BUSY_SECONDS", 0.05)
    with project.transaction(), pytest.raises(ProjectError, match="in use"):
        Project.open(path)


# -- backup ---------------------------------------------------------------------------------------


def test_backup_is_a_whole_project_in_one_file(project: Project, tmp_path: Path) -> None:
    project.set_boxes(1, [EDITED])
    copy = tmp_path / "copies" / "copy.boxscout"
    copy.parent.mkdir()
    copy.write_text("an old file")
    project.backup(copy)
    assert _names(copy.parent) == [copy.name]
    project.set_boxes(1, [])
    with Project.open(copy) as other:
        assert other.boxes(1) == (EDITED,)
    with pytest.raises(ProjectError, match="onto itself"):
        project.backup(project.path)


def test_backup_over_a_killed_project_is_not_mixed_with_its_log(project: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy.boxscout"
    program = (
        "import os, sys; from pathlib import Path; from core.project.store import Project\n"
        "from core.images.scan import ImageFile\np = Project.open_or_create(Path(sys.argv[1]))\n"
        "p.add_images([ImageFile(Path('/old'), f'{i}.png', 1, 1) for i in range(2000)]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(copy)], cwd=REPOSITORY, check=True)
    assert Path(f"{copy}-wal").stat().st_size > 0
    project.backup(copy)
    with Project.open(copy) as other:
        assert other.images() == project.images()


def test_backup_over_an_open_project_is_refused(project: Project, tmp_path: Path) -> None:
    with Project.open_or_create(tmp_path / "other") as other:
        other.add_images([_file("x.png")])
        with pytest.raises(ProjectError, match="open in another program"):
            project.backup(tmp_path / "other")
        assert [image.name for image in other.images()] == ["x.png"]


def test_a_failed_backup_leaves_the_old_copy(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    copy.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ProjectError, match="disk is full"):
        project.backup(copy)
    assert copy.read_text() == "old"
    assert not list(tmp_path.glob(".boxscout*"))
