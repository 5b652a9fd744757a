"""Completion in the shells: each asks the program itself, and bash is really run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.app import main

REPOSITORY = Path(__file__).resolve().parents[1]
#: What each shell's script sets for the line ``boxscout localize PHOTOS --ru``.
LINE = ["boxscout", "localize", "PHOTOS", "--ru"]
ASKED = {
    "bash": {"_BOXSCOUT_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(LINE), "COMP_CWORD": "3"},
    "zsh": {"_BOXSCOUT_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": " ".join(LINE)},
    "fish": {
        "_BOXSCOUT_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_ARGS": " ".join(LINE),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    },
}


@pytest.mark.parametrize("shell", ASKED)
def test_every_shell_is_told_the_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    for name, text in ASKED[shell].items():
        monkeypatch.setenv(name, text)
    with pytest.raises(SystemExit) as ended:
        main([])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert {"--rule", "--run"} <= set(told.replace('"', " ").replace(":", " ").split())
    assert "--model" not in told


@pytest.mark.parametrize("shell", ASKED)
def test_every_shell_gets_its_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    monkeypatch.setenv("_BOXSCOUT_COMPLETE", f"source_{shell}")
    with pytest.raises(SystemExit):
        main([])
    assert "boxscout" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_a_command_and_a_value(tmp_path: Path) -> None:
    """The script is run in bash, beside a command ``boxscout`` as an installation has it."""
    program = tmp_path / "boxscout"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY / "main.py"}" "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    script = """
        eval "$(_BOXSCOUT_COMPLETE=source_bash boxscout)"
        complete -p boxscout
        for line in "boxscout lo" "boxscout export --format y"; do
            COMP_WORDS=($line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
            _boxscout_completion boxscout; echo "${COMPREPLY[@]}"
        done
    """
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    asked, *told = done.stdout.splitlines()
    assert "-o default" in asked, done.stderr  # where nothing fits, as for a folder, bash offers files
    assert told == ["localize localizer", "yolo"]
