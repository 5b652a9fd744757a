"""Every default, range and preset of a training, in one frozen dataclass.

The form in the window, the command line's options, the checkpoint and the checks all read the same
fields and the same ``Limits``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from core.base.errors import BoxscoutError, TrainingError
from core.base.language import mark, tr
from core.base.limits import Limits, check

SettingsT = TypeVar("SettingsT", bound="Settings")

OBJECTIVE_NAMES = ("dcgan", "wgan-gp", "dragan", "minimax", "wgan", "hinge")
_CLIPPED_OR_PENALISED = ("wgan-gp", "dragan", "wgan")
DEVICES = ("auto", "cpu", "cuda", "mps")
CARD = r"cuda:\d{1,2}"
"""One of several cards, by its number from 0, as a pattern; ``cuda`` is the first."""
PRECISIONS = ("auto", "fp32", "bf16")
PRECISION_VARIABLE = "BOXSCOUT_PRECISION"


def forced_precision(environ: Mapping[str, str]) -> str | None:
    """What ``$BOXSCOUT_PRECISION`` makes of precision ``auto``: ``fp32`` or ``bf16``; None where it is unset.

    Raises
    ------
    TrainingError
        Another value.
    """
    value = environ.get(PRECISION_VARIABLE, "")
    if value and value not in PRECISIONS[1:]:
        raise TrainingError(
            tr("{variable} is '{value}'; set it to fp32 or bf16, or unset it.").format(
                variable=PRECISION_VARIABLE, value=value
            )
        )
    return value or None


def _setting(default: Any, label: str, help: str, *, resumable: bool = False, **limits: Any) -> Any:
    """A field; ``resumable`` where a training that goes on may be given another value."""
    return field(default=default, metadata={"limits": Limits(label, help, **limits), "resumable": resumable})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every dataclass of settings can do.

    Raises
    ------
    BoxscoutError
        A value outside its range, named with the range, or of another kind.
    """

    def __post_init__(self) -> None:
        for f in fields(self):
            check(str(f.type), getattr(self, f.name), f.metadata["limits"])

    def with_(self: SettingsT, **changes: Any) -> SettingsT:
        """A copy with ``changes`` applied and checked."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def resumable(cls) -> frozenset[str]:
        """The names of what may be another in a training that goes on: nothing learned hangs on it."""
        return frozenset(f.name for f in fields(cls) if f.metadata["resumable"])

    def resumed_by(self: SettingsT, wanted: SettingsT) -> SettingsT:
        """These as a training goes on that is now ``wanted`` so: what is :meth:`resumable` is its."""
        return self.with_(**{name: getattr(wanted, name) for name in self.resumable()})

    @classmethod
    def from_dict(cls: type[SettingsT], values: Mapping[str, Any]) -> SettingsT:
        """The settings saved by :meth:`to_dict`; a key this version does not know is refused."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise BoxscoutError(
                tr("This training was made by another version: it has {names}.").format(
                    names=", ".join(unknown)
                )
            )
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Learning(Settings):
    """What everything that is learned needs to be told."""

    seed: int = _setting(
        0, mark("Seed"), mark("The same seed gives the same training."), low=0, high=2**31 - 1
    )
    device: str = _setting(
        "auto", mark("Device"), mark("Used for training."), choices=DEVICES, also=CARD, resumable=True
    )


