"""The program's own sample: photos of nothing real, each with one beetle whose place is known.

The beetle lies anywhere but never leaves the image, in any pose and size, on six kinds of background.
Neither the whole image nor a centred box comes near it, so that what finds it has looked.
"""

from __future__ import annotations

import colorsys
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from core.base.atomic import os_errors, write_atomically
from core.base.errors import BoxscoutError
from core.base.geometry import Box
from core.base.language import tr
from core.images.scenes import draw_scene

TRUTH_NAME = "truth.json"
LABEL = "beetle"
ASPECTS = (
    (1.0, 1.0),
    (1.25, 0.9375),
    (0.9375, 1.25),
)  # of width and height to ``size``: 128, 160x120, 120x160
SUPERSAMPLING = 4
_TRIAL = 64.0  # length in fine pixels at which a pose's extent is found out
SMALLEST, LARGEST = 0.34, 0.68  # the beetle's longest side, of the image's shorter side


def draw_sample(out: str | os.PathLike[str], *, count: int = 400, size: int = 128, seed: int = 0) -> Path:
    """Draw ``count`` images of about ``size`` pixels into ``out`` and return the path of their truth.

    The same ``seed`` draws the same images on any day; the first ones do not depend on ``count``. Every
    tenth image is a PNG, the others are JPEG files. The truth is a COCO file.

    Raises
    ------
    BoxscoutError
        The folder cannot be written.
    """
    out = Path(out)
    images, annotations = [], []
    with os_errors(BoxscoutError, tr("The sample cannot be drawn into {out}: {reason}."), out=out):
        folder = out / "images"
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            pixels, box = draw_image(seed=seed, index=index, size=size)
            name = f"images/beetle-{index + 1:03d}.{'png' if index % 10 == 9 else 'jpg'}"
            Image.fromarray(pixels).save(out / name, quality=92)
            height, width = pixels.shape[:2]
            images.append({"id": index + 1, "file_name": name, "width": width, "height": height})
            annotations.append(_annotation(index + 1, box))
        truth = {
            "info": {"description": "Drawn by Boxscout", "version": "1"},
            "licenses": [],
            "images": images,
            "annotations": annotations,
            "categories": [{"id": 1, "name": LABEL, "supercategory": ""}],
        }
        write_atomically(out / TRUTH_NAME, json.dumps(truth, allow_nan=False, indent=1).encode())
    return out / TRUTH_NAME


def draw_sample_once(folder: Path) -> None:
    """:func:`draw_sample` into ``folder`` where it is not there yet, whole or not at all."""
    if folder.is_dir():
        return
    # Under another name first: a half-drawn sample would be taken for the whole one next time.
    partial = folder.with_name(f"{folder.name}.partial")
    draw_sample(partial)
    partial.rename(folder)


def draw_image(*, seed: int, index: int, size: int) -> tuple[npt.NDArray[np.uint8], Box]:
    """One image, uint8 RGB (H,W,3), and the tight half-open box, in pixels, of its beetle."""
    rng = np.random.default_rng((seed, index))
    across, down = ASPECTS[int(rng.integers(len(ASPECTS)))]
    width, height = round(size * across), round(size * down)
    scene = draw_scene(rng, width, height)
    colour, alpha, box = _placed_beetle(rng, width, height)
    shifted = np.roll(alpha, (round(size / 40), round(size / 50)), axis=(0, 1))
    shadow = cv2.GaussianBlur(shifted, (0, 0), size / 45)
    scene *= 1 - 0.5 * shadow[..., None]
    image = scene * (1 - alpha[..., None]) + colour * alpha[..., None]
    image = cv2.GaussianBlur(
        image, (0, 0), size / 300
    )  # a lens, so that the beetle is not cut out with scissors
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), box


def _annotation(number: int, box: Box) -> dict[str, object]:
    return {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "bbox": [box.x0, box.y0, box.width, box.height],
        "area": box.area,
        "iscrowd": 0,
        "segmentation": [],
    }


