"""The co-localization sets of Tiny ImageNet as image files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core.base.errors import FormatError
from core.formats import tiny_imagenet

SIZES = {  # (train, val) as the paper counts them
    "artiodactyla": (2500, 250),
    "bottle": (1000, 100),
    "bird": (1500, 150),
    "cat": (2000, 200),
    "dog": (3000, 300),
    "vehicle": (4000, 400),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_set_has_the_papers_images_with_or_without_boxes(
    unzipped: Callable[[str], Path], name: str
) -> None:
    root = unzipped("tiny-imagenet-six")
    train, val = (tiny_imagenet.images_of(root, name, split) for split in ("train", "val"))
    assert (len(train), len(val)) == SIZES[name]
    assert tiny_imagenet.images_of(root, name) == [*train, *val]
    assert all(path.is_file() for path in (*train, *val))
    per_class = Counter(path.parent.parent.name for path in train)
    assert per_class == dict.fromkeys(tiny_imagenet.SETS[name], 500)
    rows = (line.split("\t") for line in (root / "val/val_annotations.txt").read_text().splitlines())
    expected = {row[0] for row in rows if row[1] in tiny_imagenet.SETS[name]}
    assert {path.name for path in val} == expected


def test_no_image_is_in_two_sets(unzipped: Callable[[str], Path]) -> None:
    root = unzipped("tiny-imagenet-six")
    every = [path for name in SIZES for path in tiny_imagenet.images_of(root, name)]
    assert len(set(every)) == len(every) == sum(map(sum, SIZES.values()))


def _tree(root: Path) -> Path:
    for wnid in tiny_imagenet.SETS["bottle"]:
        folder = root / "train" / wnid / "images"
        folder.mkdir(parents=True)
        for i in (10, 2):
            (folder / f"{wnid}_{i}.JPEG").write_bytes(b"x")
        (folder / "notes.txt").write_text("x")
    return root


def test_without_val_a_set_is_its_train_images_in_natural_order(tmp_path: Path) -> None:
    root = _tree(tmp_path)
    found = tiny_imagenet.images_of(root, "bottle")
    assert [path.name.split("_")[1] for path in found] == ["2.JPEG", "10.JPEG"] * 2
    with pytest.raises(FormatError, match="no val images"):
        tiny_imagenet.images_of(root, "bottle", "val")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    root = _tree(tmp_path)
    with pytest.raises(FormatError, match="no images of the set “cat”: train/n02123045/images"):
        tiny_imagenet.images_of(root, "cat")
    with pytest.raises(FormatError, match="no set 'bottles'; the sets are"):
        tiny_imagenet.images_of(root, "bottles")
    with pytest.raises(FormatError, match="splits"):
        tiny_imagenet.images_of(root, "bottle", "test")


def test_names_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    root = _tree(tmp_path)
    (root / "val" / "images").mkdir(parents=True)
    wnid = tiny_imagenet.SETS["bottle"][0]
    (root / "val" / "val_annotations.txt").write_text(f"../../secret.png\t{wnid}\n")
    with pytest.raises(FormatError, match="outside its own folder"):
        tiny_imagenet.images_of(root, "bottle", "val")
