"""Images on servers: what is listed, fetched, tried again and told, and what of the user's is never kept."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from cloud_support import Bucket, Served, http_server, moto_bucket, s3_at
from PIL import Image

from core.base.errors import BoxscoutError, ImageError
from core.images.decoding import GONE, UnavailableError, decode
from core.images.parallel import CHANGED
from core.scale import remote
from core.scale.addresses import UNKNOWN, Entry, Rejected, list_images, local_file
from core.scale.remote import checked_address
from core.scale.retries import Patience, with_retries


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with moto_bucket() as bucket:
        yield bucket


@pytest.fixture
def web() -> Iterator[Served]:
    with http_server() as served:
        yield served


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "wait_s", lambda self, tried: 0.0)


def png(colour: str = "teal") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(content, "PNG")
    return content.getvalue()


def names(where: str, rejected: list[Rejected] | None = None) -> list[str]:
    told = [] if rejected is None else rejected
    return [entry.name for entry in list_images(where, on_rejected=told.append)]


# ---- S3 ----------------------------------------------------------------------------------------


def test_a_bucket_is_listed_by_name_page_by_page(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["b/1.png", "b.png", "b-1.png", "é ?#.png", "B.png", "b/deep/2.png"]
    bucket.put({f"pages/{name}": png() for name in given} | {"pages/": b"", "pages-too/no.png": png()})
    asked: list[object] = []
    monkeypatch.setattr(remote, "_PAGE", 2)
    monkeypatch.setattr(remote, "with_retries", lambda call: (asked.append(call), with_retries(call))[1])
    assert next(list_images("s3://photos/pages")).name == sorted(given)[0]
    assert len(asked) == 2, "what it is, and one page"
    assert names("s3://photos/pages") == names("s3://photos/pages/") == sorted(given)
    (found,) = [one for one in list_images("s3://photos/pages") if one.name == "é ?#.png"]
    assert (found.address, found.size_bytes) == ("s3://photos/pages/é ?#.png", len(png()))


def test_the_rule_of_folders_says_what_is_an_image(bucket: Bucket) -> None:
    bucket.put(
        {
            "rule/a.jpg": b"x",
            "rule/empty.png": b"",
            "rule/film.mp4": b"x",
            "rule/no-ending": png(),
            "rule/other.xyz": b"no image",
            "rule/.hidden/b.png": png(),
            "rule/@eaDir/thumb.png": png(),
            "rule/notes.txt": b"about a.jpg",
        }
    )
    told: list[Rejected] = []
    assert names("s3://photos/rule", told) == ["a.jpg", "no-ending"]
    assert {one.name: one.reason.split()[0] for one in told} == {
        "empty.png": "The",
        "film.mp4": "A",
        "other.xyz": "Not",
    }


def test_an_image_is_fetched_to_a_file_that_is_gone_afterwards(bucket: Bucket) -> None:
    bucket.put({"fetch/sub/a.png": png("red")})
    (entry,) = list_images("s3://photos/fetch")
    with local_file(entry) as file:
        assert decode(file.path).pixels[0, 0].tolist() == [255, 0, 0]
        assert file.size_bytes == entry.size_bytes
    assert not file.root.exists()


def test_an_object_that_changed_since_it_was_listed_is_told(bucket: Bucket) -> None:
    bucket.put({"changed/a.png": png("red"), "changed/b.png": png("red")})
    first, second = list_images("s3://photos/changed")
    bucket.put({"changed/a.png": png("blue")})
    bucket.client.delete_object(Bucket=bucket.name, Key="changed/b.png")
    with pytest.raises(UnavailableError, match=CHANGED), local_file(first):
        pass
    with pytest.raises(UnavailableError, match=GONE), local_file(second):
        pass


@pytest.mark.parametrize("where", ["s3://nowhere/photos", "s3://photos/nothing-here"])
def test_nothing_there_is_a_sentence(bucket: Bucket, where: str) -> None:
    with pytest.raises(ImageError, match=f"{where} cannot be listed: {GONE}"):
        names(where)


def test_a_list_on_a_server_names_images_beside_it_and_elsewhere(bucket: Bucket) -> None:
    bucket.put({"lists/in/a.png": png(), "other/b.png": png()})
    bucket.put({"lists/all.txt": b"in/a.png\ns3://photos/other/b.png\n../other/b.png\n"})
    found = list(list_images("s3://photos/lists/all.txt"))
    assert [(one.name, one.address) for one in found] == [
        ("in/a.png", "s3://photos/lists/in/a.png"),
        ("other/b.png", "s3://photos/other/b.png"),
        ("photos/other/b.png", "s3://photos/other/b.png"),
    ]
    with local_file(found[0]) as file:
        assert file.path.read_bytes() == png()


def test_a_parquet_list_may_say_size_and_version(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put({"known/a.png": png("red")})
    (entry,) = list_images("s3://photos/known")
    rows = {"address": [entry.address], "size_bytes": [entry.size_bytes], "version": [entry.version]}
    pd.DataFrame(rows).to_parquet(tmp_path / "list.parquet")
    (listed,) = list_images(tmp_path / "list.parquet")
    assert (listed.size_bytes, listed.version) == (entry.size_bytes, entry.version)
    bucket.put({"known/a.png": png("blue")})
    with pytest.raises(UnavailableError, match=CHANGED), local_file(listed):
        pass


def test_a_busy_server_of_s3_is_asked_again_by_us_alone() -> None:
    with http_server() as served, s3_at(served.address):
        served.files["/photos/a.png"] = png()
        served.errors["/photos/a.png"] = [503, 500]
        with local_file(Entry("s3://photos/a.png", "a.png", UNKNOWN, "")) as file:
            assert file.path.read_bytes() == png()
        assert served.asked == ["GET /photos/a.png"] * 3


def test_google_cloud_storage_is_listed_and_fetched_by_its_json_interface(
    web: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", web.address)
    fsspec.get_filesystem_class("gs").clear_instance_cache()
    found = {"name": "cats/a.png", "size": str(len(png())), "generation": "17", "bucket": "photos"}
    web.files |= {
        "/storage/v1/b/photos/o": json.dumps({"items": [found]}).encode(),
        "/storage/v1/b/photos/o/cats%2Fa.png": png(),
    }
    (entry,) = list_images("gs://photos/cats")
    assert entry == Entry("gs://photos/cats/a.png", "a.png", len(png()), "17")
    web.asked.clear()
    with local_file(entry) as file:
        assert file.path.read_bytes() == png()
    assert web.asked == ["GET /storage/v1/b/photos/o/cats%2Fa.png?alt=media&ifGenerationMatch=17"]
    for status, reason in ((412, CHANGED), (403, "credentials"), (404, GONE)):
        web.errors["/storage/v1/b/photos/o/cats%2Fa.png"] = [status]
        with pytest.raises(UnavailableError, match=reason), local_file(entry):
            pass


# ---- HTTP --------------------------------------------------------------------------------------


def test_an_image_and_a_list_on_a_web_server(web: Served) -> None:
    web.files |= {"/a.png": png(), "/sub/list.txt": b"../a.png\nb%20c.png\n", "/sub/b%20c.png": png()}
    (one,) = list_images(f"{web.address}/a.png")
    assert (one.name, one.size_bytes) == ("a.png", len(png()))
    assert names(f"{web.address}/sub/list.txt") == ["a.png", "b%20c.png"]
    for entry in (one, *list_images(f"{web.address}/sub/list.txt")):
        with local_file(entry) as file:
            assert file.path.read_bytes() == png()


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(web: Served) -> None:
    web.files["/a.png"] = png()
    web.errors["/a.png"] = [503, 503]
    entry = Entry(f"{web.address}/a.png", "a.png", UNKNOWN, "")
    with local_file(entry) as file:
        assert file.path.read_bytes() == png()
    assert web.asked == ["GET /a.png"] * 3
    for status, reason in ((403, "credentials"), (404, GONE)):
        web.asked.clear()
        web.errors["/a.png"] = [status]
        with pytest.raises(UnavailableError, match=reason), local_file(entry):
            pass
        assert len(web.asked) == 1


def test_a_server_that_goes_on_failing_is_given_up(web: Served) -> None:
    web.files["/a.png"] = png()
    web.errors["/a.png"] = [500] * 20
    entry = Entry(f"{web.address}/a.png", "a.png", UNKNOWN, "")
    told = "after 6 tries: The server answers with error 500"
    with pytest.raises(UnavailableError, match=told), local_file(entry):
        pass
    assert len(web.asked) == 6


def test_a_file_that_changed_on_a_web_server_is_told(web: Served) -> None:
    web.files["/a.png"] = png("red")
    (entry,) = list_images(f"{web.address}/a.png")
    web.files["/a.png"] = png("blue")
    with pytest.raises(UnavailableError, match=CHANGED), local_file(entry):
        pass


def test_nobody_listening_is_a_sentence_without_the_address() -> None:
    with http_server() as served:
        address = f"{served.address}/a.png"
    entry = Entry(address, "a.png", UNKNOWN, "")
    with pytest.raises(UnavailableError, match="connection failed") as raised, local_file(entry):
        pass
    assert "127.0.0.1" not in str(raised.value)


# ---- waiting -----------------------------------------------------------------------------------


def test_waits_double_are_drawn_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    patience = Patience(tries=8, first_s=1.0, most_s=10.0)
    drawn = [[patience.wait_s(tried) for _ in range(300)] for tried in range(1, 8)]
    for waits, most in zip(drawn, (1, 2, 4, 8, 10, 10, 10), strict=True):
        assert 0 <= min(waits) < 0.1 * most and 0.9 * most < max(waits) <= most
    slept: list[float] = []
    with pytest.raises(UnavailableError):
        with_retries(refused, patience=patience, sleep=slept.append)
    assert len(slept) == 7


def refused() -> None:
    raise ConnectionResetError("by somebody")


def test_a_full_disk_is_not_tried_again() -> None:
    tried: list[int] = []

    def full() -> None:
        tried.append(1)
        raise OSError(28, "No space left on device")

    with pytest.raises(UnavailableError, match="no space left"):
        with_retries(full)
    assert len(tried) == 1


# ---- secrets -----------------------------------------------------------------------------------

WITH_SECRETS = [
    "s3://AKIAKEY:hush@photos/a.png",
    "s3://AKIAKEY:hu/sh@photos/a.png",
    "https://me:hush@example.org/a.png",
    "https://me@example.org/a.png",
    "https://example.org/a.png?X-Amz-Credential=a&X-Amz-Signature=hush",
    "https://example.org/a.png?X%2DAmz%2DSignature=hush",
    "https://example.org/a.png?GoogleAccessId=a&Signature=hush",
    "https://example.org/a.png?sv=2024&sig=hush",
    "https://example.org/a.png#access_token=hush",
    "https://example.org/a.png?size=1;api_key=hush",
    "zip://a.png::s3://AKIAKEY:hush@photos/a.zip",
]
WITHOUT = [
    "s3://photos/a.png",
    "s3://arn:aws:s3:us-west-2:123456789012:accesspoint/photos/a.png",
    "http://127.0.0.1:8000/a.png",
    "http://[::1]:8000/a.png",
    "https://example.org/@me/a.png?author=me&design=2&page=1",
]


@pytest.mark.parametrize("address", WITH_SECRETS)
def test_an_address_with_a_secret_is_refused_without_repeating_it(address: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError) as raised:
        names(address)
    assert "hush" not in str(raised.value) and "hu/sh" not in str(raised.value)
    (tmp_path / "list.txt").write_text(f"s3://photos/a.png\n{address}\n")
    told: list[Rejected] = []
    assert names(str(tmp_path / "list.txt"), told) == ["photos/a.png"]
    assert [one.name for one in told] == ["line 2"] and "hush" not in told[0].reason


@pytest.mark.parametrize("address", WITHOUT)
def test_other_addresses_are_taken_as_they_are(address: str) -> None:
    assert checked_address(address) == address


def test_addresses_that_nothing_reads_are_a_sentence() -> None:
    with pytest.raises(BoxscoutError, match="begin with nonsense:// cannot be read"):
        names("nonsense://a/b")


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(BoxscoutError, match=r"extra “cloud”.*pip install s3fs"):
        names("s3://photos/a")


def test_other_file_systems_are_walked_in_the_order_of_whole_names() -> None:
    files = fsspec.filesystem("memory")
    given = ["b/1.png", "b.png", "b-1.png", "b/deep/2.png", "a/z.png"]
    for name in given:
        files.pipe_file(f"/walk/{name}", png())
    try:
        found = list(list_images("memory://walk"))
        assert [one.name for one in found] == sorted(given)
        with local_file(found[0]) as file:
            assert file.path.read_bytes() == png()
    finally:
        files.rm("/walk", recursive=True)
