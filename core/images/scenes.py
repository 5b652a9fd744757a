"""Six kinds of textured background, drawn from a random generator alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

Scene = npt.NDArray[np.float32]  # (H,W,3) RGB, about 0..255
Painter = Callable[[np.random.Generator, int, int], Scene]


def draw_scene(rng: np.random.Generator, width: int, height: int) -> Scene:
    """A background of ``width`` x ``height`` pixels: float32 (H,W,3) RGB, 0..255."""
    painter = PAINTERS[int(rng.integers(len(PAINTERS)))]
    scene = painter(rng, width, height)
    light = 1 + 0.16 * noise(rng, width, height, cells=2)[..., None]
    grain = rng.normal(0, 2.5, (height, width, 1)).astype(np.float32)
    return np.clip(scene * light + grain, 0, 255).astype(np.float32)


def noise(
    rng: np.random.Generator, width: int, height: int, *, cells: int, octaves: int = 1
) -> npt.NDArray[np.float32]:
    """Smooth noise (H,W) of about -1..1; ``cells`` is how many bumps fit across, doubled per octave."""
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for octave in range(octaves):
        across = cells * 2**octave
        grid = rng.uniform(-1, 1, (across + 2, across + 2)).astype(np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight *= 0.55
    return total


def mixed(share: npt.NDArray[np.float32], first: Sequence[float], second: Sequence[float]) -> Scene:
    """``first`` where ``share`` (H,W) is 0, ``second`` where it is 1, and what lies between."""
    amount = np.clip(share, 0, 1)[..., None]
    blend = np.asarray(first, np.float32) * (1 - amount) + np.asarray(second, np.float32) * amount
    return blend.astype(np.float32)


def _ramp(
    rng: np.random.Generator, width: int, height: int, angle: float | None = None
) -> npt.NDArray[np.float32]:
    """0..1 along a direction, random where ``angle`` (radians) is None."""
    angle = float(rng.uniform(0, 2 * np.pi)) if angle is None else angle
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = x * np.cos(angle) + y * np.sin(angle)
    ramp: npt.NDArray[np.float32] = (along - along.min()) / np.float32(max(1e-6, float(np.ptp(along))))
    return ramp


def _varied(rng: np.random.Generator, colour: Sequence[float], by: float = 18) -> list[float]:
    return [float(channel + rng.uniform(-by, by)) for channel in colour]


def _leaves(rng: np.random.Generator, width: int, height: int) -> Scene:
    scene = mixed(_ramp(rng, width, height), _varied(rng, (38, 72, 40)), _varied(rng, (66, 104, 52)))
    unit = max(width, height) / 128
    for _ in range(70):
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        length = rng.uniform(7, 18) * unit
        axes = (max(1, int(length)), max(1, int(length * rng.uniform(0.25, 0.45))))
        turn = float(rng.uniform(0, 180))
        green = rng.uniform(80, 165)
        colour = (green * rng.uniform(0.45, 0.9), green, green * rng.uniform(0.3, 0.6))
        shade = tuple(channel * 0.72 for channel in colour)
        cv2.ellipse(scene, middle, axes, turn, 0, 360, colour, -1, cv2.LINE_AA)
        cv2.ellipse(scene, middle, axes, turn, 0, 180, shade, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(scene, (0, 0), 0.6 * unit).astype(np.float32)


def _sand(rng: np.random.Generator, width: int, height: int) -> Scene:
    rough = 0.5 + 0.35 * noise(rng, width, height, cells=5, octaves=5)
    base = mixed(rough, _varied(rng, (150, 124, 92)), _varied(rng, (220, 198, 160)))
    unit = max(width, height) / 128
    for _ in range(int(rng.integers(6, 22))):
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (max(1, int(rng.uniform(1, 5) * unit)), max(1, int(rng.uniform(1, 4) * unit)))
        grey = float(rng.uniform(100, 190))
        turn = float(rng.uniform(0, 180))
        dark = (grey * 0.55, grey * 0.52, grey * 0.48)
        cv2.ellipse(base, (middle[0] + 1, middle[1] + 1), axes, turn, 0, 360, dark, -1, cv2.LINE_AA)
        cv2.ellipse(base, middle, axes, turn, 0, 360, (grey, grey * 0.96, grey * 0.88), -1, cv2.LINE_AA)
    return base


def _sky(rng: np.random.Generator, width: int, height: int) -> Scene:
    sky = mixed(
        _ramp(rng, width, height, np.pi / 2), _varied(rng, (84, 138, 206)), _varied(rng, (176, 208, 234))
    )
    cloud = noise(rng, width, height, cells=3, octaves=5) + rng.uniform(-0.3, 0.2)
    cover = np.clip(cloud * 1.6, 0, 0.92)[..., None]
    cloudy: Scene = (sky * (1 - cover) + np.float32(247) * cover).astype(np.float32)
    return cloudy


def _planks(rng: np.random.Generator, width: int, height: int) -> Scene:
    upright = bool(rng.integers(2))
    across, along = (width, height) if upright else (height, width)
    wobble = noise(rng, across, along, cells=3, octaves=2)
    x = np.arange(across, dtype=np.float32)[None, :]
    plank = across / int(rng.integers(3, 6))
    grain = np.sin((x + 6 * wobble) * 2 * np.pi / rng.uniform(3.0, 6.0) * 128 / max(width, height))
    streaks = cv2.resize(
        rng.uniform(-1, 1, (4, across)).astype(np.float32), (across, along), interpolation=cv2.INTER_CUBIC
    )
    tone = rng.uniform(-0.25, 0.25, 8)[(x // plank).astype(int)] + 0.5 + 0.14 * grain + 0.16 * streaks
    seam = np.clip(np.abs((x % plank) - plank / 2) - plank / 2 + 1.2, 0, 1) * 0.8
    warm = _varied(rng, (104, 74, 50), 24)
    wood = mixed((tone - seam).astype(np.float32), [c * 0.7 for c in warm], [c * 1.75 for c in warm])
    return np.ascontiguousarray(wood if upright else wood.transpose(1, 0, 2))


def _bokeh(rng: np.random.Generator, width: int, height: int) -> Scene:
    scene = mixed(_ramp(rng, width, height), _varied(rng, (32, 40, 74)), _varied(rng, (92, 62, 104)))
    unit = max(width, height) / 128
    for _ in range(26):
        glow = np.zeros_like(scene)
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        tint = [(120, 190, 170), (110, 140, 220), (170, 150, 200)][int(rng.integers(3))]
        cv2.circle(glow, middle, int(rng.uniform(3, 13) * unit), tint, -1, cv2.LINE_AA)
        scene += glow * np.float32(rng.uniform(0.15, 0.5))
    return cv2.GaussianBlur(scene, (0, 0), 0.8 * unit).astype(np.float32)


def _cloth(rng: np.random.Generator, width: int, height: int) -> Scene:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    bend = 5 * noise(rng, width, height, cells=2)
    u = x * np.cos(angle) + y * np.sin(angle) + bend
    v = -x * np.sin(angle) + y * np.cos(angle) + bend
    period = rng.uniform(14, 26) * max(width, height) / 128
    bands = 0.25 * (np.sin(u * 2 * np.pi / period) > 0) + 0.25 * (np.sin(v * 2 * np.pi / period) > 0)
    threads = 0.05 * np.sin(u * 2.4) + 0.05 * np.sin(v * 2.4)
    cool = [(70, 108, 132), (96, 96, 140), (88, 124, 104)][int(rng.integers(3))]
    woven = (0.3 + bands + threads).astype(np.float32)
    return mixed(woven, _varied(rng, cool), _varied(rng, (214, 214, 206), 10))


PAINTERS: Sequence[Painter] = (_leaves, _sand, _sky, _planks, _bokeh, _cloth)
