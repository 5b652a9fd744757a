"""Earlier boxes into a project, from every format that can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from formats_support import image, record
from PIL import Image

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.errors import BoxscoutError, FormatError
from core.base.geometry import Box
from core.formats import FORMATS, Selection, WriteOptions, export
from core.formats.notes import Outdated
from core.project.exchange import exportable, import_boxes, import_truth, outdated_images, plan_import
from core.project.store import Project
from core.project.survey import MapSource, Survey
from core.project.truth import true_boxes
from core.project.workflow import add_folders

NAMES = ("a.png", "b.png", "sub/a.png")
AUTO = BoxRecord(Box(0, 0, 5, 5), score=0.5, threshold=0.2, rule="moments")
MINE = BoxRecord(Box(1, 1, 9, 9), "mine", source=Source.EDITED)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for name in NAMES:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(path)
    with Project.open_or_create(tmp_path / "p.boxscout") as made:
        add_folders(made, [tmp_path / "photos"])
        yield made


def _by_name(project: Project) -> dict[str, ImageBoxes]:
    return {one.name: one for one in project.image_boxes()}


def _ids(project: Project) -> dict[str, int]:
    return {one.name: one.id for one in project.images()}


@pytest.mark.parametrize("name", ["coco", "csv", "yolo", "voc", "labelme"])
def test_boxes_of_every_format_come_in_as_a_persons(tmp_path: Path, project: Project, name: str) -> None:
    images = [image(one, record(2, 3, 20, 24, label="cat")) for one in NAMES]
    options = WriteOptions(sources=exportable(project)[1])
    out = tmp_path / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(images, out, options)
    plan = plan_import(project, out)
    assert plan.count(replace_held=False) == (3, 3)
    assert not any(one.boxes for one in project.image_boxes())  # a plan changes nothing
    summary = import_boxes(project, plan, status=Status.ACCEPTED)
    assert (summary.images, summary.boxes, summary.kept) == (3, 3, 0)
    for one in project.image_boxes():
        assert (one.width, one.height, one.status) == (40, 30, Status.ACCEPTED)
        (box,) = one.boxes
        assert (box.label, box.source, box.rule, box.threshold) == ("cat", Source.EDITED, None, None)
        assert [box.box.x0, box.box.y0, box.box.x1, box.box.y1] == pytest.approx([2, 3, 20, 24], abs=1e-6)


@pytest.mark.parametrize("place", ["beside", "out", "photos/labels", "photos/photos/out"])
def test_labelme_comes_back_to_its_images_wherever_its_files_lie(tmp_path: Path, place: str) -> None:
    """``photos/a.png`` is a path to ``a.png`` too, seen from outside: names alone would mix the two up."""
    boxes = {}
    names = ("a.png", "photos/a.png", "photos/photos/a.png", ".hidden/b.png", "link.png")
    for number, name in enumerate(names):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == "link.png":
            path.symlink_to(tmp_path / "photos/a.png")
        else:
            Image.fromarray(np.full((30, 40, 3), number, np.uint8)).save(path)
        boxes[name] = record(number, 3, 20, 24, label=f"of {name}")
    with Project.open_or_create(tmp_path / "p.boxscout") as made:
        add_folders(made, [tmp_path / "photos"])
        images, sources = exportable(made)
        chosen = [replace(one, boxes=(boxes[one.name],)) for one in images]
        assert len(chosen) >= 3
        options = WriteOptions(sources=sources, beside_images=place == "beside")
        FORMATS["labelme"].write(chosen, tmp_path / place, options)
        plan = plan_import(made, tmp_path / ("photos" if place == "beside" else place))
        assert (plan.unknown, plan.skipped) == ((), ())
        import_boxes(made, plan)
        for one in made.image_boxes():
            assert [(b.label, b.box) for b in one.boxes] == [(f"of {one.name}", boxes[one.name].box)]


def test_labelmes_own_paths_out_of_a_flat_folder_find_their_images(tmp_path: Path, project: Project) -> None:
    (tmp_path / "labels").mkdir()
    for number, name in enumerate(("b.png", "sub/a.png")):
        shape = {"label": "x", "points": [[number, 1], [9, 9]], "shape_type": "rectangle"}
        content = {
            "version": "5.4.1",
            "shapes": [shape],
            "imagePath": f"..\\photos\\{name}",
            "imageData": None,
        }
        (tmp_path / f"labels/{number}.json").write_text(json.dumps(content))
    ids = _ids(project)
    expected = {ids["b.png"]: [Box(0, 1, 9, 9)], ids["sub/a.png"]: [Box(1, 1, 9, 9)]}
    assert _planned(project, tmp_path / "labels") == expected
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "labels").rename(tmp_path / "elsewhere/labels")  # its paths lead nowhere now
    assert _planned(project, moved) == expected


def _planned(project: Project, path: Path) -> dict[int, list[Box]]:
    return {i: [b.box for b in boxes] for i, boxes in plan_import(project, path).boxes.items()}


@pytest.mark.parametrize("flat", [True, False])
def test_yolo_comes_back_to_exactly_its_images(tmp_path: Path, flat: bool) -> None:
    names = ("x.png", "a/x.png", "a_x.png", "images/train/x.png", "train/x.png", ".h/x.png")
    for number, name in enumerate(names):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((30, 40, 3), number, np.uint8)).save(path)
    with Project.open_or_create(tmp_path / "p.boxscout") as made:
        add_folders(made, [tmp_path / "photos"])
        images, sources = exportable(made)
        boxes = {name: record(number, 3, 20, 24) for number, name in enumerate(names)}
        chosen = [replace(one, boxes=(boxes[one.name],), width=40, height=30) for one in images]
        options = WriteOptions(sources=sources, flat=flat, val=frozenset({"train/x.png"}))
        FORMATS["yolo"].write(chosen, tmp_path / "out", options)
        for place in (tmp_path / "out", tmp_path / "out/data.yaml"):
            import_boxes(made, plan_import(made, place), replace_held=True)
            found = {one.name: one.boxes[0].box.x0 for one in made.image_boxes() if one.boxes}
            assert found == pytest.approx({one.name: boxes[one.name].box.x0 for one in chosen})


def test_yolo_comes_back_to_images_below_a_folder_named_images(tmp_path: Path) -> None:
    for name in ("images/a.png", "more/a.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(path)
    for folder in ("images/train", "labels/train"):
        (tmp_path / "yolo" / folder).mkdir(parents=True)
    (tmp_path / "yolo/images/train/a.png").write_bytes((tmp_path / "photos/more/a.png").read_bytes())
    (tmp_path / "yolo/labels/train/a.txt").write_text("0 .5 .5 .5 .5\n")
    with Project.open_or_create(tmp_path / "p.boxscout") as made:
        add_folders(made, [tmp_path / "photos/images"])
        assert import_boxes(made, plan_import(made, tmp_path / "yolo")).images == 1
        add_folders(made, [tmp_path / "photos/more"])  # two images fit alike: none is taken
        with pytest.raises(FormatError, match=r"More than one image fits the name “a\.png”"):
            plan_import(made, tmp_path / "yolo")


def test_an_edited_box_is_overwritten_only_when_asked(tmp_path: Path, project: Project) -> None:
    ids = _ids(project)
    project.set_boxes(ids["a.png"], [MINE])
    project.set_auto_boxes({ids["b.png"]: [AUTO]})
    project.set_statuses({ids["a.png"]: Status.REJECTED})
    file = tmp_path / "x.json"
    FORMATS["coco"].write([image(one, record(2, 3, 20, 24)) for one in NAMES], file)
    plan = plan_import(project, file)
    assert plan.held == {ids["a.png"]}
    assert (plan.count(replace_held=False), plan.count(replace_held=True)) == ((2, 2), (3, 3))
    summary = import_boxes(project, plan)
    assert (summary.images, summary.kept) == (2, 1)
    assert "Kept" in summary.lines()[1]
    found = _by_name(project)
    assert (found["a.png"].boxes, found["a.png"].status) == ((MINE,), Status.REJECTED)
    assert found["b.png"].boxes[0].box == Box(2, 3, 20, 24)

    assert import_boxes(project, plan, replace_held=True).kept == 0
    found = _by_name(project)
    assert (found["a.png"].boxes[0].box, found["a.png"].status) == (Box(2, 3, 20, 24), Status.UNSEEN)


def test_an_image_that_a_person_emptied_stays_empty(tmp_path: Path, project: Project) -> None:
    project.set_boxes(_ids(project)["b.png"], [])
    FORMATS["coco"].write([image("b.png", record(2, 3, 20, 24))], tmp_path / "x.json")
    plan = plan_import(project, tmp_path / "x.json")
    assert plan.held == {_ids(project)["b.png"]}
    assert import_boxes(project, plan).kept == 1
    assert _by_name(project)["b.png"].boxes == ()
    assert import_boxes(project, plan, replace_held=True).images == 1
    assert len(_by_name(project)["b.png"].boxes) == 1


def test_a_box_edited_after_the_plan_was_made_is_kept(tmp_path: Path, project: Project) -> None:
    file = tmp_path / "x.json"
    FORMATS["coco"].write([image("b.png", record(2, 3, 20, 24))], file)
    plan = plan_import(project, file)
    project.set_boxes(_ids(project)["b.png"], [MINE])
    assert import_boxes(project, plan).kept == 1
    assert _by_name(project)["b.png"].boxes == (MINE,)


def test_an_automatic_run_leaves_imported_boxes_alone(tmp_path: Path, project: Project) -> None:
    file = tmp_path / "x.json"
    FORMATS["coco"].write([image("b.png", record(2, 3, 20, 24))], file)
    import_boxes(project, plan_import(project, file))
    ids = _ids(project)
    assert project.set_auto_boxes({ids["a.png"]: [AUTO], ids["b.png"]: [AUTO]}) == 1
    assert _by_name(project)["b.png"].boxes[0].box == Box(2, 3, 20, 24)


def test_what_does_not_fit_is_listed(tmp_path: Path, project: Project) -> None:
    images = [
        image("a.png", record(2, 3, 20, 24), size=(80, 60)),
        image("b.png"),
        image("sub/a.png", record(2, 3, 20, 24)),
        image("stranger.png", record(2, 3, 20, 24)),
    ]
    FORMATS["coco"].write(images, tmp_path / "x.json")
    plan = plan_import(project, tmp_path / "x.json")
    assert (plan.unknown, plan.without_box, len(plan.boxes)) == (("stranger.png",), 1, 1)
    assert [(one.name, one.reason) for one in plan.skipped] == [
        ("a.png", "it has 80 x 60 pixels in the file and 40 x 30 here")
    ]
    told = " ".join(plan.lines())
    for words in ("Not in this project: 1 image (“stranger.png”)", "80 x 60", "No box in the file"):
        assert words in told


def test_boxes_that_stick_out_are_cut(tmp_path: Path, project: Project) -> None:
    (tmp_path / "x.csv").write_text("filename,xmin,ymin,xmax,ymax\nb.png,-5,20,90,90\nb.png,50,0,60,9\n")
    import_boxes(project, plan_import(project, tmp_path / "x.csv"))
    assert [one.box for one in _by_name(project)["b.png"].boxes] == [Box(0, 20, 40, 30)]


def test_a_box_outside_its_image_is_told_as_that(tmp_path: Path, project: Project) -> None:
    rows = "a.png,50,0,60,9\nb.png,1,2,30,20\nb.png,1,-9,30,-2\n"
    (tmp_path / "x.csv").write_text(f"filename,xmin,ymin,xmax,ymax\n{rows}")
    plan = plan_import(project, tmp_path / "x.csv")
    assert {i: len(boxes) for i, boxes in plan.boxes.items()} == {_ids(project)["b.png"]: 1}
    assert (plan.outside, plan.without_box) == (2, 0)
    told = " ".join(plan.lines())
    assert "2 boxes lie wholly outside the image or without area" in told
    assert "No box in the file" not in told


@pytest.mark.parametrize("name", ["../photos/a.png", "/etc/a.png", "sub/../../a.png", "C:\\x\\a.png"])
def test_a_name_that_leaves_the_folder_goes_by_its_end(tmp_path: Path, project: Project, name: str) -> None:
    (tmp_path / "x.csv").write_text(f"filename,xmin,ymin,xmax,ymax\n{name},1,2,3,4\n")
    assert _planned(project, tmp_path / "x.csv") == {_ids(project)["a.png"]: [Box(1, 2, 3, 4)]}


def test_shares_get_the_size_of_their_image_here(tmp_path: Path, project: Project) -> None:
    FORMATS["megadetector"].write([image("b.png", record(2, 3, 20, 24, label="deer"))], tmp_path / "x.json")
    ((boxes,),) = _planned(project, tmp_path / "x.json").values()
    assert (boxes.x0, boxes.y0, boxes.x1, boxes.y1) == pytest.approx((2, 3, 20, 24))


def test_only_wanted_boxes_come_in(tmp_path: Path, project: Project) -> None:
    """As of MegaDetector's, which lists persons, vehicles and every faint guess too."""
    boxes = (
        record(0, 0, 9, 9, label="animal", score=0.9),
        record(1, 0, 9, 9, label="animal", score=0.1),
        record(2, 0, 9, 9, label="person", score=0.9),
        record(3, 0, 9, 9, label="animal", score=None),
    )
    FORMATS["coco"].write([image("b.png", *boxes), image("a.png", boxes[2])], tmp_path / "x.json")
    plan = plan_import(project, tmp_path / "x.json", Selection(classes=frozenset({"animal"}), min_score=0.2))
    assert [[one.box.x0 for one in kept] for kept in plan.boxes.values()] == [[0, 3]]
    assert plan.without_box == 1


