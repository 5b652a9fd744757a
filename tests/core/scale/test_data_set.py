"""Data sets: the same boxes whatever made them, each image once, and what is there is never made again."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scale_support import COUNT, SHARD, SMALL, Told, by_name, made, wanted

from core import api
from core.base.errors import BoxscoutError, Cancelled
from core.images.scan import scan_folder
from core.learn.frozen import learn
from core.maps.ddt import Tally
from core.maps.localizer import Localizer, load_localizer, save_localizer
from core.nets.features import load_features
from core.scale.dataset import DataSet, open_data_set
from core.scale.run import ALL


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, photos: Path, localizer: Localizer) -> DataSet:
    data_set, totals = made(wanted(photos, tmp_path_factory.mktemp("data") / "set", localizer))
    assert (totals.images, totals.usable, totals.missing) == (COUNT, COUNT, 0)
    return data_set


@pytest.fixture
def copied(whole: DataSet, tmp_path: Path) -> DataSet:
    shutil.copytree(whole.folder, tmp_path / "set")
    return replace(whole, folder=tmp_path / "set")


def bytes_of(data_set: DataSet) -> list[bytes]:
    return [path.read_bytes() for path in sorted(data_set.boxes.iterdir())]


def test_boxes_are_those_of_a_project(
    whole: DataSet, photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    save_localizer(tmp_path / "a.safetensors", localizer)
    found = api.find_objects(photos, localizer=tmp_path / "a.safetensors")
    theirs = {image.name: image for image in found.images}
    ours = by_name(whole)
    assert ours.keys() == theirs.keys() and len(ours) == COUNT
    for name, one in ours.items():
        image = theirs[name]
        assert (one.image.width, one.image.height) == (image.width, image.height)
        assert [(b.box, b.label, b.score) for b in one.image.boxes] == [
            (b.box, b.label, b.score) for b in image.boxes
        ], "to the last bit"
        assert np.float32(one.image.no_object) == np.float32(image.no_object)


@pytest.mark.parametrize("shard", [1, 5, 100])
def test_how_images_are_shared_out_changes_no_bit(
    whole: DataSet, photos: Path, localizer: Localizer, tmp_path: Path, shard: int
) -> None:
    other, _ = made(wanted(photos, tmp_path / "other", localizer, shard=shard))
    assert other.shards == -(-COUNT // shard)
    assert by_name(other) == by_name(whole)


def test_pandas_reads_a_shard(whole: DataSet) -> None:
    table = pd.read_parquet(whole.boxes)
    assert table["image"].tolist() == list(range(COUNT))
    assert table["name"].is_monotonic_increasing and table["reason"].isna().all()
    first = table["boxes"][0][0]
    (box,) = by_name(whole)[table["name"][0]].image.boxes
    assert tuple(first[side] for side in ("x0", "y0", "x1", "y1")) == box.box.sides
    assert first["score"] == box.score


def test_a_second_start_makes_what_is_missing_alone(
    whole: DataSet, copied: DataSet, photos: Path, localizer: Localizer
) -> None:
    before = bytes_of(whole)
    first, second, third, last = sorted(copied.boxes.iterdir())
    second.unlink()
    third.write_bytes(third.read_bytes()[:-20])  # as a disk may leave it, not this program
    (copied.boxes / ".boxscout-0123456789ab.tmp").write_bytes(b"half a shard")
    os.utime(first, (1, 1))
    os.utime(last, (1, 1))
    told = Told()
    _, totals = made(wanted(photos, copied.folder, localizer), told)
    assert (totals.images, totals.missing) == (COUNT, 0)
    assert [first.stat().st_mtime, last.stat().st_mtime] == [1, 1], "left as they were"
    assert [path.read_bytes() for path in (first, second, third, last)] == before


def test_what_was_done_before_a_stop_is_kept(
    whole: DataSet, photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    asked = wanted(photos, tmp_path / "set", localizer)
    with pytest.raises(Cancelled):
        made(asked, Told(most=2 * SHARD))
    assert open_data_set(asked.folder).done() == {0, 1}
    data_set, totals = made(asked)
    assert totals.missing == 0 and bytes_of(data_set) == bytes_of(whole)


def test_an_image_that_cannot_be_used_is_there_with_its_reason(
    whole: DataSet, photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    names = sorted(path.name for path in photos.iterdir())
    (tmp_path / "photos" / names[3]).write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (tmp_path / "photos" / "notes.txt").write_text("none")
    told = Told()
    data_set, totals = made(wanted(tmp_path / "photos", tmp_path / "set", localizer), told)
    assert (totals.images, totals.usable, totals.boxes) == (COUNT, COUNT - 1, COUNT - 1)
    found, others = by_name(data_set), by_name(whole)
    bad = found.pop(names[3])
    assert bad.image.reason.startswith("Damaged") and not bad.image.boxes and bad.image.width == 0
    assert {name: one.image for name, one in found.items()} == {
        name: one.image for name, one in others.items() if name != names[3]
    }
    assert [(one.name, one.reason) for one in told.rejected if one.name != "notes.txt"] == [
        (names[3], bad.image.reason)
    ]


def test_a_photo_that_is_deleted_meanwhile_is_told(
    photos: Path, localizer: Localizer, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    asked = wanted(tmp_path / "photos", tmp_path / "set", localizer)
    with pytest.raises(Cancelled):
        made(asked, Told(most=SHARD))
    gone = max((tmp_path / "photos").iterdir())
    gone.unlink()
    data_set, totals = made(asked)
    assert (totals.images, totals.usable) == (COUNT, COUNT - 1)
    assert by_name(data_set)[gone.name].image.reason


@pytest.mark.parametrize("what", ["where", "threshold", "boxes", "localizer", "runtime"])
def test_what_was_begun_otherwise_is_refused_in_a_sentence(
    copied: DataSet, photos: Path, localizer: Localizer, tmp_path: Path, what: str
) -> None:
    asked = wanted(photos, copied.folder, localizer)
    if what == "where":
        asked = replace(asked, where=str(tmp_path))
    if what == "threshold":
        asked = replace(asked, options=replace(asked.options, threshold=0.25))
    if what == "boxes":
        asked = replace(asked, options=replace(asked.options, max_boxes=3))
    if what == "localizer":
        asked = replace(asked, localizer=replace(localizer, bias=localizer.bias + 1))
    if what == "runtime":
        file = copied.folder / "dataset.json"
        file.write_text(file.read_text().replace(copied.made.runtime, "onnxruntime 0.1"))
    before = bytes_of(copied)
    with pytest.raises(BoxscoutError, match="choose a new folder"):
        made(asked)
    assert bytes_of(copied) == before


def test_a_folder_of_photos_does_not_become_a_data_set(photos: Path, localizer: Localizer) -> None:
    before = sorted(photos.iterdir())
    with pytest.raises(BoxscoutError, match="holds other files"):
        made(wanted(photos, photos, localizer))
    assert sorted(photos.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is no data set"),
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"boxscout": 1}', "is damaged"),
        ('{"boxscout": 99}', "newer Boxscout"),
        ("[" * 100_000, "is damaged"),
    ],
)
def test_what_is_no_data_set_is_told(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(BoxscoutError, match=said):
        open_data_set(tmp_path)


def test_no_value_of_dataset_json_can_be_of_another_kind(copied: DataSet) -> None:
    file = copied.folder / "dataset.json"
    content = json.loads(file.read_text())
    for name in content:
        for odd in (
            [],
            {},
            -1,
            1e400,
            "odd" if name not in ("where", "localizer", "features", "runtime") else 7,
        ):
            file.write_text(json.dumps({**content, name: odd}))
            with pytest.raises(BoxscoutError, match="damaged"):
                open_data_set(copied.folder)


def test_it_learns_from_a_sample_as_train_does(photos: Path, localizer: Localizer, tmp_path: Path) -> None:
    told = Told()
    data_set, _ = made(wanted(photos, tmp_path / "set", None), told)
    assert load_localizer(data_set.localizer).digest == localizer.digest == data_set.made.localizer
    assert told.shares[-1] == 1


def test_it_learns_by_ddt_from_all(photos: Path, tmp_path: Path) -> None:
    data_set, _ = made(wanted(photos, tmp_path / "set", None, learn_from=ALL))
    found = load_localizer(data_set.localizer)
    config = SMALL.with_(method="ddt", sample=COUNT)
    *_, last = learn(config, load_features(device="cpu", threads=1), scan_folder([photos]).images)
    assert last.localizer is not None and (found.method, found.images) == ("ddt", COUNT)
    np.testing.assert_allclose(found.weights, last.localizer.weights, rtol=1e-4, atol=1e-7)
    assert found.bias == pytest.approx(last.localizer.bias, rel=1e-5)


def test_sums_of_shards_are_the_sum_of_all() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(3, 1 + i, (2, 5, 4, 4)).astype(np.float32) for i in range(4)]
    together, shards = Tally(), Tally()
    for part in parts:
        together.add(part)
        alone = Tally()
        alone.add(part)
        shards.merge(alone)
    shards.merge(Tally())  # a shard without a usable image
    one, other = together.direction(), shards.direction()
    assert one.count == other.count == 4 * 2 * 16
    np.testing.assert_array_equal(one.direction, other.direction)
    assert (one.mean == other.mean).all() and one.share == other.share
    values = np.concatenate([part.transpose(0, 2, 3, 1).reshape(-1, 5) for part in parts]).astype(np.float64)
    expected = np.linalg.eigh(np.cov(values.T, bias=True))[1][:, -1]
    assert abs(expected @ one.direction) == pytest.approx(1, abs=1e-6)
