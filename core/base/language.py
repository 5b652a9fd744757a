"""What the program says, in the language of the person: GNU gettext over catalogs in ``resources/languages``.

English texts are the keys, so a text without a translation is shown in English and nothing breaks.
"""

from __future__ import annotations

import gettext
import string
import unicodedata
from numbers import Real
from pathlib import Path
from typing import Any

LANGUAGES_FOLDER = Path(__file__).resolve().parents[2] / "resources" / "languages"
DOMAIN = "boxscout"

_spoken: gettext.NullTranslations = gettext.NullTranslations()
_marks: dict[int, str] = {}
"""What replaces the marks in numbers, for :meth:`str.translate`; empty where they stay as in English."""


def speak(language: str) -> None:
    """Use the catalog of ``language`` (such as ``de``) from now on; without one, English.

    One process speaks one language, so that is the process's state, as it is for the standard library.
    """
    global _spoken, _marks
    _spoken = gettext.translation(DOMAIN, LANGUAGES_FOLDER, languages=[language], fallback=True)
    wanted = _spoken.pgettext("between thousands", ",") + _spoken.pgettext("before decimals", ".")
    _marks = {} if wanted == ",." else {ord(",."[i]): wanted[i] for i in range(2)}


def spoken() -> str:
    """The language in use, such as ``de``; ``en`` where there is no catalog."""
    found = _spoken.info().get("language") if isinstance(_spoken, gettext.GNUTranslations) else None
    return str(found or "en")


def tr(text: str, /) -> str:
    """``text`` (a literal, so that it can be collected) in the language in use; fill fields in afterwards."""
    return _as_spoken(_spoken.gettext(text)) if text else ""


def trn(one: str, many: str, count: int, /) -> str:
    """The form that ``count`` takes in the language in use, with ``{count}`` filled in, thousands apart."""
    return _spoken.ngettext(one, many, count).format(count=_Count(count))


def mark(text: str, /) -> str:
    """``text`` itself: a literal of a table, which is collected here and translated where it is shown."""
    return text


def number(value: float, spec: str, /) -> str:
    """``value`` formatted by ``spec`` (such as ``.2f``), with the marks of the language in use."""
    return format(value, spec).translate(_marks)


def printable(text: str) -> str:
    """``text``, such as a file's name, with a sign for what no screen shows, as bytes that are no text."""
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def short(text: str) -> str:
    """:func:`printable` text as far as one line of a message holds it."""
    return printable(text) if len(text) <= 80 else printable(text[:77]) + "…"


class _Count(int):
    def __format__(self, spec: str, /) -> str:
        return number(int(self), spec or ",")


class _Formatter(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        text: str = super().format_field(value, format_spec)
        return text.translate(_marks) if format_spec and isinstance(value, Real) else text


class _Text(str):
    """A text whose numbers get the marks of the language in use when its fields are filled in."""

    __slots__ = ()

    def format(self, *args: object, **fields: object) -> str:
        return _Formatter().vformat(self, args, fields)


def _as_spoken(text: str) -> str:
    return _Text(text) if _marks else text
