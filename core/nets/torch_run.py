"""A network of torch behind the features' interface, which speaks NumPy."""

from __future__ import annotations

import torch
from torch import nn

from core.nets.features import Array, Maps, Run


def torch_run(network: nn.Module, place: torch.device, *, threads: int) -> Run:
    """What computes ``network``'s maps at ``place``, in float32 and every time the same.

    Parameters
    ----------
    network
        float (N, 3, H, W), RGB in 0..1 -> maps (N, C, h, w). Moved to ``place``.
    threads
        Of the processor, set while it computes.
    """
    network.eval().requires_grad_(False).to(place)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(batch: Array) -> Maps:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            # A card would round products to 10 bits.
            exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
            with torch.inference_mode(), exact:
                images = torch.tensor(batch).to(place, memory_format=torch.channels_last)
                return tuple(maps.contiguous().cpu().numpy() for maps in network(images))
        finally:
            torch.set_num_threads(before)

    return run
