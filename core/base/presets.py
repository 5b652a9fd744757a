"""The presets that trainings are set up from, by name."""

from __future__ import annotations

from collections.abc import Mapping

from core.base.config import ClassifierConfig, FeaturesConfig, TrainConfig

# More steps learn the images by heart, and a generator costs place and time (docs/decisions/0009).
_WINDOWS = TrainConfig(
    steps=600, sample_every=50, snapshot_every=100, crop_size=32, background=1.0, framing=4,
    adversarial=0.0, learning_rate=1e-3,
)  # fmt: skip

FEATURES_PRESETS: Mapping[str, FeaturesConfig] = {"features": FeaturesConfig()}
PRESETS: Mapping[str, TrainConfig] = {
    "scratch": _WINDOWS,
    # Sauer et al. 2021, for the minutes of a processor (docs/decisions/0019-projected.md).
    "generator": TrainConfig(
        objective="hinge",
        projected=True,
        background=1.0,
        batch_size=8,
        learning_rate=1e-3,
        sample_every=50,
        snapshot_every=100,
    ),
    # Choe, Park, Shim 2018 after Radford 2016: width 64, batch 128, 200k steps.
    "paper": TrainConfig(
        steps=200_000, batch_size=128, width=64, fine_heat_map=False, sample_every=1000, snapshot_every=2000
    ),
}
OLD_PRESETS: Mapping[str, TrainConfig] = {
    "quick": PRESETS["scratch"].with_(steps=300, snapshot_every=50),
    "balanced": PRESETS["scratch"],
}
"""What commands of the former version name; they mean what they meant."""
CLASSIFIER_PRESETS: Mapping[str, ClassifierConfig] = {
    "quick": ClassifierConfig(steps=300, batch_size=32, width=8),
    "balanced": ClassifierConfig(),
    # He et al. 2016b's ResNet-34 as Choe, Park, Shim 2018 train it.
    "paper": ClassifierConfig(steps=100_000, batch_size=256, width=64, report_every=500),
}
DEFAULT_PRESET = "features"
SCRATCH_PRESET = "scratch"
"""Of trainings that learn everything from the folder itself, the one that is fitted to it."""
DEFAULT_CLASSIFIER_PRESET = "balanced"
