"""The whole state of a training: saved atomically, loaded safely, resumed exactly.

:func:`write_content` and :func:`read_content` do that for a training of any kind.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from core.base.atomic import os_errors, remove_forgotten, write_atomically
from core.base.config import TrainConfig, limits_of
from core.base.errors import CheckpointError, TrainingError
from core.base.language import tr
from core.base.limits import plain
from core.base.rng import Purpose, stream
from core.learn.losses import LossLog
from core.learn.objectives import OBJECTIVES
from core.learn.stopping import Signal
from core.nets.framing import LEARNING_RATE, WEIGHT_DECAY
from core.nets.networks import Discriminator, Framing, Generator, Judge, initialize, initialize_framing
from core.nets.projected import ProjectedDiscriminator

FORMAT = "boxscout-checkpoint"
VERSION = 1

PointT = TypeVar("PointT")


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """What the plots keep of one step. Losses and accuracy are means since the point before.

    ``g_loss`` and ``ms_ssim`` are None where there is no generator, the last two where no background is
    learned; ``background_accuracy`` is the share, 0..1, of windows told right.
    """

    step: int
    d_loss: float
    g_loss: float | None
    ms_ssim: float | None
    background_loss: float | None = None
    background_accuracy: float | None = None


@dataclass(slots=True)
class TrainState:
    """Everything that the next step depends on; random numbers follow from ``config.seed`` and ``step``."""

    config: TrainConfig
    generator: Generator
    discriminator: Judge
    g_optimizer: torch.optim.Adam
    d_optimizer: torch.optim.Adam
    f_optimizer: torch.optim.AdamW | None = None
    """Of the discriminator's framing; None where it has none."""
    step: int = 0
    elapsed_s: float = 0.0
    history: list[HistoryPoint] = field(default_factory=list)
    losses: LossLog = field(default_factory=LossLog)
    """Those since the last point of the history."""
    signals: list[Signal] = field(default_factory=list)
    """What was measured at each snapshot; empty in checkpoints older than that."""

    def points(self) -> list[HistoryPoint]:
        """What a plot shows of a stopped training: the history, then each step since by itself.

        Raises
        ------
        TrainingError
            A loss is not finite, which was not known yet.
        """
        since = self.losses.settled()
        return self.history + [
            HistoryPoint(step, one.discriminator, one.generator, None, *one[2:])
            for step, one in enumerate(since, self.step - len(since) + 1)
        ]


def new_state(config: TrainConfig) -> TrainState:
    """Freshly drawn networks at step 0, on the CPU."""
    generator = Generator(image_size=config.input_size, width=config.width, latent_size=config.latent_size)
    discriminator = new_discriminator(config)
    rng = stream(config.seed, Purpose.WEIGHTS)
    for network in (generator, discriminator):
        initialize(network, rng)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if discriminator.framing is not None:
        initialize_framing(discriminator.framing, rng)
    return TrainState(
        config,
        generator,
        discriminator,
        _adam(generator.parameters(), config),
        _adam(_judging(discriminator), config),
        _adamw(discriminator.framing),
    )


def new_discriminator(config: TrainConfig) -> Judge:
    """The discriminator that ``config`` asks for, with weights yet to be drawn or loaded.

    Raises
    ------
    TrainingError
        Batch norm together with a gradient penalty.
    """
    objective = OBJECTIVES[config.objective]
    if config.norm == "batch" and objective.penalty is not None:
        raise TrainingError(
            tr("{title} cannot be trained with batch norm; choose the norm 'auto'.").format(
                title=objective.title
            )
        )
    if config.projected:
        return ProjectedDiscriminator(
            image_size=config.image_size,
            width=config.width,
            seed=config.seed,
            background=config.background > 0,
        )
    return Discriminator(
        image_size=config.input_size,
        width=config.width,
        fine_heat_map=config.fine_heat_map,
        per_image_norm=config.norm == "image" or objective.penalty is not None,
        background=config.background > 0,
        framing=config.framing > 0,
    )


def _judging(discriminator: Judge) -> list[torch.nn.Parameter]:
    """The discriminator's own weights, without those of its framing."""
    return [weight for name, weight in discriminator.named_parameters() if not name.startswith("framing.")]


def _adam(weights: Iterable[torch.nn.Parameter], config: TrainConfig) -> torch.optim.Adam:
    own = OBJECTIVES[config.objective].adam(config.input_size)
    rate = own.learning_rate if config.learning_rate is None else config.learning_rate
    beta1 = own.beta1 if config.beta1 is None else config.beta1
    beta2 = own.beta2 if config.beta2 is None else config.beta2
    # Fused: one kernel for all weights; the plain one takes a tenth of a step on two cores.
    return torch.optim.Adam(weights, lr=rate, betas=(beta1, beta2), fused=True)


def _adamw(framing: Framing | None) -> torch.optim.AdamW | None:
    if framing is None:
        return None
    return torch.optim.AdamW(framing.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)


def save(path: Path, state: TrainState) -> None:
    """Write ``state`` so that ``path`` always holds a whole checkpoint, the old one or the new.

    Raises
    ------
    CheckpointError
        The file cannot be written; an older one is left as it was.
    TrainingError
        A loss is not finite, which was not known yet.
    """
    write_content(
        path,
        {
            "format": FORMAT,
            "version": VERSION,
            "config": state.config.to_dict(),
            "step": state.step,
            "elapsed_s": state.elapsed_s,
            "history": [asdict(point) for point in state.history],
            "losses_since": [tuple(losses) for losses in state.losses.settled()],
            "signals": [asdict(signal) for signal in state.signals],
            "generator": state.generator.state_dict(),
            "discriminator": state.discriminator.state_dict(),
            "g_optimizer": state.g_optimizer.state_dict(),
            "d_optimizer": state.d_optimizer.state_dict(),
            "f_optimizer": None if state.f_optimizer is None else state.f_optimizer.state_dict(),
        },
    )


