"""How pip and ``python -m build`` make an sdist, a wheel or an editable link of this checkout (PEP 517, 660).

setuptools does the work. A wheel and an sdist are made from a copy of the tree, arranged for the purpose by
``tree.py``, so that nothing is written into the checkout; an editable link shows the checkout as it is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tree
from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


@contextmanager
def _arranged(arrange: Callable[[Path, Path], None]) -> Iterator[None]:
    """Work in a copy of the checkout that ``arrange`` makes; hooks are called in the checkout's folder."""
    checkout = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="boxscout-build-") as folder:
        arrange(checkout, Path(folder))
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(checkout)


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    """A wheel with the one package ``boxscout``."""
    target = str(Path(wheel_directory).absolute())
    with _arranged(tree.for_wheel):
        return build_meta.build_wheel(target, config_settings)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Any = None) -> str:
    """The wheel's metadata alone."""
    target = str(Path(metadata_directory).absolute())
    with _arranged(tree.for_wheel):
        return build_meta.prepare_metadata_for_build_wheel(target, config_settings)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """The checkout's files that a wheel is made from, without tests and benchmarks."""
    target = str(Path(sdist_directory).absolute())
    with _arranged(tree.for_sdist):
        return build_meta.build_sdist(target, config_settings)
