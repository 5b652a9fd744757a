"""A box whose class has no name is exported to YOLO as one of the default class."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Source
from core.base.geometry import Box
from core.formats import FORMATS
from core.formats.common import WriteOptions
from core.formats.reading import read_truth


def test_it_is_read_back(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    box = BoxRecord(Box(5, 5, 20, 25), label="", score=None, source=Source.EDITED)
    out = tmp_path / "set"
    options = WriteOptions(sources={"a.png": tmp_path / "a.png"})
    FORMATS["yolo"].write([ImageBoxes("a.png", 40, 30, (box,))], out, options)
    [read] = read_truth(out)
    assert [one.label for one in read.boxes] == [DEFAULT_LABEL]
