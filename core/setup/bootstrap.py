"""The Python environment that Boxscout runs in: found, made or repaired, with the standard library alone.

A complete environment holds a stamp, written last and atomically. Whatever stopped an installation half way
(Ctrl-C, a kill, a lost network), there is no stamp, and the next start goes on from what is there.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from core.base.errors import BoxscoutError
from core.base.lock import try_lock
from core.setup.requirements import is_there, missing_modules, stamped_text

#: Gigabytes on disk, measured on Linux with Python 3.11 and the CPU build of torch.
INSTALLED_GB = {"": 1.7, "test": 2.1}
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
_HANDED = "BOXSCOUT_HANDED_OVER"  # set across the hand-over, so that a broken environment cannot loop


class SetupError(BoxscoutError):
    """The environment cannot be made or used; the text says what to do."""


@dataclass(frozen=True)
class Home:
    """A checkout, the folder that holds ``main.py`` and ``pyproject.toml``, and its environment."""

    root: Path
    venv: Path

    @classmethod
    def at(cls, root: str | Path) -> Home:
        """The home of a checkout; ``$BOXSCOUT_VENV`` moves its environment."""
        venv = Path(os.environ.get("BOXSCOUT_VENV") or Path(root, ".venv"))
        return cls(root=Path(root), venv=venv.expanduser().resolve())

    @property
    def pyproject(self) -> str:
        """The text of ``pyproject.toml``; empty in an installation that has none."""
        try:
            return (self.root / "pyproject.toml").read_text(encoding="utf-8")
        except OSError:
            return ""

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        return self.venv / "boxscout-complete.json"

    @property
    def making(self) -> Path:
        """There while the bare environment is being made: what is found beside it is not to be trusted."""
        return self.venv / "boxscout-making"


def enter(root: str | Path, arguments: Sequence[str], *, extra: str = "") -> int | None:
    """Make sure that the rest runs on a Python that has the dependencies.

    Parameters
    ----------
    root
        The folder of ``main.py``.
    arguments
        What ``main.py`` is to be called with again.
    extra
        An optional set of dependencies that is needed too, such as ``"test"``.

    Returns
    -------
    None when this interpreter can go on. On POSIX a hand-over never returns; on Windows the exit code of the
    process that took over comes back.

    Raises
    ------
    SetupError
        The environment cannot be made.
    """
    home = Home.at(root)
    missing = missing_modules(home.pyproject, extra)
    if not missing:
        os.environ.pop(_HANDED, None)
        return None
    if not home.pyproject:
        raise SetupError(
            f"Boxscout lacks {', '.join(missing)}. Install it again: pip install --upgrade boxscout"
        )
    handed = os.environ.get(_HANDED, "")
    if handed == "fresh":
        raise SetupError(f"{home.venv} still lacks {', '.join(missing)}. Delete that folder and start again.")
    if handed:  # the stamp promised a complete environment that is not: renew it, once
        home.stamp.unlink(missing_ok=True)
    ready = is_complete(home, extra)
    if not ready:
        _install(home, extra)
    return _hand_over(home, arguments, state="complete" if ready else "fresh")


def load(module: str) -> ModuleType:
    """Import ``module``; a library that is there but cannot be loaded raises a :class:`SetupError`."""
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:
        raise SetupError(
            f"{module} is installed but cannot be loaded ({error}). "
            f"Delete {Path(sys.prefix)} and start again, or install it anew with pip."
        ) from error


# The stamp


def is_complete(home: Home, extra: str = "") -> bool:
    """Whether the environment was installed to its end, from this ``pyproject.toml``, and still runs."""
    stamp = _read_stamp(home)
    known = stamp.get("state") == _state(home) and (not extra or extra in stamp.get("extras", ()))
    return known and home.python.exists()


def _state(home: Home) -> dict[str, str]:
    return {
        "requirements": hashlib.sha256(stamped_text(home.pyproject).encode()).hexdigest(),
        "python": os.path.realpath(home.python),  # a system upgrade moves the link to another version
        "root": str(home.root),
    }


def _read_stamp(home: Home) -> dict[str, Any]:
    try:
        stamp = json.loads(home.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(home: Home, extras: Sequence[str]) -> None:
    text = json.dumps({"state": _state(home), "extras": list(extras)}, indent=1)
    handle, name = tempfile.mkstemp(dir=home.venv)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(home.stamp)


# Installing


def _install(home: Home, extra: str) -> None:
    extras = sorted({extra, *_read_stamp(home).get("extras", ())} - {""})
    try:
        with _lock(home) as lock, _terminated_like_interrupted():
            if is_complete(home, extra):  # another start did it while this one waited
                return
            _announce(home, extra)
            home.stamp.unlink(missing_ok=True)
            _make_venv(home, lock)
            _sweep(home)
            _pip_install(home, extras, lock)
            _write_stamp(home, extras)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise SetupError(
            f"Boxscout cannot install its environment {home.venv}: {error.strerror or error}{where}. "
            "Copy Boxscout to a folder that you may write to, or let BOXSCOUT_VENV name such a folder."
        ) from error
    _say("Installed. Starting Boxscout.")


def _announce(home: Home, extra: str) -> None:
    size, hint = f"about {INSTALLED_GB[extra]} GB on disk", ""
    if sys.platform.startswith("linux"):
        size += " with the CPU build of torch, 6 GB or more where pip chooses the CUDA build"
        hint = f"\nTo ask for the CPU build, set PIP_EXTRA_INDEX_URL={CPU_BUILDS} and start again."
    free = shutil.disk_usage(home.venv.parent).free / 1e9
    _say(
        f"Boxscout's dependencies (PyTorch, Qt and others) are not complete in {sys.executable}.\n"
        f"They are now installed into {home.venv}: {size}; {free:.0f} GB are free there.\n"
        f"This happens once. If it is interrupted, the next start goes on.{hint}"
    )


@contextmanager
def _lock(home: Home) -> Iterator[int]:
    """Hold the right to install; a second start waits here. Yields the descriptor that holds it."""
    home.venv.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{home.venv}.lock").open("a", encoding="utf-8") as file:
        if not try_lock(file.fileno()):
            _say("Another start of Boxscout is installing; this one waits until it is done.")
            while not try_lock(file.fileno(), wait=True):
                pass  # Windows gives up after ten seconds
        yield file.fileno()


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end pip as well, as Ctrl-C does."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _make_venv(home: Home, lock: int) -> None:
    if not home.making.exists() and _has_pip(home):
        return
    if home.venv.exists():
        known = home.making.exists() or (home.venv / "pyvenv.cfg").exists() or not any(home.venv.iterdir())
        if not known:
            raise SetupError(
                f"{home.venv} holds something that is no Python environment. "
                "Move it away, or let BOXSCOUT_VENV name another folder."
            )
        shutil.rmtree(home.venv)
    if not (is_there("venv") and is_there("ensurepip")):
        raise SetupError(_no_venv_module(sys.version_info[:2], on_debian=shutil.which("apt-get") is not None))
    home.venv.mkdir(parents=True)
    home.making.touch()
    base = getattr(sys, "_base_executable", None) or sys.executable
    if _run([base, "-m", "venv", str(home.venv)], home, lock) != 0:
        raise SetupError(f"Python could not make the environment {home.venv}; its own words are above.")
    home.making.unlink()


def _has_pip(home: Home) -> bool:
    """Whether the environment's Python runs, is new enough, and has pip (given to it if need be)."""
    if not home.python.exists():
        return False
    check = [str(home.python), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 10))"]
    give = [str(home.python), "-m", "ensurepip"]
    with suppress(OSError):
        for command in (check, give):
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return True
    return False


