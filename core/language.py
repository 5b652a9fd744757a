"""What the program says, in the language of the person: GNU gettext over catalogs in ``resources/languages``.

English texts are the keys, so a text without a translation is shown in English and nothing breaks.
"""

from __future__ import annotations

import gettext
from pathlib import Path

LANGUAGES_FOLDER = Path(__file__).parent.parent / "resources" / "languages"
DOMAIN = "boxscout"

_spoken: gettext.NullTranslations = gettext.NullTranslations()


def speak(language: str) -> None:
    """Use the catalog of ``language`` (such as ``de``) from now on; without one, English.

    One process speaks one language, so that is the process's state, as it is for the standard library.
    """
    global _spoken
    _spoken = gettext.translation(DOMAIN, LANGUAGES_FOLDER, languages=[language], fallback=True)


def tr(text: str, /) -> str:
    """``text`` (a literal, so that it can be collected) in the language in use; fill fields in afterwards."""
    return _spoken.gettext(text) if text else ""


def trn(one: str, many: str, count: int, /) -> str:
    """The form that ``count`` takes in the language in use, with ``{count}`` filled in."""
    return _spoken.ngettext(one, many, count).format(count=count)
