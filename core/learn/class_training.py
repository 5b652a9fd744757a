"""Training with class labels, for the weakly supervised CAM that the method is measured against.

The same form as :mod:`engine` and :mod:`core.learn.checkpoint`: a generator that makes one step each time
it is asked, on a state that can be saved between any two and resumed exactly.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from core.base.config import ClassifierConfig
from core.base.devices import autocast, move_optimizer, resolve_device, to_device
from core.base.errors import TrainingError
from core.base.language import tr
from core.base.limits import plain
from core.base.rng import Purpose, stream
from core.base.sampling import evenly
from core.learn.checkpoint import (
    load_moments,
    load_weights,
    point_of,
    read_content,
    refusing_damage,
    step_of,
    write_content,
)
from core.learn.lesson import Budget, run
from core.learn.reports import ClassifierPoint, ClassifierProgress
from core.learn.training import Images, Pool, Rows, batch_rows, check_images
from core.nets.augment import augment, hide_patches
from core.nets.networks import to_model_range
from core.nets.resnet import PreActResNet34, initialize

FORMAT = "boxscout-classifier"
VERSION = 1
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
_MEANT = 1000  # images that the data's mean colour is taken from, evenly of all


@dataclass(slots=True)
class ClassifierState:
    """Everything that the next step depends on; random numbers follow from ``config.seed`` and ``step``.

    ``classes`` names the network's outputs in their order.
    """

    config: ClassifierConfig
    classes: tuple[str, ...]
    network: PreActResNet34
    optimizer: torch.optim.SGD
    step: int = 0
    elapsed_s: float = 0.0
    history: list[ClassifierPoint] = field(default_factory=list)
    since: list[tuple[float, float]] = field(default_factory=list)
    """Loss and accuracy of each step since the last point of the history."""

    def points(self) -> list[ClassifierPoint]:
        """The history, then every step since its last point by itself."""
        first = self.step - len(self.since) + 1
        return self.history + [ClassifierPoint(first + i, *one) for i, one in enumerate(self.since)]


@dataclass(frozen=True)
class ClassifierSnapshot:
    """A classifier at one step: a copy on the CPU in evaluation mode, safe in any thread."""

    step: int
    network: PreActResNet34
    image_size: int
    classes: tuple[str, ...]


def new_state(config: ClassifierConfig, classes: Sequence[str]) -> ClassifierState:
    """A freshly drawn network at step 0, on the CPU.

    Raises
    ------
    TrainingError
        There are fewer than two ``classes``.
    """
    if len(classes) < 2:
        found = (
            tr("all images here are of the class '{0}'").format(classes[0]) if classes else tr("here is none")
        )
        raise TrainingError(
            tr("A training with class labels needs at least two folders of images, and {found}.").format(
                found=found
            )
        )
    network = PreActResNet34(classes=len(classes), width=config.width)
    initialize(network, stream(config.seed, Purpose.WEIGHTS))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(
        network.parameters(), lr=config.learning_rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
    )
    return ClassifierState(config, tuple(classes), network, optimizer)


def learning_rate_at(fraction: float, start: float) -> float:
    """The rate when ``fraction`` (0..1) of the training is done: a tenth after each quarter.

    As published: 0.1 divided by 10 every 25,000 of 100,000 steps.
    """
    return float(start * 0.1 ** min(math.floor(4 * fraction), 3))


def train_classifier(
    config: ClassifierConfig, images: Images, labels: Rows, state: ClassifierState
) -> Iterator[ClassifierProgress]:
    """Train until ``config.steps`` or ``config.minutes``, one step for each ``next``.

    ``state`` is changed in place, so the caller can save it between any two steps; a training resumed
    from it goes on with the same numbers, on the CPU bit for bit. More steps than before stretch the
    rate's quarters too.

    Parameters
    ----------
    config
        Only what is resumable of it may differ from the state's.
    images
        uint8 (N, S, S, 3) with S = ``config.image_size``; may be a memory map.
    labels
        int64 (N,): the position of each image's class in ``state.classes``.
    state
        From :func:`new_state` or :func:`load`.

    Raises
    ------
    TrainingError
        Too few images, sizes that do not fit, no such device, a loss that is not finite.
    """
    check_images(images, image_size=config.image_size)
    yield from run(_Labelled(config, images, labels, state))


class _Labelled:
    """One training bound to its device."""

    def __init__(
        self, config: ClassifierConfig, images: Images, labels: Rows, state: ClassifierState
    ) -> None:
        self.config, self.labels, self.state = config, labels, state
        self.device = resolve_device(config.device)
        self.pool = Pool(images, self.device)
        self.mean = to_model_range(self.pool.rows(evenly(len(images), _MEANT))).mean(dim=(0, 2, 3))
        state.config = config
        state.network.to(self.device).train()
        move_optimizer(state.optimizer)

    def step(self, budget: Budget) -> None:
        state = self.state
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate_at(budget.fraction, self.config.learning_rate)
        loss, accuracy = self._update(state.step)
        if not math.isfinite(loss):
            raise TrainingError(
                tr("Training failed at step {step}: the loss is no longer a number.").format(
                    step=state.step + 1
                )
            )
        state.step += 1
        state.since.append((loss, accuracy))

    def report(self, budget: Budget, *, last: bool) -> ClassifierProgress:
        state = self.state
        loss, accuracy = state.since[-1]
        if last or state.step % self.config.report_every == 0:
            mean_loss, mean_accuracy = np.mean(state.since, axis=0).tolist()
            state.history.append(ClassifierPoint(state.step, mean_loss, mean_accuracy))
            state.since.clear()
        return ClassifierProgress(**budget.standing(), loss=loss, accuracy=accuracy)

    def _update(self, counter: int) -> tuple[float, float]:
        """The ``counter``-th update; the batch's loss and accuracy."""
        config, state = self.config, self.state
        rows = batch_rows(config.seed, len(self.pool), size=config.batch_size, counter=counter)
        rng = stream(config.seed, Purpose.AUGMENTATION, counter) if config.augmentation else None
        batch = to_model_range(self.pool.rows(rows))
        if rng is not None:
            batch = augment(batch, rng)
        if config.hide:
            hiding = stream(config.seed, Purpose.HIDING, counter)
            batch = hide_patches(batch, hiding, share=config.hide, filling=self.mean)
        labels = to_device(torch.from_numpy(self.labels[rows]), self.device)
        with autocast(config.precision, self.device):
            logits = state.network(batch).float()
        loss = cross_entropy(logits, labels)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        right = (logits.detach().argmax(dim=1) == labels).float().mean()
        return float(loss.detach()), float(right)


