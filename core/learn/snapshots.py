"""The snapshots that a project keeps on disk, so that a step before the last can be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from core.base.atomic import os_errors
from core.base.config import TrainConfig
from core.base.errors import CheckpointError
from core.base.language import tr
from core.learn import checkpoint
from core.learn.checkpoint import (
    TrainState,
    load_weights,
    new_discriminator,
    read_content,
    refusing_damage,
    step_of,
    write_content,
)
from core.learn.engine import snapshot_of
from core.learn.reports import Progress, Snapshot
from core.learn.stopping import Signal, propose, thinned

FORMAT = "boxscout-snapshot"
VERSION = 1
MAX_KEPT = 20

_NAME = re.compile(r"step-(\d{8})\.pt")


def snapshots_dir(checkpoint_file: Path) -> Path:
    """Where the snapshots of the training saved at ``checkpoint_file`` are kept."""
    return checkpoint_file.with_name("snapshots")


def snapshot_file(folder: Path, step: int) -> Path:
    """The file of one snapshot."""
    return folder / f"step-{step:08d}.pt"


def kept_steps(folder: Path) -> tuple[int, ...]:
    """The steps whose snapshots lie in ``folder``, ascending; none where there is no such folder."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return ()
    return tuple(sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name))))


def keep(folder: Path, snapshot: Snapshot, config: TrainConfig) -> None:
    """Write a snapshot and thin out the older ones, so that no more than ``MAX_KEPT`` remain.

    Raises
    ------
    CheckpointError
        It cannot be written.
    """
    with os_errors(CheckpointError, tr("Snapshots cannot be saved to {folder}: {reason}."), folder=folder):
        folder.mkdir(exist_ok=True)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "config": config.to_dict(),
        "step": snapshot.step,
        "discriminator": snapshot.discriminator.state_dict(),
    }
    write_content(snapshot_file(folder, snapshot.step), content)
    steps = kept_steps(folder)
    _remove(folder, set(steps) - set(thinned(steps, MAX_KEPT)))


def load(folder: Path, step: int) -> Snapshot:
    """The snapshot of ``step``, on the CPU; nothing in its file is executed.

    Raises
    ------
    CheckpointError
        It is not there, damaged, not ours, or from another version.
    """
    path = snapshot_file(folder, step)
    if not path.exists():
        known = ", ".join(str(kept) for kept in kept_steps(folder)) or "none"
        raise CheckpointError(
            tr("No snapshot of step {step} is kept; the steps that are: {known}.").format(
                step=step, known=known
            )
        )
    content = read_content(path, FORMAT, VERSION)
    with refusing_damage(path):
        config = TrainConfig.from_dict(content["config"])
        network = new_discriminator(config)
        load_weights(network, content["discriminator"])
        step = step_of(content)
    return Snapshot(step, network.eval().requires_grad_(False), config.image_size)


def keeping_snapshots(training: Iterator[Progress], state: TrainState, folder: Path) -> Iterator[Progress]:
    """Pass ``training`` on and keep each of its snapshots.

    What lies in ``folder`` from beyond the step that ``state`` starts at is another training's, or of
    steps about to be made again; it goes as soon as a step is made, and not before.
    """
    start, is_first = state.step, True
    for progress in training:
        if is_first:
            _remove(folder, {step for step in kept_steps(folder) if step > start})
            is_first = False
        if progress.snapshot is not None:
            keep(folder, progress.snapshot, state.config)
        yield progress


def kept_signals(state: TrainState, folder: Path) -> list[Signal]:
    """The signals of ``state`` at those steps whose snapshots are kept."""
    kept = set(kept_steps(folder))
    return [signal for signal in state.signals if signal.step in kept]


def chosen_snapshot(checkpoint_file: Path, at: str) -> tuple[Snapshot, str]:
    """The snapshot that ``at`` names, and why, which is empty unless it was proposed.

    Parameters
    ----------
    at
        ``last`` for the checkpoint itself, ``proposed``, or a step as decimal digits.

    Raises
    ------
    TrainingError
        ``proposed``, and there is no snapshot to choose from.
    CheckpointError
        What ``at`` names is not there or damaged.
    """
    state, folder = checkpoint.load(checkpoint_file), snapshots_dir(checkpoint_file)
    if at == "proposed":
        proposal = propose(kept_signals(state, folder))
        return load(folder, proposal.step), proposal.reason
    if at == "last" or int(at) == state.step:
        return snapshot_of(state), ""
    return load(folder, int(at)), ""


def _remove(folder: Path, steps: set[int]) -> None:
    for step in steps:
        with suppress(OSError):  # one file too many does no harm
            snapshot_file(folder, step).unlink(missing_ok=True)
