"""Collect every text a person reads, and bring the catalogs in ``resources/languages`` up to date.

    .venv/bin/python docs/translations.py [LANGUAGE]

writes ``boxscout.pot``, merges it into each language's ``boxscout.po`` and compiles that. A LANGUAGE, such as
``fr``, that is not there yet is begun; its ``.po`` is then filled in with any translation tool, and the same
command run again. It says how many texts each language lacks.
"""

from __future__ import annotations

import io
import sys
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from core import __version__  # noqa: E402 - the project's folder is not a script's own
from core.base.language import DOMAIN, LANGUAGES_FOLDER  # noqa: E402

KEYWORDS = {"tr": None, "mark": None, "trn": (1, 2), "pgettext": ((1, "c"), 2)}
# The command line speaks English: scripts read it. So does what only commands do.
SILENT = (
    "core/api.py",
    "core/base/ranks.py",
    "core/cli",
    "core/learn/together.py",
    "core/paper",
    "core/scale",
    "core/setup",
)
DATE = datetime(2026, 1, 1, tzinfo=timezone.utc)
_UNTRUE = (b'"Report-', b'"POT-', b'"PO-', b'"Last-', b'"Language-Team', b'"Generated-')
TEMPLATE = LANGUAGES_FOLDER / f"{DOMAIN}.pot"


def collect() -> Catalog:
    """Every text in the source, with the files that say it (without lines, which change too often)."""
    catalog = _stable(Catalog(project="Boxscout", version=__version__, charset="utf-8"))
    for part in ("app", "core"):
        found = extract_from_dir(ROOT / part, [("**.py", "python")], keywords=KEYWORDS)
        for name, _, message, comments, context in sorted(found, key=lambda each: (each[0], each[1])):
            file = f"{part}/{Path(name).as_posix()}"
            if not file.startswith(SILENT):
                catalog.add(message, locations=[(file, 1)], auto_comments=comments, context=context)
    for each in catalog:
        each.locations = sorted(set(each.locations))
        each.flags.discard("python-format")  # a per cent sign before a space
    return catalog


def template(catalog: Catalog) -> bytes:
    """The ``.pot`` file."""
    return _written(catalog)


def merged(po: bytes, language: str, catalog: Catalog) -> Catalog:
    """The translations in ``po`` for the texts in ``catalog``; those of others are dropped."""
    mine = read_po(io.BytesIO(po), locale=language)
    mine.update(catalog, no_fuzzy_matching=True)
    mine.obsolete.clear()
    return _stable(mine)


def compiled(catalog: Catalog) -> bytes:
    """The ``.mo`` file."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main(arguments: list[str]) -> None:
    catalog = collect()
    TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    TEMPLATE.write_bytes(template(catalog))
    there = {file.parent.parent.name for file in LANGUAGES_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po")}
    for language in sorted(there | set(arguments)):
        po = LANGUAGES_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
        mine = merged(po.read_bytes() if po.exists() else b"", language, catalog)
        po.parent.mkdir(parents=True, exist_ok=True)
        po.write_bytes(_written(mine))
        po.with_suffix(".mo").write_bytes(compiled(mine))
        missing = sum(1 for each in mine if each.id and not (each.string and all(each.string)))
        print(f"{language}: {len(mine)} texts, {missing} without a translation")


def _stable(catalog: Catalog) -> Catalog:
    """Without today's date: the same texts give the same files."""
    catalog.creation_date = catalog.revision_date = DATE
    catalog.header_comment = "# Texts of Boxscout."
    catalog.fuzzy = False
    return catalog


def _written(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalog, width=100, sort_output=True, omit_header=False, include_lineno=False)
    lines = out.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(_UNTRUE))


if __name__ == "__main__":
    main(sys.argv[1:])
