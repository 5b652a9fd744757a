"""A zip for people who help: what ``doctor`` finds and the log, without photos and without names of files."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

from core.base.atomic import atomic_write, os_errors
from core.base.errors import BoxscoutError
from core.setup.doctor import ROOT, Check, examine

_OURS = {str(ROOT): "<boxscout>", sys.prefix: "<python>", sys.base_prefix: "<python>"}
_MARKS = {True: "ok", False: "no", None: "--"}
_QUOTED = re.compile(r"“[^”\n]*”|„[^“\n]*“")
_IN_QUOTES = re.compile(r"""(['"])((?!<boxscout>|<python>)[^'"\n]*[./\\][^'"\n]*)\1""")
_PATH = re.compile(r"""(?<![\w>])(?:~|[A-Za-z]:)?[/\\](?!/)[^\s"'“”]+(?: [^\s"'“”]*[/\\.][^\s"'“”]*)*""")
_NAME = re.compile(
    r"[^\s\"'“”/\\<>]+(\.(?:jpe?g|png|gif|bmp|tiff?|webp|boxscout|csv|tsv|json|xml|ya?ml|txt|zip))\b",
    re.IGNORECASE,
)


def redacted(text: str, *, home: Path) -> str:
    """``text`` without the home folder and without names of folders and files of the user's.

    Paths of the program itself and of Python stay, relative to where they are installed: a traceback needs
    them. What is uncertain is replaced.
    """
    for place, name in sorted(_OURS.items(), key=lambda item: -len(item[0])):
        text = text.replace(place, name)
    text = text.replace(str(home), "~")
    text = _QUOTED.sub("“<name>”", text)
    text = _IN_QUOTES.sub(lambda found: f"{found[1]}<name>{_suffix(found[2])}{found[1]}", text)
    text = _PATH.sub(lambda found: f"<path>{_suffix(found[0])}", text)
    return _NAME.sub(r"<name>\1", text)


def write_diagnostics(out: Path, *, log: Path, home: Path) -> tuple[str, ...]:
    """Write the zip ``out`` and return the names in it.

    Parameters
    ----------
    log
        The newest log file; older ones lie beside it with a number after their name.

    Raises
    ------
    BoxscoutError
        ``out`` cannot be written.
    """
    texts = {"doctor.txt": _report(examine(log.parent))}
    for each in sorted(log.parent.glob(f"{log.name}*")):
        texts[each.name] = each.read_text(encoding="utf-8", errors="replace")
    with (
        os_errors(BoxscoutError, "{out} cannot be written: {reason}.", out=out),
        atomic_write(out) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, text in texts.items():
            archive.writestr(name, redacted(text, home=home))
    return tuple(texts)


def _report(checks: list[Check]) -> str:
    lines = [f"{_MARKS[check.ok]}  {check.name}: {check.detail}" for check in checks]
    return "\n".join(lines) + "\n"


def _suffix(name: str) -> str:
    found = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return found[0] if found else ""
