"""Where a training computes and in which precision, and how numbers get there."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from core.base.config import forced_precision
from core.base.errors import TrainingError
from core.base.language import tr
from core.base.threads import apply_to_torch

apply_to_torch()  # whatever was said before torch was there


def resolve_device(name: str) -> torch.device:
    """The device of ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    ``auto`` is a card of NVIDIA's if there is one, else the processor. Apple's GPU, ``mps``, is used only if
    it is asked for: nobody has compared its results yet.

    Raises
    ------
    TrainingError
        There is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise TrainingError(tr("No Apple GPU was found; choose the device 'cpu' or 'auto'."))
    if device.type == "cuda" and not torch.cuda.is_available():
        raise TrainingError(tr("No CUDA device was found; choose the device 'cpu' or 'auto'."))
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        last = f"cuda:{torch.cuda.device_count() - 1}"
        raise TrainingError(
            tr("There is no device '{name}'; the last one here is '{last}'.").format(name=name, last=last)
        )
    return device


def free_bytes(device: torch.device) -> int:
    """The free memory of a graphics card; 0 for the CPU, whose images are read where they lie."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bf16, which every device can, slowly where its hardware has none.

    ``auto`` is what ``$BOXSCOUT_PRECISION`` says, and bf16 where the hardware multiplies it if that is unset;
    TrainingError where it says neither fp32 nor bf16.
    """
    asked = precision if precision != "auto" else forced_precision(os.environ)
    return asked == "bf16" if asked else _has_bf16(device)


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "mps":  # not measured yet
        return False
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """A context in which networks compute in bf16 where :func:`uses_bf16`."""
    return torch.autocast(device.type, torch.bfloat16) if uses_bf16(precision, device) else nullcontext()


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """``values`` of the CPU on ``device``, without waiting for what that does at the moment."""
    if device.type == "cpu":
        return values
    # From pinned memory alone is a copy not waited for.
    pinned = values.pin_memory() if device.type == "cuda" else values
    return pinned.to(device, non_blocking=True)


def move_optimizer(optimizer: torch.optim.Optimizer) -> None:
    """Put every moment where its parameter now is: loading its own state again does that."""
    optimizer.load_state_dict(optimizer.state_dict())
    for group in optimizer.param_groups:
        # Lets :mod:`core.learn.recording` record its steps; of no use and no harm elsewhere.
        if "capturable" in group:
            group["capturable"] = any(weight.is_cuda for weight in group["params"])
