"""Where in its image was a crop cut? A network that can tell has a second opinion on where the object is.

Tried by ``search.py``; ``ceiling.py`` teaches the same network true boxes.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.augment import Windows, crop
from core.config import TrainConfig
from core.networks import Discriminator, to_model_range
from core.rng import Purpose, stream
from core.training import Images, Pool, autocast, batch_rows, resolve_device
from core.updates import update


class Whence(nn.Module):
    """A crop of an image, (N, 3, 32, 32) -> how far its centre lies from the image's, in shares (N, 2).

    People point the camera at things, so that knowing where the middle was means finding the thing.
    """

    def __init__(self, width: int, answers: int = 2) -> None:
        super().__init__()
        self.features = Discriminator(image_size=32, width=width, fine_heat_map=True).features
        self.narrow = nn.Conv2d(4 * width, 16, 1)
        self.head = nn.Sequential(nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(16 * 64, answers))

    def forward(self, crops: Tensor) -> Tensor:
        place: Tensor = self.head(self.narrow(self.features(crops)).flatten(1))
        return place


def learn_whence(config: TrainConfig, images: Images) -> dict[str, nn.Module]:
    pool = Pool(images, resolve_device("cpu"))
    torch.manual_seed(config.seed)
    network = Whence(config.width).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    n = 2 * config.batch_size
    for counter in range(config.steps):
        rows = batch_rows(config.seed, len(pool), size=n, counter=counter)
        batch = to_model_range(pool.rows(rows))
        rng = stream(config.seed, Purpose.CROPS, counter)
        x, y, wide = torch.rand(3, n, generator=rng)
        wide = 0.55 + 0.3 * wide
        x, y = ((1 - wide) * (value - 0.5) for value in (x, y))
        mirrored = torch.rand(n, generator=rng) < 0.5
        batch = torch.where(mirrored[:, None, None, None], batch.flip(3), batch)
        crops = crop(batch, Windows(x + 0.5, y + 0.5, wide), 32)
        crops = relit(crops, stream(config.seed, Purpose.AUGMENTATION, counter))
        with autocast(config.precision, pool.device):
            guess = network(crops)
        update(optimizer, F.smooth_l1_loss(guess.float() / 0.1, torch.stack([x, y], 1) / 0.1))
        schedule.step()
    return {"last": network.eval()}


def relit(crops: Tensor, rng: torch.Generator) -> Tensor:
    """Light alone: a mirror after the cut would turn the answer round."""
    light, contrast = torch.rand(2, len(crops), 1, 1, 1, generator=rng)
    mean = crops.mean(dim=(1, 2, 3), keepdim=True)
    return ((crops - mean) * (0.7 + 0.6 * contrast) + mean + 0.5 * (light - 0.5)).clamp(-1, 1)


@torch.no_grad()
def whence_centres(network: nn.Module, images: Images, share: float = 0.7) -> np.ndarray:
    """How far objects lie from the middle, in shares of the image, (N, 2): crops all over, mirrored too.

    A crop whose thing lies to the right looks as if cut to the left of the middle; over crops from all
    sides, what is left of that is the thing's own place, as far as the network dares to say.
    """
    steps = [(i / 4 - 0.5) * (1 - share) for i in range(5)]
    results = []
    for start in range(0, len(images), 64):
        batch = to_model_range(torch.from_numpy(np.array(images[start : start + 64])))
        total = torch.zeros(len(batch), 2)
        for x in steps:
            for y in steps:
                at = Windows(*(torch.full((len(batch),), value) for value in (x + 0.5, y + 0.5, share)))
                for sign in (1.0, -1.0):
                    cut = crop(batch, at, 32)
                    with autocast("auto", torch.device("cpu")):
                        guess = network(cut.flip(3) if sign < 0 else cut).float()
                    total -= guess * torch.tensor([sign, 1.0])
        results.append((total / (2 * len(steps) ** 2)).numpy())
    return np.concatenate(results)
