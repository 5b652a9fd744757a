"""What teaches the unit "object" of a projected discriminator, without labels: what a folder's images share.

Deep descriptor transforming (Wei et al. 2017): the first direction of all cells' descriptors, about their
mean; cells on its positive side are the object's.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from core.learn.training import Pool
from core.nets.networks import to_model_range
from core.nets.projected import ProjectedDiscriminator

ASKED = 256
"""Images that are looked at, evenly from all: the direction of so many is that of the folder."""
_BATCH = 16
_LEAST = 1e-6


@torch.no_grad()
def find_direction(network: ProjectedDiscriminator, pool: Pool) -> None:
    """Keep in ``network`` the folder's mean descriptor and first direction, unless it has them.

    The direction points to what the middle of the images has more than their border.
    """
    if network.direction.any():
        return
    cells = torch.cat(list(_descriptors(network, pool))).double()
    mean = cells.mean((0, 1, 2))
    flat = (cells - mean).flatten(0, 2)
    _, directions = torch.linalg.eigh(flat.T @ flat / len(flat))
    shares = (cells - mean) @ directions[:, -1]
    sign = 1.0 if _middle_above_border(shares) else -1.0
    network.mean.copy_(mean)
    network.direction.copy_(sign * directions[:, -1])


def object_loss(cells: Tensor, taught: Tensor) -> tuple[Tensor, Tensor]:
    """How wrong the unit is about the cells, and the share of them that it has right: two scalars.

    Cross entropy with which side of 0 a cell is taught to be on; cells count by their distance from 0, where
    the direction says least.

    Parameters
    ----------
    cells
        Logits of "object", float (N, h, w).
    taught
        :meth:`~core.nets.projected.ProjectedDiscriminator.taught`, float (N, a, b).
    """
    fine = interpolate(taught[:, None], size=cells.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    target, weight = (fine > 0).float(), fine.abs()
    weight = weight / weight.mean().clamp(min=_LEAST)
    loss = binary_cross_entropy_with_logits(cells.float(), target, weight=weight)
    return loss, ((cells > 0) == (fine > 0)).float().mean()


def _descriptors(network: ProjectedDiscriminator, pool: Pool) -> list[Tensor]:
    """The deepest descriptors of some images, float (n, h, w, C) a batch, on the CPU."""
    rows = np.unique(np.linspace(0, len(pool) - 1, min(ASKED, len(pool))).astype(np.int64))
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    maps = [network.see(to_model_range(pool.rows(batch))).deepest for batch in batches]
    return [one.float().permute(0, 2, 3, 1).cpu() for one in maps]


def _middle_above_border(shares: Tensor) -> bool:
    """Whether (n, h, w) are larger in their middle half than on their outermost cells."""
    height, width = shares.shape[1:]
    inside = torch.zeros(height, width, dtype=torch.bool)
    inside[1:-1, 1:-1] = True
    middle = shares[:, height // 4 : height - height // 4, width // 4 : width - width // 4].mean()
    return bool(middle > shares[:, ~inside].mean())