def _placed_beetle(
    rng: np.random.Generator, width: int, height: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], Box]:
    """The beetle's colours (H,W,3) and coverage 0..1 (H,W) in the image, and its box."""
    s = SUPERSAMPLING
    sprite = _Sprite(rng, longest=float(rng.uniform(SMALLEST, LARGEST)) * min(width, height) * s)
    rows, columns = sprite.mask.shape
    # Anywhere on the fine grid, a margin of one pixel kept; the ends are as likely as the middle.
    x = int(rng.integers(s, max(s + 1, width * s - columns - s)))
    y = int(rng.integers(s, max(s + 1, height * s - rows - s)))
    across, down = -(-(x % s + columns) // s), -(-(y % s + rows) // s)  # whole pixels that it touches
    inside = np.s_[y % s : y % s + rows, x % s : x % s + columns]
    fine = np.zeros((down * s, across * s, 4), np.float32)
    fine[inside] = np.dstack([sprite.colour * sprite.mask[..., None], sprite.mask])
    coarse = cv2.resize(fine, (across, down), interpolation=cv2.INTER_AREA)
    placed = np.zeros((height, width, 4), np.float32)
    placed[y // s : y // s + down, x // s : x // s + across] = coarse
    alpha = placed[..., 3]
    # The colours were averaged together with their coverage, so that the rim does not darken.
    colour = (placed[..., :3] / np.maximum(alpha, 1e-3)[..., None]).astype(np.float32)
    return colour, alpha, Box(x / s, y / s, (x + columns) / s, (y + rows) / s)


@dataclass(frozen=True, slots=True)
class _Pose:
    """Where the beetle's own coordinates (head up, length 1) come to lie on the canvas."""

    angle: float
    scale: float
    squash: float  # its width: seen from above, or a little from the side

    def __call__(self, points: npt.ArrayLike) -> npt.NDArray[np.int32]:
        p = np.asarray(points, np.float64) * (self.squash, 1.0)
        c, s = np.cos(self.angle), np.sin(self.angle)
        turned = p @ np.array([[c, s], [-s, c]])
        placed: npt.NDArray[np.int32] = np.rint((turned + 0.8) * self.scale * 16).astype(np.int32)
        return placed


class _Sprite:
    """One beetle, cut to its tight rectangle: ``colour`` (h,w,3) 0..255 and ``mask`` (h,w) 0 or 1."""

    colour: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]

    def __init__(self, rng: np.random.Generator, *, longest: float) -> None:
        pose = _Pose(float(rng.uniform(0, 2 * np.pi)), _TRIAL, float(rng.uniform(0.82, 1.08)))
        # Two rounds, the first one small: how large a pose comes out is known only when it is drawn.
        state = rng.bit_generator.state
        self._draw(rng, _Pose(pose.angle, _TRIAL, pose.squash))
        drawn = max(float(np.ptp(side)) + 1 for side in np.nonzero(self.mask))
        rng.bit_generator.state = state
        self._draw(rng, _Pose(pose.angle, longest * _TRIAL / drawn, pose.squash))
        rows, columns = np.nonzero(self.mask)
        part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        self.colour, self.mask = self.colour[part], self.mask[part]

    def _draw(self, rng: np.random.Generator, pose: _Pose) -> None:
        side = int(1.6 * pose.scale) + 2
        self.pose = pose
        self.colour = np.zeros((side, side, 3), np.float32)
        self.mask = np.zeros((side, side), np.float32)
        dark = tuple(float(v) for v in rng.uniform(18, 44, 3))
        shell = _warm(rng)
        self._limbs(rng, dark)
        self._fill(_oval(0, -0.37, 0.125, 0.10), tuple(v * 1.3 for v in dark))
        for side_sign in (-1, 1):
            self._fill(_oval(0.085 * side_sign, -0.415, 0.035, 0.035), (238, 232, 214))
            self._fill(_oval(0.09 * side_sign, -0.425, 0.018, 0.018), (16, 16, 18))
        self._domed(_oval(0, -0.235, 0.215, 0.125), tuple(v * 1.9 for v in dark))
        self._domed(_oval(0, 0.10, 0.30, 0.375), shell)
        self._pattern(rng, dark, shell)
        self._shine(_oval(-0.12, -0.06, 0.05, 0.11), 0.55)

    def _limbs(self, rng: np.random.Generator, dark: Sequence[float]) -> None:
        for sign in (-1, 1):
            for y, reach in ((-0.20, -0.17), (0.02, 0.03), (0.24, 0.24)):
                swing = rng.uniform(-0.05, 0.05)
                joints = [
                    (0.1 * sign, y),
                    (0.36 * sign, y + reach * 0.5 + swing),
                    (0.45 * sign, y + reach + swing * 2),
                ]
                self._stroke(joints, 0.042, dark)
            bend = rng.uniform(0.10, 0.20)
            self._stroke(
                [(0.05 * sign, -0.43), (bend * sign, -0.52), ((bend + 0.08) * sign, -0.56)], 0.026, dark
            )
            self._fill(_oval((bend + 0.08) * sign, -0.56, 0.03, 0.03), dark)

    def _pattern(self, rng: np.random.Generator, dark: Sequence[float], shell: Sequence[float]) -> None:
        if rng.uniform() < 0.65:
            spots = ((0.13, -0.08), (0.19, 0.11), (0.11, 0.28))
            radius = rng.uniform(0.045, 0.075)
            for sign in (-1, 1):
                for x, y in spots:
                    self._fill(_oval(x * sign, y, radius, radius * 1.15), dark)
        else:
            for y in (-0.02, 0.14, 0.29):
                half = 0.27 * np.sqrt(max(0.05, 1 - ((y - 0.10) / 0.375) ** 2))
                self._stroke([(-half, y), (0.0, y + 0.03), (half, y)], 0.05, dark)
        self._stroke([(0.0, -0.20), (0.0, 0.47)], 0.022, [v * 0.35 for v in shell])

    def _fill(self, points: npt.ArrayLike, colour: Sequence[float]) -> None:
        placed = self.pose(points)
        cv2.fillPoly(self.colour, [placed], tuple(colour), cv2.LINE_8, 4)
        cv2.fillPoly(self.mask, [placed], 1.0, cv2.LINE_8, 4)

    def _stroke(self, points: npt.ArrayLike, thickness: float, colour: Sequence[float]) -> None:
        placed, pixels = self.pose(points), max(1, round(thickness * self.pose.scale))
        cv2.polylines(self.colour, [placed], False, tuple(colour), pixels, cv2.LINE_8, 4)
        cv2.polylines(self.mask, [placed], False, 1.0, pixels, cv2.LINE_8, 4)

    def _domed(self, points: npt.ArrayLike, colour: Sequence[float]) -> None:
        """Filled, and darker towards the rim like something round."""
        self._fill(points, colour)
        inside = np.zeros(self.mask.shape, np.uint8)
        cv2.fillPoly(inside, [self.pose(points)], 255, cv2.LINE_8, 4)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
        shade = 0.5 + 0.6 * np.sqrt(np.clip(depth / max(1e-6, float(depth.max())), 0, 1))
        shade[inside == 0] = 1
        self.colour = (self.colour * shade[..., None]).astype(np.float32)

    def _shine(self, points: npt.ArrayLike, strength: float) -> None:
        glow = np.zeros(self.mask.shape, np.float32)
        cv2.fillPoly(glow, [self.pose(points)], strength, cv2.LINE_8, 4)
        soft = cv2.GaussianBlur(glow, (0, 0), max(0.5, 0.02 * self.pose.scale))[..., None]
        self.colour = (self.colour * (1 - soft) + 255 * soft).astype(np.float32)


def _oval(x: float, y: float, across: float, down: float) -> npt.NDArray[np.float64]:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([x + across * np.cos(turn), y + down * np.sin(turn)], axis=1)


def _warm(rng: np.random.Generator) -> tuple[float, float, float]:
    """A shell's colour: from crimson by scarlet and orange to amber."""
    hue = float(rng.uniform(-0.03, 0.115)) % 1.0
    r, g, b = colorsys.hsv_to_rgb(hue, float(rng.uniform(0.78, 0.97)), float(rng.uniform(0.78, 0.98)))
    return r * 255, g * 255, b * 255
