"""What the processes of one training tell each other, so that together they do what one would.

Each takes its slice of the batch (:class:`~core.base.ranks.Ranks`). Every loss is a mean over images, so the
mean of all ranks' gradients is the gradient of the whole batch, if they exchange what depends on the batch as
a whole: batch norm's moments, with their gradients, and DRAGAN's spread. One rank exchanges nothing and
computes as ever, to the bit. Why not DistributedDataParallel: docs/decisions/0033-ranks.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from core.base.errors import Cancelled, TrainingError
from core.base.ranks import ALONE, Ranks

WAIT = timedelta(minutes=30)
"""How long a step waits for the slowest rank, which may be measuring or saving, before all end."""
_LOOK_EVERY_S = 0.2
_MESSAGE = "work"


class Company:
    """The processes of one training, connected; see :func:`joined`."""

    def __init__(self, ranks: Ranks, store: Any = None) -> None:
        self.ranks, self._store = ranks, store

    def tell(self, work: dict[str, Any]) -> None:
        """Let the other ranks know what to do: plain values."""
        if self._store is not None:
            self._store.set(_MESSAGE, json.dumps(work))

    def told(self, cancelled: Callable[[], bool]) -> dict[str, Any]:
        """What rank 0 told, however long it prepares; Cancelled if that is asked for meanwhile."""
        while not self._store.check([_MESSAGE]):
            if cancelled():
                raise Cancelled("Stopped before the training began.")
            time.sleep(_LOOK_EVERY_S)
        work: dict[str, Any] = json.loads(self._store.get(_MESSAGE))
        return work

    def any_asks(self, stop: bool) -> bool:
        """Whether any rank asks to ``stop``; all ranks get the same answer, after the same step."""
        if self.ranks.alone:
            return stop
        return bool(_summed(torch.tensor(float(stop))) > 0)


BY_ITSELF = Company(ALONE)


@contextmanager
def joined(ranks: Ranks) -> Iterator[Company]:
    """Connect all ranks as torchrun's variables say: NCCL between graphics cards, gloo between processors.

    Raises
    ------
    TrainingError
        They do not find each other.
    """
    if ranks.alone:
        yield BY_ITSELF
        return
    import torch.distributed as dist

    with _telling_loss():
        found = dist.rendezvous("env://", ranks.rank, ranks.size, timeout=WAIT)  # type: ignore[attr-defined]
        store, _, _ = next(found)
        dist.init_process_group(
            backend_for(cards=torch.cuda.is_available()),
            store=store,
            rank=ranks.rank,
            world_size=ranks.size,
            timeout=WAIT,
        )
    try:
        yield Company(ranks, store)
    finally:
        dist.destroy_process_group()


def backend_for(*, cards: bool) -> str:
    """The backends of torch.distributed by device: flags are exchanged on the processor in any case."""
    return "cpu:gloo,cuda:nccl" if cards else "gloo"


def device_name(name: str, ranks: Ranks, *, cards: int) -> str:
    """The device of this rank where a training asks for ``name``: each takes the card of its local number.

    Parameters
    ----------
    cards
        How many graphics cards of NVIDIA's this machine has.

    Raises
    ------
    TrainingError
        All ranks would take the same card, or there are fewer cards than ranks here.
    """
    if ranks.alone or name == "cpu" or (name == "auto" and not cards):
        return name
    if name not in ("auto", "cuda"):
        raise TrainingError(
            f"Several processes cannot share the device '{name}': leave out --device, and each takes its own."
        )
    if cards and ranks.local >= cards:
        raise TrainingError(
            f"This machine has {cards} graphics cards: start no more processes on it, or add --device cpu."
        )
    return f"cuda:{ranks.local}"


# --- sums over ranks --------------------------------------------------------------------------------


@contextmanager
def _telling_loss() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch raises no other where a connection ends
        raise TrainingError(
            "Another process of this training has ended, so this one ends too; what was saved is kept."
        ) from error


def _summed(values: Tensor) -> Tensor:
    """The sum of all ranks' ``values``, the same bits on each."""
    import torch.distributed as dist

    total = values.detach().clone(memory_format=torch.contiguous_format)
    with _telling_loss():
        dist.all_reduce(total)
    return total


