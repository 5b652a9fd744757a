"""Build a folder that needs no Python (PyInstaller), and try it: one command.

    python3 packaging/folder.py --out FOLDER [--json FILE] [--skip-build]

It runs in the environment of the checkout, which PyInstaller must be in or beside (docs/packaging.md). Tried
is what came out, by itself: its version, its health, boxes on drawn photos, and the window without a screen,
which must take in a folder of photos. Printed and written are size, files and start times.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.base.atomic import write_atomically
from core.images.sample import draw_sample

SPEC = Path(__file__).with_name("boxscout.spec")
PHOTOS = 12
PATIENCE_S = 120
ENDING = ".exe" if sys.platform == "win32" else ""


def build(out: Path) -> Path:
    """Run PyInstaller; the folder that it made."""
    work = ["--distpath", str(out), "--workpath", str(out / "work"), "--noconfirm", "--log-level", "WARN"]
    subprocess.run([sys.executable, "-m", "PyInstaller", *work, str(SPEC)], check=True)
    return out / "boxscout"


class Tried:
    """The programs of a built folder, run as a person has them: without this checkout and its environment."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "BOXSCOUT"))
        }
        places = {"HOME": home, "XDG_DATA_HOME": home / "data", "XDG_CONFIG_HOME": home / "config"}
        places |= {
            "XDG_STATE_HOME": home / "state",
            "XDG_CACHE_HOME": home / "cache",
            "LOCALAPPDATA": home / "data",
        }
        self.environment = {**kept, **{name: str(place) for name, place in places.items()}}
        self.environment["QT_QPA_PLATFORM"] = "offscreen"

    def run(self, *arguments: object) -> tuple[str, float]:
        """What a command says, and its seconds."""
        began = time.perf_counter()
        done = subprocess.run(
            [str(self.folder / f"boxscout{ENDING}"), *map(str, arguments)],
            cwd=self.home, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(
                f"boxscout {arguments[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout, time.perf_counter() - began

    def window(self, photos: Path) -> float:
        """Seconds until the window has taken in ``photos``; then it is closed as a system does."""
        began = time.perf_counter()
        command = [str(self.folder / f"boxscout-window{ENDING}"), str(photos)]
        window = subprocess.Popen(command, cwd=self.home, env=self.environment)
        try:
            while not list(self.home.rglob("*.boxscout")):
                if window.poll() is not None or time.perf_counter() - began > PATIENCE_S:
                    raise SystemExit(f"The window did not open {photos}; exit code {window.poll()}.")
                time.sleep(0.05)
            seconds = time.perf_counter() - began
        finally:
            window.send_signal(signal.SIGTERM)
            code = window.wait(PATIENCE_S)
        if sys.platform != "win32" and code != 0:
            raise SystemExit(f"The window was closed and ended with {code}.")
        return seconds


def try_out(folder: Path) -> dict[str, Any]:
    """Everything of ``folder`` once; SystemExit where something does not work."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        home = Path(name)
        drawn = draw_sample(home / "drawn", count=PHOTOS, seed=3).parent / "images"
        program, project = Tried(folder, home / "home"), home / "boxes" / "drawn.boxscout"
        (home / "home").mkdir()
        project.parent.mkdir()
        first, first_s = program.run("--version")
        _, again_s = program.run("--version")
        _, help_s = program.run("localize", "--help")
        program.run("doctor")
        program.run("train", drawn, "--project", project, "--image-size", 224)
        found = json.loads(program.run("localize", drawn, "--project", project, "--json")[0])
        if found["boxes"] != PHOTOS:
            raise SystemExit(f"{found['boxes']} boxes were found in {PHOTOS} photos.")
        window_first_s = program.window(drawn)
        for old in (home / "home").rglob("*.boxscout"):
            old.unlink()
        window_s = program.window(drawn)
    seconds = {
        "version_first_s": first_s, "version_s": again_s, "help_s": help_s,
        "window_first_s": window_first_s, "window_s": window_s,
    }  # fmt: skip
    return {
        "version": first.strip(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "files": len(files),
        "mb": round(sum(path.stat().st_size for path in files) / 2**20),
        "boxes": found["boxes"],
        **{name: round(value, 2) for name, value in seconds.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--skip-build", action="store_true")
    given = parser.parse_args()
    folder = given.out.absolute() / "boxscout" if given.skip_build else build(given.out.absolute())
    result = json.dumps(try_out(folder), indent=1) + "\n"
    print(result, end="")
    if given.json:
        write_atomically(given.json, result.encode())


if __name__ == "__main__":
    main()