@dataclass(frozen=True, kw_only=True)
class Training(Learning):
    """What a training in steps needs to be told besides. Sizes are pixels."""

    image_size: int = _setting(
        64, mark("Image size"), mark("Side in pixels at which images are learned."), choices=(32, 64, 128)
    )
    batch_size: int = _setting(64, mark("Batch"), mark("Images per step."), low=2, high=1024)
    minutes: float | None = _setting(
        None,
        mark("Minutes"),
        mark("Stop after this much training time, whatever the step."),
        low=0.01,
        high=100_000,
        resumable=True,
    )
    augmentation: bool = _setting(
        True, mark("Augmentation"), mark("Randomly crop, stretch, mirror and recolour each image.")
    )
    precision: str = _setting(
        "auto",
        mark("Precision"),
        mark("bf16 is faster where the processor has it."),
        choices=PRECISIONS,
        resumable=True,
    )


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Training):
    """One training. Sizes are pixels; ``steps`` counts generator updates."""

    objective: str = _setting(
        "dcgan",
        mark("Objective"),
        mark("The adversarial loss, where a generator is trained."),
        choices=OBJECTIVE_NAMES,
    )
    steps: int = _setting(
        2000,
        mark("Steps"),
        mark("Generator updates in the whole training."),
        resumable=True,
        low=1,
        high=2_000_000,
    )
    width: int = _setting(
        32, mark("Width"), mark("Channels of the first stage; later stages double them."), low=8, high=256
    )
    fine_heat_map: bool = _setting(
        True, mark("Fine heat map"), mark("Keep the resolution of the last stage: heat maps twice as fine.")
    )
    latent_size: int = _setting(
        100, mark("Latent size"), mark("Length of the generator's noise vector."), low=1, high=4096
    )
    learning_rate: float | None = _setting(
        None,
        mark("Learning rate"),
        mark("Adam's step size; empty for the objective's own."),
        low=1e-7,
        high=1.0,
    )
    beta1: float | None = _setting(
        None,
        mark("Beta 1"),
        mark("Adam's first momentum; empty for the objective's own."),
        low=0.0,
        high=0.9999,
    )
    beta2: float | None = _setting(
        None,
        mark("Beta 2"),
        mark("Adam's second momentum; empty for the objective's own."),
        low=0.0,
        high=0.999999,
    )
    crop_size: int | None = _setting(
        None,
        mark("Crop size"),
        mark("Side length, in pixels, of the crops to learn from. As published: the whole image."),
        choices=(None, 32, 64),
    )
    background: float = _setting(
        0.0,
        mark("Background"),
        mark(
            "Weight of telling the middle of images from their borders; with Projected, what all images "
            "share from the rest. 0 as published. Needs a crop size or Projected."
        ),
        low=0.0,
        high=100.0,
    )
    adversarial: float = _setting(
        1.0,
        mark("Adversarial"),
        mark("Weight of telling real from generated images; 0 trains no generator."),
        low=0.0,
        high=100.0,
    )
    framing: int = _setting(
        0,
        mark("Framing"),
        mark("Updates per step of the network that learns how photos are framed; 0 as published."),
        low=0,
        high=64,
    )
    projected: bool = _setting(
        False,
        mark("Projected"),
        mark("The discriminator sees images through a frozen network, learned from ImageNet's labels."),
    )
    norm: str = _setting(
        "auto",
        mark("Norm"),
        mark("What the discriminator normalises over."),
        choices=("auto", "batch", "image"),
    )
    sample_every: int = _setting(
        100,
        mark("Samples every"),
        mark("Steps between two sample grids."),
        low=1,
        high=100_000,
        resumable=True,
    )
    snapshot_every: int = _setting(
        200,
        mark("Snapshot every"),
        mark("Steps between two heat map updates."),
        low=1,
        high=100_000,
        resumable=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop_size is not None and self.crop_size > self.image_size:
            raise BoxscoutError(tr("Crop size must not be larger than the image size."))
        if self.projected and (self.crop_size is not None or self.framing):
            raise BoxscoutError(tr("Projected learns whole images: choose no crop size, and 0 for Framing."))
        if self.projected and self.objective in _CLIPPED_OR_PENALISED:
            raise BoxscoutError(tr("Projected needs the objective hinge, dcgan or minimax."))
        if self.background > 0 and self.crop_size is None and not self.projected:
            raise BoxscoutError(tr("Background needs crops: choose a crop size of 32 or 64 pixels."))
        if not self.background and not self.adversarial:
            raise BoxscoutError(tr("Background and Adversarial are both 0: nothing would be learned."))

    @property
    def input_size(self) -> int:
        """Side, in pixels, of what the networks see and make while training."""
        return self.crop_size or self.image_size


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig(Training):
    """One training with class labels, the published baseline. ``steps`` counts batches."""

    steps: int = _setting(
        1500, mark("Steps"), mark("Updates in the whole training."), resumable=True, low=1, high=2_000_000
    )
    width: int = _setting(
        16,
        mark("Width"),
        mark("Channels of the first group; each later one has twice as many."),
        low=4,
        high=256,
    )
    learning_rate: float = _setting(
        0.1,
        mark("Learning rate"),
        mark("At the start. Divided by 10 after each quarter of the training."),
        low=1e-7,
        high=10.0,
    )
    hide: float = _setting(
        0.0,
        mark("Hide"),
        mark("How often a patch of an image is hidden, as in Hide-and-Seek; published: 0.5, 0 hides none."),
        low=0.0,
        high=0.95,
    )
    report_every: int = _setting(
        50,
        mark("Report every"),
        mark("Steps between two points of the plot."),
        low=1,
        high=100_000,
        resumable=True,
    )


@dataclass(frozen=True, kw_only=True)
class FeaturesConfig(Learning):
    """One learning from frozen features. ``image_size`` is in pixels."""

    method: str = _setting(
        "object",
        mark("Method"),
        mark("How the object is found: DDT as published, or a unit trained on this folder."),
        choices=("object", "ddt"),
    )
    features: str = _setting(
        "efficientnet-lite0",
        mark("Features"),
        mark("The frozen network: efficientnet-lite0, or timm/NAME where timm is installed."),
    )
    weights: str | None = _setting(
        None,
        mark("Weights"),
        mark(
            "A local file with the weights of a backbone. If empty, you are asked before they are downloaded."
        ),
    )
    image_size: int = _setting(
        576,
        mark("Image size"),
        mark(
            "Side length, in pixels, at which images are analysed. Larger values find smaller objects "
            "but take longer."
        ),
        choices=(224, 256, 320, 384, 448, 512, 576, 640, 704),
    )
    keep_aspect: bool = _setting(
        False, mark("Keep proportions"), mark("Keep the proportions of images instead of making them square.")
    )
    sample: int = _setting(
        500,
        mark("Sample"),
        mark("Maximum number of images to learn from, spread evenly over the folder."),
        low=1,
        high=100_000,
    )
    threads: int = _setting(
        0,
        mark("Threads"),
        mark("Processor cores to use; 0 uses the setting, by default all cores but one."),
        low=0,
        high=1024,
    )


def limits_of(name: str) -> Limits:
    """The :class:`Limits` of one field of :class:`TrainConfig`."""
    limits = next(f.metadata["limits"] for f in fields(TrainConfig) if f.name == name)
    assert isinstance(limits, Limits)
    return limits
