"""Texts in the person's language: the catalogs are complete and true to the source, numbers look native."""

from __future__ import annotations

import ast
import gettext
import importlib.util
import io
import re
import string
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from core.base import errors, language
from core.base.config import TrainConfig
from core.base.language import LANGUAGES_FOLDER, number, speak, tr, trn
from core.base.preferences import LANGUAGES
from core.evaluate import reading
from core.evaluate.compare import Difference
from core.project.fitting import FolderSummary, sentence

ROOT = Path(__file__).resolve().parents[3]
TRANSLATED = [name for name in LANGUAGES if name not in ("system", "en")]


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    speak("en")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """docs/translations.py, the script that writes the catalogs."""
    spec = importlib.util.spec_from_file_location("translations", ROOT / "docs" / "translations.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def catalog_of(path: Path) -> Catalog:
    return read_po(io.BytesIO(path.read_bytes()))


def forms(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Its English and its translated forms."""
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    return ids, texts


def fields(text: str) -> list[tuple[str, str, str]]:
    """Names, formats and conversions of the fields in ``text``, sorted."""
    parts = string.Formatter().parse(text)
    return sorted((name, spec or "", how or "") for _, name, spec, how in parts if name is not None)


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_every_text_is_translated_with_the_same_fields(spoken: str) -> None:
    mine = catalog_of(LANGUAGES_FOLDER / spoken / "LC_MESSAGES" / "boxscout.po")
    messages = [message for message in mine if message.id]
    assert len(messages) > 600
    for message in messages:
        ids, texts = forms(message)
        assert all(texts), f"no translation of {ids[0]!r}"
        assert not message.fuzzy, f"unsure translation of {ids[0]!r}"
        for text in texts:
            assert fields(text) == fields(ids[-1]), f"{ids[0]!r} has other fields than {text!r}"
            assert text[:1].isspace() == ids[0][:1].isspace(), f"{text!r} begins otherwise than {ids[0]!r}"


def test_the_catalogs_hold_what_the_source_says(tool: ModuleType) -> None:
    """Otherwise run docs/translations.py."""
    wanted = {(each.context, each.id) for each in tool.collect()}
    for path in LANGUAGES_FOLDER.rglob("boxscout.po*"):
        assert {(each.context, each.id) for each in catalog_of(path)} == wanted, path


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_the_compiled_catalog_says_what_the_other_one_does(spoken: str) -> None:
    compiled = gettext.translation("boxscout", LANGUAGES_FOLDER, languages=[spoken])
    for message in catalog_of(LANGUAGES_FOLDER / spoken / "LC_MESSAGES" / "boxscout.po"):
        ids, texts = forms(message)
        if not ids[0]:
            continue
        if len(ids) == 2:
            assert (compiled.ngettext(*ids, 1), compiled.ngettext(*ids, 5)) == texts
        elif message.context:
            assert compiled.pgettext(message.context, ids[0]) == texts[0]
        else:
            assert compiled.gettext(ids[0]) == texts[0]


def test_german_counts_and_writes_numbers_its_own_way() -> None:
    speak("de")
    assert trn("{count:,} image", "{count:,} images", 1) == "1 Bild"
    assert trn("{count:,} image", "{count:,} images", 12345) == "12.345 Bilder"
    assert tr("score {0}").format(number(0.5, ".2f")) == "Konfidenz 0,50"
    # Names keep their marks: only numbers are written otherwise.
    assert tr("Opening {name}…").format(name="a,b.png") == "a,b.png wird geöffnet…"


def test_counts_are_grouped_without_a_format() -> None:
    assert trn("{count} image", "{count} images", 12345) == "12,345 images"
    speak("de")
    assert trn("{count} image", "{count} images", 12345) == "12.345 Bilder"


def test_what_a_training_will_do_is_told_with_german_numbers() -> None:
    speak("de")
    told = sentence(TrainConfig(steps=1200, batch_size=64), FolderSummary(12345, 3000, 2000))
    assert re.findall(r"[\d.,]*\d", told) == ["12.345", "3000", "2000", "1.200"]


def test_an_evaluation_is_told_with_german_numbers() -> None:
    speak("de")
    difference = Difference(
        difference=0.125, low=0.021, high=0.2305,
        only_a=12, only_b=2, a_better=0.99, b_better=0.01, resamples=1000, seed=0,
    )  # fmt: skip
    told = reading.sentence("whole image", difference)
    assert re.findall(r"[+-]?\d+[.,]\d", told) == ["12,5", "+2,1", "+23,1"]


def test_the_window_formats_no_number_past_the_language() -> None:
    """An f-string's own format writes English marks in every language; `number` and `tr` do not."""
    found = []
    for path in ROOT.glob("app/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            spec = node.format_spec if isinstance(node, ast.FormattedValue) else None
            if spec is not None and re.search(r"[,%eg]|\.[1-9{]", ast.unparse(spec)):
                found.append((path.name, ast.unparse(node)))
    assert not found


def test_a_language_without_a_catalog_is_english() -> None:
    speak("de")
    speak("xx")
    assert tr("Threshold") == "Threshold"
    assert trn("{count:,} image", "{count:,} images", 12345) == "12,345 images"
    assert number(1234.5, ",.1f") == "1,234.5"
    assert tr("") == "" and language.mark("Threshold") == "Threshold"


def test_no_text_is_inside_an_f_string() -> None:
    """Python before 3.12 hands an f-string over whole, so that the collector would not see it."""
    for path in (*ROOT.glob("app/**/*.py"), *ROOT.glob("core/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            inside = ast.walk(node) if isinstance(node, ast.JoinedStr) else ()
            calls = (each.func for each in inside if isinstance(each, ast.Call))
            assert not any(isinstance(call, ast.Name) and call.id in _WRAPPERS for call in calls), path


# ---- nothing is said past the catalogs -----------------------------------------------------------------

_WRAPPERS = {"tr", "trn", "mark"}
_SAYING = {  # calls of the window whose first arguments are shown, and how many of them
    **dict.fromkeys(("setText", "setToolTip", "setStatusTip", "setWindowTitle", "setAccessibleName"), 1),
    **dict.fromkeys(("setAccessibleDescription", "setPlaceholderText", "setSpecialValueText"), 1),
    **dict.fromkeys(("setTitle", "setIconText", "setInformativeText", "setPrefix", "setSuffix"), 1),
    **dict.fromkeys(("QLabel", "QAction", "QPushButton", "QCheckBox", "QMenu", "QToolBar"), 1),
    **dict.fromkeys(("QDockWidget", "QGroupBox", "QRadioButton", "plain_label", "Section", "addRow"), 1),
    **dict.fromkeys(("addItem", "addAction", "addMenu", "addButton", "add_button", "say"), 1),
    **dict.fromkeys(("addTab", "setHeaderLabels", "Choice", "setLabel"), 2),
    "tool_button": 3,
}
_ERRORS = {name for name, each in vars(errors).items() if isinstance(each, type)}
# Marks of HTML, and names.
_NO_WORDS = r"<[^<>]*>?|&\w+;|\b(Boxscout|Python|PySide6|torch|MS-SSIM|PNG|PDF)\b"


def plain_texts(node: ast.AST) -> Iterator[str]:
    """The texts in ``node`` that no wrapper translates."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WRAPPERS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, (ast.Compare, ast.Subscript)):  # what is compared or looked up is not shown
        return
    for child in ast.iter_child_nodes(node):
        yield from plain_texts(child)


def shown_arguments(call: ast.Call, saying: dict[str, int]) -> list[ast.expr]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return call.args[: saying.get(name, 0)]


def untranslated(source: str, saying: dict[str, int]) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    texts = (text for call in calls for each in shown_arguments(call, saying) for text in plain_texts(each))
    return [text for text in texts if re.search(r"[A-Z]|[a-z]+ +[a-z]", re.sub(_NO_WORDS, "", text))]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("label.setText('Save')", ["Save"]),
        ("QLabel(f'Save {name}')", ["Save "]),
        ("raise FormatError('It is broken.')", ["It is broken."]),
        ("label.setText(tr('Save'))", []),
        ("label.setText(tr('Save {0}').format(names['a b']))", []),
    ],
)
def test_the_check_below_sees_plain_texts(source: str, found: list[str]) -> None:
    assert untranslated(source, {**_SAYING, **dict.fromkeys(_ERRORS, 1)}) == found


def test_whatever_the_window_says_can_be_translated(tool: ModuleType) -> None:
    saying = {**_SAYING, **dict.fromkeys(_ERRORS, 1)}
    found = {}
    for path in sorted((*ROOT.glob("app/**/*.py"), *ROOT.glob("core/**/*.py"))):
        file = path.relative_to(ROOT).as_posix()
        if not file.startswith(tool.SILENT):
            texts = untranslated(path.read_text("utf-8"), saying)
            found.update({file: texts} if texts else {})
    assert not found
