"""A folder that was moved, and images that changed their size: boxes stay, and nobody is fooled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.images.scan import scan_folder
from core.project import resized
from core.project.places import apply_move, find_moved, lost_folders
from core.project.store import Project

EDITED = BoxRecord(Box(4, 6, 20, 15), label="cat", source=Source.EDITED)
AUTO = BoxRecord(Box(1, 2, 30, 25), score=0.5, threshold=0.2, rule="component")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "b.png", "sub/c.png"):
        Image.new("RGB", (40, 30), "red").save(folder / name)
    return folder


@pytest.fixture
def project(tmp_path: Path, photos: Path) -> Iterator[Project]:
    with Project.open_or_create(tmp_path / "work.boxscout") as made:
        made.add_images(scan_folder([photos]).images)
        ids = [image.id for image in made.images()]
        made.set_sizes(dict.fromkeys(ids, (40, 30)))
        made.set_boxes(ids[0], [EDITED])
        made.set_auto_boxes({ids[1]: [AUTO], ids[2]: [AUTO]})
        made.set_heat_maps(dict.fromkeys(ids, np.ones((4, 4), np.float32)), step=3)
        made.set_statuses({ids[1]: Status.ACCEPTED})
        yield made


def _state(project: Project) -> list[tuple[str, Status, tuple[BoxRecord, ...], bool]]:
    return [
        (r.name, r.status, project.boxes(r.id), project.heat_map(r.id) is not None) for r in project.images()
    ]


def test_an_empty_folder_is_lost_and_one_that_holds_anything_is_not(project: Project, photos: Path) -> None:
    shutil.rmtree(photos)
    photos.mkdir()
    [lost] = lost_folders(project)
    assert (lost.root, lost.images, lost.is_empty) == (photos, 3, True)
    assert "is empty now; its 3 images keep their boxes" in lost.sentence()
    (photos / "notes.txt").touch()
    assert lost_folders(project) == ()


def test_a_moved_folder_keeps_all_and_is_known_again(project: Project, photos: Path, tmp_path: Path) -> None:
    before = _state(project)
    assert lost_folders(project) == ()
    new = tmp_path / "elsewhere" / "photos"
    new.parent.mkdir()
    shutil.copytree(photos, new, copy_function=shutil.copyfile)  # with new times, as a download has
    shutil.rmtree(photos)
    [lost] = lost_folders(project)
    assert (lost.root, lost.images) == (photos, 3)
    assert str(photos) in lost.sentence() and "3 images keep their boxes" in lost.sentence()
    move = find_moved(project, photos, new.parent)  # the folder around it does as well
    assert (move.new, len(move.files), move.sizes, move.missing) == (new, 3, {}, ())
    apply_move(project, move)
    assert _state(project) == before
    assert lost_folders(project) == ()
    # The files are known to be the same: looking again finds nothing changed.
    assert project.add_images(scan_folder([new]).images) == 0
    assert _state(project) == before


def test_what_is_not_there_is_named_and_stays(project: Project, photos: Path, tmp_path: Path) -> None:
    before = _state(project)
    new = photos.rename(tmp_path / "new")
    (new / "a.png").unlink()
    Image.new("RGB", (80, 60), "red").save(new / "sub" / "c.png")
    ids = {image.name: image.id for image in project.images()}
    move = find_moved(project, photos, new)
    assert move.missing == (ids["a.png"],)
    assert move.sizes == {ids["sub/c.png"]: (80, 60)}
    assert move.sentence() == (
        f"2 images found in “{new}”. 1 is missing. It stays in the project with its boxes. "
        "1 has another size there; look at its boxes."
    )
    apply_move(project, move)
    assert [one[:3] for one in _state(project)[:2]] == [one[:3] for one in before[:2]]
    assert [one.id for one in project.images() if not one.path.exists()] == [ids["a.png"]]
    assert project.boxes(ids["sub/c.png"]) == (), "read again from the heat map, which is there"


def test_a_wrong_place_is_refused_and_changes_nothing(project: Project, photos: Path, tmp_path: Path) -> None:
    photos.rename(tmp_path / "new")
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for place, says in ((wrong, "None of the images of “photos”"), (tmp_path / "no", "There is no folder")):
        with pytest.raises(ProjectError, match=says):
            find_moved(project, photos, place)
    assert {image.root for image in project.images()} == {photos}


def test_another_size_drops_what_can_be_read_again_and_keeps_the_rest(project: Project) -> None:
    ids = [image.id for image in project.images()]
    project.set_sizes({ids[0]: (80, 90), ids[1]: (40, 30), ids[2]: (20, 15)})
    assert resized.former_sizes(project) == {ids[0]: (40, 30)}
    assert [project.boxes(i) for i in ids] == [(EDITED,), (AUTO,), ()]
    # What leaves is of one piece: boxes with the size that they were made for.
    assert [(i.width, i.height) for i in project.image_boxes()] == [(40, 30), (40, 30), (20, 15)]
    assert "1 image has another size" in resized.summary(resized.former_sizes(project))
    assert resized.scaled((EDITED,), (40, 30), (80, 90))[0].box == Box(8, 18, 40, 45)
    project.set_sizes({ids[0]: (40, 30)})
    assert resized.former_sizes(project) == {}, "the old file is back"


@pytest.mark.parametrize("choice", ["keep", "scale"])
def test_a_choice_about_a_size_is_made_once(project: Project, choice: str) -> None:
    first = project.images()[0].id
    project.set_sizes({first: (80, 60)})
    if choice == "keep":
        resized.keep(project, [first])
    else:
        project.set_boxes(first, resized.scaled(project.boxes(first), (40, 30), (80, 60)))
    assert resized.former_sizes(project) == {}
    assert next((i.width, i.height) for i in project.image_boxes()) == (80, 60)


def test_a_file_changed_on_disk_is_known_by_its_former_size(project: Project, photos: Path) -> None:
    first = project.images()[0].id
    Image.new("RGB", (80, 60), "blue").save(photos / "a.png")
    os.utime(photos / "a.png", ns=(1, 1))
    project.add_images(scan_folder([photos]).images)
    assert (project.image(first).width, project.boxes(first)) == (0, (EDITED,))
    assert project.image_boxes()[0].width == 40
    project.set_sizes({first: (80, 60)})
    assert resized.former_sizes(project) == {first: (40, 30)}
