"""The language of the window: the person's own, or the one that they chose, for our texts and for Qt's."""

from __future__ import annotations

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from core.base import language
from core.base.preferences import LANGUAGES

_OWN = "system"


def speak(app: QApplication, wanted: str) -> None:
    """Say everything in ``wanted``, a language of the settings, before the first view is made."""
    spoken = _systems_language() if wanted == _OWN else wanted
    if wanted != _OWN:
        QLocale.setDefault(QLocale(spoken))
    language.speak(spoken)
    # Qt's own buttons and menus; English is what they say without.
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{spoken}", folder):
        app.installTranslator(translator)


def _systems_language() -> str:
    """The first of the system's languages that the program speaks; else English."""
    for name in QLocale.system().uiLanguages():
        short = name.replace("_", "-").partition("-")[0]
        if short in LANGUAGES:
            return short
    return "en"
