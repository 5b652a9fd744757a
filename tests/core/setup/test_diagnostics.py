"""The zip for people who help: what is in it, and that nothing in it names a person's files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.base.errors import BoxscoutError
from core.setup.diagnostics import redacted, write_diagnostics
from core.setup.doctor import ROOT

HOME = Path("/home/ada lovelace")
SECRETS = ("ada", "lovelace", "holiday", "aunt", "Mary", "secret", "nas01")


@pytest.mark.parametrize(
    "line",
    [
        "ERROR MainThread /home/ada lovelace/Pictures/holiday 2026/aunt Mary.jpg cannot be read.",
        "“aunt Mary.jpg” cannot be opened: its folder is missing.",
        "„aunt Mary.jpg“ lässt sich nicht öffnen.",
        "FileNotFoundError: [Errno 2] No such file or directory: '/mnt/nas01/secret/aunt Mary.PNG'",
        'OSError: "D:\\\\holiday\\\\aunt.tif" is damaged',
        "Reading D:\\holiday\\secret\\aunt.tif",
        "holiday.boxscout is open",
        "Qt: QImage: ~/holiday/secret could not be read",
    ],
)
def test_no_name_of_a_file_or_folder_is_left(line: str) -> None:
    said = redacted(line, home=HOME)
    assert not [secret for secret in SECRETS if secret in said], said
    assert "<" in said


def test_a_traceback_through_the_program_is_kept() -> None:
    line = f'  File "{ROOT}/core/images/scan.py", line 12, in iter_scan'
    assert redacted(line, home=HOME) == '  File "<boxscout>/core/images/scan.py", line 12, in iter_scan'
    text = "2026-11-30 10:00:00,123 INFO MainThread Boxscout 1.0, 3.5 of 16.0 GB, 12 images"
    assert redacted(text, home=HOME) == text


def test_the_zip_holds_the_report_and_every_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "boxscout.log"
    log.parent.mkdir()
    log.write_text("“aunt Mary.jpg” is damaged\n", encoding="utf-8")
    log.with_name("boxscout.log.1").write_text("older\n", encoding="utf-8")
    (log.parent / "photo.jpg").write_bytes(b"\xff\xd8")
    out = tmp_path / "help.zip"
    names = write_diagnostics(out, log=log, home=HOME)
    with zipfile.ZipFile(out) as archive:
        assert tuple(archive.namelist()) == names == ("doctor.txt", "boxscout.log", "boxscout.log.1")
        assert "Boxscout" in archive.read("doctor.txt").decode()
        assert archive.read("boxscout.log").decode() == "“<name>” is damaged\n"


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BoxscoutError, match="cannot be written: its folder does not exist"):
        write_diagnostics(tmp_path / "none" / "help.zip", log=tmp_path / "boxscout.log", home=HOME)
    assert list(tmp_path.iterdir()) == []