def _no_venv_module(version: tuple[int, ...], *, on_debian: bool) -> str:
    sentence = "This Python has no venv and ensurepip modules, which make Boxscout's environment."
    if not on_debian:
        return f"{sentence} Install them with your system's package manager, then start again."
    name = "python" + ".".join(map(str, version)) + "-venv"
    return f"{sentence} Install them with: {as_root()}apt-get install -y {name}"


def as_root() -> str:
    """``"sudo "`` where a command for the administrator needs it."""
    return "" if getattr(os, "geteuid", lambda: 1)() == 0 else "sudo "


def _sweep(home: Home) -> None:
    """Remove what pip would take for installed although files of it are missing, so that it installs it."""
    for packages in [*home.venv.glob("lib/python*/site-packages"), *home.venv.glob("Lib/site-packages")]:
        for info in packages.glob("*.dist-info"):
            if not _is_whole(info):
                shutil.rmtree(info)
        for old in packages.glob("~*"):  # the old version, moved aside during an upgrade
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.rmtree(_scratch(home), ignore_errors=True)


def _is_whole(info: Path) -> bool:
    """Whether a package's files are there. pip writes RECORD last, but is content with METADATA."""
    try:
        record = (info / "RECORD").read_text(encoding="utf-8")
    except OSError:
        return False
    names = [line.rsplit(",", 2)[0].strip('"') for line in record.splitlines()]
    inside = [
        name for name in names if name and not name.startswith(("..", "/")) and not name.endswith(".pyc")
    ]
    return all((info.parent / name).exists() for name in inside)


def _scratch(home: Home) -> Path:
    return home.venv / "boxscout-tmp"


def _pip_install(home: Home, extras: Sequence[str], lock: int) -> None:
    target = f".[{','.join(extras)}]" if extras else "."
    _scratch(home).mkdir(exist_ok=True)
    command = [str(home.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    code = _run([*command, "-e", target], home, lock)
    shutil.rmtree(_scratch(home), ignore_errors=True)
    if code != 0:
        raise SetupError(
            "The installation did not finish; pip's reason is above. "
            "Mend it (network, disk space), then run the same command again: it goes on from here."
        )


def _run(command: Sequence[str], home: Home, lock: int) -> int:
    """Run a command in the checkout, its output on stderr; it holds the lock as long as it lives."""
    # A /tmp in memory is too small for torch, and what is left in there by a kill is never removed.
    scratch = str(_scratch(home))
    own = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), scratch) if _scratch(home).exists() else {}
    environment = {**os.environ, **own, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    keep = () if os.name == "nt" else (lock,)
    process = subprocess.Popen(command, cwd=home.root, env=environment, stdout=2, pass_fds=keep)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


# Handing over


def _hand_over(home: Home, arguments: Sequence[str], *, state: str) -> int:
    command = [str(home.python), str(home.root / "main.py"), *arguments]
    environment: Mapping[str, str] = {**os.environ, _HANDED: state}
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the child, which knows what to save
    return subprocess.call(command, env=environment)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - stdout belongs to the command's own result
