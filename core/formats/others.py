"""What a file is called that is no box file of those read here, so that the person knows what they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from core.base.errors import FormatError
from core.base.language import mark, tr
from core.formats.files import wrong

_WANTED = mark("give a COCO, CSV or other box file, or a YOLO, VOC or labelme folder")

#: Files of class names, a class a line: labelImg's, darknet's and Roboflow's.
CLASS_FILES = {
    *("classes.txt", "obj.names", "labels.txt", "class_names.txt", "predefined_classes.txt", "names.txt"),
    *("_darknet.labels", "classes.names", "_classes.txt"),
}
# By the first bytes of a file.
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", mark("a ZIP archive or a spreadsheet (XLSX): unpack it, or save it as CSV")),
    (b"\x1f\x8b", mark("a packed archive (gzip): unpack it first")),
    (b"7z\xbc\xaf", mark("a packed archive (7z): unpack it first")),
    (b"Rar!", mark("a packed archive (RAR): unpack it first")),
    (b"SQLite format 3", mark("a database or a project; projects are opened, not imported")),
    (b"\xff\xd8\xff", mark("a photo (JPEG)")),
    (b"\x89PNG", mark("a picture (PNG)")),
    (b"%PDF", mark("a PDF document")),
    (b"PAR1", mark("a Parquet table: save it as CSV")),
    (b"\x89HDF", mark("an HDF5 or MATLAB file: save its boxes as CSV")),
    (b"MATLAB 5.0", mark("a MATLAB file: save its boxes as CSV")),
    (b"\x93NUMPY", mark("a NumPy array: save it as CSV")),
    (b"\x80\x04\x95", mark("a pickle, which can run programs and is never read: save its boxes as CSV")),
    (b"\xd0\xcf\x11\xe0", mark("an old spreadsheet (XLS): save it as CSV")),
)
_ENDINGS = {
    ".tfrecord": mark("TensorFlow's records: export CSV or COCO in place of them"),
    ".record": mark("TensorFlow's records: export CSV or COCO in place of them"),
    ".pkl": mark("a pickle, which can run programs and is never read: save its boxes as CSV"),
    ".boxscout": mark("a project; projects are opened, not imported"),
    ".jsonl": mark("JSON lines, which are not read: export COCO or CSV"),
    ".npz": mark("a NumPy array: save it as CSV"),
    ".mat": mark("a MATLAB file: save its boxes as CSV"),
    ".pbtxt": mark("a list of classes of TensorFlow's, and holds no boxes"),
    ".names": mark("a list of classes, and holds no boxes: give its folder"),
    **dict.fromkeys(
        (".pt", ".pth", ".onnx", ".weights", ".h5"), mark("a trained network, and holds no boxes")
    ),
    ".ndjson": mark("JSON lines, which are not read: export COCO or CSV"),
}


def _has(*keys: str) -> Callable[[dict[str, Any]], bool]:
    return lambda content: all(key in content for key in keys)


# By the keys at the top of a JSON file.
_OBJECTS: tuple[tuple[Callable[[dict[str, Any]], bool], str], ...] = (
    (lambda c: c.get("type") in ("FeatureCollection", "Feature", "Topology"), mark("a map (GeoJSON)")),
    (_has("photoTakenTime"), mark("a photo's data by Google Takeout")),
    (_has("cells", "nbformat"), mark("a Jupyter notebook")),
    (_has("assets", "tags"), mark("a project of VoTT: export CSV or Pascal VOC from it")),
    (_has("asset", "regions"), mark("a file of VoTT: export CSV or Pascal VOC from it")),
    (_has("objects", "size"), mark("Supervisely's JSON: export COCO from it")),
    (_has("objects", "imgHeight"), mark("a Cityscapes file: convert it to COCO")),
    (_has("item", "annotations"), mark("Darwin's JSON (V7): export COCO from it")),
    (_has("categories", "items"), mark("Datumaro's JSON: export COCO from it")),
    (_has("dependencies"), mark("a package's settings")),
)
_ROOTS = {
    "kml": mark("a map (KML)"),
    "svg": mark("a drawing (SVG)"),
    "html": mark("a web page (HTML)"),
    "project": mark("a project's settings"),
    "xmpmeta": mark("a photo's settings (XMP)"),
    "pascalvoc": mark("a project's settings"),
    "dataset": mark("a data set of dlib's (imglab): convert it to VOC or COCO"),
}


def by_content(content: Any, file: Path) -> FormatError:
    """The sentence on a JSON or XML file that no reader knows."""
    if isinstance(content, Element):
        known = _ROOTS.get(str(content.tag))
        if known is None:
            what = tr("{name} is no box file: it starts with <{root}>; {wanted}.")
            return wrong(what, file, root=str(content.tag)[:40], wanted=tr(_WANTED))
        return _called(file, known)
    if isinstance(content, dict):
        found = (known for fits, known in _OBJECTS if fits(content))
        if known := next(found, ""):
            return _called(file, known)
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict) and "labels" in first and "name" in first:
        return _called(file, mark("BDD100K's or Scalabel's JSON: convert it to COCO"))
    if isinstance(first, dict) and ("data_row" in first or "Labeled Data" in first):
        return _called(file, mark("Labelbox's JSON: export COCO from it"))
    return wrong(tr("{name} is no box file that this program reads; {wanted}."), file, wanted=tr(_WANTED))


def by_file(file: Path, start: bytes) -> FormatError | None:
    """The sentence on a file that is known by its ending or first bytes to be something else; None if not."""
    name = ".names" if file.name.lower() == "classes.txt" else file.suffix.lower()
    known = _ENDINGS.get(name) or next((what for mark_, what in _STARTS if start.startswith(mark_)), "")
    if not known and b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        known = mark("no text file, so that it holds no boxes")
    return _called(file, known) if known else None


def by_row(row: str) -> str:
    """What a line of a text file looks like that is no row of YOLO's; empty where nobody knows."""
    words = row.split()
    numbers = [_is_number(word) for word in words]
    if len(words) >= 15 and not numbers[0] and all(numbers[1:15]):
        return tr("it is a row of KITTI's; convert it to YOLO or VOC")
    if len(words) in (9, 10) and all(numbers[:8]) and not numbers[8]:
        return tr("it is a row of DOTA's; convert it to YOLO or VOC")
    return ""


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _called(file: Path, known: str) -> FormatError:
    return wrong(tr("{name} is {what}."), file, what=tr(known))
