"""Random numbers as a function of (seed, purpose, counter), with no state to save.

A training that is killed and resumed draws the same numbers at the same step, because each step asks
for its own stream. Nothing in the product draws from a global generator.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What a stream is for; streams of different purposes are independent."""

    WEIGHTS = 0
    ORDER = 1
    NOISE = 2
    AUGMENTATION = 3
    SAMPLES = 4
    PENALTY = 5
    SIGNALS = 6
    CROPS = 7
    FRAMING = 8
    MIXING = 9
    VARIATION = 10
    HIDING = 11


def stream(seed: int, purpose: Purpose, counter: int = 0) -> torch.Generator:
    """A CPU generator of its own for one seed, purpose and counter."""
    state = np.random.SeedSequence([seed, purpose, counter]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(state[0]) << 32 | int(state[1]))
