"""What lies in a file or a folder, and one sentence where it cannot be read."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from core.base.atomic import os_reason
from core.base.errors import FormatError, as_reason
from core.base.language import tr
from core.base.plain_json import parse_json
from core.images.scan import is_theirs, natural_key

#: What a western Windows writes where nobody says anything else.
WESTERN = "cp1252"
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"'][^>]*\?>")
# The larger set that a declared one is part of, as the tools that write it use it.
_LARGER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932"}
_LARGER |= {"euc-kr": "cp949", "ascii": "utf-8", "us-ascii": "utf-8"}


def read_bytes(path: Path) -> bytes:
    """All of ``path``.

    Raises
    ------
    FormatError
        It cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise wrong(tr("{name} cannot be read: it is not an ordinary file."), path)
        return path.read_bytes()
    except OSError as error:
        reason = tr("it does not exist") if isinstance(error, FileNotFoundError) else os_reason(error)
        raise wrong(tr("{name} cannot be read: {reason}."), path, reason=reason) from error


def read_text(path: Path) -> str:
    """The text in ``path``, in UTF-8 or as the mark at its start says; FormatError where it is none."""
    return text_and_coding(path, ())[0]


def text_and_coding(path: Path, others: Sequence[str] = (WESTERN,)) -> tuple[str, str]:
    """:func:`read_text`, and its encoding: UTF-8, or else the first of ``others`` that fits."""
    data = read_bytes(path)
    marked = next((coding for mark, coding in _MARKS.items() if data.startswith(mark)), "utf-8")
    for coding in (marked, *others):
        try:
            return data.decode(coding), coding
        except UnicodeDecodeError:
            continue
    raise wrong(tr("{name} is not text in UTF-8; save it as UTF-8 and try again."), path)


def western_note(path: Path) -> str:
    """What is told where a text was read as Windows writes it in western Europe."""
    return tr("{name} is not in UTF-8, and was read as Windows-1252.").format(name=path.name)


def read_json(path: Path) -> Any:
    """What the JSON file at ``path`` holds; FormatError where it is none."""
    data = read_bytes(path)
    if not data.strip():
        raise wrong(tr("{name} is empty, and so not valid JSON."), path)
    try:
        return parse_json(data, object_hook=_as_it_is)
    except ValueError as error:
        raise wrong(tr("{name} is not valid JSON: {detail}."), path, detail=as_reason(error)) from error


def read_xml(path: Path) -> Element:
    """The root of the XML file at ``path``, all names of elements in small letters.

    Raises
    ------
    FormatError
        It is no XML, is in an encoding that nobody knows, or could do harm.
    """
    data = read_bytes(path)
    if not data.strip():
        raise wrong(tr("{name} is empty, and so not valid XML."), path)
    try:
        root: Element = defusedxml.ElementTree.fromstring(_decoded_xml(path, data))
    except DefusedXmlException as error:
        raise wrong(tr("{name} uses XML that may do harm."), path) from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise wrong(tr("{name} is not valid XML."), path) from error
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2].lower()
    return root


def _decoded_xml(path: Path, data: bytes) -> str | bytes:
    declared = _DECLARED.match(data)
    if declared is None and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    # One found as single bytes is not UTF-16, whatever it says.
    coding = "utf-8-sig" if name.startswith(("utf-16", "utf-8")) else _LARGER.get(name, name)
    try:
        return (data[declared.end() :] if declared else data).decode(coding)
    except LookupError as error:
        what = tr("{name} is not valid XML: it declares the encoding {coding}, which is not known.")
        raise wrong(what, path, coding=name) from error
    except UnicodeDecodeError as error:
        what = tr("{name} is not valid XML: it is not in the encoding {coding}, in which it should be.")
        raise wrong(what, path, coding=name) from error


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a text file of columns, each with the line that it ends on; ``mark`` separates cells."""

    mark: str
    rows: tuple[tuple[int, Sequence[str]], ...]
    coding: str = "utf-8"

    @property
    def decimal_comma(self) -> bool:
        """Whether a comma in a cell may stand for a decimal point."""
        return self.mark != ","


def read_table(path: Path) -> Table:
    """The cells of a CSV file, separated by commas, semicolons, tabs or bars; rows of blanks are left out.

    Raises
    ------
    FormatError
        It is no text in UTF-8, or quotes in it do not fit.
    """
    text, coding = text_and_coding(path)
    first, *rest = text.split("\n", 1)
    if first.strip().lower().startswith("sep=") and rest:  # as spreadsheets tell one another
        text = rest[0]
    first = next((line for line in text.splitlines() if line.strip() and line[:2] != "# "), "")
    mark = max(",;\t| ", key=lambda one: (first.count(one) > 0, one != " ", first.count(one)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        rows = tuple((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    except csv.Error as error:
        raise wrong(
            tr("{name} is not a CSV file that can be read: {error}."), path, error=as_reason(error)
        ) from error
    return Table(mark, rows, coding)


#: What reads a file, by its ending.
READ: Mapping[str, Callable[[Path], Any]] = {
    ".json": read_json, ".xml": read_xml, ".csv": read_table, ".tsv": read_table,
}  # fmt: skip


def walk(folder: Path) -> Iterator[Path]:
    """The files below ``folder`` in natural order, hidden ones and what systems keep there passed over."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted((name for name in folders if is_theirs(name)), key=natural_key)
        yield from (Path(place, name) for name in sorted(names, key=natural_key) if is_theirs(name))


def wrong(text: str, path: Path, **fields: object) -> FormatError:
    """The error that says ``text`` of the file at ``path``, which goes in for ``{name}``."""
    return FormatError(text.format(name=path.name or path, **fields))


def _as_it_is(entry: dict[str, Any]) -> dict[str, Any]:
    """Called for every object: only in a function of Python's does a thread let others run.

    Without it the window stands still while the annotations of 100,000 images are read.
    """
    return entry
