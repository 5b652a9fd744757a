"""Training in several processes: which of them this one is, and which part of a batch is its own.

A *rank* is one process of a training that ``torchrun`` started, by its number from 0. Each takes an equal
slice of every batch. What is drawn at random is drawn for the whole batch by all, and sliced.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from core.base.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    ValuesT = TypeVar("ValuesT", Tensor, npt.NDArray[np.int64])


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of this process among ``size`` processes; ``local`` is its number on this machine."""

    rank: int = 0
    size: int = 1
    local: int = 0

    @property
    def alone(self) -> bool:
        """Whether this is the only process."""
        return self.size == 1

    @property
    def writes(self) -> bool:
        """Whether this process writes files and messages; one does."""
        return self.rank == 0

    def check_batch(self, batch: int) -> None:
        """TrainingError unless a ``batch`` of so many images has equal slices."""
        if batch % self.size:
            raise TrainingError(
                f"A batch of {batch} cannot be split evenly among {self.size} processes: "
                f"choose a --batch-size that {self.size} divides, or another --nproc-per-node."
            )

    def own(self, values: ValuesT) -> ValuesT:
        """This process's slice of ``values`` (tensor or array) along their first axis."""
        if self.alone:
            return values
        n = len(values) // self.size
        return values[self.rank * n : (self.rank + 1) * n]

    def own_columns(self, values: Tensor, *, kinds: int = 1) -> Tensor:
        """This process's slice of a tensor's last axis, of each of the ``kinds`` that follow one another."""
        if self.alone:
            return values
        by_rank: Tensor = values.unflatten(-1, (kinds, self.size, -1))  # type: ignore[no-untyped-call]
        return by_rank[..., self.rank, :].flatten(-2)


ALONE = Ranks()


def ranks_from_environment(environ: Mapping[str, str] = os.environ) -> Ranks:
    """What ``torchrun`` says in ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK``; ``ALONE`` if it says nothing.

    Raises
    ------
    TrainingError
        These are set, but not as torchrun sets them.
    """
    if "RANK" not in environ or environ.get("WORLD_SIZE", "1") == "1":
        return ALONE
    try:
        rank, size, local = (int(environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    except (KeyError, ValueError):
        size = rank = local = 0
    if not 0 <= local <= rank < size or not {"MASTER_ADDR", "MASTER_PORT"} <= environ.keys():
        raise TrainingError(
            "The variables RANK and WORLD_SIZE are set, but not as torchrun sets them: "
            "start with torchrun, or unset both."
        )
    return Ranks(rank, size, local)
