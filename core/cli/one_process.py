"""Commands that torchrun must not start many times."""

from __future__ import annotations

import typer

from core.base.errors import TrainingError
from core.base.ranks import ranks_from_environment

FEATURES_ALONE = (
    "Frozen features are learned in one process: start without torchrun ('localize --workers' finds boxes in "
    "many), or choose the preset scratch, generator or paper."
)


def in_one_process(sentence: str) -> None:
    """Refuse with ``sentence``, once, if torchrun started several processes.

    Raises
    ------
    TrainingError
        In one of them. The others end without a word, as if well: torchrun ends all at the first failure,
        which might be before the sentence is out.
    """
    ranks = ranks_from_environment()
    if ranks.alone:
        return
    if not ranks.writes:
        raise typer.Exit
    raise TrainingError(sentence)
