"""What the loaders of others make of our exports. It runs in the environment that ``check.py`` makes.

    python loaders.py NAME FOLDER

``FOLDER`` is what ``check.py`` has laid out. Printed is JSON: the library's version, and for each image, by
its path below the folder of photos, its boxes as [class, x0, y0, x1, y1] in pixels.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Found = dict[str, list[list[Any]]]


def from_sides(x: float, y: float, width: float, height: float) -> list[float]:
    return [x, y, x + width, y + height]


def name_of(path: str, folder: Path) -> str:
    return Path(path).resolve().relative_to(folder.resolve()).as_posix()


def pycocotools_coco(folder: Path) -> Found:
    from pycocotools.coco import COCO

    return of_coco(COCO(str(folder / "boxes.json")))


def fiftyone_coco(folder: Path) -> Found:
    """Its importer, with a data base in memory in place of the MongoDB that it would download."""
    import mongomock
    import pymongo

    setattr(pymongo, "MongoClient", mongomock.MongoClient)  # noqa: B010 - before fiftyone takes it
    from fiftyone.utils.coco import COCODetectionDatasetImporter

    found: Found = {}
    with COCODetectionDatasetImporter(str(folder / "fiftyone"), label_types="detections") as images:
        for path, size, own in images:
            found[name_of(path, folder / "fiftyone" / "data")] = (
                [[one.label, *in_pixels(one.bounding_box, size.width, size.height)] for one in own.detections]
                if own
                else []
            )
    return found


def in_pixels(box: Any, width: int, height: int) -> list[float]:
    x, y, across, down = box
    return from_sides(x * width, y * height, across * width, down * height)


def of_coco(coco: Any) -> Found:
    found: Found = {}
    for number, image in coco.imgs.items():
        own = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        names = [coco.loadCats(one["category_id"])[0]["name"] for one in own]
        found[image["file_name"]] = [
            [name, *from_sides(*one["bbox"])] for name, one in zip(names, own, strict=True)
        ]
    return found


def torchvision_coco(folder: Path) -> Found:
    from torchvision.datasets import CocoDetection

    data = CocoDetection(str(folder / "photos"), str(folder / "boxes.json"))
    found: Found = {}
    for index, number in enumerate(data.ids):
        picture, own = data[index]
        entry = data.coco.loadImgs(number)[0]
        assert picture.size == (entry["width"], entry["height"]), entry
        names = [data.coco.loadCats(one["category_id"])[0]["name"] for one in own]
        found[entry["file_name"]] = [
            [name, *from_sides(*one["bbox"])] for name, one in zip(names, own, strict=True)
        ]
    return found


def torchvision_voc(folder: Path) -> Found:
    from torchvision.datasets import VOCDetection

    data = VOCDetection(str(folder / "voc-root"), year="2012", image_set="trainval", download=False)
    found: Found = {}
    for index in range(len(data)):
        picture, target = data[index]
        entry = target["annotation"]
        assert picture.size == (int(entry["size"]["width"]), int(entry["size"]["height"])), entry
        sides = ("xmin", "ymin", "xmax", "ymax")
        objects = entry.get("object", [])
        boxes = [[one["name"], *(float(one["bndbox"][side]) for side in sides)] for one in objects]
        found[name_of(data.images[index], folder / "voc-root/VOCdevkit/VOC2012/JPEGImages")] = boxes
    return found


def ultralytics_yolo(folder: Path) -> Found:
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(folder / "yolo" / "data.yaml"), autodownload=False)
    found: Found = {}
    for part in ("train", "val"):
        images = YOLODataset(img_path=data[part], data=data, task="detect", augment=False, rect=False)
        for one in images.labels:
            height, width = one["shape"]
            rows = zip(one["cls"].ravel(), one["bboxes"], strict=True)
            found[name_of(one["im_file"], folder / "yolo" / "images" / part)] = [
                [data["names"][int(number)], *from_centre(box, width, height)] for number, box in rows
            ]
    return found


def from_centre(box: Any, width: int, height: int) -> list[float]:
    x, y, across, down = (float(value) for value in box)
    sides = (x - across / 2, y - down / 2, x + across / 2, y + down / 2)
    return [side * whole for side, whole in zip(sides, (width, height) * 2, strict=True)]


def supervision_coco(folder: Path) -> Found:
    import supervision

    return of_supervision(
        supervision.DetectionDataset.from_coco(str(folder / "photos"), str(folder / "boxes.json")),
        folder / "photos",
    )


def supervision_yolo(folder: Path) -> Found:
    import supervision

    found: Found = {}
    for part in ("train", "val"):
        images = folder / "yolo-flat" / "images" / part
        data = supervision.DetectionDataset.from_yolo(
            str(images), str(folder / "yolo-flat" / "labels" / part), str(folder / "yolo-flat" / "data.yaml")
        )
        found |= of_supervision(data, images)
    originals = json.loads((folder / "yolo-flat" / "original-names.json").read_text(encoding="utf-8"))
    by_name = {Path(place).name: name for place, name in originals.items()}
    return {by_name.get(name, name): boxes for name, boxes in found.items()}


def supervision_voc(folder: Path) -> Found:
    import supervision

    top = folder / "voc-root-one-based/VOCdevkit/VOC2012"
    data = supervision.DetectionDataset.from_pascal_voc(str(top / "JPEGImages"), str(top / "Annotations"))
    return of_supervision(data, top / "JPEGImages")


def of_supervision(data: Any, photos: Path) -> Found:
    found: Found = {}
    for path, _, detections in data:
        rows = zip(detections.class_id, detections.xyxy, strict=True)
        found[name_of(path, photos)] = [
            [data.classes[int(number)], *(float(side) for side in box)] for number, box in rows
        ]
    return found


def datasets_imagefolder(folder: Path) -> Found:
    from datasets import load_dataset

    data = load_dataset("imagefolder", data_dir=str(folder / "imagefolder"))
    assert set(data) == {"train", "validation"}, set(data)
    found: Found = {}
    for part in data.values():
        for row in part:
            assert row["image"].size == (row["width"], row["height"]), row
            own = zip(row["objects"]["names"], row["objects"]["bbox"], strict=True)
            found[row["original_name"]] = [[name, *from_sides(*box)] for name, box in own]
    return found


#: By name: the format, the library, what of it reads, and the function here.
LOADERS: dict[str, tuple[str, str, str, Callable[[Path], Found]]] = {
    "pycocotools": ("coco", "pycocotools", "COCO", pycocotools_coco),
    "torchvision-coco": ("coco", "torchvision", "CocoDetection", torchvision_coco),
    "supervision-coco": ("coco", "supervision", "DetectionDataset.from_coco", supervision_coco),
    "ultralytics": ("yolo", "ultralytics", "YOLODataset", ultralytics_yolo),
    "supervision-yolo": ("yolo", "supervision", "DetectionDataset.from_yolo (flat)", supervision_yolo),
    "torchvision-voc": ("voc", "torchvision", "VOCDetection", torchvision_voc),
    "supervision-voc": (
        "voc",
        "supervision",
        "DetectionDataset.from_pascal_voc (one-based)",
        supervision_voc,
    ),
    "datasets": ("imagefolder", "datasets", 'load_dataset("imagefolder")', datasets_imagefolder),
    "fiftyone": ("fiftyone", "fiftyone", "COCODetectionDatasetImporter", fiftyone_coco),
}


def without_compiled_operators() -> None:
    """Let torchvision be imported beside another build of torch: its data sets need none of its operators."""
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    globals()["_kept"] = library  # an operator goes with its library


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    for variable in ("HF_HOME", "HF_DATASETS_CACHE", "YOLO_CONFIG_DIR"):
        os.environ[variable] = str(folder / "cache")
    os.environ |= {"FIFTYONE_DATABASE_URI": "mongodb://localhost", "FIFTYONE_DO_NOT_TRACK": "1"}
    os.environ |= {"HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "True", "YOLO_VERBOSE": "False"}
    _, library, _, load = LOADERS[name]
    if library in ("torchvision", "ultralytics"):
        without_compiled_operators()
    found = load(folder)
    print("\n" + json.dumps({"version": importlib.metadata.version(library), "images": found}))


if __name__ == "__main__":
    main()
