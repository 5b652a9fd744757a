"""Finding files: what is listed, in which order, under which name, and what never is opened."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.base.errors import ImageError
from core.images import scan as images
from core.images.scan import ImageFile, RejectedFile, iter_scan, natural_key, natural_order, scan_folder

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX file system")


def picture(path: Path, size: tuple[int, int] = (4, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "teal").save(path, format="PNG")
    return path


def names(*paths: Path) -> list[str]:
    return [image.name for image in scan_folder(paths).images]


def reasons(*paths: Path) -> dict[str, str]:
    return {file.path.name: file.reason for file in scan_folder(paths).rejected}


def test_natural_order_per_folder_with_subfolders_after(tmp_path: Path) -> None:
    for name in ("b/1.png", "img10.png", "IMG2.png", "img1.png", "a/deep/2.png", "a/10.png", "a/9.png"):
        picture(tmp_path / name)
    assert names(tmp_path) == [
        *("img1.png", "IMG2.png", "img10.png"),
        *("a/9.png", "a/10.png", "a/deep/2.png"),
        "b/1.png",
    ]


@given(st.lists(st.tuples(st.sampled_from(["a", "B", "c"]), st.integers(0, 10**6)), unique=True))
def test_numbers_in_names_count_by_value(parts: list[tuple[str, int]]) -> None:
    names_of = {f"{letter}{number}.png": (letter.lower(), number) for letter, number in parts}
    assert [names_of[name] for name in sorted(names_of, key=natural_key)] == sorted(names_of.values())


def test_an_export_among_photos_is_told_and_passed_over_unless_it_is_chosen(tmp_path: Path) -> None:
    picture(tmp_path / "photo.png")
    copy = picture(tmp_path / "trips" / "out" / "images" / "train" / "photo.png")
    picture(tmp_path / "trips" / "2.png")
    export = tmp_path / "trips" / "out"
    (export / images.EXPORTED).write_text("")
    assert names(tmp_path) == ["photo.png", "trips/2.png"]
    assert reasons(tmp_path).keys() == {"out"}
    assert images.EXPORTED in reasons(tmp_path)["out"]
    assert names(export) == ["images/train/photo.png"]
    assert names(copy.parent) == names(copy) == ["photo.png"]
    for chosen in ((tmp_path, export), (export, tmp_path)):
        assert sorted(names(*chosen)) == ["images/train/photo.png", "photo.png", "trips/2.png"]
    (export / images.EXPORTED).unlink()
    assert names(tmp_path) == ["photo.png", "trips/2.png", "trips/out/images/train/photo.png"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "@eaDir/1.png/SYNOPHOTO_THUMB_M.jpg",
            "#recycle/1.png",
            "$RECYCLE.BIN/S-1-5/1.png",
            "@Recycle/1.png",
        ),
        *("System Volume Information/1.png", "trip/lost+found/1.png", "MVI_0002.THM", "1.png_original"),
        *("1.png~", "3.png.part", "4.png.crdownload", "5.png.bak", "ehthumbs.db", "._1.png"),
        *("1.xmp", "1.AAE", "1.png.pp3", "1.dop", "TimelapseData.ddb", "TimelapseTemplate.tdb"),
    ],
)
def test_what_systems_and_programs_leave_beside_photos_is_neither_photo_nor_problem(
    name: str, tmp_path: Path
) -> None:
    picture(tmp_path / "1.png")
    left = picture(tmp_path / name)
    if left.suffix.lower() in (".xmp", ".aae", ".pp3", ".dop", ".ddb", ".tdb"):
        left.write_text("<x/>")
    assert names(tmp_path) == ["1.png"]
    assert reasons(tmp_path) == {}


@pytest.mark.parametrize("name", ["MVI_0002.THM", "1.png~", "#recycle/1.png"])
def test_what_is_chosen_by_itself_is_taken_all_the_same(name: str, tmp_path: Path) -> None:
    left = picture(tmp_path / name)
    assert names(left if left.parent == tmp_path else left.parent) == [left.name]


def test_what_is_known_of_a_file(tmp_path: Path) -> None:
    path = picture(tmp_path / "sub" / "one.png")
    (found,) = scan_folder([tmp_path]).images
    assert found == ImageFile(tmp_path, "sub/one.png", path.stat().st_size, path.stat().st_mtime_ns)
    assert found.path == path


def test_a_file_chosen_by_itself_has_its_folder_as_root(tmp_path: Path) -> None:
    path = picture(tmp_path / "sub" / "one.png")
    (found,) = scan_folder([path]).images
    assert (found.root, found.name) == (tmp_path / "sub", "one.png")


def test_overlapping_choices_list_a_file_once(tmp_path: Path) -> None:
    path = picture(tmp_path / "sub" / "one.png")
    picture(tmp_path / "two.png")
    assert names(path, tmp_path / "sub", tmp_path, tmp_path) == ["one.png", "two.png"]


def test_known_suffixes_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in images.SUFFIXES:
        (tmp_path / f"x{suffix.upper()}").write_bytes(b"not looked at")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr("builtins.open", refuse)
    assert len(names(tmp_path)) == len(images.SUFFIXES)


def test_wrong_suffixes_are_seen_through(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"):
        Image.new("RGB", (5, 5)).save(tmp_path / f"{kind}.dat", format=kind)
    (tmp_path / "raw.dat").write_bytes(b"something else")
    assert len(names(tmp_path)) == 6
    assert reasons(tmp_path) == {"raw.dat": images.NOT_AN_IMAGE}


def test_what_lies_beside_photos_is_no_failure(tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    for name in ("1.xml", "labels.txt", "empty.txt", ".DS_Store", "._1.png", ".git/x.png", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"" if "empty" in name else b"<annotation/>")
    found = scan_folder([tmp_path])
    assert [image.name for image in found.images] == ["1.png"]
    assert found.rejected == ()
    assert reasons(tmp_path / "1.xml") == {"1.xml": images.NOT_AN_IMAGE}  # chosen by itself


def test_our_own_data_is_no_folder_of_photos(tmp_path: Path) -> None:
    picture(tmp_path / "work.boxscout-data" / "preview.png")
    assert names(tmp_path) == ["work.boxscout-data/preview.png"]
    (tmp_path / "work.boxscout").write_bytes(b"project")
    assert names(tmp_path) == []


def test_an_empty_file_has_its_reason(tmp_path: Path) -> None:
    (tmp_path / "nothing.jpg").touch()
    assert reasons(tmp_path) == {"nothing.jpg": "The file is empty."}


def test_nothing_at_all(tmp_path: Path) -> None:
    assert scan_folder([tmp_path]) == scan_folder([])


def test_a_missing_path_is_a_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gone.* does not exist"):
        scan_folder([tmp_path / "gone"])


def test_odd_names_survive(tmp_path: Path) -> None:
    odd = ["with space.png", "фото 1.png", "写真.png", "<b>bold&amp;.png", "%s {0} \u202e.png", "Zoë.png"]
    for name in odd:
        picture(tmp_path / name)
    assert sorted(names(tmp_path)) == sorted(odd)


@posix_only
def test_names_that_are_not_utf8_are_listed_with_a_reason(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    try:
        with open(folder + b"/caf\xe9.png", "wb") as file:  # noqa: PTH123 - bytes
            file.write(b"x")
        os.mkdir(folder + b"/d\xe9")  # noqa: PTH102
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    found = scan_folder([tmp_path])
    assert found.images == ()
    assert [file.reason for file in found.rejected] == [images.NOT_UTF8] * 2
    assert {os.fsencode(file.path) for file in found.rejected} == {
        folder + b"/caf\xe9.png",
        folder + b"/d\xe9",
    }
    assert scan_folder([Path(os.fsdecode(folder + b"/d\xe9"))]).rejected[0].reason == images.NOT_UTF8


@posix_only
def test_link_loops_end_and_links_repeat_nothing(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "one.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "same.png").symlink_to(tmp_path / "a" / "one.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    found = scan_folder([tmp_path])
    assert [image.name for image in found.images] == ["same.png"]
    assert [(file.path.name, file.reason) for file in found.rejected] == [
        ("broken.png", "The link points nowhere.")
    ]


@posix_only
def test_hard_links_are_two_images(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    os.link(tmp_path / "a.png", tmp_path / "b.png")
    assert names(tmp_path) == ["a.png", "b.png"]


@posix_only
@pytest.mark.timeout(20)
def test_a_fifo_and_a_socket_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s.png"))
        assert reasons(tmp_path) == dict.fromkeys(("fifo", "fifo.jpg", "s.png"), "Not a regular file.")


def test_a_folder_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "closed" / "one.png")
    picture(tmp_path / "two.png")
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = scan_folder([tmp_path])
    assert [image.name for image in found.images] == ["two.png"]
    assert found.rejected == (
        RejectedFile(tmp_path / "closed", "The folder cannot be opened: permission denied."),
    )


def test_the_first_image_comes_before_later_folders_are_read(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "z" / "b.png")
    scan = iter_scan([tmp_path])
    first = next(scan)
    (tmp_path / "z" / "b.png").rename(tmp_path / "z" / "c.png")
    assert isinstance(first, ImageFile)
    assert [found.name for found in scan if isinstance(found, ImageFile)] == ["z/c.png"]


@pytest.mark.parametrize("count", [0, 1, 300, 9000])
def test_many_names_come_in_natural_order(count: int) -> None:
    """Camera names in every length and case among others: some are sorted as text and some are not."""
    rng = np.random.default_rng(count)
    starts, ends = ("img", "IMG", "Img_", "a1-", "\u00e4", "\u212a"), (".jpg", ".JPG", "-02.png", "7")
    numbers = rng.integers(0, 10 ** rng.integers(1, 6, count))
    made = (f"{starts[i % 6]}{str(n).zfill(i % 2 * 5)}{ends[i % 4]}" for i, n in enumerate(numbers.tolist()))
    names = list(dict.fromkeys(made))
    assert list(natural_order(names, name=str)) == sorted(names, key=natural_key)


@posix_only
def test_a_link_and_its_file_are_one_whichever_comes_first(tmp_path: Path) -> None:
    for name in ("m/real.png", "m/.hidden.png", "outside.png"):
        picture(tmp_path / "photos" / name if name != "outside.png" else tmp_path / name)
    folder = tmp_path / "photos"
    (folder / "m" / "a-link.png").symlink_to(folder / "m" / "real.png")  # before its file, in its folder
    (folder / "m" / "z-link.png").symlink_to(folder / "m" / "real.png")  # after it
    (folder / "m" / "b-link.png").symlink_to(folder / "m" / ".hidden.png")  # to one that is passed over
    (folder / "z").mkdir()
    (folder / "z" / "late.png").symlink_to(folder / "m" / "real.png")  # its folder is done
    (folder / "z" / "one.png").symlink_to(tmp_path / "outside.png")
    (folder / "z" / "two.png").symlink_to(tmp_path / "outside.png")
    assert names(folder) == ["m/a-link.png", "m/b-link.png", "z/one.png"]
    assert names(folder / "m" / "z-link.png", folder) == ["z-link.png", "m/b-link.png", "z/one.png"]
    assert names(folder, folder / "m" / "real.png", folder / "m" / ".hidden.png") == names(folder)
