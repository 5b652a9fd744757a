"""What one setting may hold, for the form, the command line and the checks alike."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.base.errors import BoxscoutError
from core.base.language import tr


@dataclass(frozen=True, slots=True)
class Limits:
    """What a form shows for a field and what it may hold; ``zero`` is shown for the value 0.

    Besides the ``choices`` a field may hold text that matches the pattern ``also``.
    """

    label: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    also: str = ""
    zero: str = ""

    def allow(self, value: Any) -> bool:
        """Whether ``value`` is one of the choices, if there are any, or what may be besides."""
        return not self.choices or is_allowed(value, self.choices, self.also)


def is_allowed(value: Any, choices: Sequence[Any], also: str = "") -> bool:
    """Whether ``value`` is one of ``choices``, or matches the pattern ``also`` where there is one."""
    return value in choices or (bool(also) and re.fullmatch(also, str(value)) is not None)


_PLAIN = frozenset({"None", "bool", "int", "float", "str"})


def is_of_kind(value: Any, kind: str) -> bool:
    """Whether ``value`` is what the annotation ``kind`` of plain values says, such as ``float | None``.

    A float is finite and may be an int; a bool is no number.
    """
    return any(_is_one_of_kind(value, one) for one in kind.split(" | "))


def plain(value: Any, kind: str) -> Any:
    """``value`` where it :func:`is_of_kind`; ValueError where it is not."""
    if not is_of_kind(value, kind):
        raise ValueError(f"no {kind}")
    return value


def _is_one_of_kind(value: Any, kind: str) -> bool:
    if kind == "None" or isinstance(value, bool):
        return value is None or (kind == "bool" and isinstance(value, bool))
    if kind == "float":
        return isinstance(value, (int, float)) and abs(value) <= sys.float_info.max
    return isinstance(value, {"int": int, "str": str}.get(kind, ()))


def check(kind: str, value: Any, limits: Limits) -> None:
    """BoxscoutError where a field of this ``kind`` cannot hold ``value``; the text says what it can."""
    if _PLAIN.issuperset(kind.split(" | ")) and not is_of_kind(value, kind):
        raise BoxscoutError(tr("{label} cannot be {value!r}.").format(label=tr(limits.label), value=value))
    if not limits.allow(value):
        allowed = ", ".join(tr("none") if choice is None else str(choice) for choice in limits.choices)
        raise BoxscoutError(
            tr("{label} must be one of {allowed}, not {value!r}.").format(
                label=tr(limits.label), allowed=allowed, value=value
            )
        )
    if value is None or isinstance(value, (bool, str)):
        return
    if limits.low is not None and not limits.low <= value <= (limits.high or limits.low):
        raise BoxscoutError(
            tr("{label} must lie between {low:,.10g} and {high:,.10g}, not {value:,.10g}.").format(
                label=tr(limits.label), low=limits.low, high=limits.high, value=value
            )
        )
