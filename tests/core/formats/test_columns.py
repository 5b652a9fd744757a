"""CSV as spreadsheets and other tools write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.formats.gather import ReadOptions
from core.formats.reading import read_truth

DEER = ImageBoxes("a.jpg", 160, 120, (BoxRecord(Box(10, 20, 40, 60), "deer"),))


def read(tmp_path: Path, content: str | bytes, name: str = "x.csv") -> tuple[ImageBoxes, list[str]]:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    options = ReadOptions()
    (image,) = read_truth(tmp_path / name, options)
    return image, options.told.sentences()


OURS = "filename;width;height;class;xmin;ymin;xmax;ymax;score;threshold;rule;source;status\r\n"
GERMAN = f"{OURS}a.jpg;160;120;deer;10,0;20;40;60;0,75;0;fitted;auto;unseen\r\n"


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{GERMAN}",
        f"sep=;\r\n{GERMAN}",
        GERMAN.replace(";", "\t"),
        GERMAN.replace(";", "\t").encode("utf-16"),
        f"{GERMAN}{';' * 12}\r\n{';' * 12}\r\n",
    ],
)
def test_our_own_file_comes_back_from_a_german_spreadsheet(tmp_path: Path, content: str | bytes) -> None:
    image, told = read(tmp_path, content)
    assert (image.name, image.width, image.height, told) == ("a.jpg", 160, 120, [])
    assert image.boxes == (BoxRecord(Box(10, 20, 40, 60), "deer", 0.75, Source.AUTO, 0.0, "fitted"),)


@pytest.mark.parametrize(
    "content",
    [
        "filename,width,height,xmin,ymin,xmax,ymax,label\na.jpg,160,120,10,20,40,60,deer\n",
        '"image","width","height","xmin","ymin","xmax","ymax","label"\n"a.jpg",160,120,10,20,40,60,"deer"\n',
        "Image Path,Image Width,Image Height,X1,Y1,X2,Y2,Class Name\na.jpg,160,120,10,20,40,60,deer\n",
        "image_id,width,height,bbox,category\na.jpg,160,120,\"[10.0, 20.0, 30.0, 40.0]\",deer\n",
        "file,x,y,w,h,species,width,height\na.jpg,10,20,30,40,deer,160,120\n",
        "file,x_center,y_center,w,h,species,width,height\na.jpg,25,40,30,40,deer,160,120\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax,source,status\n"
        "a.jpg,160,120,deer,10,20,40,60,camera 1,done\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,160,120,deer,40,60,10,20\n",  # drawn back
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,160,120,deer,.0625,.166666667,.25,.5\n",
        "a.jpg,160,120,deer,10,20,40,60\n",
        "deer,10,20,30,40,a.jpg,160,120\n",  # makesense.ai
    ],
)  # fmt: skip
def test_columns_of_other_tools_are_known(tmp_path: Path, content: str) -> None:
    image, told = read(tmp_path, content)
    box = image.boxes[0].box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((10, 20, 40, 60))
    assert (image.name, image.width, image.boxes[0].label, told) == ("a.jpg", 160, "deer", [])
    assert (image.status, image.boxes[0].source) == (Status.UNSEEN, Source.AUTO)


@pytest.mark.parametrize(
    "content",
    [
        "/data/sub/a.jpg,10,20,40,60,deer\n",  # RetinaNet
        "../a.jpg,deer,10,20,40,60\n",
        "C:/a.jpg\t10\t20\t40\t60\tdeer\n",
        "b.jpg,,,,,\na.jpg,10,20,40,60,deer\n",
    ],
)
def test_a_file_without_a_first_line_is_read_by_its_cells(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    options = ReadOptions()
    *_, image = read_truth(tmp_path / "x.csv", options)
    assert image.boxes == DEER.boxes
    assert image.name.endswith("a.jpg")
    assert not options.told.sentences()


def test_a_class_that_is_a_number_stays_one(tmp_path: Path) -> None:
    image, _ = read(tmp_path, "a.jpg,10,20,40,60,3\n")
    assert [(one.label, one.box) for one in image.boxes] == [("3", Box(10, 20, 40, 60))]


def test_a_spreadsheets_own_encoding_is_read_and_told(tmp_path: Path) -> None:
    content = "filename;class;xmin;ymin;xmax;ymax\nMäuse.jpg;Füchse;1;2;3;4\n".encode("cp1252")
    image, told = read(tmp_path, content)
    assert (image.name, image.boxes[0].label) == ("Mäuse.jpg", "Füchse")
    assert told == ["x.csv is not in UTF-8, and was read as Windows-1252."]


def test_a_negative_of_retinanets_has_no_box(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a.jpg,10,20,40,60,deer\nb.jpg,,,,,\n")
    assert [len(image.boxes) for image in read_truth(tmp_path / "x.csv")] == [1, 0]


def test_shares_without_a_size_wait_for_one(tmp_path: Path) -> None:
    image, _ = read(
        tmp_path, "image\txmin\tymin\txmax\tymax\tlabel\na.jpg\t0,1\t0,2\t0,4\t0,6\tdeer\n", "x.tsv"
    )
    assert (image.shares, image.width) == (True, 0)
    box = image.in_pixels(100, 100).boxes[0].box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((10, 20, 40, 60))


def test_a_missing_class_is_told(tmp_path: Path) -> None:
    image, told = read(tmp_path, "filename,xmin,ymin,xmax,ymax\na.jpg,1,2,3,4\n")
    assert image.boxes[0].label == "object"
    assert told == ["Without a class in “x.csv”, imported as “object”: 1 box."]


def test_a_bad_row_costs_itself(tmp_path: Path) -> None:
    head = "filename,class,xmin,ymin,xmax,ymax\n"
    image, told = read(tmp_path, f"{head}a.jpg,deer,10,20,40,60\na.jpg,deer,x,2,3,4\na.jpg,deer,1\n")
    assert image.boxes == DEER.boxes
    assert told[0] == "2 boxes could not be read."
    assert told[1].startswith("Line 3 of “x.csv”")
    assert told[2].startswith("Line 4 of “x.csv”")


def test_a_table_of_something_else_names_the_columns_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"x\.csv has no column xmin, ymin, xmax, ymax"):
        read(tmp_path, "image,latitude,longitude\na.jpg,1,2\n")
