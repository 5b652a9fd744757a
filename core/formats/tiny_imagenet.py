"""Tiny ImageNet: 64 x 64 photos, one box each, 200 classes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import tr
from core.formats.common import Format
from core.formats.files import read_text, wrong
from core.formats.names import checked_name
from core.images.scan import SUFFIXES, natural_key

SIDE = 64
SPLITS = ("train", "val")
VAL_FILE = "val_annotations.txt"

# The six sets of Choe, Park and Shim 2018, section 4.
SETS: Mapping[str, tuple[str, ...]] = {
    "artiodactyla": ("n02410509", "n02403003", "n02415577", "n02423022", "n02437312"),
    "bottle": ("n03983396", "n02823428"),
    "bird": ("n02058221", "n02002724", "n01855672"),
    "cat": ("n02123045", "n02123394", "n02124075", "n02125311"),
    "dog": ("n02113799", "n02094433", "n02099601", "n02099712", "n02106662", "n02085620"),
    "vehicle": (
        *("n03100240", "n04146614", "n04487081", "n04285008"),
        *("n03977966", "n03796401", "n03670208", "n02814533"),
    ),
}


def is_tiny_imagenet(path: Path) -> bool:
    """Whether a folder is laid out as Tiny ImageNet, with ``train``, ``val`` or both."""
    return _val_file(path).is_file() or any(True for _ in _train_files(path))


def read(path: Path, *, wnids: Collection[str] | None = None, split: str | None = None) -> list[ImageBoxes]:
    """The true boxes of a Tiny ImageNet folder, train before val.

    Parameters
    ----------
    path
        The folder that holds ``train`` and ``val``.
    wnids
        Only these classes, for instance ``SETS["dog"]``.
    split
        Only ``"train"`` or ``"val"``.

    Returns
    -------
    list of ImageBoxes
        Named like ``train/n02113799/images/n02113799_0.JPEG`` and ``val/images/val_7.JPEG``, labelled by
        class id. The files' ends 0..63 are inclusive, so 1 is added to make them half-open. Rows without
        a box and degenerate boxes are no truth; their images are left out.

    Raises
    ------
    FormatError
        The folder is not laid out so, or a row is damaged.
    """
    path = Path(path)
    _check_split(split)
    if not is_tiny_imagenet(path):
        raise wrong(tr("{name} is no Tiny ImageNet folder: it has no true boxes for train or val."), path)
    found: list[ImageBoxes] = []
    if split != "val":
        found += _read_train(path, wnids)
    if split != "train" and _val_file(path).is_file():
        found += _read_val(path, wnids)
    return found


def val_classes(val: Path) -> dict[str, str]:
    """The class id of each image of a ``val`` folder, with or without a box, by the name of its file.

    Empty where the folder has no ``val_annotations.txt``; FormatError where that cannot be read.
    """
    file = val / VAL_FILE
    if not file.is_file():
        return {}
    return {name: rest[0] for name, *rest in _rows(file) if rest}


def images_of(root: Path, set_name: str, split: str | None = None) -> list[Path]:
    """The image files of one co-localization set, train before val; no boxes are needed.

    Parameters
    ----------
    root
        The folder that holds ``train`` and ``val``.
    set_name
        A name in :data:`SETS`.
    split
        Only ``"train"`` (each class's folder) or ``"val"`` (``val_annotations.txt`` names the class); None
        for train and, where the folder has it, val.

    Raises
    ------
    FormatError
        The name or split is unknown, or the folder lacks a class of the set.
    """
    root = Path(root)
    if set_name not in SETS:
        raise FormatError(
            tr("There is no set {set_name!r}; the sets are {names}.").format(
                set_name=set_name, names=", ".join(SETS)
            )
        )
    _check_split(split)
    found: list[Path] = []
    if split != "val":
        for wnid in SETS[set_name]:
            found += _class_images(root, wnid, set_name)
    if split == "val" or (split is None and _val_file(root).is_file()):
        found += _val_images(root, set_name)
    return found


def _class_images(root: Path, wnid: str, set_name: str) -> list[Path]:
    folder = root / "train" / wnid / "images"
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES]
    except OSError:
        files = []
    if not files:
        raise wrong(
            tr("{name} has no images of the set “{set_name}”: train/{wnid}/images is missing or empty."),
            root,
            set_name=set_name,
            wnid=wnid,
        )
    return sorted(files, key=lambda file: natural_key(file.name))


def _val_images(root: Path, set_name: str) -> list[Path]:
    file = _val_file(root)
    wnids = SETS[set_name]
    names = [checked_name(name, file) for name, wnid in val_classes(root / "val").items() if wnid in wnids]
    found = [path for name in names if (path := root / "val" / "images" / name).is_file()]
    if not found:
        raise wrong(tr("{name} has no val images of the set “{set_name}”."), root, set_name=set_name)
    return sorted(found, key=lambda path: natural_key(path.name))


def _check_split(split: str | None) -> None:
    if split is not None and split not in SPLITS:
        raise FormatError(
            tr("Tiny ImageNet has the splits {names}, not {split!r}.").format(
                names=tr(" and ").join(SPLITS), split=split
            )
        )


def _val_file(path: Path) -> Path:
    return path / "val" / VAL_FILE


def _train_files(path: Path) -> Iterator[Path]:
    return path.glob("train/*/*_boxes.txt")


def _read_train(path: Path, wnids: Collection[str] | None) -> Iterator[ImageBoxes]:
    for file in sorted(_train_files(path)):
        wnid = file.parent.name
        if wnids is None or wnid in wnids:
            for name, *ends in _rows(file):
                yield from _image(f"train/{wnid}/images/{checked_name(name, file)}", wnid, ends, file)


def _read_val(path: Path, wnids: Collection[str] | None) -> Iterator[ImageBoxes]:
    file = _val_file(path)
    for name, *rest in _rows(file):
        if not rest:
            raise wrong(tr("{name} has a row without a class: {other!r}."), file, other=name[:80])
        wnid, *ends = rest
        if wnids is None or wnid in wnids:
            yield from _image(f"val/images/{checked_name(name, file)}", wnid, ends, file)


def _rows(file: Path) -> list[list[str]]:
    text = read_text(file)
    return [row.split("\t") for row in text.splitlines() if row.strip()]


def _image(name: str, wnid: str, ends: list[str], file: Path) -> Iterator[ImageBoxes]:
    if not ends:
        return
    try:
        x0, y0, x1, y1 = (int(end) for end in ends)
    except ValueError as error:
        raise wrong(
            tr("{name} has a box that is not four numbers, for {other!r}."), file, other=name
        ) from error
    if x1 <= x0 or y1 <= y0:
        return
    box = Box(x0, y0, x1 + 1, y1 + 1).clamped(SIDE, SIDE)
    if not box.area:  # it lies beside the image
        return
    yield ImageBoxes(name, SIDE, SIDE, (BoxRecord(box, label=wnid),))


FORMAT = Format(
    name="tiny-imagenet",
    title="Tiny ImageNet",
    suffix="",
    layout=is_tiny_imagenet,
    read_layout=lambda path, options: read(path),
)
