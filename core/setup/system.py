"""What the operating system must give: a display, and the libraries that Qt loads.

One list and one check, with the standard library alone: ``main.py`` asks before it starts the window, and the
command ``doctor`` shows the same.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.setup.bootstrap import SetupError, as_root


@dataclass(frozen=True, slots=True)
class SystemLibrary:
    """A shared library, and the Debian package that holds it."""

    soname: str
    package: str


#: Loaded by Qt everywhere, offscreen too.
QT_LIBRARIES = (
    SystemLibrary("libglib-2.0.so.0", "libglib2.0-0"),
    SystemLibrary("libGL.so.1", "libgl1"),
    SystemLibrary("libEGL.so.1", "libegl1"),
    SystemLibrary("libxkbcommon.so.0", "libxkbcommon0"),
    SystemLibrary("libdbus-1.so.3", "libdbus-1-3"),
    SystemLibrary("libfontconfig.so.1", "libfontconfig1"),
)
#: Loaded by Qt's plug-in for an X11 display; a missing one aborts the process without a word.
X11_LIBRARIES = (
    SystemLibrary("libxcb-cursor.so.0", "libxcb-cursor0"),
    SystemLibrary("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    SystemLibrary("libxcb-icccm.so.4", "libxcb-icccm4"),
    SystemLibrary("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    SystemLibrary("libxcb-shape.so.0", "libxcb-shape0"),
    SystemLibrary("libxcb-image.so.0", "libxcb-image0"),
    SystemLibrary("libxcb-render-util.so.0", "libxcb-render-util0"),
    SystemLibrary("libxcb-randr.so.0", "libxcb-randr0"),
    SystemLibrary("libxcb-xkb.so.1", "libxcb-xkb1"),
    SystemLibrary("libxcb-render.so.0", "libxcb-render0"),
    SystemLibrary("libxcb-shm.so.0", "libxcb-shm0"),
    SystemLibrary("libxcb-sync.so.1", "libxcb-sync1"),
    SystemLibrary("libxcb-util.so.1", "libxcb-util1"),
    SystemLibrary("libxcb-xfixes.so.0", "libxcb-xfixes0"),
    SystemLibrary("libX11-xcb.so.1", "libx11-xcb1"),
)
WAYLAND_LIBRARIES = (
    SystemLibrary("libwayland-client.so.0", "libwayland-client0"),
    SystemLibrary("libwayland-cursor.so.0", "libwayland-cursor0"),
)


def _platform_name(environ: Mapping[str, str]) -> str:
    """Qt's name of the chosen display, without its options; empty when Qt chooses."""
    return environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]


def _uses_x11_or_wayland(environ: Mapping[str, str], platform: str) -> bool:
    if platform in ("win32", "darwin"):
        return False
    name = _platform_name(environ)
    return not name or name.startswith(("xcb", "wayland"))


def display_problem(environ: Mapping[str, str], platform: str) -> str:
    """The sentence for a session without a display; empty where a window can open.

    Parameters
    ----------
    environ
        The environment variables.
    platform
        As ``sys.platform``.
    """
    if (
        not _uses_x11_or_wayland(environ, platform)
        or environ.get("DISPLAY")
        or environ.get("WAYLAND_DISPLAY")
    ):
        return ""
    return (
        "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the window cannot open. "
        "Start Boxscout in a desktop session."
    )


def silent_display(environ: Mapping[str, str], platform: str) -> str:
    """The sentence for an X11 display that is named but does not answer, on which Qt would abort."""
    name = environ.get("DISPLAY", "")
    if not _uses_x11_or_wayland(environ, platform) or not name or environ.get("WAYLAND_DISPLAY"):
        return ""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(os.fsencode(name), None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return f"The display {name} does not answer, so the window cannot open." if failed else ""


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def missing_qt_libraries(
    environ: Mapping[str, str], platform: str, *, loads: Callable[[str], bool] = _loads
) -> tuple[SystemLibrary, ...]:
    """The system libraries that Qt needs here and that cannot be loaded; only Linux has any.

    Parameters
    ----------
    environ, platform
        As for :func:`display_problem`.
    loads
        Whether the library of a given name can be loaded.
    """
    if not platform.startswith("linux"):
        return ()
    needed = list(QT_LIBRARIES)
    if _uses_x11_or_wayland(environ, platform):
        wayland = environ.get("WAYLAND_DISPLAY") and not _platform_name(environ).startswith("xcb")
        if wayland:
            needed += WAYLAND_LIBRARIES
        elif environ.get("DISPLAY"):
            needed += X11_LIBRARIES
    return tuple(library for library in needed if not loads(library.soname))


def install_command(missing: tuple[SystemLibrary, ...]) -> str:
    """What installs ``missing`` on this system; empty where no command is known."""
    if shutil.which("apt-get"):
        return f"{as_root()}apt-get install -y " + " ".join(library.package for library in missing)
    if shutil.which("dnf"):
        return f"{as_root()}dnf install " + " ".join(f"'{library.soname}()(64bit)'" for library in missing)
    return ""


def require_qt_libraries(environ: Mapping[str, str], platform: str) -> None:
    """Raise a :class:`SetupError` that names the missing system libraries and what installs them."""
    missing = missing_qt_libraries(environ, platform)
    if not missing:
        return
    names = ", ".join(library.soname for library in missing)
    command = install_command(missing)
    remedy = f"Install with: {command}" if command else "Install them with your system's package manager."
    raise SetupError(f"Qt needs system libraries that are not here: {names}. {remedy}")
