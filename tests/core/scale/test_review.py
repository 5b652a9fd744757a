"""What comes of a data set: files of boxes, and samples that are reviewed, teach, and stay as approved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cloud_support import KEY, SECRET, Bucket, moto_bucket
from PIL import Image
from pycocotools.coco import COCO
from scale_support import COUNT, made, wanted

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.errors import BoxscoutError, ProjectError
from core.base.geometry import Box
from core.cli.app import main
from core.formats import FORMATS, Selection
from core.formats.csv import COLUMNS
from core.images.scan import ImageFile
from core.maps.localizer import Localizer, save_localizer
from core.project.browse import Browse, ImageColumns, Order
from core.project.learning import saved_unit
from core.project.queries import box_facts
from core.project.runs import current_run
from core.project.store import Project
from core.scale.dataset import DataSet, open_data_set, read_shard, write_shard
from core.scale.exporting import export_data_set, fetched_folder, reviewed_in
from core.scale.review import add_sample, choose


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory, photos: Path, localizer: Localizer) -> DataSet:
    return made(wanted(photos, tmp_path_factory.mktemp("data") / "set", localizer))[0]


@pytest.fixture(scope="module")
def bucket(photos: Path) -> Iterator[Bucket]:
    with moto_bucket() as bucket:
        bucket.put({f"beetles/{path.name}": path.read_bytes() for path in photos.iterdir()})
        yield bucket


def names(found: list) -> list[str]:
    return [one.image.name for one in found]


def with_failed_and_without_box(data_set: DataSet, folder: Path) -> DataSet:
    """A copy whose first image could not be used, whose second has no box and whose third is not sure."""
    shutil.copytree(data_set.folder, folder)
    copy = replace(data_set, folder=folder)
    first, second, third, *rest = read_shard(copy.shard_file(0))
    unsure = replace(third.image, boxes=(replace(third.image.boxes[0], score=0.01),))
    failed = ImageBoxes(first.image.name, 0, 0, status=Status.FAILED, reason="The file is empty.")
    some = [replace(first, image=failed), replace(second, image=replace(second.image, boxes=()))]
    write_shard(copy.shard_file(0), [*some, replace(third, image=unsure), *rest])
    return copy


# ---- choosing ----------------------------------------------------------------------------------


def test_a_seed_draws_the_same_images_however_they_lie_in_shards(
    data_set: DataSet, photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    other, _ = made(wanted(photos, tmp_path / "other", localizer, shard=5))
    draws = {tuple(names(choose(data_set, 6, seed=seed))) for seed in range(8)}
    assert len(draws) > 5
    assert names(choose(data_set, 6, seed=1)) == names(choose(other, 6, seed=1))
    assert all(len(set(draw)) == 6 and list(draw) == sorted(draw) for draw in draws)
    assert names(choose(data_set, 1000)) == names(list(data_set.found()))


def test_the_least_sure_are_those_of_the_windows_order(data_set: DataSet, tmp_path: Path) -> None:
    odd = with_failed_and_without_box(data_set, tmp_path / "odd")
    with Project.open_or_create(tmp_path / "all.boxscout") as project:
        add_sample(project, odd, choose(odd, COUNT))
        columns, records = ImageColumns(), project.images()
        columns.append([r.id for r in records], [r.name for r in records], [r.status for r in records])
        columns.set_facts(box_facts(project))
        order = [columns.names[place] for place in columns.arrange(Browse(order=Order.LEAST_SURE))]
    assert len(order) == COUNT - 1, "the failed one is no image to review"
    for count in (1, 5, COUNT - 2, COUNT):
        assert names(choose(odd, count, is_least_sure=True)) == sorted(order[:count])


def test_a_data_set_without_images_yet_is_a_sentence(data_set: DataSet, tmp_path: Path) -> None:
    shutil.copytree(data_set.folder, tmp_path / "set", ignore=shutil.ignore_patterns("boxes"))
    with pytest.raises(BoxscoutError, match="has been looked at yet"):
        choose(replace(data_set, folder=tmp_path / "set"), 5)


# ---- a project of them -------------------------------------------------------------------------


def test_a_sample_is_a_project_with_the_boxes_of_the_data_set(
    data_set: DataSet, photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    chosen = choose(data_set, 6)
    with Project.open_or_create(tmp_path / "a.boxscout") as project:
        assert add_sample(project, data_set, chosen).images == 6
        records, images = project.images(), project.image_boxes()
        run = current_run(project)
        assert run is not None and run.finished and saved_unit(run).digest == localizer.digest
    assert [record.path for record in records] == [photos / name for name in names(chosen)]
    assert not fetched_folder(tmp_path / "a.boxscout").exists()
    for image, found in zip(images, chosen, strict=True):
        theirs = found.image
        assert (image.width, image.height, image.status) == (theirs.width, theirs.height, Status.UNSEEN)
        for one, other in zip(image.boxes, theirs.boxes, strict=True):
            assert (one.box, one.score, one.label) == (other.box, other.score, other.label)
        assert all(box.source is Source.AUTO for box in image.boxes)
        assert image.no_object == pytest.approx(theirs.no_object)


def test_another_sample_leaves_what_was_reviewed(data_set: DataSet, tmp_path: Path) -> None:
    with Project.open_or_create(tmp_path / "a.boxscout") as project:
        add_sample(project, data_set, choose(data_set, 3))
        drawn = BoxRecord(Box(1, 2, 30, 40), source=Source.EDITED)
        project.set_boxes(1, [drawn])
        project.set_statuses({1: Status.ACCEPTED})
        before = project.image_boxes()[0]
        assert add_sample(project, data_set, choose(data_set, COUNT)).images == COUNT
        assert len(project.images()) == COUNT and project.image_boxes()[0] == before


def test_a_project_with_boxes_of_another_run_is_left_alone(
    data_set: DataSet, localizer: Localizer, tmp_path: Path
) -> None:
    with Project.open_or_create(tmp_path / "a.boxscout") as project:
        add_sample(project, data_set, choose(data_set, 3))
        project.set_heat_maps({1: np.ones((2, 2), np.float32)}, step=1)
        other = with_other_localizer(data_set, localizer, tmp_path / "other")
        with pytest.raises(ProjectError, match="choose a new project"):
            add_sample(project, other, choose(other, 5))
        assert len(project.images()) == 3


def with_other_localizer(data_set: DataSet, localizer: Localizer, folder: Path) -> DataSet:
    shutil.copytree(data_set.folder, folder)
    copy = replace(data_set, folder=folder)
    save_localizer(copy.localizer, replace(localizer, bias=localizer.bias + 1))
    return copy


def test_images_that_are_gone_or_other_ones_now_are_left_out(
    data_set: DataSet, photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    here = Path(shutil.copytree(photos, tmp_path / "photos"))
    mine, _ = made(wanted(here, tmp_path / "set", localizer))
    first, second, third = choose(mine, 3)
    (here / first.image.name).unlink()
    Image.new("RGB", (7, 9)).save(here / second.image.name)
    with Project.open_or_create(tmp_path / "a.boxscout") as project:
        sample = add_sample(project, mine, [first, second, third])
        assert [record.name for record in project.images()] == [third.image.name]
    assert [one.name for one in sample.left_out] == [first.image.name, second.image.name]
    assert sample.left_out[0].reason == "The file is no longer there"
    assert "its file now has 7 x 9 pixels" in sample.left_out[1].reason


# ---- elsewhere ---------------------------------------------------------------------------------


def test_images_of_a_bucket_have_the_same_boxes_and_are_fetched_for_review(
    data_set: DataSet,
    bucket: Bucket,
    photos: Path,
    localizer: Localizer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far, _ = made(wanted(photos, tmp_path / "far", localizer, where="s3://photos/beetles"))
    assert [one.image for one in far.found()] == [one.image for one in data_set.found()]
    path = tmp_path / "far.boxscout"
    assert main(["sample", str(far.folder), "--project", str(path), "--count", "4", "--least-sure"]) == 0
    with Project.open(path) as project:
        records = project.images()
        project.set_statuses({records[0].id: Status.ACCEPTED})
    for record in records:
        assert record.path == fetched_folder(path) / record.name
        assert record.path.read_bytes() == (photos / record.name).read_bytes()
    out = tmp_path / "far.json"
    monkeypatch.chdir(tmp_path)
    given = ["--dataset", "far", "--reviewed", "far.boxscout", "--format", "coco", "--out", "far.json"]
    assert main(["export", *given]) == 0
    said = {one["file_name"]: one.get("status") for one in json.loads(out.read_text())["images"]}
    assert [name for name, status in said.items() if status] == [records[0].name]
    assert (
        main(["export", "--dataset", str(far.folder), "--format", "yolo", "--out", str(tmp_path / "yolo")])
        == 0
    )
    assert len(list((tmp_path / "yolo" / "images").rglob("*.*"))) == COUNT
    kept = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    kept.append(caplog.text.encode())
    assert len(kept) > COUNT and not any(SECRET.encode() in content for content in kept)
    assert not any(KEY.encode() in content for content in kept)


def test_an_image_that_cannot_be_fetched_is_listed_and_the_rest_goes_on(
    data_set: DataSet, bucket: Bucket, photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    bucket.put({"beetles-too/broken.jpg": b"no image"})
    lines = [
        *(f"s3://photos/beetles/{path.name}" for path in photos.iterdir()),
        "s3://photos/beetles/gone.jpg",
    ]
    (tmp_path / "list.txt").write_text("\n".join([*lines, "s3://photos/beetles-too/broken.jpg"]))
    far, totals = made(wanted(photos, tmp_path / "far", localizer, where=str(tmp_path / "list.txt")))
    assert (totals.images, totals.usable) == (COUNT + 2, COUNT)
    reasons = {one.image.name: one.image.reason for one in far.found() if one.image.reason}
    assert reasons.keys() == {"photos/beetles/gone.jpg", "photos/beetles-too/broken.jpg"}
    assert reasons["photos/beetles/gone.jpg"] == "The file is no longer there."
    boxes = {Path(one.address).name: one.image.boxes for one in far.found() if not one.image.reason}
    assert boxes == before(data_set)


# ---- exports -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["coco", "csv", "megadetector", "yolo"])
def test_a_data_set_leaves_as_a_project_of_the_same_images_does(
    name: str, data_set: DataSet, tmp_path: Path
) -> None:
    path = str(tmp_path / "all.boxscout")
    assert main(["sample", str(data_set.folder), "--project", path, "--count", "1000"]) == 0
    for source, out in (("--project", "ours"), ("--dataset", "theirs")):
        place = tmp_path / out / "boxes"
        place.parent.mkdir()
        given = path if source == "--project" else str(data_set.folder)
        assert main(["export", source, given, "--format", name, "--out", str(place)]) == 0
    ours, theirs = (contents(tmp_path / out) for out in ("ours", "theirs"))
    assert theirs == ours


def contents(folder: Path) -> dict[str, bytes]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {
        file.relative_to(folder).as_posix(): file.read_bytes().replace(str(folder).encode(), b"OUT")
        for file in files
    }


def test_what_is_not_there_yet_and_cannot_be_used_is_told(
    data_set: DataSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = with_failed_and_without_box(data_set, tmp_path / "odd")
    odd.shard_file(odd.shards - 1).unlink()
    out = tmp_path / "boxes.csv"
    assert main(["export", "--dataset", str(odd.folder), "--format", "csv", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    missing = odd.images_in(odd.shards - 1)
    assert f"{missing} images have not been looked at yet" in text
    assert "1 image could not be used" in text and "1 image has no box" in text
    assert len(out.read_text().splitlines()) == 1 + COUNT - missing - 2
    assert out.read_text().startswith(",".join(COLUMNS))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "Give --project or --dataset"),
        (["--dataset", "x", "--project", "y"], "Give --project or --dataset"),
        (["--project", "y", "--reviewed", "z"], "--reviewed needs --dataset"),
        (["--dataset", "x", "--folder-classes"], "--folder-classes is for --project"),
    ],
)
def test_options_that_do_not_fit_are_told(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--format", "coco", "--out", "o", *options]) == 2
    assert told in capsys.readouterr().err


def test_no_data_set_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(tmp_path), "--project", str(tmp_path / "p.boxscout")]) == 1
    assert "is no data set" in capsys.readouterr().err
    assert not (tmp_path / "p.boxscout").exists()


# ---- the whole round ---------------------------------------------------------------------------


def test_corrections_of_a_sample_teach_a_second_pass_and_stay(
    data_set: DataSet, photos: Path, tmp_path: Path
) -> None:
    project, taught, second = (
        str(tmp_path / name) for name in ("p.boxscout", "taught.safetensors", "second")
    )
    assert main(["sample", str(data_set.folder), "--project", project, "--count", "6"]) == 0
    truth = COCO(str(photos.parent / "truth.json"))
    boxes = {
        Path(image["file_name"]).name: truth.imgToAnns[image_id][0]["bbox"]
        for image_id, image in truth.imgs.items()
    }
    with Project.open(project) as opened:
        records = opened.images()
        for record in records[:4]:
            x, y, width, height = boxes[record.name]
            drawn = BoxRecord(Box(x, y, x + width, y + height), "beetle", source=Source.EDITED)
            opened.set_boxes(record.id, [drawn])
            opened.set_statuses({record.id: Status.ACCEPTED})
        opened.set_boxes(records[4].id, [])
        opened.set_statuses({records[4].id: Status.NO_OBJECT})
        approved = {one.name: one for one in opened.image_boxes()[:5]}
    assert main(["learn", "--project", project]) == 0
    assert main(["localizer", "save", "--project", project, "--out", taught]) == 0
    assert main(["localize", str(photos), "--out", second, "--localizer", taught]) == 0
    out = tmp_path / "all.json"
    given = ["--dataset", second, "--reviewed", project, "--format", "coco", "--out", str(out)]
    assert main(["export", *given]) == 0
    after = {image.name: image for image in FORMATS["coco"].read(out)}
    fresh = {found.image.name: found.image for found in open_data_set(Path(second)).found()}
    assert len(after) == COUNT
    for name, image in after.items():
        kept = approved.get(name, fresh[name])
        assert [one.label for one in image.boxes] == [one.label for one in kept.boxes]
        for one, other in zip(image.boxes, kept.boxes, strict=True):
            assert one.box.sides == pytest.approx(other.box.sides)
        assert image.status is kept.status
    assert json.loads(out.read_text())["info"]["taught"]["reviewed_images"] == 5
    changed = [name for name, image in fresh.items() if image.boxes != before(data_set)[name]]
    assert changed, "the second pass is of another localizer"


def before(data_set: DataSet) -> dict[str, tuple[BoxRecord, ...]]:
    return {found.image.name: found.image.boxes for found in data_set.found()}


def test_reviews_of_other_images_are_told(data_set: DataSet, photos: Path, tmp_path: Path) -> None:
    with Project.open_or_create(tmp_path / "a.boxscout") as project:
        add_sample(project, data_set, choose(data_set, 2))
        project.relocate(photos, tmp_path)
        project.set_statuses({1: Status.ACCEPTED})
        reviewed = reviewed_in(project)
    with Project.open_or_create(tmp_path / "b.boxscout") as project:
        add_sample(project, data_set, choose(data_set, 1))
        project.add_images([ImageFile(tmp_path, "other.png", 1, 1)])
        project.set_statuses({1: Status.ACCEPTED, 2: Status.NO_OBJECT})
        some = reviewed_in(project)
    summary = export_data_set(
        data_set, tmp_path / "some", format=FORMATS["coco"], selection=Selection(), reviewed=some
    )
    assert summary.notes[-1].startswith("1 reviewed image is not in the data set")
    with pytest.raises(ProjectError, match="None of the reviewed images"):
        export_data_set(
            data_set, tmp_path / "o", format=FORMATS["coco"], selection=Selection(), reviewed=reviewed
        )
