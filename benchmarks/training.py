"""Training speed against the public PyTorch DCGAN recipe: same networks and batch, alternating.

    python3 benchmarks/training.py [--width 32] [--batch 64] [--steps 10] [--rounds 7] [--json FILE]

The recipe is PyTorch's own DCGAN example as it stands: fp32, NCHW, two discriminator passes, BCELoss, Adam,
``netD.zero_grad()``; its data comes from memory, so that no disk is measured. Ours runs with the defaults
and without augmentation, which the recipe has not; "with augmentation" and "with samples" add what a
person's training has: samples and their MS-SSIM every 100 steps, snapshots and their signals every 200. What
these cost together is printed, and at the preset "paper", which does both a tenth as often. On a graphics
card "kernel by kernel" is ours without recorded steps. Ratios are medians over rounds. Run it with nothing
else on the machine.

    torchrun --nproc-per-node 2 benchmarks/training.py --threads 1 [...]

Ours alone, each batch shared among that many processes: compare with ``--threads 1`` without torchrun.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from torch import nn

from core.base.config import TrainConfig
from core.base.devices import resolve_device, uses_bf16
from core.base.presets import PRESETS
from core.base.ranks import Ranks, ranks_from_environment
from core.learn.engine import train
from core.learn.together import joined
from core.nets.networks import Discriminator, Generator

IMAGES = 2048
ENDLESS = 2_000_000
WITH_SAMPLES = "ours, with samples"
SAMPLE_EVERY, SNAPSHOT_EVERY = 100, 200


def recipe(config: TrainConfig, images: np.ndarray, device: torch.device) -> Iterator[None]:
    """The public example's inner loop, one step for each ``next``."""
    generator = Generator(
        image_size=config.image_size, width=config.width, latent_size=config.latent_size
    ).to(device)
    discriminator = Discriminator(
        image_size=config.image_size, width=config.width, fine_heat_map=config.fine_heat_map
    ).to(device)
    criterion = nn.BCEWithLogitsLoss()
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    data = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float().div(127.5).sub(1)
    size = config.batch_size
    while True:
        real = data[torch.randint(len(data), (size,))].to(device)
        ones, zeros = torch.ones(size, device=device), torch.zeros(size, device=device)
        discriminator.zero_grad()
        d_real = criterion(discriminator(real), ones)
        d_real.backward()
        fake = generator(torch.randn(size, config.latent_size, device=device))
        d_fake = criterion(discriminator(fake.detach()), zeros)
        d_fake.backward()
        d_optimizer.step()
        generator.zero_grad()
        g_loss = criterion(discriminator(fake), ones)
        g_loss.backward()
        g_optimizer.step()
        _ = d_real.item() + d_fake.item(), g_loss.item()
        yield


def unrecorded(config: TrainConfig, images: np.ndarray) -> Iterator[object]:
    """Ours without recording, which is what replays are worth."""
    with mock.patch("core.learn.game.cuda_graph", lambda _device: _Unrecorded()):
        steps = train(config, images)
        yield next(steps)
    yield from steps


class _Unrecorded:
    def apart(self, work: Callable[[], object]) -> object:
        return work()

    def record(self, work: Callable[[], object]) -> None:
        raise RuntimeError("not wanted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("width", 32), ("batch", 64), ("steps", 10), ("rounds", 7), ("size", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own choice")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = resolve_device(options.device)
    plain = TrainConfig(
        image_size=options.size,
        width=options.width,
        batch_size=options.batch,
        fine_heat_map=False,
        augmentation=False,
        device=options.device,
        steps=ENDLESS,
        sample_every=100_000,
        snapshot_every=100_000,
    )
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, options.size, options.size, 3), np.uint8)
    if not (ranks := ranks_from_environment()).alone:
        measure_together(plain, images, ranks, options)
        return
    makers: dict[str, Callable[[], Iterator[object]]] = {
        "public recipe": lambda: recipe(plain, images, device),
        "ours": lambda: train(plain, images),
        "ours, with augmentation": lambda: train(plain.with_(augmentation=True), images),
        WITH_SAMPLES: lambda: train(
            plain.with_(sample_every=SAMPLE_EVERY, snapshot_every=SNAPSHOT_EVERY), images
        ),
    }
    if device.type == "cuda":
        makers["ours, kernel by kernel"] = lambda: unrecorded(plain, images)
    seconds = measure(makers, options.steps, options.rounds, device)
    report(seconds, options, device, uses_bf16("auto", device))


def measure_together(
    config: TrainConfig, images: np.ndarray, ranks: Ranks, options: argparse.Namespace
) -> None:
    """Print what a step takes of all ``ranks`` together."""
    with joined(ranks):
        makers = {"ours": lambda: train(config, images, None, ranks)}
        device = resolve_device(config.device)
        values = measure(makers, options.steps, options.rounds, device)["ours"]
    if ranks.writes:
        print(f"{ranks.size} processes: {1000 * statistics.median(values):.2f} ms/step")


def measure(
    makers: dict[str, Callable[[], Iterator[object]]], steps: int, rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Seconds for each step, a value for each round; all competitors take turns within a round."""
    running = {name: make() for name, make in makers.items()}
    for training in running.values():
        list(islice(training, 5))
    seconds: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name, training in running.items():
            _finish(device)
            began = time.perf_counter()
            # Else a round would hold another number of samples and snapshots than the next.
            count = SNAPSHOT_EVERY if name == WITH_SAMPLES else steps
            list(islice(training, count))
            _finish(device)
            seconds[name].append((time.perf_counter() - began) / count)
    return seconds


def looks_share(seconds: dict[str, list[float]]) -> float:
    """What samples, MS-SSIM, snapshots and signals add to a step, as a share of it; median of rounds."""
    pairs = zip(seconds["ours"], seconds[WITH_SAMPLES], strict=True)
    return statistics.median(looking / plain - 1 for plain, looking in pairs)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def report(
    seconds: dict[str, list[float]], options: argparse.Namespace, device: torch.device, bf16: bool
) -> None:
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"{device.type} ({name}), bf16 {'on' if bf16 else 'off'}, torch {torch.__version__}")
    print(f"{options.size} px, width {options.width}, batch {options.batch}, {options.rounds} rounds\n")
    base = seconds["public recipe"]
    rows = []
    for method, values in seconds.items():
        ratio = statistics.median(b / v for b, v in zip(base, values, strict=True))
        median = statistics.median(values)
        rows.append({"method": method, "ms_per_step": 1000 * median, "ratio": ratio})
        print(f"{method:<28}{1000 * median:>9.2f} ms/step   {ratio:>6.2f} x the recipe's speed")
        hours = 200_000 * median / 3600
        print(f"{'':<28}{hours:>9.2f} h for 200,000 steps")
    share = looks_share(seconds)
    seldom = SNAPSHOT_EVERY / PRESETS["paper"].snapshot_every
    print(
        f"\nsamples, MS-SSIM and snapshots cost {share:.1%} of a step, {seldom * share:.1%} with preset paper"
    )
    if options.json:
        document = {"command": sys.argv, "device": name, "bf16": bf16, "rows": rows, "looks_share": share}
        options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