class _SumOfAll(torch.autograd.Function):
    """The sum over ranks. A value of one rank reaches all losses, so its gradient is the sum of all."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return sum_of_all(gradient)


def sum_of_all(values: Tensor) -> Tensor:
    """Sum ``values`` over all ranks, any number of times differentiable.

    Every rank calls this in the same order, also in the backward pass: all build the same graph.
    """
    total: Tensor = _SumOfAll.apply(values)  # type: ignore[no-untyped-call]
    return total


def first_decides(decision: bool, ranks: Ranks) -> bool:
    """What rank 0 decided, for all."""
    if ranks.alone:
        return decision
    return bool(_summed(torch.tensor(float(decision and ranks.writes))) > 0)


def mean_of_all(values: Tensor, ranks: Ranks) -> Tensor:
    """The mean over ranks of ``values``, which no gradient is wanted of."""
    return values if ranks.alone else _summed(values) / ranks.size


def moments_of_all(mean: Tensor, variance: Tensor, ranks: Ranks) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of the whole batch from those of this rank's slice.

    The variance is put together about the common mean (Chan et al. 1979, equation 2.1), not as a mean of
    squares, which would cancel. Differentiable, in one exchange.
    """
    own = torch.stack([mean, variance])
    places = [own if rank == ranks.rank else torch.zeros_like(own) for rank in range(ranks.size)]
    means, variances = sum_of_all(torch.stack(places)).unbind(1)
    common = means.mean(0)
    return common, (variances + (means - common) ** 2).mean(0)


def spread_of_all(values: Tensor, ranks: Ranks) -> Tensor:
    """The standard deviation of all values of the whole batch, one number, as :meth:`Tensor.std` has it."""
    if ranks.alone:
        return values.std()
    variance, mean = torch.var_mean(values, correction=0)
    count = values.numel() * ranks.size
    return (moments_of_all(mean, variance, ranks)[1] * count / (count - 1)).sqrt()


# --- a training's networks --------------------------------------------------------------------------


def mean_gradients(weights: Iterable[Tensor], ranks: Ranks) -> None:
    """Replace the gradients of ``weights`` by their mean over all ranks, as one flat vector."""
    if ranks.alone:
        return
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    flat = mean_of_all(torch.cat([gradient.flatten() for gradient in gradients]), ranks)
    means = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def start_alike(networks: Iterable[nn.Module], ranks: Ranks) -> None:
    """Give all ranks the weights and buffers of rank 0, which they have already but for rounding."""
    if ranks.alone:
        return
    import torch.distributed as dist

    with _telling_loss():
        for network in networks:
            for values in (*network.parameters(), *network.buffers()):
                dist.broadcast(values.data, 0)


@contextmanager
def batch_norm_of_all(networks: Iterable[nn.Module], ranks: Ranks) -> Iterator[None]:
    """Batch norm of ``networks`` has mean and variance of the whole batch; outside, of what it sees.

    torch's SyncBatchNorm does this on graphics cards alone, and cannot be differentiated twice.
    """
    modules = [] if ranks.alone else [module for network in networks for module in network.modules()]
    norms = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.forward = partial(_normalized, norm, ranks)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward


def _normalized(norm: nn.BatchNorm2d, ranks: Ranks, x: Tensor) -> Tensor:
    """``norm`` of this rank's slice x (n, C, H, W) in training, in float32 or finer."""
    values = x.to(torch.promote_types(x.dtype, torch.float32))
    variance, mean = torch.var_mean(values, (0, 2, 3), correction=0)
    mean, variance = moments_of_all(mean, variance, ranks)
    if norm.track_running_stats:
        _keep_averages(norm, mean, variance, count=x.numel() // x.shape[1] * ranks.size)
    scale = norm.weight * (variance + norm.eps).rsqrt()
    shift = norm.bias - mean * scale
    return (values * scale[:, None, None] + shift[:, None, None]).to(x.dtype)


@torch.no_grad()
def _keep_averages(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, *, count: int) -> None:
    """As :class:`torch.nn.BatchNorm2d`: the running variance is of the unbiased one."""
    assert norm.running_mean is not None and norm.running_var is not None and norm.momentum is not None
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), norm.momentum)
    norm.running_var.lerp_((variance * count / (count - 1)).to(norm.running_var.dtype), norm.momentum)
