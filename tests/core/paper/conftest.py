"""A drawn Tiny ImageNet of a few images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.formats import tiny_imagenet


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny")
    draw_tree(root)
    return root


def draw_tree(root: Path) -> None:
    """Dog with boxes in val, and Bottle without: a bright square on noise."""
    rng = np.random.default_rng(0)
    rows = []
    for set_name, each in (("dog", 2), ("bottle", 4)):
        for wnid in tiny_imagenet.SETS[set_name]:
            folders = root / "train" / wnid / "images", root / "val" / "images"
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
            for i in range(each):
                _draw(rng, folders[0] / f"{wnid}_{i}.JPEG")
                x, y, side = _draw(rng, folders[1] / f"val_{len(rows)}.JPEG")
                ends = [x, y, x + side - 1, y + side - 1] if set_name == "dog" else []
                rows.append("\t".join(map(str, [f"val_{len(rows)}.JPEG", wnid, *ends])))
    (root / "val" / "val_annotations.txt").write_text("\n".join(rows) + "\n")


def _draw(rng: np.random.Generator, path: Path) -> tuple[int, int, int]:
    image = rng.integers(60, 120, (64, 64, 3), np.uint8)
    side = int(rng.integers(30, 56))
    x, y = rng.integers(0, 64 - side, 2).tolist()
    image[y : y + side, x : x + side] = (240, 200, 40)
    Image.fromarray(image).save(path, quality=95)
    return x, y, side