def load(path: Path) -> TrainState:
    """The state saved at ``path``, on the CPU.

    Nothing in the file is executed (``weights_only=True``).

    Raises
    ------
    CheckpointError
        There is no such file, it is damaged, not ours, from a newer version, or does not fit its config.
    """
    content = read_content(path, FORMAT, VERSION)
    with refusing_damage(path):
        state = new_state(TrainConfig.from_dict(content["config"]))
        load_weights(state.generator, content["generator"])
        load_weights(state.discriminator, content["discriminator"])
        load_moments(state.g_optimizer, content["g_optimizer"])
        load_moments(state.d_optimizer, content["d_optimizer"])
        if state.f_optimizer is not None:
            load_moments(state.f_optimizer, content["f_optimizer"])
        state.step, state.elapsed_s = step_of(content), plain(content["elapsed_s"], "float")
        state.history = [point_of(HistoryPoint, point) for point in content["history"]]
        state.losses = LossLog(
            [[plain(loss, "float | None") for loss in losses] for losses in content["losses_since"]]
        )
        state.signals = [point_of(Signal, signal) for signal in content.get("signals", [])]
    return state


def write_content(path: Path, content: Mapping[str, Any]) -> None:
    """Save ``content`` (tensors and plain values) so that ``path`` always holds a whole file.

    Raises
    ------
    CheckpointError
        The file cannot be written; an older one is left as it was.
    """
    data = io.BytesIO()
    torch.save(dict(content), data)
    remove_forgotten(path.parent)
    with os_errors(CheckpointError, tr("The training could not be saved to {path}: {reason}."), path=path):
        write_atomically(path, data.getvalue())


def read_content(path: Path, format_name: str, version: int) -> dict[str, Any]:
    """What :func:`write_content` saved, on the CPU, if its ``format`` and ``version`` are these.

    Nothing in the file is executed.

    Raises
    ------
    CheckpointError
        There is no such file, it is damaged, not ours, or from another version.
    """
    if not path.exists():
        raise CheckpointError(tr("There is no training at {path}.").format(path=path))
    try:
        _check_archive(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd about a foreign file is told in one sentence
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes of anybody's, of which torch raises nearly everything
        raise CheckpointError(
            tr("{name} is damaged or not a Boxscout checkpoint.").format(name=path.name)
        ) from error
    if not isinstance(content, dict) or content.get("format") != format_name:
        raise CheckpointError(tr("{name} is not a Boxscout checkpoint.").format(name=path.name))
    if content.get("version") != version:
        raise CheckpointError(tr("{name} was saved by another version of Boxscout.").format(name=path.name))
    return content


def _check_archive(path: Path) -> None:
    """ValueError, or what zipfile raises, unless ``path`` holds what :func:`write_content` wrote there.

    torch reads changed bytes as other weights, unpacks what it never packed, and waits at a pipe.
    """
    if not path.is_file():
        raise ValueError("no ordinary file")
    with zipfile.ZipFile(path) as archive:
        if sum(one.file_size for one in archive.infolist()) > path.stat().st_size:
            raise ValueError("larger than its file")
        if changed := archive.testzip():
            raise ValueError(f"{changed} has changed")


@contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """What fails while a state is put together from ``path`` becomes one CheckpointError."""
    try:
        yield
    except Exception as error:  # values of any kind may stand where others are expected
        raise CheckpointError(tr("{name} is a damaged checkpoint.").format(name=path.name)) from error


def step_of(content: Mapping[str, Any]) -> int:
    """The step of what was saved; ValueError where no training has such a one."""
    step, most = plain(content["step"], "int"), limits_of("steps").high
    if most is None or not 0 <= step <= most:
        raise ValueError("no step of a training")
    return int(step)


def point_of(kind: type[PointT], values: Mapping[str, Any]) -> PointT:
    """A dataclass of plain values as it was saved; ValueError where one is of another kind."""
    point = kind(**values)
    for f in fields(point):  # type: ignore[arg-type]
        plain(getattr(point, f.name), str(f.type))
    return point


def load_weights(network: torch.nn.Module, saved: Mapping[str, Tensor]) -> None:
    """Give ``network`` the weights that were saved; ValueError where one is no number."""
    if not all(value.isfinite().all() for value in saved.values()):
        raise ValueError("a weight is no number")
    network.load_state_dict(saved)


def load_moments(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> None:
    """Give ``optimizer`` the moments that were saved; its settings follow from the config as they are.

    Raises
    ------
    ValueError
        Moments are not of the shape of their weights.
    """
    optimizer.load_state_dict({**optimizer.state_dict(), "state": saved["state"]})
    for weight, moments in optimizer.state.items():
        # SGD keeps one, Adam two and its step.
        whole = moments.keys() in ({"momentum_buffer"}, {"step", "exp_avg", "exp_avg_sq"})
        shapes = {name: () if name == "step" else weight.shape for name in moments}
        if not whole or any(value.shape != shapes[name] for name, value in moments.items()):
            raise ValueError("moments of other weights")
