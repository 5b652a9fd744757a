"""What the window says of the works of others that it uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox

from app.main_window import MainWindow
from core.nets import lite0
from core.setup.requirements import requirements

REPOSITORY = Path(__file__).resolve().parents[3]


def test_about_names_the_features_licence_and_origin(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: told.append(box.informativeText()))
    window.actions_["about"].trigger()
    assert len(told) == 1
    for words in (
        "EfficientNet-Lite0",
        "Google",
        "ML Illustrated",
        "Apache License 2.0",
        "ImageNet's labels",
    ):
        assert words in told[0]
    assert "without labels from you" in told[0]


def test_the_notice_is_about_the_file_that_is_read() -> None:
    notice = (REPOSITORY / "NOTICE").read_text(encoding="utf-8")
    assert lite0.SHA256 in notice and "Apache License 2.0" in notice and "ImageNet" in notice
    assert lite0.REQUIREMENT.replace("==", " ") in notice
    assert lite0.REQUIREMENT in requirements((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
