"""The ideas that ``search.py`` tries: how each is trained, and how its boxes are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trainings
from layered import learn_layered
from readings import (
    Found,
    Networks,
    averaged_boxes,
    centred_boxes,
    contrast_boxes,
    default_boxes,
    ensemble_boxes,
    framing_boxes,
    framing_moved_boxes,
    layered_boxes,
    longer_framing_boxes,
    mean_map_boxes,
)

from core.base.config import TrainConfig
from core.learn.training import Images


@dataclass(frozen=True)
class Training:
    """``run`` with the default config under ``changes`` gives networks in evaluation mode, by name."""

    run: Callable[[TrainConfig, Images], Networks]
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Idea:
    """``boxes`` of images from the networks of ``trainings``, by training and then by seed."""

    hope: str
    trainings: tuple[str, ...]
    boxes: Callable[[Mapping[str, list[Networks]], Images], Found]
    seeds: int = 1
    """Trainings of so many seeds, from the run's own on, are read together."""
    against: str = "default"


TRAININGS: Mapping[str, Training] = {
    "default": Training(trainings.learn),
    "fp32": Training(trainings.learn, {"precision": "fp32"}),
    "image-norm": Training(trainings.learn, {"norm": "image"}),
    "width-16": Training(trainings.learn, {"width": 16}),
    "width-64": Training(trainings.learn, {"width": 64}),
    "deeper": Training(trainings.learn_deeper),
    "wide-windows": Training(trainings.learn_wide_windows),
    "hard-negatives": Training(trainings.learn_hard),
    "rotations": Training(trainings.learn_rotations),
    "framing": Training(trainings.learn_framing, {"framing": 4}),
    "framing-longer": Training(trainings.learn_framing, {"framing": 16}),
    "generated-objects": Training(trainings.learn_generated(1, "middle")),
    "generated-negatives": Training(trainings.learn_generated(-1, "middle")),
    "generated-background": Training(trainings.learn_generated(-1, "border")),
    "pretrained": Training(trainings.learn_pretrained),
    "pasted-objects": Training(trainings.learn_pasted(1)),
    "painted-over": Training(trainings.learn_pasted(-1)),
    "iterated": Training(trainings.learn_iterated),
    "contrastive": Training(trainings.learn_contrastive),
    "layered": Training(learn_layered),
}

IDEAS: Mapping[str, Idea] = {
    "centred-80": Idea("no picture at all: a centred box", (), centred_boxes),
    "contrast": Idea("no network: contrast alone", (), contrast_boxes),
    "default": Idea("the product without framing", ("default",), default_boxes),
    "fp32": Idea("trained in fp32, as a check of bf16", ("fp32",), default_boxes),
    "averaged-weights": Idea("weights averaged over the last steps", ("default",), averaged_boxes),
    "ensemble": Idea("the maps of two trainings averaged", ("default",), ensemble_boxes, seeds=2),
    "mean-map": Idea("the set's mean map in place of the Gaussian", ("default",), mean_map_boxes),
    "image-norm": Idea("each image normalised on its own", ("image-norm",), default_boxes),
    "width-16": Idea("half the channels", ("width-16",), default_boxes),
    "width-64": Idea("twice the channels", ("width-64",), default_boxes),
    "deeper": Idea("twice the layers, a wider field of view", ("deeper",), default_boxes),
    "wide-windows": Idea("windows of 25 to 75 % of the side", ("wide-windows",), default_boxes),
    "hard-negatives": Idea("border windows coloured like the middle", ("hard-negatives",), default_boxes),
    "rotations": Idea("a unit that tells quarter turns", ("rotations",), default_boxes),
    "framing": Idea("moved and scaled by how photos are framed", ("framing",), framing_boxes),
    "framing-moved": Idea("moved by it only", ("framing",), framing_moved_boxes),
    "framing-longer": Idea(
        "framing learned for four times as long", ("framing-longer",), longer_framing_boxes
    ),
    "generated-objects": Idea("generated windows as objects", ("generated-objects",), default_boxes),
    "generated-negatives": Idea("generated windows as background", ("generated-negatives",), default_boxes),
    "generated-background": Idea(
        "a generator of border windows as background", ("generated-background",), default_boxes
    ),
    "pretrained": Idea("layers that a generator's game trained first", ("pretrained",), default_boxes),
    "pasted-objects": Idea("generated objects pasted on border windows", ("pasted-objects",), default_boxes),
    "painted-over": Idea("middle windows painted over, as background", ("painted-over",), default_boxes),
    "iterated": Idea("once more around the boxes found", ("iterated",), default_boxes),
    "contrastive": Idea("windows of one image alike", ("contrastive",), default_boxes),
    "layered": Idea("a generator of objects over backgrounds", ("default", "layered"), layered_boxes),
}
