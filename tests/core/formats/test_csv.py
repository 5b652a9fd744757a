"""CSV: what spreadsheets, pandas and TensorFlow's readers get, and what comes back."""

from __future__ import annotations

import csv
import errno
import os
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.formats import FORMATS, Format
from core.formats.csv import COLUMNS, neutral, plain
from core.formats.reading import read_truth

CSV = FORMATS["csv"]


def _image(name: str = "a.png", *boxes: Box, width: int = 100, height: int = 50) -> ImageBoxes:
    return ImageBoxes(name, width, height, tuple(BoxRecord(box, score=0.5) for box in boxes))


def _round_trip(image: ImageBoxes, folder: Path) -> ImageBoxes:
    CSV.write([image], folder / "x.csv")
    (back,) = CSV.read(folder / "x.csv")
    return back


def test_pandas_reads_columns_and_whole_numbers(tmp_path: Path) -> None:
    images = [
        _image("sub/a.png", Box(1.4, 2.6, 30.5, 40)),
        _image("no box.png"),
        ImageBoxes("b.png", 9, 9, (BoxRecord(Box(0, 0, 9, 9), "cat", None, Source.EDITED),), Status.ACCEPTED),
    ]
    summary = CSV.write(images, tmp_path / "x.csv")
    table = pd.read_csv(tmp_path / "x.csv")
    assert tuple(table.columns) == COLUMNS
    assert table.columns[:8].tolist() == "filename width height class xmin ymin xmax ymax".split()  # noqa: SIM905
    whole = ["width", "height", "xmin", "ymin", "xmax", "ymax"]
    assert {str(table[column].dtype) for column in whole} == {"int64"}
    assert table[whole].to_numpy().tolist() == [[100, 50, 1, 3, 31, 40], [9, 9, 0, 0, 9, 9]]
    assert table["filename"].tolist() == ["sub/a.png", "b.png"]
    assert table["score"].tolist()[0] == 0.5
    assert table["score"].isna().tolist() == [False, True]
    assert table["source"].tolist() == ["auto", "edited"]
    assert table["status"].tolist() == ["unseen", "accepted"]
    assert (summary.images, summary.boxes, summary.without_box, summary.failed) == (2, 2, 1, 0)
    assert summary.notes == ("1 image has no box and so no row.",)
    assert not (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_probability_of_no_object_is_the_last_column_where_it_is_known(tmp_path: Path) -> None:
    one, two = _image("a.png", Box(0, 0, 5, 5), Box(1, 1, 6, 6)), _image("b.png", Box(0, 0, 5, 5))
    known = [replace(one, no_object=0.8125), two]
    CSV.write(known, tmp_path / "x.csv")
    table = pd.read_csv(tmp_path / "x.csv")
    assert tuple(table.columns) == (*COLUMNS, "no_object")
    assert table["no_object"].tolist()[:2] == [0.8125] * 2 and table["no_object"].isna().tolist()[2]
    assert CSV.read(tmp_path / "x.csv") == known
    CSV.write([one, two], tmp_path / "x.csv")
    assert tuple(pd.read_csv(tmp_path / "x.csv").columns) == COLUMNS, "as before"


@pytest.mark.parametrize(
    "name",
    [
        "=1+1.png",
        "+a",
        "-a",
        "@a",
        "\ta",
        "\ra",
        "'a",
        "'=a",
        "''a",
        "'",
        "＝a",
        "\x7fa",
        'a,"b".png',
        "a\nb",
        "é 漢.png",
    ],
)
def test_no_text_cell_is_a_formula_and_every_name_comes_back(tmp_path: Path, name: str) -> None:
    image = ImageBoxes(name, 9, 9, (BoxRecord(Box(0, 0, 1, 1), label=name, score=-0.0, rule=name),))
    assert _round_trip(image, tmp_path) == image
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    for cell in (row["filename"], row["class"], row["rule"]):
        assert cell[0] not in "=+-@＝\t\r\n\x7f"
    assert name.startswith("'=") or "'" not in cell or cell == neutral(name)


def test_names_that_got_an_apostrophe_are_told(tmp_path: Path) -> None:
    images = [_image(name, Box(0, 0, 5, 5)) for name in ("-1.jpg", "@2x.png", "a.png", "'b.png")]
    summary = CSV.write(images, tmp_path / "x.csv")
    assert pd.read_csv(tmp_path / "x.csv")["filename"].tolist() == ["'-1.jpg", "'@2x.png", "a.png", "'b.png"]
    assert [note for note in summary.notes if "2 file names got an apostrophe" in note] == list(summary.notes)


def test_number_cells_are_not_neutralised(tmp_path: Path) -> None:
    CSV.write([_image("a.png", Box(-5, 3, 10, 20), width=0, height=0)], tmp_path / "x.csv")
    assert ",-5,3,10,20," in (tmp_path / "x.csv").read_text()


@given(st.text())
def test_neutral_and_plain_are_each_others_way_back(text: str) -> None:
    assert plain(neutral(text)) == text
    assert neutral(text)[:1] not in tuple("=+-@\t\r\n")


_part = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda part: part not in (".", ".."))
_names = st.lists(_part, min_size=1, max_size=3).map("/".join)
_side = st.integers(0, 60)


