"""``reproduce neighbours``: one command, every set in a folder, every method beside the baselines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command_support import run

from core.images.sample import draw_sample

FAST = ("--image-size", "224", "--threads", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets, a folder and an archive, and a folder that is none."""
    folder = tmp_path_factory.mktemp("data")
    draw_sample(folder / "beetles", count=10, seed=1)
    draw_sample(folder / "more", count=6, seed=2)
    shutil.make_archive(str(folder / "more"), "zip", folder, "more")
    shutil.rmtree(folder / "more")
    (folder / "notes").mkdir()
    (folder / "notes" / "a.txt").write_text("none")
    return folder


def test_every_method_on_every_set(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("reproduce", "neighbours", "--data", data, "--out", tmp_path / "out", *FAST)
    code, said, complaints = run(capsys, *words)
    assert code == 0, complaints
    table = (tmp_path / "out" / "neighbours.md").read_text()
    assert said.strip() == table.strip()
    content = json.loads((tmp_path / "out" / "neighbours.json").read_text())
    assert [(one["name"], one["images"]) for one in content["sets"]] == [("beetles", 10), ("more", 6)]
    for name, images in (("beetles", 10), ("more", 6)):
        own = {one["method"]: one for one in content["results"] if one["set_name"] == name}
        assert {"Boxscout's default", "DDT", "DDT+", "LOST", "TokenCut", "whole image"} <= own.keys()
        assert all(one["row"]["n"] == images for one in own.values())
        assert own["whole image"]["seconds"] is None and own["DDT"]["seconds"] > 0
    assert own["whole image"]["told"] == "nothing" and "ImageNet" in own["LOST"]["told"]


def test_a_set_or_method_that_is_not_there_is_one_sentence(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("reproduce", "neighbours", "--out", tmp_path / "out", *FAST)
    for more, wanted in (
        (("--data", data, "--sets", "cats", "--methods", "lost"), "holds no set cats"),
        (("--data", data, "--methods", "magic"), "There is no method magic"),
        (("--data", data / "notes"), "holds no folder"),
    ):
        code, _, complaints = run(capsys, *words, *more)
        assert code == 1 and wanted in complaints and "Traceback" not in complaints
