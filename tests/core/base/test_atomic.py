"""A name holds the old file or the new one, whatever fails in between."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.atomic import (
    atomic_write,
    keep_other_kinds,
    os_reason,
    remove_forgotten,
    temporary_name,
    write_atomically,
)
from core.base.geometry import Box
from core.formats import FORMATS
from core.learn import checkpoint


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "box.csv"
    write_atomically(path, b"old")
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert _names(tmp_path) == ["box.csv"]


@pytest.mark.parametrize("call", ["os.replace", "os.fsync"])
def test_a_full_disk_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "box.csv"
    path.write_bytes(b"old")
    monkeypatch.setattr(call, _full)
    with pytest.raises(OSError, match="No space") as caught:
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert os_reason(caught.value) == "the disk is full"
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["box.csv"]


def test_an_error_or_a_key_press_in_the_body_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "box.csv"
    path.write_bytes(b"old")
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), atomic_write(path) as temporary:
            temporary.write_bytes(b"half")
            raise error
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["box.csv"]


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "box.csv"
    path.write_bytes(b"old")
    program = (
        "import os, signal, sys; from pathlib import Path; from core.base.atomic import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as t:\n t.write_bytes(b'half'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=Path(__file__).parents[3], check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    (left,) = set(tmp_path.iterdir()) - {path}
    remove_forgotten(tmp_path)
    assert left.exists(), "somebody may be writing it"
    folder = temporary_name(tmp_path, "tmp")
    (folder / "images").mkdir(parents=True)
    kept = {"box.csv", ".boxscout", ".boxscout-mine.tmp", f"x{left.name}", f"{left.name}.txt"}
    for name in kept - {"box.csv"}:
        (tmp_path / name).touch()
    for one in tmp_path.iterdir():
        os.utime(one, (0, time.time() - 2 * 24 * 3600))
    remove_forgotten(tmp_path)
    assert set(_names(tmp_path)) == kept
    remove_forgotten(tmp_path / "missing")


@pytest.mark.parametrize("name", ["x.csv", "x"])
def test_what_a_kill_left_goes_with_a_later_export_or_save(tmp_path: Path, name: str) -> None:
    images = [ImageBoxes("a.png", 9, 9, (BoxRecord(Box(1, 1, 5, 5)),))]
    for write in (
        lambda: FORMATS["csv" if "." in name else "voc"].write(images, tmp_path / name),
        lambda: checkpoint.write_content(tmp_path / name, {}),
    ):
        left = temporary_name(tmp_path, "tmp")
        left.write_bytes(b"half")
        os.utime(left, (0, 0))
        write()
        assert _names(tmp_path) == [name]
        shutil.rmtree(tmp_path / name) if (tmp_path / name).is_dir() else (tmp_path / name).unlink()


def test_file_and_folder_are_synced_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def spy_fsync(descriptor: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{descriptor}")  # noqa: PTH112
        calls.append("folder" if is_folder else "file")
        fsync(descriptor)

    def spy_replace(source: str, target: str) -> None:
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "replace", spy_replace)
    write_atomically(tmp_path / "a", b"x")
    assert calls == ["file", "rename", "folder"]


def test_a_link_stays_and_permissions_stay(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_what_is_no_ordinary_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(OSError, match=r"directory|ordinary"):
            write_atomically(tmp_path / name, b"x")
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "missing" / "x", b"x")
    assert os_reason(caught.value) == "its folder does not exist"
    assert _names(tmp_path) == ["folder", "pipe"]


def test_the_longest_possible_name_can_be_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("x" * 255), b"x")
    assert _names(tmp_path) == ["x" * 255]


def test_text_takes_no_place_of_what_is_no_text(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "project")) as database:
        database.execute("CREATE TABLE kept (x)")
    for kind in ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"):
        Image.effect_noise((40, 30), 50).convert("RGB").save(tmp_path / kind, kind)
    for path in tmp_path.iterdir():
        with pytest.raises(FileExistsError) as caught:
            keep_other_kinds(path)
        assert "of another kind" in os_reason(caught.value)
    (tmp_path / "table").write_text("Größe,1\r\n", encoding="utf-8")
    (tmp_path / "empty").touch()
    for name in ("table", "empty", "missing", "missing/x", "."):
        keep_other_kinds(tmp_path / name)
