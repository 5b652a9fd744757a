"""What tests share of drawn images: some that show nothing of what the sample's photos share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.images.scenes import draw_scene


def draw_empty(folder: Path, count: int) -> list[str]:
    """The sample's backgrounds without a beetle, into ``folder``; their names."""
    names = [f"empty {i + 1}.png" for i in range(count)]
    for i, name in enumerate(names):
        scene = draw_scene(np.random.default_rng((77, i)), 128, 128)
        Image.fromarray(np.clip(np.rint(scene), 0, 255).astype(np.uint8)).save(folder / name)
    return names
