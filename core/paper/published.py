"""What the paper reports, as data: its table of GT-known Loc, its methods and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SOURCE = (
    "Choe, Park, Shim, Unsupervised Object Localization using Generative Adversarial Networks, 2018: "
    "GT-known Loc in %, Tiny ImageNet val"
)
RULE = "component"
"""The published reading: the largest connected component at or above 20 % of the maximum."""
THRESHOLD = 0.2
OTHER_RULE = "moments"
"""Our own reading, at its own threshold."""
RULES = (RULE, OTHER_RULE)
IMAGE_SIZE = 64
GAN_STEPS = 200_000
CAM_STEPS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A column of the table. ``objective`` is None for the classifier; ``cost`` is a step's, DCGAN's being 1.

    The costs only share out the progress bar.
    """

    name: str
    title: str
    objective: str | None
    augmentation: bool = True
    cost: float = 1.0


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(name="dcgan", title="DCGAN", objective="dcgan", augmentation=False),
        Method(name="dcgan-aug", title="DCGAN + augmentation", objective="dcgan"),
        Method(name="dragan", title="DRAGAN + augmentation", objective="dragan", cost=2.0),
        Method(name="wgan-gp", title="WGAN-GP + augmentation", objective="wgan-gp", cost=8.0),
        Method(name="cam", title="CAM, class labels", objective=None, cost=18.0),
    )
}
GAN_METHODS = tuple(name for name, method in METHODS.items() if method.objective is not None)
# Which methods each of figures 2, 3 and 5 shows is our assignment; docs/reproduce.md says so.
FIGURE_METHODS: Mapping[str, tuple[str, ...]] = {
    "figure2": ("dcgan", "dcgan-aug", "dragan", "cam"),
    "figure3": ("dcgan", "dcgan-aug"),
    "figure4": GAN_METHODS,
    "figure5": ("dcgan-aug", "dragan", "wgan-gp"),
    "figure6": GAN_METHODS,
}
"""What a figure shows unless other methods are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSet:
    """One line of the table: images in train and val, and GT-known Loc in % by method's name."""

    title: str
    train: int
    val: int
    accuracies: Mapping[str, float]


def _line(title: str, train: int, val: int, *percent: float | None) -> PublishedSet:
    """``percent`` goes DCGAN, DCGAN + augmentation, DRAGAN, CAM; None where nothing was published."""
    names = ("dcgan", "dcgan-aug", "dragan", "cam")
    known = {name: value for name, value in zip(names, percent, strict=True) if value is not None}
    return PublishedSet(title=title, train=train, val=val, accuracies=MappingProxyType(known))


TABLE: Mapping[str, PublishedSet] = {
    "artiodactyla": _line("Artiodactyla", 2500, 250, 41.4, 43.0, 50.0, 53.4),
    "bottle": _line("Bottle", 1000, 100, 36.0, 36.4, 35.0, 34.3),
    "bird": _line("Bird", 1500, 150, 49.3, 52.3, 49.3, 57.0),
    "cat": _line("Cat", 2000, 200, 66.3, 71.8, 73.5, 80.4),
    "dog": _line("Dog", 3000, 300, 55.0, 60.8, 52.0, 65.5),
    "vehicle": _line("Vehicle", 4000, 400, 54.0, 61.7, 54.3, 74.1),
    "all": _line("all 200 classes", 100_000, 10_000, 41.4, None, None, 53.4),
}


def published(set_name: str, method: str) -> float | None:
    """The published GT-known Loc in %, None where the paper has none."""
    return TABLE[set_name].accuracies.get(method)


def published_steps(method: str) -> int:
    """How many steps the paper trains ``method``."""
    return CAM_STEPS if METHODS[method].objective is None else GAN_STEPS
