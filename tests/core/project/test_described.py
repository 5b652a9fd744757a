"""Features kept beside a project: what comes back, what is made again, and what goes when there are many."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from core.base.annotations import Status
from core.base.preferences import Preferences, save, settings_file
from core.project.described import FILE, DescribedCache, delete_kept, kept_bytes, together
from core.project.rows import ImageRecord

RECORD = ImageRecord(1, Path("/photos"), "a.jpg", 1000, 5, 640, 480, Status.UNSEEN, "")
BYTES = 4 * 16 + 16 * 8 * 8 + 4 * 24 + 24 * 4 * 4
SIZE = (640, 480)


def maps(seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=(1, c, s, s)).astype(np.float32) for c, s in ((16, 8), (24, 4)))


def cache(folder: Path, reader: str = "unit", cap: int = 100_000) -> closing[DescribedCache]:
    return closing(DescribedCache(folder, reader, cap=cap))


def test_what_is_kept_comes_back_to_half_a_step_of_eight_bits(tmp_path: Path) -> None:
    with cache(tmp_path) as first:
        first.put(RECORD, maps(0), SIZE)
    with cache(tmp_path) as again:
        kept = again.get(RECORD)
    assert kept is not None and kept.size == SIZE
    for one, own in zip(maps(0), kept.maps, strict=True):
        step = np.abs(one).max(axis=(2, 3), keepdims=True) / 127
        assert one.shape == own.shape and (np.abs(one - own) <= step / 2 + 1e-6).all()
    assert [one.shape[0] for one in together([kept, kept])] == [2, 2]


@pytest.mark.parametrize("change", [{"size_bytes": 1001}, {"mtime_ns": 6}, {"id": 2}, "reader"])
def test_features_of_another_file_or_network_are_not_used(tmp_path: Path, change: object) -> None:
    with cache(tmp_path) as first:
        first.put(RECORD, maps(0), SIZE)
    record = replace(RECORD, **change) if isinstance(change, dict) else RECORD
    with cache(tmp_path, "other" if change == "reader" else "unit") as again:
        assert again.get(record) is None
        again.put(record, maps(1), SIZE)
        assert again.get(record) is not None


def test_what_was_used_longest_ago_goes_first_and_nothing_of_this_pass(tmp_path: Path) -> None:
    records = [replace(RECORD, id=i) for i in range(1, 7)]
    with cache(tmp_path, cap=3 * BYTES) as first:
        for record in records[:2]:
            first.put(record, maps(record.id), SIZE)
    with cache(tmp_path, cap=3 * BYTES) as second:
        second.put(records[2], maps(3), SIZE)
        assert second.get(records[0]) is not None
    with cache(tmp_path, cap=3 * BYTES) as third:
        for record in records[3:]:
            third.put(record, maps(record.id), SIZE)
        there = [i for i, record in enumerate(records) if third.get(record) is not None]
        assert there == [3, 4, 5]
        third.put(RECORD, maps(0), SIZE)
        assert third.get(RECORD) is None, "no room: all others were used in this pass"
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT sum(bytes), count(*) FROM described").fetchone() == (3 * BYTES, 3)


def test_a_damaged_file_is_begun_anew_and_damaged_rows_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with cache(tmp_path) as first:
        assert first.get(RECORD) is None and not first.note
        first.put(RECORD, maps(0), SIZE)
        assert first.get(RECORD) is not None
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("UPDATE described SET data = substr(data, 1, 100)")
        db.commit()
    with cache(tmp_path) as again:
        assert again.get(RECORD) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with cache(tmp_path / "file") as none:
        none.put(RECORD, maps(0), SIZE)
        assert none.get(RECORD) is None and none.note


def test_the_settings_say_how_much_is_kept_and_all_of_it_can_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    folder = tmp_path / "data"
    save(settings_file(), Preferences(kept_features=0))
    with closing(DescribedCache(folder, "unit")) as none:
        none.put(RECORD, maps(0), SIZE)
        assert none.get(RECORD) is None, "0 keeps none"
    save(settings_file(), Preferences(kept_features=1))
    with closing(DescribedCache(folder, "unit")) as some:
        some.put(RECORD, maps(0), SIZE)
        assert some.get(RECORD) is not None
    assert kept_bytes(folder) == sum(file.stat().st_size for file in folder.glob("features.db*")) > 0
    delete_kept(folder)
    assert kept_bytes(folder) == 0 and not list(folder.iterdir())
