"""Films become images; the films are made here by PyAV."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest
from film_support import HEIGHT, WIDTH, saved_film
from PIL import Image

from core.base.errors import BoxscoutError, Cancelled, ImageError
from core.images.decoding import decode
from core.images.film import FilmOptions, films_in, take_images
from core.images.scan import scan_folder


def level(path: Path) -> float:
    return float(np.median(decode(path).pixels[30:, 40:]))


@pytest.mark.parametrize("name", ["DEER.mp4", "deer.AVI", "deer.mkv", "deer.mov"])
@pytest.mark.parametrize("every", [0.5, 2.0])
def test_an_image_every_few_seconds(tmp_path: Path, name: str, every: float) -> None:
    film = saved_film(tmp_path / name)
    done: list[float] = []
    taken = take_images([film], tmp_path / "out", FilmOptions(every=every), on_progress=done.append)
    assert taken.problems == () and taken.count == 5 / every // 1 + (every == 2.0)
    (folder,) = taken.folders
    found = [one.path for one in scan_folder([folder]).images]
    assert (
        [path.name for path in found]
        == [f"{film.stem}_{i * every:08.1f}s.jpg" for i in range(taken.count)]
        == sorted(path.name for path in found)
    )
    for number, path in enumerate(found):
        assert abs(level(path) - (20 + 20 * number * every)) <= 3
        assert decode(path).pixels[:12, :28].min() > 225
    assert done == sorted(done) and done[0] >= 0 and done[-1] <= 1


def test_quality_is_chosen(tmp_path: Path) -> None:
    film = saved_film(tmp_path / "a.mp4", seconds=1)
    sizes = []
    for quality in (10, 95):
        (folder,) = take_images([film], tmp_path / str(quality), FilmOptions(quality=quality)).folders
        sizes.append(next(folder.glob("*.jpg")).stat().st_size)
    assert sizes[0] < sizes[1]


def test_long_steps_are_as_exact_as_short_ones(tmp_path: Path) -> None:
    film = saved_film(tmp_path / "a.mp4", seconds=24)
    (folder,) = take_images([film], tmp_path / "out", FilmOptions(every=10)).folders
    names = sorted(path.name for path in folder.glob("*.jpg"))
    assert names == ["a_000000.0s.jpg", "a_000010.0s.jpg", "a_000020.0s.jpg"]
    assert abs(level(folder / names[1]) - (20 + 200)) <= 3


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_a_phones_film_is_upright(tmp_path: Path, degrees: int) -> None:
    film = saved_film(tmp_path / "a.mp4", seconds=0.5, turned=degrees)
    with av.open(str(film)) as container:
        told = next(container.decode(video=0)).rotation
    (folder,) = take_images([film], tmp_path / "out", FilmOptions()).folders
    found = decode(next(folder.glob("*.jpg"))).pixels
    assert found.shape[:2] == ((HEIGHT, WIDTH) if degrees == 180 else (WIDTH, HEIGHT))
    upright = np.rot90(found, -told // 90)  # counterclockwise, as FFmpeg tells it
    assert upright[:12, :28].min() > 225 and upright[30:, 40:].max() < 60


def test_the_time_of_capture_goes_along(tmp_path: Path) -> None:
    film = saved_film(tmp_path / "a.mp4", seconds=3, taken="2026-05-04T23:59:58.000000Z")
    (folder,) = take_images([film], tmp_path / "out", FilmOptions(every=2.5)).folders
    with Image.open(folder / "a_000002.5s.jpg") as image:
        taken = image.getexif().get_ifd(0x8769)
    assert (taken[0x9003], taken[0x9291], taken[0x9011]) == ("2026:05:05 00:00:00", "500", "+00:00")
    silent = saved_film(tmp_path / "b.avi", seconds=1)
    (folder,) = take_images([silent], tmp_path / "out", FilmOptions()).folders
    with Image.open(next(folder.glob("*.jpg"))) as image:
        assert not image.getexif()


def test_films_of_one_name_do_not_meet(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / "films" / name).mkdir(parents=True)
        saved_film(tmp_path / "films" / name / "a.avi", seconds=1)
    (tmp_path / "films" / ".hidden.avi").write_bytes(b"x")
    (tmp_path / "films" / "note.txt").write_bytes(b"x")
    films = films_in([tmp_path / "films"])
    assert [film.parent.name for film in films] == ["x", "y"]
    taken = take_images(films, tmp_path / "out", FilmOptions())
    assert len(set(taken.folders)) == 2 and taken.count == 2
    assert taken.sentence() == "2 images taken from 2 films."


def test_what_is_there_is_used_again_and_never_replaced(tmp_path: Path) -> None:
    film = saved_film(tmp_path / "a.avi", seconds=1)
    (folder,) = take_images([film], tmp_path / "out", FilmOptions()).folders
    image = next(folder.glob("*.jpg"))
    before = image.stat().st_mtime_ns
    assert take_images([film], tmp_path / "out", FilmOptions()).folders == (folder,)
    assert image.stat().st_mtime_ns == before
    saved_film(film, seconds=3)  # another film of this name, as the next card has
    taken = take_images([film], tmp_path / "out", FilmOptions())
    assert taken.count == 2 and taken.folders[0].name == "a.avi (2) every 2 s"
    assert image.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["a.avi", "a.mkv"])
def test_a_damaged_film_gives_the_images_it_has(tmp_path: Path, name: str) -> None:
    film = saved_film(tmp_path / name, seconds=6)
    content = film.read_bytes()
    film.write_bytes(content[: int(0.5 * len(content))])
    for _ in range(2):  # told again
        taken = take_images([film], tmp_path / "out", FilmOptions(every=1))
        assert 1 <= taken.count < 6 and len(taken.problems) == 1
        assert "Damaged: only" in taken.sentence() and taken.sentence().count("Damaged") == 1
    assert all(decode(path).pixels.size for path in taken.folders[0].glob("*.jpg"))


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x18ftypmp42" + bytes(1000), b"no film at all"])
def test_no_film_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    taken = take_images([tmp_path / "a.mp4"], tmp_path / "out", FilmOptions())
    assert taken.count == 0 and taken.folders == ()
    assert taken.sentence().startswith("a.mp4: Damaged: ") and taken.sentence().endswith(".")
    assert not list((tmp_path / "out").glob("*"))


def test_cancelling_leaves_nothing_of_the_film(tmp_path: Path) -> None:
    film = saved_film(tmp_path / "a.mp4")
    asked = [0]

    def cancelled() -> bool:
        asked[0] += 1
        return asked[0] > 20

    with pytest.raises(Cancelled):
        take_images([film], tmp_path / "out", FilmOptions(every=0.5), cancelled=cancelled)
    assert list((tmp_path / "out").iterdir()) == []


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = saved_film(tmp_path / "a.mp4", seconds=0.5)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImageError, match=r"^Films need the extra “video”: .*pip install av"):
        take_images([film], tmp_path / "out", FilmOptions())


def test_odd_wishes_and_places(tmp_path: Path) -> None:
    for every in (0.0, -1.0, 5000.0, float("nan")):
        with pytest.raises(ImageError, match=r"every 0\.1 to 3600 seconds"):
            FilmOptions(every=every)
    film = saved_film(tmp_path / "a.mp4", seconds=0.5)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(BoxscoutError, match="cannot be saved in"):
        take_images([film], tmp_path / "file" / "below", FilmOptions())