def snapshot_of(state: ClassifierState) -> ClassifierSnapshot:
    """A copy of the classifier as it is now."""
    network = copy.deepcopy(state.network).cpu().eval().requires_grad_(False)
    return ClassifierSnapshot(state.step, network, state.config.image_size, state.classes)


def save(path: Path, state: ClassifierState) -> None:
    """Write ``state`` as :func:`save` does; CheckpointError where it cannot be written."""
    write_content(
        path,
        {
            "format": FORMAT,
            "version": VERSION,
            "config": state.config.to_dict(),
            "classes": list(state.classes),
            "step": state.step,
            "elapsed_s": state.elapsed_s,
            "history": [asdict(point) for point in state.history],
            "since": state.since,
            "network": state.network.state_dict(),
            "optimizer": state.optimizer.state_dict(),
        },
    )


def load(path: Path) -> ClassifierState:
    """The state saved at ``path``, on the CPU; nothing in the file is executed.

    Raises
    ------
    CheckpointError
        There is no such file, it is damaged, not ours, from another version, or does not fit its config.
    """
    content = read_content(path, FORMAT, VERSION)
    with refusing_damage(path):
        classes = [str(name) for name in content["classes"]]
        state = new_state(ClassifierConfig.from_dict(content["config"]), classes)
        load_weights(state.network, content["network"])
        load_moments(state.optimizer, content["optimizer"])
        state.step, state.elapsed_s = step_of(content), plain(content["elapsed_s"], "float")
        state.history = [point_of(ClassifierPoint, point) for point in content["history"]]
        state.since = [(plain(loss, "float"), plain(right, "float")) for loss, right in content["since"]]
    return state
