"""What every test gets: its own user folders, no display, few threads, real data where it is there.

The environment is set while this file is imported, which is before any test imports Qt, torch or the product.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from disk_support import mounted
from hypothesis import settings

settings.register_profile("boxscout", deadline=None)  # no test measures time
settings.load_profile("boxscout")

REPOSITORY = Path(__file__).resolve().parent.parent


def _isolate() -> None:
    """Keep every test away from the settings, caches and projects of the person who runs it."""
    home = Path(tempfile.mkdtemp(prefix="boxscout-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(home / name)
        (home / name).mkdir()
    if sys.platform == "win32":
        os.environ["APPDATA"] = os.environ["LOCALAPPDATA"] = str(home)
    elif sys.platform == "darwin":
        os.environ["HOME"] = str(home)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ.setdefault("OMP_NUM_THREADS", "1")


_isolate()


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread behind, daemon or not."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 3
    while leaked := _leaked(before):
        if time.monotonic() > deadline:
            pytest.fail("The test left threads running: " + ", ".join(thread.name for thread in leaked))
        time.sleep(0.01)


#: Of the one loop in which fsspec makes all its requests, from the first one to the end of the process.
KEPT_THREADS = ("fsspecIO", "asyncio_")


def _leaked(before: set[threading.Thread]) -> list[threading.Thread]:
    # Python stands in for a foreign thread, such as one of QThreadPool's, with a dummy that it never removes.
    now = threading.enumerate()
    new = [one for one in now if one not in before and not isinstance(one, threading._DummyThread)]
    return [one for one in new if not one.name.startswith(KEPT_THREADS)]


@pytest.fixture(scope="session")
def boxscout_data() -> Path:
    """The folder of the zipped real data: ``$BOXSCOUT_DATA``, or ``../shared/data``."""
    folder = Path(os.environ.get("BOXSCOUT_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not there (set BOXSCOUT_DATA)")
    return folder


@pytest.fixture(scope="session")
def unzipped(boxscout_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``unzipped("raccoon")`` is that archive's folder, extracted once in a session. Leave it as it is."""
    extracted: dict[str, Path] = {}

    def extract(name: str) -> Path:
        if name not in extracted:
            archive = boxscout_data / f"{name}.zip"
            if not archive.is_file():
                pytest.skip(f"no real data: {archive} is not there")
            folder = tmp_path_factory.mktemp("data")
            with zipfile.ZipFile(archive) as file:
                file.extractall(folder)
            only = folder / name  # an archive holds one folder of its own name
            extracted[name] = only if only.is_dir() else folder
        return extracted[name]

    return extract


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of its own, as a user whom permissions bind (root is above them)."""
    if not hasattr(os, "seteuid"):
        pytest.skip("no user ids on this system")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        me = os.geteuid()
        if me == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(me)
            folder.chmod(0o777)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB with nothing on it."""
    with mounted(tmp_path / "small disk", "64k") as place:
        yield place
