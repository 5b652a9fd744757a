"""The product as a person runs it: its commands as processes, their boxes read back from an export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.base.annotations import ImageBoxes
from core.formats import FORMATS, export, reading

MAIN = Path(__file__).parents[2] / "main.py"


@dataclass(frozen=True, slots=True)
class Done:
    """One command that has ended well.

    ``seconds`` from its start to its end, Python's own start included; ``cpu_seconds`` of processors;
    ``peak_mb`` the most memory, in 10**6 bytes, that its process held; ``printed`` its output.
    """

    arguments: tuple[str, ...]
    seconds: float
    cpu_seconds: float
    peak_mb: float
    printed: str

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON, without the paths, which are this computer's."""
        options = [word for word in self.arguments if word.startswith("-")]
        figures = {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "peak_mb": self.peak_mb}
        return {"options": options, **figures}


def command(*arguments: str | Path) -> Done:
    """``python3 main.py`` with ``arguments``.

    Raises
    ------
    SystemExit
        The command failed; the text is the command's own.
    """
    return script(MAIN, *arguments)


def script(file: Path, *arguments: str | Path) -> Done:
    """Any script of Python; raises as :func:`command`."""
    words = tuple(map(str, arguments))
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, str(file), *words], stdout=subprocess.PIPE, stderr=said, text=True
        )
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if process.returncode:
            raise SystemExit(f"{file.name} {' '.join(words)} failed: {printed}{said.read()}")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Done(words, seconds, usage.ru_utime + usage.ru_stime, peak / 1e6, printed)


def train(images: Sequence[Path], project: Path, *, seed: int, options: Sequence[str] = ()) -> Done:
    """Learn from ``images`` into a new project; what is printed is JSON."""
    return command("train", *images, "--project", project, "--seed", str(seed), "--json", *options)


def localize(images: Sequence[Path], project: Path, *, options: Sequence[str] = ()) -> Done:
    """Find the boxes of ``images`` with what the project has learned."""
    return command("localize", *images, "--project", project, *options)


def exported(project: Path) -> list[ImageBoxes]:
    """The boxes of a project as its CSV has them."""
    file = project.with_suffix(".csv")
    file.unlink(missing_ok=True)
    command("export", "--project", project, "--format", "csv", "--out", file)
    return reading.read_truth(file)


def curve(project: Path, truth: Sequence[ImageBoxes]) -> dict[str, Any]:
    """Accuracy at every threshold, as the command ``curve`` writes it."""
    true, file = project.with_suffix(".truth.csv"), project.with_suffix(".curve.json")
    export(truth, true, format=FORMATS["csv"])
    command("curve", "--project", project, "--truth", true, "--json", file)
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
