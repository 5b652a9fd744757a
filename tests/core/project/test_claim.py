"""One window or one writing command at a time; a program that was killed locks nobody out."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.errors import ProjectError
from core.cli.app import main
from core.project.claim import COMMAND, WINDOW, claim
from core.project.store import Project

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from core.project.claim import claim
held = claim(Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "work.boxscout"
    Project.open_or_create(path).close()
    return path


def _hold(path: Path, holder: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", HOLD, str(path), holder]
    process = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_window_locks_nobody_out(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = _hold(path, WINDOW)
    with process:
        with pytest.raises(ProjectError, match="is open in another window"):
            claim(path, WINDOW)
        assert main(["import", "boxes", str(path), "--project", str(path)]) == 1
        assert "is open in another window. Continue there or close it first." in capsys.readouterr().err
        process.kill()
        process.wait()
    assert path.with_name(f"{path.name}.lock").exists(), "what a kill leaves behind"
    with claim(path, WINDOW):
        pass
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_window_is_told_of_a_command(path: Path) -> None:
    with claim(path, COMMAND), pytest.raises(ProjectError, match="A command is still working on"):
        claim(path, WINDOW)
    claim(path, WINDOW).release()


def test_reading_commands_do_not_ask(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with claim(path, WINDOW):
        assert main(["export", "--project", str(path), "--format", "csv", "--out", str(path) + ".csv"]) == 1
    assert "run 'train' first" in capsys.readouterr().err


def test_where_no_lock_can_be_made_the_opening_tells(tmp_path: Path) -> None:
    claim(tmp_path / "no folder" / "p.boxscout", WINDOW).release()
    with pytest.raises(ProjectError, match="does not exist"):
        Project.open_or_create(tmp_path / "no folder" / "p.boxscout")