@settings(max_examples=60)
@given(
    name=_names,
    label=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    boxes=st.lists(st.tuples(_side, _side, st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=3),
    score=st.none() | st.floats(0, 1),
    threshold=st.none() | st.floats(0, 0.95),
    status=st.sampled_from([Status.UNSEEN, Status.ACCEPTED, Status.REJECTED]),
    source=st.sampled_from(Source),
)
def test_whole_boxes_come_back_as_they_went(  # type: ignore[no-untyped-def]
    name, label, boxes, score, threshold, status, source
) -> None:
    records = tuple(
        BoxRecord(Box(x, y, x + w, y + h), label, score, source, threshold, "moments") for x, y, w, h in boxes
    )
    image = ImageBoxes(name, 100, 100, records, status)
    with tempfile.TemporaryDirectory() as folder:
        assert _round_trip(image, Path(folder)) == image


@settings(max_examples=100, deadline=None)
@given(
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    corner=st.tuples(st.floats(-20, 70), st.floats(-20, 70)),
    extent=st.tuples(st.floats(0.001, 60), st.floats(0.001, 60)),
)
def test_any_box_becomes_whole_pixels_near_it_inside_the_image(  # type: ignore[no-untyped-def]
    size, corner, extent
) -> None:
    box = Box(*corner, corner[0] + extent[0], corner[1] + extent[1])
    inside = box.clamped(*map(float, size))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        summary = CSV.write([_image("a.png", box, width=size[0], height=size[1])], path)
        if summary.boxes == 0:
            assert min(inside.width, inside.height) < 0.001
            assert "left out" in summary.notes[0]
            return
        got = CSV.read(path)[0].boxes[0].box
    assert 0 <= got.x0 < got.x1 <= size[0]
    assert 0 <= got.y0 < got.y1 <= size[1]
    for a, b in zip(
        (got.x0, got.y0, got.x1, got.y1), (inside.x0, inside.y0, inside.x1, inside.y1), strict=True
    ):
        assert abs(a - b) <= 1
    moved = max(
        abs(inside.x0 - box.x0), abs(inside.x1 - box.x1), abs(inside.y0 - box.y0), abs(inside.y1 - box.y1)
    )
    assert summary.clamped == (moved > 1e-6)


def test_what_cannot_leave_is_counted_and_told(tmp_path: Path) -> None:
    images = [
        _image("a.png", Box(-5, 0, 10, 10), Box(200, 0, 300, 10)),
        _image("A.png", Box(0, 0, 1, 1)),
        _image("c:\\x.png", Box(0, 0, 1, 1)),
        _image("unknown.png", Box(0, 0, 1, 1), width=0, height=0),
        ImageBoxes("torn.png", 0, 0, (), Status.FAILED, "It is torn."),
    ]
    summary = CSV.write(images, tmp_path / "x.csv")
    assert (summary.images, summary.boxes, summary.clamped, summary.failed) == (4, 4, 1, 1)
    told = " ".join(summary.notes)
    for word in (
        "capitals",
        "wholly outside",
        "cut at the edge",
        "could not be used",
        "colon",
        "no known size",
    ):
        assert word in told
    assert summary.lines()[0] == f"Wrote 4 boxes and 4 images to {tmp_path / 'x.csv'}."
    assert summary.to_dict()["path"] == str(tmp_path / "x.csv")


def test_two_images_of_one_name_and_senseless_boxes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="2 images are named"):
        CSV.write([_image("a.png"), _image("a.png")], tmp_path / "x.csv")
    with pytest.raises(FormatError, match="not a number"):
        CSV.write([_image("a.png", Box(0, 0, float("nan"), 1))], tmp_path / "x.csv")
    with pytest.raises(FormatError, match="outside"):
        CSV.write([_image("../a.png")], tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["csv", "coco"])
