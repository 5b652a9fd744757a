from __future__ import annotations

import ctypes
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core import __version__
from core.base.devices import resolve_device, uses_bf16
from core.nets import lite0
from core.setup import doctor, system

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def checks() -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine()}


def test_versions_are_the_installed_ones(checks: dict[str, doctor.Check]) -> None:
    assert checks["Boxscout"].detail.startswith(__version__)
    assert checks["Python"].ok
    for name in ("torch", "numpy", "opencv-python-headless", "PySide6-Essentials", "defusedxml"):
        assert checks[name].detail == importlib.metadata.version(name)
        assert checks[name].ok


def test_rows_can_be_written_as_json(checks: dict[str, doctor.Check]) -> None:
    rows = json.loads(json.dumps([check.to_dict() for check in checks.values()]))
    assert {"name", "ok", "detail", "remedy"} == set(rows[0])


def test_what_is_wrong_comes_with_a_remedy(checks: dict[str, doctor.Check]) -> None:
    assert all(check.remedy for check in checks.values() if check.ok is False)
    assert not any(check.remedy for check in checks.values() if check.ok)


def test_a_version_outside_its_bounds_is_told() -> None:
    check = doctor._dependency("numpy<0.1")
    assert check.ok is False
    assert importlib.metadata.version("numpy") in check.detail
    assert "pip install 'numpy<0.1'" in check.remedy


def test_a_dependency_that_is_not_there_is_told() -> None:
    check = doctor._dependency("no-such-distribution>=1")
    assert check.ok is False
    assert check.detail == "not installed"


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="compares with Linux's own `free`")
def test_memory_agrees_with_the_system() -> None:
    total, available = doctor.memory_gb()
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    assert 0 < total <= pages * 1.01
    assert 0 < available <= total


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    check = doctor._disk(tmp_path / "gone")
    assert check.ok is False
    assert check.remedy


@pytest.mark.parametrize(
    ("flags", "ok"),
    [(set(), None), ({"avx2"}, None), ({"avx512_bf16"}, True), ({"amx_bf16", "avx512_bf16"}, True)],
)
def test_bf16_follows_the_processor(flags: set[str], ok: bool | None) -> None:
    assert doctor._bf16(frozenset(flags)).ok is ok


def test_the_precision_of_auto_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOXSCOUT_PRECISION", raising=False)
    device = resolve_device("auto")
    own = "bf16" if uses_bf16("auto", device) else "fp32"
    other = {"bf16": "fp32", "fp32": "bf16"}[own]
    shown = {check.name: check for check in doctor.examine()}
    assert shown["Precision"].detail == f"auto trains in {own}"
    monkeypatch.setenv("BOXSCOUT_PRECISION", other)
    shown = {check.name: check for check in doctor.examine()}
    assert shown["Precision"].detail == f"auto trains in {other}, as BOXSCOUT_PRECISION says"
    monkeypatch.setenv("BOXSCOUT_PRECISION", "half")
    wrong = {check.name: check for check in doctor.examine()}["Precision"]
    assert wrong.ok is False
    assert "BOXSCOUT_PRECISION is 'half'" in wrong.detail
    assert "BOXSCOUT_PRECISION" in wrong.remedy


# The display and Qt's libraries


@pytest.mark.parametrize(
    ("environ", "platform", "can_open"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"QT_QPA_PLATFORM": "xcb"}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({"QT_QPA_PLATFORM": "vnc:size=800x600"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_where_a_window_can_open(environ: dict[str, str], platform: str, can_open: bool) -> None:
    assert (system.display_problem(environ, platform) == "") is can_open


def test_each_kind_of_display_asks_for_its_own_libraries() -> None:
    def names(environ: dict[str, str], platform: str = "linux") -> set[str]:
        missing = system.missing_qt_libraries(environ, platform, loads=lambda _soname: False)
        return {library.package for library in missing}

    plain = {"libglib2.0-0", "libgl1", "libegl1", "libxkbcommon0", "libdbus-1-3", "libfontconfig1"}
    assert names({"QT_QPA_PLATFORM": "offscreen"}) == plain
    assert names({"DISPLAY": ":0"}) >= plain | {"libxcb-cursor0", "libxkbcommon-x11-0", "libxcb-icccm4"}
    assert names({"WAYLAND_DISPLAY": "wayland-0"}) == plain | {"libwayland-client0", "libwayland-cursor0"}
    assert names({"DISPLAY": ":0"}, "win32") == set()


def test_missing_libraries_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        system.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None
    )
    monkeypatch.setattr(system, "QT_LIBRARIES", (system.SystemLibrary("libnone.so.7", "libnone7"),))
    with pytest.raises(system.SetupError, match=r"libnone\.so\.7.*apt-get install -y libnone7"):
        system.require_qt_libraries({"QT_QPA_PLATFORM": "offscreen"}, "linux")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
def test_a_display_that_does_not_answer_is_told_instead_of_aborting() -> None:
    try:
        ctypes.CDLL("libxcb.so.1")
    except OSError:
        pytest.skip("no libxcb here")
    code = "from core.setup import system; print(system.silent_display({'DISPLAY': ':4711'}, 'linux'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert ":4711 does not answer" in done.stdout


def test_the_list_names_what_the_window_plugin_asks_the_linker_for() -> None:
    folder = Path(str(importlib.metadata.distribution("PySide6-Essentials").locate_file("PySide6")))
    library = folder / "Qt" / "lib" / "libQt6XcbQpa.so.6"
    if not library.exists() or shutil.which("readelf") is None:
        pytest.skip("needs Linux and readelf")
    done = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True, check=True)
    needed = {line.split("[")[1].rstrip("]") for line in done.stdout.splitlines() if "(NEEDED)" in line}
    listed = {library.soname for library in (*system.QT_LIBRARIES, *system.X11_LIBRARIES)}
    assert {one for one in needed if one.startswith(("libxcb-", "libxkb", "libX11-"))} <= listed


# The frozen features


def test_features_that_compute_rightly_are_told(checks: dict[str, doctor.Check]) -> None:
    check = checks["Features"]
    assert check.ok and check.detail.startswith(f"{lite0.NAME}, onnxruntime ")


def test_features_that_do_not_are_told_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    check = doctor._features()
    assert check.ok is False and "torch computes the features" in check.remedy
    monkeypatch.setenv(lite0.PATH_VARIABLE, "/nowhere.pth")
    check = doctor._features()
    assert check.ok is False and "no file /nowhere.pth" in check.detail and "scratch" in check.remedy
