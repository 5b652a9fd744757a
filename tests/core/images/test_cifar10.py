"""CIFAR-10's binary version, from archives written here by its published layout."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.errors import Cancelled, FormatError
from core.images import cifar10
from core.images.scan import scan_folder

Batch = list[tuple[int, np.ndarray]]


def _batch(count: int, seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    return [(int(rng.integers(10)), rng.integers(0, 256, (32, 32, 3), np.uint8)) for _ in range(count)]


def _bytes(batch: Batch) -> bytes:
    """One byte of class, 1024 of red, 1024 of green, 1024 of blue, each row by row."""
    out = bytearray()
    for label, image in batch:
        out.append(label)
        for channel in range(3):
            for row in range(32):
                out += bytes(int(image[row, column, channel]) for column in range(32))
    return bytes(out)


def _tar(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def _expect(out: Path, split: str, stem: str, batch: Batch) -> None:
    for i, (label, image) in enumerate(batch):
        with Image.open(out / split / NAMES[label] / f"{stem}_{i:05d}.png") as file:
            assert (file.mode, file.size) == ("RGB", (32, 32))
            assert np.array_equal(np.asarray(file), image)


def test_every_pixel_of_an_archive(tmp_path: Path) -> None:
    batches = {
        "data_batch_2": _batch(5, 2),
        "test_batch": _batch(4, 0),
        "data_batch_1": _batch(7, 1),
    }
    members = {f"cifar-10-batches-bin/{name}.bin": _bytes(batch) for name, batch in batches.items()}
    archive = _tar(
        tmp_path / "cifar-10-binary.tar.gz",
        {"cifar-10-batches-bin/batches.meta.txt": "\n".join(NAMES).encode(), **members},
    )
    done: list[tuple[int, int]] = []
    result = cifar10.unpack(archive, tmp_path / "out" / "cifar", on_progress=lambda *at: done.append(at))
    assert (result.folder, result.images) == (tmp_path / "out" / "cifar", 16)
    for name, batch in batches.items():
        _expect(result.folder, "test" if name == "test_batch" else "train", name, batch)
    assert len(scan_folder([result.folder]).images) == 16
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cifar"]


def test_a_folder_of_batches_and_one_batch(tmp_path: Path) -> None:
    source = tmp_path / "bin"
    source.mkdir()
    batch = _batch(6, 4)
    (source / "data_batch_1.bin").write_bytes(_bytes(batch))
    (source / "readme.html").write_text("hello")
    for place in (source, source / "data_batch_1.bin"):
        out = tmp_path / f"out of {place.name}"
        out.mkdir()  # an empty folder will do
        assert cifar10.unpack(place, out).images == 6
        _expect(out, "train", "data_batch_1", batch)
        assert not (out / "test").exists()


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    batch = _bytes(_batch(1, 0))
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("../../data_batch_1.bin", "/tmp/boxscout-evil.txt", "../up.png"):
            info = tarfile.TarInfo(name)
            info.size = len(batch)
            tar.addfile(info, io.BytesIO(batch))
        link = tarfile.TarInfo("data_batch_2.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    out = tmp_path / "deep" / "out"
    assert cifar10.unpack(archive, out).images == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "evil.tar.gz"]
    assert [p.name for p in out.rglob("*.png")] == ["data_batch_1_00000.png"]
    assert not Path("/tmp/boxscout-evil.txt").exists()


def _wrong_class(tmp_path: Path) -> Path:
    return _tar(tmp_path / "a.tar.gz", {"data_batch_1.bin": b"\x0a" + bytes(3072)})


def _cut_batch(tmp_path: Path) -> Path:
    return _tar(tmp_path / "a.tar.gz", {"data_batch_1.bin": bytes(3072)})


def _twice(tmp_path: Path) -> Path:
    return _tar(
        tmp_path / "a.tar", {"a/data_batch_1.bin": bytes(3073), "b/data_batch_1.bin": bytes(3073)}, "w"
    )


def _python(tmp_path: Path) -> Path:
    return _tar(tmp_path / "a.tar.gz", {"cifar-10-batches-py/data_batch_1": b"pickle"})


def _other_tar(tmp_path: Path) -> Path:
    return _tar(tmp_path / "a.tar", {"readme": b"x"}, "w")


def _cut_gzip(tmp_path: Path) -> Path:
    data = np.random.default_rng(0).integers(0, 10, 3073 * 200, np.uint8).tobytes()
    archive = _tar(tmp_path / "a.tar.gz", {"data_batch_1.bin": data})
    archive.write_bytes(archive.read_bytes()[:-5000])
    return archive


def _flipped_gzip(tmp_path: Path) -> Path:
    data = np.random.default_rng(0).integers(0, 10, 3073 * 200, np.uint8).tobytes()
    archive = _tar(tmp_path / "a.tar.gz", {"data_batch_1.bin": data})
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(bytes(content))
    return archive


def _no_archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"hello")
    return path


def _empty_folder(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_wrong_class, "class above 9"),
        (_cut_batch, "no whole batch"),
        (_twice, "twice"),
        (_python, "pickles"),
        (_other_tar, "holds no batch"),
        (_cut_gzip, "damaged"),
        (_flipped_gzip, "a.tar.gz is damaged|no whole batch|no batch"),
        (_no_archive, "no archive of CIFAR-10"),
        (_empty_folder, "holds no batch"),
        (lambda tmp_path: tmp_path / "missing.tar.gz", "does not exist"),
    ],
)
def test_what_is_no_archive_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    archive = make(tmp_path)
    with pytest.raises(FormatError, match=words):
        cifar10.unpack(archive, tmp_path / "new" / "out")
    assert not (tmp_path / "new" / "out").exists()
    assert not list(tmp_path.rglob(".boxscout-*"))


def test_what_lies_there_is_never_mixed_with(tmp_path: Path) -> None:
    source = tmp_path / "data_batch_1.bin"
    source.write_bytes(_bytes(_batch(2, 0)))
    out = tmp_path / "mine"
    out.mkdir()
    (out / "photo.jpg").write_text("mine")
    with pytest.raises(FormatError, match="not empty"):
        cifar10.unpack(source, out)
    with pytest.raises(FormatError, match="not empty"):
        cifar10.unpack(source, out / "photo.jpg")
    assert [path.name for path in out.iterdir()] == ["photo.jpg"]


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    for i in (1, 2):
        (tmp_path / f"data_batch_{i}.bin").write_bytes(_bytes(_batch(2, i)))
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        cifar10.unpack(tmp_path, tmp_path / "out", cancelled=lambda: next(asked))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data_batch_1.bin", "data_batch_2.bin"]


def test_the_folder_by_class_is_read_as_it_is(unzipped: Callable[[str], Path]) -> None:
    found = scan_folder([unzipped("cifar10-5k")])
    classes = {file.name.split("/")[0] for file in found.images}
    assert classes == set(cifar10.CLASSES)
    assert len(found.images) == 5000
