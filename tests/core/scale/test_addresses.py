"""Where images are: what is listed, in which order and under which name, and how it becomes a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.base.errors import FormatError, ImageError
from core.images.decoding import decode
from core.images.parallel import CHANGED, Failure, decode_all
from core.scale.addresses import Entry, Rejected, list_images, local_file
from core.scale.sorting import sorted_by_name


def picture(path: Path, colour: str = "teal") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), colour).save(path, format="PNG")
    return path


def names(where: Path, rejected: list[Rejected] | None = None) -> list[str]:
    told = [] if rejected is None else rejected
    return [entry.name for entry in list_images(where, on_rejected=told.append)]


def test_a_folder_is_listed_in_the_order_of_code_points(tmp_path: Path) -> None:
    given = ["b/1.png", "img10.png", "IMG2.png", "img1.png", "b.png", "b-1.png", "é.png", "b/deep/2.png"]
    for name in given:
        picture(tmp_path / name)
    assert names(tmp_path) == sorted(given)


def test_what_a_scan_passes_over_or_tells_is_so_here(tmp_path: Path) -> None:
    for name in ("a.png", ".hidden.png", "@eaDir/thumb.png", "kept.png.bak"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "empty.jpg").touch()
    told: list[Rejected] = []
    assert names(tmp_path, told) == ["a.png"]
    assert told == [Rejected("sub/empty.jpg", "The file is empty.")]


def test_a_text_list_names_images_relative_to_it_and_elsewhere(tmp_path: Path) -> None:
    here, there = picture(tmp_path / "lists" / "in" / "a.png"), picture(tmp_path / "photos" / "b.png")
    file = tmp_path / "lists" / "all.txt"
    file.write_text(f"\ufeffin/a.png\r\n\n{there}\n../photos/gone.png\n", encoding="utf-8")
    told: list[Rejected] = []
    found = list(list_images(file, on_rejected=told.append))
    assert [entry.address for entry in found] == [str(here), str(there)]
    assert [entry.name for entry in found] == ["in/a.png", str(there).lstrip("/")]
    assert told == [Rejected("../photos/gone.png", "The file is no longer there.")]


@pytest.mark.parametrize("column", ["address", "path"])
def test_a_parquet_list_has_its_column(tmp_path: Path, column: str) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    file = tmp_path / "list.parquet"
    pd.DataFrame({"n": [1, 2, 3], column: ["b.png", "a.png", None]}).to_parquet(file)
    assert names(file) == ["a.png", "b.png"]
    pd.DataFrame({"file": ["b.png"]}).to_parquet(file)
    with pytest.raises(FormatError, match="address"):
        names(file)


def test_an_image_that_is_listed_twice_is_one_and_two_of_one_name_are_told(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path.parent / "a.png")
    file = tmp_path / "list.txt"
    file.write_text("a.png\n./a.png\n../a.png\n")
    told: list[Rejected] = []
    assert names(file, told) == ["a.png"]
    assert [one.name for one in told] == ["a.png"] and "this name" in told[0].reason


def test_nothing_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        names(tmp_path / "missing")


def test_runs_on_the_disk_merge_to_what_one_sort_gives() -> None:
    rng = np.random.default_rng(0)
    entries = [Entry(f"/p/{n}", f"{n:04d}.jpg", int(n), str(n)) for n in rng.permutation(1000)]
    assert list(sorted_by_name(entries, run=64)) == sorted(entries, key=lambda entry: entry.name)


def test_a_local_image_is_the_file_itself_and_a_change_is_told(tmp_path: Path) -> None:
    path = picture(tmp_path / "sub" / "a.png")
    (entry,) = list_images(tmp_path)
    with local_file(entry) as file:
        assert (file.path, file.root, file.name) == (path, tmp_path, "sub/a.png")
        (found,) = decode_all([file], decode, workers=1)
        assert not isinstance(found, Failure)
    picture(path, "red").write_bytes(path.read_bytes() + b" ")
    with local_file(entry) as file:
        assert list(decode_all([file], decode, workers=1)) == [Failure(CHANGED, again=True)]
