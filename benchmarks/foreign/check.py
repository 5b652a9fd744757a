"""Whether the loaders of others read our exports: each one runs on drawn photos, and its boxes are compared.

    python3 benchmarks/foreign/check.py --env FOLDER [--work FOLDER] [--json FILE]

``FOLDER`` gets an environment of its own, outside the checkout, that sees the libraries of this one:
ultralytics and torchvision bring other builds of OpenCV and torch. It is made where there is none, with pip,
and used again. torch itself is taken from here; torchvision's own operators may then not load, and no loader
needs them.

The photos lie in subfolders, one has an awkward name, one has no box and one has two of different classes.
Printed is a table, which stands in the guide; exit code 1 where a loader fails or finds other boxes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from loaders import LOADERS

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.atomic import write_atomically
from core.formats import FORMATS, Selection, WriteOptions, export
from core.formats.reading import read_truth
from core.images.sample import draw_sample

PACKAGES = ("ultralytics", "torchvision", "datasets", "supervision", "pycocotools", "fiftyone", "mongomock")
COUNT = 12
#: Pixels by which a loader's box may differ: VOC holds whole ones, the others what a float32 leaves.
WITHIN = {"voc": 0.5 + 1e-6}
EXACT = 1e-2
#: These look at the top folder alone, and are judged by its images.
TOP_ALONE = {"supervision-voc"}
AWKWARD = {"beetle-002.jpg": "Köln & co/a b.jpg", "beetle-003.jpg": "test/beetle-003.jpg"}


def environment(folder: Path) -> Path:
    """The Python of the environment at ``folder``, made where there is none."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (folder / "complete").exists():
        import torch

        venv.create(folder, clear=True)
        libraries = sorted({path for path in sys.path if Path(path).name == "site-packages"})
        packages = next(folder.rglob("site-packages"))
        (packages / "libraries.pth").write_text("\n".join(libraries), encoding="utf-8")
        # FiftyOne's data base is a program of its own that would be downloaded; a data base in memory does.
        without = packages / "fiftyone_db-1.4.1.dist-info"
        without.mkdir()
        (without / "METADATA").write_text("Metadata-Version: 2.1\nName: fiftyone-db\nVersion: 1.4.1\n")
        same = f"torch=={torch.__version__.partition('+')[0]}"
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        subprocess.run([*command, *PACKAGES, same], check=True)
        (folder / "complete").touch()
    return python


def drawn(folder: Path) -> tuple[list[ImageBoxes], dict[str, Path]]:
    """Images with their true boxes, and where each lies, below ``folder/photos``."""
    truth = draw_sample(folder / "drawn", count=COUNT, seed=5)
    images, files = [], {}
    for number, image in enumerate(read_truth(truth)):
        old = Path(image.name).name
        name = AWKWARD.get(old, f"photos of may/{old}" if number % 3 == 0 else old)
        target = folder / "photos" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "drawn" / "images" / old, target)
        (box,) = (record.box for record in image.boxes)
        boxes = [BoxRecord(box, "beetle", 0.5 + number / 40)]
        if number == 4:
            boxes.append(BoxRecord(box.clamped(box.x1 - 3.25, box.y1 - 3.25), "half a beetle", 0.25))
        images.append(ImageBoxes(name, image.width, image.height, () if number == 6 else tuple(boxes)))
        files[name] = target
    return images, files


def lay_out(folder: Path, images: list[ImageBoxes], files: dict[str, Path]) -> None:
    """Every export, those that split with a quarter of the images for validation."""

    def write(name: str, place: str, **own: bool) -> None:
        selection = Selection(val_share=0.25 if FORMATS[name].splits else 0.0)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        options = WriteOptions(sources=files, **own)  # type: ignore[arg-type]
        export(images, folder / place, format=FORMATS[name], selection=selection, options=options)

    write("coco", "boxes.json")
    write("yolo", "yolo")
    write("yolo", "yolo-flat", flat=True)
    write("imagefolder", "imagefolder")
    write("fiftyone", "fiftyone")
    for one_based in (False, True):
        place = "voc-root-one-based" if one_based else "voc-root"
        write("voc", f"{place}/VOCdevkit/VOC2012/Annotations", one_based=one_based)
        complete_voc(folder / place / "VOCdevkit" / "VOC2012", folder / "photos", images)


def complete_voc(top: Path, photos: Path, images: list[ImageBoxes]) -> None:
    """The folders of the original beside the annotations; its loaders look for .jpg alone."""
    for image in images:
        target = (top / "JPEGImages" / image.name).with_suffix(".jpg")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / image.name, target)
    (top / "ImageSets" / "Main").mkdir(parents=True)
    names = "".join(f"{stem(image.name)}\n" for image in images)
    (top / "ImageSets" / "Main" / "trainval.txt").write_text(names, encoding="utf-8")


def load(python: Path, name: str, folder: Path) -> dict[str, Any]:
    script = str(Path(__file__).with_name("loaders.py"))
    done = subprocess.run(
        [str(python), script, name, str(folder)], capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode != 0:
        return {"version": "", "images": None, "error": done.stderr.strip().splitlines()[-1:]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def compared(name: str, answer: dict[str, Any], images: Iterable[ImageBoxes]) -> dict[str, Any]:
    """One row of the table: how many boxes the loader gave, and how far the farthest side is off."""
    format, library, reader, _ = LOADERS[name]
    row = {"format": format, "library": library, "reader": reader, "version": answer["version"]}
    if answer["images"] is None:
        return {**row, "images": 0, "boxes": 0, "off": None, "fits": False, "error": answer["error"]}
    found = {stem(one): boxes for one, boxes in answer["images"].items()}
    images = [image for image in images if name not in TOP_ALONE or "/" not in image.name]
    off, fits = 0.0, len(found) == len(images)
    for image in images:
        boxes = found.get(stem(image.name))
        if boxes is None or [box[0] for box in boxes] != [record.label for record in image.boxes]:
            fits = False
            continue
        pairs = zip(boxes, image.boxes, strict=True)
        sides = [(a, b) for box, record in pairs for a, b in zip(box[1:], record.box.sides, strict=True)]
        off = max([off, *(abs(a - b) for a, b in sides)])
    fits &= off <= WITHIN.get(format, EXACT)
    return {**row, "images": len(found), "boxes": sum(map(len, found.values())), "off": off, "fits": fits}


def stem(name: str) -> str:
    return name.rpartition(".")[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", type=Path, required=True)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    python = environment(given.env.absolute())
    work = given.work or Path(tempfile.mkdtemp(prefix="boxscout-foreign-"))
    images, files = drawn(work)
    lay_out(work, images, files)
    rows = [compared(name, load(python, name, work), images) for name in LOADERS]
    if given.json:
        write_atomically(given.json, (json.dumps(rows, indent=1) + "\n").encode())
    print("| Format | Read by | Images | Boxes | Farthest side off (pixels) |\n|---|---|---|---|---|")
    for row in rows:
        off = "**failed**" if not row["fits"] else f"{row['off']:.2g}"
        what = f"{row['library']} {row['version']}, `{row['reader']}`"
        print(f"| {row['format']} | {what} | {row['images']} | {row['boxes']} | {off} |")
        if "error" in row:
            print("   ", *row["error"], file=sys.stderr)
    return 0 if all(row["fits"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
