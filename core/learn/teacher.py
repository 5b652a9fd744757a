"""What teaches the unit "object" of a projected discriminator, without labels: what a folder's images share.

Deep descriptor transforming, as :mod:`core.maps.ddt` has it: cells on the positive side of the folder's first
direction are the object's.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from core.base.ranks import ALONE, Ranks
from core.base.sampling import evenly
from core.learn.together import mean_of_all
from core.learn.training import Pool
from core.maps.ddt import Tally
from core.nets.networks import to_model_range
from core.nets.projected import ProjectedDiscriminator

ASKED = 256
"""Images that are looked at, evenly from all: the direction of so many is that of the folder."""
_BATCH = 16
_LEAST = 1e-6


@torch.no_grad()
def find_direction(network: ProjectedDiscriminator, pool: Pool) -> None:
    """Keep in ``network`` the folder's mean descriptor and first direction, unless it has them.

    Raises
    ------
    TrainingError
        All images look the same everywhere.
    """
    if network.direction.any():
        return
    # White blood cells at 64 px differ most in how far the zeros beyond the border reach in.
    tally = Tally(rim=1)
    rows = evenly(len(pool), ASKED)
    for start in range(0, len(rows), _BATCH):
        images = to_model_range(pool.rows(rows[start : start + _BATCH]))
        tally.add(network.see(images).deepest.float().cpu().numpy())
    found = tally.direction()
    network.mean.copy_(torch.from_numpy(found.mean))
    network.direction.copy_(torch.from_numpy(found.direction))


def object_loss(cells: Tensor, taught: Tensor, ranks: Ranks = ALONE) -> tuple[Tensor, Tensor]:
    """How wrong the unit is about the cells, and the share of them that it has right: two scalars.

    Cross entropy with which side of 0 a cell is taught to be on; cells count by their distance from 0, where
    the direction says least.

    Parameters
    ----------
    cells
        Logits of "object", float (N, h, w).
    taught
        :meth:`~core.nets.projected.ProjectedDiscriminator.taught`, float (N, a, b); no gradient goes there.
    ranks
        Which slice of the batch these are of: a cell's weight depends on all.
    """
    fine = interpolate(taught[:, None], size=cells.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    target, weight = (fine > 0).float(), fine.abs()
    weight = weight / mean_of_all(weight.mean(), ranks).clamp(min=_LEAST)
    loss = binary_cross_entropy_with_logits(cells.float(), target, weight=weight)
    return loss, ((cells > 0) == (fine > 0)).float().mean()
