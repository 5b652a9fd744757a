"""The class of an image, from the folders that a person chose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.learn.labels import class_names, labels_of


def _files(root: Path, *names: str) -> list[Path]:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return [root / name for name in names]


def test_below_one_folder_the_class_is_the_first(tmp_path: Path) -> None:
    images = _files(tmp_path, "cats/a.jpg", "cats/indoors/b.jpg", "dogs/c.jpg", "stray.jpg")
    assert class_names(images, [tmp_path]) == ["cats", "cats", "dogs", None]


def test_labels_are_positions_among_the_classes_in_order(tmp_path: Path) -> None:
    images = _files(tmp_path, "dogs/c.jpg", "cats/a.jpg", "stray.jpg", "dogs/d.jpg")
    labels = labels_of(images, [tmp_path])
    assert labels.classes == ("cats", "dogs")
    assert images[2] not in labels.by_path
    assert labels.rows([images[0], images[1], images[3]]).tolist() == [1, 0, 1]


def test_of_several_folders_each_is_a_class(tmp_path: Path) -> None:
    images = _files(tmp_path, "cats/a.jpg", "cats/indoors/b.jpg", "dogs/c.jpg", "birds/d.jpg")
    folders = [tmp_path / "cats", tmp_path / "dogs"]
    assert class_names(images, folders) == ["cats", "cats", "dogs", None]
    assert class_names(images[:1], [images[0], images[2]]) == ["cats"], "a file stands for its folder"
    assert class_names(images[:1], [folders[0], folders[0]]) == [None], "the same folder twice is one"


def test_a_relative_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = _files(tmp_path, "photos/cats/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert class_names(images, [Path("photos")]) == ["cats"]
    assert class_names(images, [Path("photos/../photos")]) == ["cats"]


@pytest.mark.parametrize("chosen", [".", "train", "train/n02113799", "train/n02113799/images"])
def test_tiny_imagenet_names_its_class_above_images(tmp_path: Path, chosen: str) -> None:
    images = _files(tmp_path, "train/n02113799/images/n02113799_0.JPEG")
    assert class_names(images, [tmp_path / chosen]) == ["n02113799"]
    assert class_names(images, images) == ["n02113799"]


def test_only_a_class_id_makes_images_special(tmp_path: Path) -> None:
    images = _files(tmp_path, "cats/images/a.jpg", "dogs/images/b.jpg")
    assert class_names(images, [tmp_path]) == ["cats", "dogs"]


def test_tiny_imagenets_val_has_a_list(tmp_path: Path) -> None:
    images = _files(tmp_path, "val/images/val_7.JPEG", "val/images/val_8.JPEG", "val/images/val_9.JPEG")
    rows = "val_7.JPEG\tn02823428\t5\t0\t57\t63\nval_8.JPEG\tn04146614\n"
    (tmp_path / "val" / "val_annotations.txt").write_text(rows)
    assert class_names(images[:2], [tmp_path / "val"]) == ["n02823428", "n04146614"]
    assert class_names(images, [tmp_path], known=["n04146614"]) == [None, "n04146614", None]


def test_known_classes_are_found_wherever_the_folder_was_chosen(tmp_path: Path) -> None:
    images = _files(tmp_path, "a/cats/a.jpg", "b/dogs/b.jpg", "b/newts/c.jpg")
    known = ("cats", "dogs")
    assert class_names(images[:1], [tmp_path / "a" / "cats"], known=known) == ["cats"], "a class alone"
    folders = [tmp_path / "a", tmp_path / "b"]
    assert class_names(images, folders, known=known) == ["cats", "dogs", None], "folders of classes"


def test_the_real_tiny_imagenet(unzipped: Callable[[str], Path]) -> None:
    root = unzipped("tiny-imagenet-six")
    wnids = set((root / "wnids.txt").read_text().split())
    train = sorted(root.glob("train/*/images/*.JPEG"))[::50]
    val = sorted(root.glob("val/images/*.JPEG"))
    assert class_names(train, [root]) == [path.name.split("_")[0] for path in train]
    names = class_names(val, [root / "val"])
    assert set(names) <= wnids
    counts = [names.count(name) for name in set(names)]
    assert set(counts) == {50}
