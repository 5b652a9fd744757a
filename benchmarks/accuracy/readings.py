"""How boxes come of what the ideas of ``search.py`` trained."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from layered import answers_of
from torch import nn

from core.base.geometry import Box
from core.boxes.prior import Prior, PriorTally
from core.boxes.rules import drawn_out, find_box, scaled_map, spread_box
from core.learn.training import Images
from core.maps.contrast import contrast_maps, guided, outline_ratios
from core.maps.heatmap import AVERAGED, GUIDED, heat_maps
from core.nets.framing import framings
from core.nets.networks import Discriminator

Networks = Mapping[str, nn.Module]
Found = list[Box]  # in cells of the 64 x 64 grid, image by image


def default_boxes(nets: Mapping[str, list[Networks]], images: Images, which: str = "last") -> Found:
    (networks,) = next(iter(nets.values()))
    network = networks[which]
    assert isinstance(network, Discriminator)
    return fitted(heat_maps(network, images, options=GUIDED), images)


def fitted(maps: np.ndarray, images: Images) -> Found:
    prior = _prior(maps, images)
    return [find_box(heat, width=64, height=64, prior=prior).box for heat in maps]


def _prior(maps: np.ndarray, images: Images) -> Prior | None:
    tally = PriorTally()
    for heat, ratio in zip(maps, outline_ratios(images), strict=True):
        tally.add(heat, ratio)
    return tally.prior()


def centred_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return [Box(6.4, 6.4, 57.6, 57.6)] * len(images)


def contrast_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return fitted(contrast_maps(images), images)


def averaged_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return default_boxes(nets, images, "averaged")


def ensemble_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return fitted(guided(together(nets, images), contrast_maps(images)), images)


def together(nets: Mapping[str, list[Networks]], images: Images) -> np.ndarray:
    """The mean of the maps of several networks, each scaled to 0..1 on the reading grid."""
    total = np.zeros((len(images), 64, 64), np.float32)
    for networks in (one for several in nets.values() for one in several):
        network = networks["last"]
        assert isinstance(network, Discriminator)
        total += np.stack([scaled_map(heat) for heat in heat_maps(network, images, options=AVERAGED)])
    return total


def mean_map_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    """Moments under the mean of all maps in place of the Gaussian, drawn out as ``fitted`` does."""
    (networks,) = next(iter(nets.values()))
    network = networks["last"]
    assert isinstance(network, Discriminator)
    maps = heat_maps(network, images, options=GUIDED)
    factor = drawn_out(_prior(maps, images))
    scaled = np.stack([scaled_map(heat) for heat in maps])
    mean = scaled.mean(axis=0)
    stretch = math.log(factor)
    return [_adjusted(spread_box(heat * mean), 0, 0, -stretch, stretch) for heat in scaled]


def framing_boxes(
    nets: Mapping[str, list[Networks]], images: Images, *, sized: bool = True, training: str = "framing"
) -> Found:
    """The default's boxes, moved and scaled by what framing answers, as it is: no constant is chosen."""
    network = nets[training][0]["last"]
    assert isinstance(network, Discriminator)
    answers = framings(network, images)
    assert answers is not None
    answers[:, 2:] = answers[:, 2:] - answers[:, 2:].mean(axis=0) if sized else 0
    first = default_boxes(nets, images)
    return [_adjusted(box, *answer) for box, answer in zip(first, answers.tolist(), strict=True)]


def _adjusted(box: Box, x: float, y: float, wider: float, higher: float) -> Box:
    middle_x, middle_y = (box.x0 + box.x1) / 2 + 64 * x, (box.y0 + box.y1) / 2 + 64 * y
    half_x, half_y = (box.x1 - box.x0) / 2 * np.exp(wider), (box.y1 - box.y0) / 2 * np.exp(higher)
    return Box(middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y).clamped(64, 64)


def framing_moved_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return framing_boxes(nets, images, sized=False)


def layered_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    """The default's boxes, moved and scaled halfway to where the layered generator's mask would lie."""
    answers = answers_of(nets["layered"][0]["last"], images) / 2
    first = default_boxes(nets, images)
    answers -= answers.mean(axis=0)
    middles = np.array([((box.x0 + box.x1) / 128, (box.y0 + box.y1) / 128) for box in first])
    answers[:, :2] -= (middles - middles.mean(axis=0)) / 2
    return [_adjusted(box, *answer) for box, answer in zip(first, answers.tolist(), strict=True)]


def longer_framing_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return framing_boxes(nets, images, training="framing-longer")
