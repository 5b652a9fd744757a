"""The functions for scripts: they give what the commands give."""

from __future__ import annotations

import ast
import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import pandas
import pytest
from command_support import run
from PIL import Image

from core import api
from core.base.errors import BoxscoutError, FormatError
from core.images.sample import draw_sample

FAST = {"image_size": 224, "threads": 1, "device": "cpu"}
REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))
OPTIONS = ("--image-size", 224, "--threads", 1, "--device", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten drawn photos, one of them in a subfolder, and one that is torn; their truth is beside them."""
    out = tmp_path_factory.mktemp("drawn")
    draw_sample(out, count=10, seed=2)
    images = out / "images"
    (images / "sub").mkdir()
    (images / "beetle-001.jpg").rename(images / "sub" / "beetle-001.jpg")
    (images / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    return images


@pytest.fixture(scope="module")
def project(folder: Path) -> Path:
    return folder.parent / "boxes.boxscout"


@pytest.fixture(scope="module")
def found(folder: Path, project: Path) -> api.Found:
    return api.find_objects(folder, project=project, **FAST)


def test_it_finds_what_the_commands_find(
    found: api.Found, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.boxscout"
    assert run(capsys, "train", folder, "--project", own, *OPTIONS)[0] == 0
    assert run(capsys, "localize", folder, "--project", own)[0] == 0
    assert run(capsys, "export", "--project", own, "--format", "csv", "--out", tmp_path / "own.csv")[0] == 0
    table = pandas.read_csv(tmp_path / "own.csv")
    assert [box.file for box in found] == list(table["filename"])
    assert [(b.width, b.height) for b in found] == list(zip(table["width"], table["height"], strict=True))
    assert [box.score for box in found] == pytest.approx(list(table["score"]), abs=1e-3)
    for box, row in zip(found, table.itertuples(), strict=True):
        assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(
            (row.xmin, row.ymin, row.xmax, row.ymax), abs=0.5
        )


def test_every_file_is_accounted_for(found: api.Found, folder: Path) -> None:
    assert len(found.images) == len(found.files) == 10
    assert found.files["sub/beetle-001.jpg"] == folder / "sub" / "beetle-001.jpg"
    assert [path.name for path in found.failed] == ["torn.png"]
    assert all(found.failed.values())


def test_as_a_data_frame(found: api.Found) -> None:
    frame = found.to_pandas()
    assert frame.shape == (len(found), 11)
    assert list(frame["file"]) == [box.file for box in found]
    assert frame["x1"].gt(frame["x0"]).all()


def test_without_pandas_a_sentence_says_so(found: api.Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(BoxscoutError, match="pip install pandas"):
        found.to_pandas()


def test_exports_are_those_of_the_formats(found: api.Found, tmp_path: Path) -> None:
    assert found.export("coco", tmp_path / "boxes.json").boxes == len(found)
    written = json.loads((tmp_path / "boxes.json").read_text(encoding="utf-8"))
    wanted = [[box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0] for box in found]
    assert [one["bbox"] for one in written["annotations"]] == [pytest.approx(box) for box in wanted]
    with pytest.raises(BoxscoutError, match="'jpeg' is not one of"):
        found.export("jpeg", tmp_path / "no")
    with pytest.raises(FormatError):
        found.export("coco", tmp_path / "none.json", min_score=1.0)


def test_a_project_that_has_learned_is_used(found: api.Found, folder: Path, project: Path) -> None:
    told: list[str] = []
    again = api.find_objects(folder, project=project, on_progress=lambda part, _: told.append(part))
    assert list(again) == list(found)
    assert set(told) == {"Finding boxes"}
    with pytest.raises(BoxscoutError, match="has learned already: leave out seed"):
        api.find_objects(folder, project=project, seed=3)


def test_a_saved_localizer_boxes_other_folders(found: api.Found, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "beetles.safetensors"
    found.save_localizer(file)
    elsewhere = api.find_objects(folder / "sub", localizer=file)
    assert [(b.x0, b.y0, b.x1, b.y1, b.score) for b in elsewhere] == [
        (b.x0, b.y0, b.x1, b.y1, b.score) for b in found if b.file.startswith("sub/")
    ]
    with pytest.raises(BoxscoutError, match="has learned already"):
        api.find_objects(folder, localizer=file, seed=1)


def test_right_boxes_teach(found: api.Found, folder: Path, tmp_path: Path, project: Path) -> None:
    truth = json.loads((folder.parent / "truth.json").read_text(encoding="utf-8"))
    few = {**truth, "images": truth["images"][1:8], "annotations": truth["annotations"][1:8]}
    file = tmp_path / "few.json"
    file.write_text(json.dumps(few), encoding="utf-8")
    taught = api.learn_from(folder, file, project=project)
    by_name = {box.file: box for box in taught}
    for image, one in zip(few["images"], few["annotations"], strict=True):
        box = by_name[image["file_name"].removeprefix("images/")]
        x, y, width, height = one["bbox"]
        assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((x, y, x + width, y + height))
        assert (box.label, box.source, box.score) == ("beetle", "edited", None)
    assert taught.localizer.taught is not None
    assert taught.localizer.taught.images == 7
    assert sum(box.source == "auto" for box in taught) == 3


def test_what_a_person_can_get_wrong(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BoxscoutError, match="no setting colour; there are device, features"):
        api.find_objects(folder, colour=1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BoxscoutError, match="There is no image in"):
        api.find_objects(tmp_path / "empty")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"max_boxes": "2"}, "max_boxes is a whole number from 1 to 100, not '2'"),
        ({"max_boxes": 1.5}, "not 1.5"),
        ({"threshold": float("nan")}, "threshold is a number from 0 to 0.95, not nan"),
        ({"threshold": 2}, "not 2"),
        ({"folder": None}, "None is neither a folder nor a list"),
        ({"folder": []}, "There is no folder"),
    ],
)
def test_a_wrong_value_is_one_sentence(given: dict[str, object], sentence: str, folder: Path) -> None:
    with pytest.raises(BoxscoutError, match=sentence):
        api.find_objects(**{"folder": folder, **given})


def test_a_format_has_its_own_options_alone(found: api.Found, tmp_path: Path) -> None:
    for name in ("link", "linkk", "sources"):
        with pytest.raises(BoxscoutError, match=f"'csv' has no option {name}; it has with_gps"):
            found.export("csv", tmp_path / "x.csv", **{name: True})
    name, exif = found.images[0].name, Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    Image.open(found.files[name]).save(tmp_path / "placed.jpg", exif=exif)
    placed = replace(found, files={**found.files, name: tmp_path / "placed.jpg"})
    placed.export("csv", tmp_path / "placed.csv", with_gps=True)
    table = pandas.read_csv(tmp_path / "placed.csv")
    assert list(table.columns)[-2:] == ["latitude", "longitude"]
    assert (table["latitude"][0], table["longitude"][0]) == pytest.approx((52.5, 13.4))


def test_nothing_is_left_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert len(api.find_objects([folder / "sub", folder / "beetle-002.jpg"], **FAST)) == 2
    assert list(tmp_path.iterdir()) == []


def test_an_installation_shows_the_same_names() -> None:
    shown = ast.parse((REPOSITORY / "packaging" / "boxscout" / "__init__.py").read_text(encoding="utf-8"))
    (names,) = (node.value for node in ast.walk(shown) if isinstance(node, ast.Assign))
    assert set(ast.literal_eval(names)) | {"OnProgress"} == {*api.__all__, "__version__"}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(REPOSITORY / "packaging"))  # `import boxscout`, as where it is installed
    monkeypatch.setenv("MPLBACKEND", "Agg")
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert (content["nbformat"], {cell["cell_type"] for cell in content["cells"]}) == (
        4,
        {"markdown", "code"},
    )
    code = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    script = tmp_path / "notebook.py"
    script.write_text("\n\n".join(code), encoding="utf-8")
    names = runpy.run_path(str(script))
    plt.close("all")
    sys.modules.pop("boxscout")
    assert names["boxscout"].__file__ == str(REPOSITORY / "packaging" / "boxscout" / "__init__.py")
    assert names["right"] >= 0.5  # of the boxes have an IoU of .5: none of the whole images has
    assert (tmp_path / "boxes.json").is_file()
