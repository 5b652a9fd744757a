"""What the command ``doctor`` shows: versions, device, memory, disk, display and system libraries."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from core import __version__
from core.base.config import PRECISION_VARIABLE, forced_precision
from core.base.errors import TrainingError
from core.setup import bootstrap, requirements, system

ENOUGH_MEMORY_GB = 3.5  # what a computer with "4 GB" reports
ENOUGH_DISK_GB = 2.0

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Parameters
    ----------
    name
        What was looked at.
    ok
        Whether it is as it should be; None where there is nothing to judge.
    detail
        What was found.
    remedy
        What to do about it; empty when nothing needs doing.
    """

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as a plain mapping, for JSON."""
        return asdict(self)


def examine(folder: Path | None = None) -> list[Check]:
    """Look at this computer and this installation.

    Parameters
    ----------
    folder
        Where projects are to be kept, for the free disk space; the current folder when None.

    Returns
    -------
    The checks, in the order to be shown. Nothing is raised: what cannot be found out is said so.
    """
    return [
        Check("Boxscout", None, f"{__version__} in {ROOT}"),
        _python(sys.version_info[:3], sys.executable),
        *_dependencies(),
        _device(),
        _features(),
        _bf16(cpu_flags()),
        _precision(os.environ),
        _memory(*memory_gb()),
        _disk(folder or Path()),
        _display(os.environ, sys.platform),
        _qt_libraries(os.environ, sys.platform),
    ]


def _python(version: tuple[int, ...], executable: str) -> Check:
    text = ".".join(map(str, version))
    ok = version >= (3, 10)
    return Check("Python", ok, f"{text}, {executable}", "" if ok else "Install Python 3.10 or newer.")


def _dependencies() -> list[Check]:
    pyproject = bootstrap.Home.at(ROOT).pyproject
    stated = requirements.requirements(pyproject) or _stated_by_metadata()
    return [_dependency(text) for text in stated]


def _stated_by_metadata() -> tuple[str, ...]:
    try:
        stated = importlib.metadata.requires("boxscout") or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(text for text in stated if "extra ==" not in text)


def _dependency(requirement: str) -> Check:
    name = re.split(r"[^\w.-]", requirement)[0]
    remedy = f"Install it with: {sys.executable} -m pip install '{requirement}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, "not installed", remedy)
    if not _allowed(version, requirement):
        return Check(name, False, f"{version}, which is outside {requirement}", remedy)
    return Check(name, True, version)


def _allowed(version: str, requirement: str) -> bool:
    try:
        from packaging.requirements import Requirement  # comes with kornia
    except ImportError:
        return True
    return Requirement(requirement).specifier.contains(version, prereleases=True)


def _device() -> Check:
    cores = f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"
    try:
        import torch
    except (ImportError, OSError) as error:
        return Check("Device", False, f"torch cannot be loaded: {error}", "Install Boxscout again.")
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        memory = f"{card.total_memory / 1e9:.0f} GB"
        count = torch.cuda.device_count()
        others = f" and {count - 1} more (--device cuda:1 ...)" if count > 1 else ""
        return Check("Device", True, f"CUDA: {card.name}, {memory}{others}; {cpu_name()}, {cores}")
    if torch.backends.mps.is_available():
        return Check("Device", True, f"CPU: {cpu_name()}, {cores}; Apple's GPU with --device mps")
    return Check("Device", True, f"CPU: {cpu_name()}, {cores}; no CUDA device")


def _features() -> Check:
    """Whether the frozen features can be computed here; their answer to a known image is looked at."""
    from core.base.errors import BoxscoutError
    from core.nets.features import load_features

    try:
        features = load_features(device="cpu", threads=1)
    except (BoxscoutError, ImportError, OSError) as error:
        return Check("Features", False, str(error), "Until then train with the preset scratch.")
    detail = f"{features.name}, {features.version}"
    return Check("Features", not features.note, detail, features.note)


def _bf16(flags: frozenset[str]) -> Check:
    if not flags:
        return Check("bfloat16", None, "not known for this processor")
    if "amx_bf16" in flags:
        return Check("bfloat16", True, "in this processor's hardware (AMX)")
    if "avx512_bf16" in flags or "bf16" in flags:
        return Check("bfloat16", True, "in this processor's hardware")
    return Check("bfloat16", None, "not in this processor's hardware")


def _precision(environ: Mapping[str, str]) -> Check:
    try:
        forced = forced_precision(environ)
        from core.base.devices import resolve_device, uses_bf16
    except TrainingError as error:
        return Check("Precision", False, str(error), f"Unset it with: unset {PRECISION_VARIABLE}")
    except (ImportError, OSError):
        return Check("Precision", None, "not known without torch")
    if forced:
        return Check("Precision", None, f"auto trains in {forced}, as {PRECISION_VARIABLE} says")
    name = "bf16" if uses_bf16("auto", resolve_device("auto")) else "fp32"
    return Check("Precision", None, f"auto trains in {name}")


def cpu_flags() -> frozenset[str]:
    """The instruction sets that Linux names for the processor; empty elsewhere."""
    found = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def cpu_name() -> str:
    """The processor's name, or its kind where the system names none."""
    found = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine() or "unknown processor"


def memory_gb() -> tuple[float, float]:
    """Memory in gigabytes: all, and available; a container's own limit counts."""
    found = psutil.virtual_memory()
    limit = _text("/sys/fs/cgroup/memory.max").strip()
    total = min(found.total, int(limit)) if limit.isdigit() else found.total
    return total / 1e9, min(total, found.available) / 1e9


def _memory(total: float, available: float) -> Check:
    ok = available >= ENOUGH_MEMORY_GB / 2 and total >= ENOUGH_MEMORY_GB - 0.5
    detail = f"{total:.1f} GB, {available:.1f} GB available"
    return Check("Memory", ok, detail, "" if ok else "Close other programs, or use a smaller batch.")


def _disk(folder: Path) -> Check:
    try:
        free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Check(
            "Disk", False, f"{folder} cannot be looked at: {error.strerror}", "Choose another folder."
        )
    ok = free >= ENOUGH_DISK_GB
    return Check("Disk", ok, f"{free:.1f} GB free in {folder.absolute()}", "" if ok else "Make some room.")


def _display(environ: Mapping[str, str], platform_name: str) -> Check:
    problem = system.display_problem(environ, platform_name) or system.silent_display(environ, platform_name)
    if problem:
        return Check("Display", False, problem, "Commands such as demo, train and localize need none.")
    name = environ.get("QT_QPA_PLATFORM") or environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY")
    return Check("Display", True, name or platform_name)


def _qt_libraries(environ: Mapping[str, str], platform_name: str) -> Check:
    missing = system.missing_qt_libraries(environ, platform_name)
    if not missing:
        return Check("Qt libraries", True, "all there")
    command = system.install_command(missing)
    remedy = f"Install with: {command}" if command else "Install them with your system's package manager."
    return Check("Qt libraries", False, "missing: " + ", ".join(one.soname for one in missing), remedy)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
