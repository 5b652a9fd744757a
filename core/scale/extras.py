"""Packages that only some need: imported when they are used, or a sentence that says how to install them."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from core.base.errors import BoxscoutError
from core.base.language import tr


def needed(module: str, *, extra: str, what: str) -> Any:
    """The ``module``.

    Raises
    ------
    BoxscoutError
        It is not installed; the sentence says that ``what`` needs the ``extra``.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        text = tr("{what} need the extra “{extra}”: install it with “{python} -m pip install {package}”.")
        package = module.partition(".")[0]
        raise BoxscoutError(
            text.format(what=what, extra=extra, python=sys.executable, package=package)
        ) from error
