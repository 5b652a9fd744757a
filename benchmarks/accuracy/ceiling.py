"""What a small network learns of place from *true boxes*: how far any training without them could get.

    python3 benchmarks/accuracy/ceiling.py --out FOLDER --tiny-imagenet DIR [--sets dog,artiodactyla]
        [--seeds 0] [--steps 1500] [--json FILE]

The network is of the discriminator's kind and size, begins from nothing, learns the true boxes of the train
images that ``search.py`` trains on, and is measured on those that it holds out. It is no part of the product.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
import torch.nn.functional as F
from search import data, measure, split
from torch import Tensor, nn

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.atomic import write_atomically
from core.base.devices import autocast
from core.base.geometry import Box
from core.base.rng import Purpose, stream
from core.learn.training import Images, batch_rows
from core.learn.updates import update
from core.nets.augment import Windows, crop
from core.nets.framing import relit
from core.nets.networks import Framing, to_model_range
from core.paper.origin import revision

CPU = torch.device("cpu")
BATCH = 128


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    runs = [run(name, seed, options) for seed in options.seeds for name in options.sets]
    if options.json:
        document = {"command": sys.argv, "commit": revision(), "runs": runs}
        write_atomically(options.json, json.dumps(document, indent=1).encode() + b"\n")


def run(name: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    pixels, truth = data(name, options)
    held_out, learned = split(len(pixels.files), options.held_out)
    known = {image.name: image.boxes[0].box for image in truth if image.boxes}
    learned = np.array([i for i in learned if pixels.files[i].path.name in known])
    boxes = [known[pixels.files[i].path.name] for i in learned]
    sides = torch.tensor([(box.x0, box.y0, box.x1, box.y1) for box in boxes], dtype=torch.float32) / 64
    network = taught(pixels.array[learned], sides, steps=options.steps, seed=seed)
    found = [
        ImageBoxes(pixels.files[i].path.name, 64, 64, (BoxRecord(box),))
        for i, box in zip(held_out, boxes_of(network, pixels.array[held_out]), strict=True)
    ]
    names = {image.name for image in found}
    measured = measure(found, [image for image in truth if image.name in names])
    print(name, "seed", seed, {key: value for key, value in measured.items() if key != "hits"}, flush=True)
    return {"set": name, "seed": seed, "steps": options.steps, "learned": len(learned), **measured}


def taught(images: Images, sides: Tensor, *, steps: int, seed: int) -> nn.Module:
    """A network that tells centre and size of the box in a crop from x0, y0, x1, y1 in shares, (N, 4)."""
    torch.manual_seed(seed)
    network = Framing(32).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=5e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for counter in range(steps):
        rows = batch_rows(seed, len(images), size=BATCH, counter=counter)
        batch, true = to_model_range(torch.from_numpy(images[rows])), sides[rows]
        rng = stream(seed, Purpose.CROPS, counter)
        x, y, wide = torch.rand(3, BATCH, generator=rng)
        wide = 0.7 + 0.3 * wide
        x, y = ((1 - wide) * (value - 0.5) for value in (x, y))
        mirrored = torch.rand(BATCH, generator=rng) < 0.5
        batch = torch.where(mirrored[:, None, None, None], batch.flip(3), batch)
        turned = torch.stack([1 - true[:, 2], true[:, 1], 1 - true[:, 0], true[:, 3]], 1)
        true = torch.where(mirrored[:, None], turned, true)
        middles = (true[:, :2] + true[:, 2:]) / 2 - 0.5 - torch.stack([x, y], 1)
        sizes = true[:, 2:] - true[:, :2]
        target = torch.cat([middles, sizes], 1) / wide[:, None]
        light, contrast = torch.rand(2, BATCH, generator=stream(seed, Purpose.AUGMENTATION, counter))
        crops = relit(crop(batch, Windows(x + 0.5, y + 0.5, wide), 32), light, contrast)
        with autocast("auto", CPU):
            guess = network(crops)
        update(optimizer, F.smooth_l1_loss(guess.float() / 0.1, target / 0.1))
        schedule.step()
    return network.eval()


@torch.no_grad()
def boxes_of(network: nn.Module, images: Images) -> list[Box]:
    """Looked at whole and in five crops, mirrored too."""
    looks = [(0.0, 0.0, 1.0), *((x, y, 0.85) for x in (-0.075, 0.075) for y in (-0.075, 0.075))]
    found = []
    for start in range(0, len(images), 64):
        batch = to_model_range(torch.from_numpy(np.array(images[start : start + 64])))
        answers = []
        for x, y, wide in looks:
            at = Windows(*(torch.full((len(batch),), value) for value in (x + 0.5, y + 0.5, wide)))
            for sign in (1.0, -1.0):
                with autocast("auto", CPU):
                    # Mirroring the crop mirrors the answer about the crop's own middle.
                    guess = network(crop(batch, at, 32).flip(3) if sign < 0 else crop(batch, at, 32)).float()
                guess = guess * wide * torch.tensor([sign, 1, 1, 1]) + torch.tensor([x, y, 0, 0])
                answers.append(guess)
        for x, y, width, height in (64 * torch.stack(answers).mean(dim=0)).tolist():
            box = Box(32 + x - width / 2, 32 + y - height / 2, 32 + x + width / 2, 32 + y + height / 2)
            found.append(box.clamped(64, 64))
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="keeps the decoded images")
    parser.add_argument("--tiny-imagenet", type=Path, required=True)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=["dog", "artiodactyla"])
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