def test_what_could_not_be_read_is_told_with_the_plan(tmp_path: Path, project: Project) -> None:
    rows = "b.png,1,2,3,4,x\nb.png,x,2,3,4,x\nphotos/b.png,1,2,3,4,x\nA.png,1,2,3,4,x\n"
    (tmp_path / "x.csv").write_text(f"filename,xmin,ymin,xmax,ymax,class\n{rows}")
    plan = plan_import(project, tmp_path / "x.csv")
    assert plan.told == ("Line 3 of “x.csv” cannot be understood: “x” is not a number.",)
    assert plan.lines()[0] == plan.told[0]
    assert len(plan.boxes) == 2
    assert plan.unknown == ("photos/b.png",)
    assert import_boxes(project, plan).to_dict()["told"] == list(plan.told)


def test_a_name_that_two_images_have_is_told_and_never_guessed(tmp_path: Path) -> None:
    for name in ("site1/a.png", "site2/a.png", "b.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(path)
    with Project.open_or_create(tmp_path / "p.boxscout") as made:
        add_folders(made, [tmp_path / "photos"])
        FORMATS["coco"].write([image(n, record(1, 1, 9, 9)) for n in ("a.png", "b.png")], tmp_path / "x.json")
        plan = plan_import(made, tmp_path / "x.json")
        assert list(plan.boxes) == [_ids(made)["b.png"]]
        assert plan.told == ("More than one image fits the name “a.png”: “site1/a.png” and “site2/a.png”.",)


def test_a_file_of_other_images_changes_nothing(tmp_path: Path, project: Project) -> None:
    FORMATS["coco"].write([image("x.png", record(1, 1, 9, 9))], tmp_path / "x.json")
    with pytest.raises(FormatError, match=r"None of the images .*“x\.png” is in this project"):
        plan_import(project, tmp_path / "x.json")


def test_a_rejection_is_not_imported(tmp_path: Path, project: Project) -> None:
    FORMATS["coco"].write([image("b.png", record(1, 1, 9, 9))], tmp_path / "x.json")
    plan = plan_import(project, tmp_path / "x.json")
    with pytest.raises(BoxscoutError, match="accepted or unseen"):
        import_boxes(project, plan, status=Status.REJECTED)
    assert not _by_name(project)["b.png"].boxes


def test_what_a_file_calls_rejected_is_never_approved(tmp_path: Path, project: Project) -> None:
    wrong = replace(image("a.png", record(1, 1, 9, 9)), status=Status.REJECTED)
    empty = replace(image("b.png"), status=Status.REJECTED)
    FORMATS["coco"].write([wrong, empty, image("sub/a.png")], tmp_path / "x.json")
    plan = plan_import(project, tmp_path / "x.json").with_blanks()
    import_boxes(project, plan, status=Status.ACCEPTED)
    statuses = {one.name: one.status for one in project.images()}
    assert statuses == {"a.png": Status.REJECTED, "b.png": Status.UNSEEN, "sub/a.png": Status.NO_OBJECT}
    assert len(_by_name(project)["a.png"].boxes) == 1


def test_truth_comes_in_beside_the_boxes_and_changes_none(project: Project, tmp_path: Path) -> None:
    ids = _ids(project)
    project.set_auto_boxes({ids["a.png"]: [AUTO]})
    project.set_boxes(ids["b.png"], [MINE])
    before = [(one.boxes, one.status) for one in project.image_boxes()]
    images = [image(one, record(2, 3, 20, 24, label="cat")) for one in NAMES[:2]]
    FORMATS["coco"].write(images, tmp_path / "true.json", WriteOptions())
    summary = import_truth(project, plan_import(project, tmp_path / "true.json"))
    assert (summary.images, summary.boxes, summary.kept) == (2, 2, 0)
    assert summary.lines()[0] == f"Imported 2 true boxes of 2 images from {tmp_path / 'true.json'}."
    assert [(one.boxes, one.status) for one in project.image_boxes()] == before
    wanted = {ids[name]: [("cat", Box(2, 3, 20, 24))] for name in NAMES[:2]}
    assert {i: [(one.label, one.box) for one in t] for i, t in true_boxes(project).items()} == wanted


def test_an_export_tells_of_boxes_of_an_earlier_training_and_of_changed_files(
    tmp_path: Path, project: Project
) -> None:
    """Three localizations of which the last reached one image only, and a file that is another one now."""
    ids = _ids(project)
    maps = {i: np.ones((4, 4), np.float32) for i in ids.values()}
    old, new = MapSource("1", "real", "plain"), MapSource("2", "real", "plain")
    project.set_sizes(dict.fromkeys(ids.values(), (40, 30)))
    project.set_auto_boxes({i: [AUTO] for i in ids.values()})
    project.set_heat_maps(maps, step=1, source=old)
    project.save_survey(Survey(1, source=old))
    assert outdated_images(project) == Outdated()
    project.save_survey(Survey(2, source=new, complete=False))
    project.set_heat_maps({ids["a.png"]: maps[ids["a.png"]]}, step=2, source=new)
    project.set_boxes(ids["b.png"], [MINE])  # a person's own box is of no training
    assert outdated_images(project) == Outdated(frozenset({"sub/a.png"}))
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(tmp_path / "photos/b.png")
    add_folders(project, [tmp_path / "photos"])
    found = outdated_images(project)
    assert found == Outdated(frozenset({"sub/a.png"}), frozenset({"b.png"}))

    images, sources = exportable(project)
    options = WriteOptions(sources=sources)
    for name, told in (
        ("coco", True),
        ("yolo", False),
    ):  # which leaves the changed file out
        out = tmp_path / f"out{FORMATS[name].suffix}"
        summary = export(images, out, format=FORMATS[name], options=options, outdated=found)
        lines = " ".join(summary.lines())
        assert "1 image has boxes of an earlier training" in lines
        assert ("changed since" in lines) is told
    only_b = Selection(classes=frozenset({"mine"}))
    summary = export(
        images, tmp_path / "b.csv", format=FORMATS["csv"], selection=only_b, options=options, outdated=found
    )
    assert not any("earlier training" in line for line in summary.lines())
    halves = export(
        images,
        tmp_path / "two.csv",
        format=FORMATS["csv"],
        selection=Selection(val_share=0.5),
        options=options,
        outdated=found,
    )
    assert sum("earlier training" in line for line in halves.lines()) == 1