@pytest.mark.parametrize("call", ["os.replace", "os.fsync"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, call: str
) -> None:
    path = tmp_path / "x"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(call, full)
    with pytest.raises(FormatError, match="the disk is full"):
        FORMATS[name].write([_image("a.png", Box(0, 0, 1, 1))], path)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["csv", "coco"])
def test_what_does_not_read_back_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Format, "read", lambda *_: [])
    with pytest.raises(FormatError, match="did not read back"):
        FORMATS[name].write([_image("a.png", Box(0, 0, 1, 1))], tmp_path / "x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["csv", "coco"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, name: str) -> None:
    for path in (tmp_path / "missing" / "x", tmp_path):
        with pytest.raises(FormatError, match=r"could not be written: .*folder"):
            FORMATS[name].write([_image("a.png", Box(0, 0, 1, 1))], path)


def test_someone_elses_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(
        "\ufefffilename,width,height,class,xmin,ymin,xmax,ymax,more\n"
        "a.png,10,10,raccoon,1,2,3,4,x\n'quoted.png,,,r,1.5,2,3,4,x\na.png,10,10,raccoon,5,5,6,6,x\n"
        "empty.png,10,10,,,,,,x\n".encode()
    )
    a, quoted, empty = CSV.read(path)
    assert [record.box for record in a.boxes] == [Box(1, 2, 3, 4), Box(5, 5, 6, 6)]
    assert a.boxes[0].label == "raccoon"
    assert (quoted.name, quoted.width, quoted.boxes[0].box.x0) == ("'quoted.png", 0, 1.5)
    assert (empty.name, empty.boxes) == ("empty.png", ())


HEAD = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no column"),
        (b"a,b\n1,2\n", "no column filename, xmin"),
        (HEAD.encode() + b"a.png,1,1,x,1,2,3\n", "Line 2"),
        (HEAD.encode() + b"a.png,1,1,x,1,2,%s,4\n" % (b"9" * 50_000), r"^.{5,200}$"),
        (HEAD.encode() + b"a.png,1,1,x,1,2,3,4,5\n", "Line 2"),
        (HEAD.encode() + b"a.png,1,1,x,1,2,nan,4\n", "Line 2.*not a number"),
        (HEAD.encode() + b"a.png,1,1,x,1,2,,4\n", "Line 2.*not a number"),
        (HEAD.encode() + b"a/..,1,1,x,1,2,3,4\n", "no file name"),
        (HEAD.encode() + b"\x81.png,1,1,x,1,2,3,4\n", "UTF-8"),
        (HEAD.encode() + b'"a.png,1,1,x,1,2,3,4\n', "can be read"),
    ],
)
def test_a_bad_csv_is_told_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(FormatError, match=sentence) as caught:
        read_truth(tmp_path / "x.csv")
    assert str(caught.value).endswith(".")


def test_a_missing_csv_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        read_truth(tmp_path / "x.csv")


def test_names_lead_to_their_files(tmp_path: Path) -> None:
    image = _image("sub dir/a.png", Box(0, 0, 1, 1))
    assert PurePosixPath(_round_trip(image, tmp_path).name).parts == ("sub dir", "a.png")
