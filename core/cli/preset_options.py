"""Which options of ``train`` belong to which preset: its help shows it, and no other preset ignores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand

from core.base.config import FeaturesConfig, TrainConfig
from core.base.errors import TrainingError
from core.base.presets import FEATURES_PRESETS, OLD_PRESETS, PRESETS


@dataclass(frozen=True)
class Group:
    """Options that the same presets use, by the names of their settings."""

    title: str
    presets: tuple[str, ...]
    options: frozenset[str]


_WINDOWED = tuple(name for name, config in PRESETS.items() if not config.projected)
GROUPS = (
    Group(
        "Frozen features",
        tuple(FEATURES_PRESETS),
        frozenset({"method", "features", "weights", "download", "sample", "keep_aspect", "threads"}),
    ),
    Group(
        "Training of a GAN",
        tuple(PRESETS),
        frozenset(
            {"steps", "minutes", "batch_size", "width", "augmentation", "background", "adversarial"}
            | {"objective", "precision"}
        ),
    ),
    Group("Training of a GAN", _WINDOWED, frozenset({"fine_heat_map", "crop_size", "framing"})),
)
"""Options of no group are for every preset."""


class TrainCommand(TyperCommand):
    """A command whose help lists each group of options under its presets."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        sections |= {_heading(group): [] for group in GROUPS}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                is_argument = parameter.param_type_name == "argument"
                sections["Arguments" if is_argument else _section_of(parameter.name)].append(record)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def refuse_unused(preset: str, given: Mapping[str, Any]) -> None:
    """TrainingError that names the options ``given`` that ``preset`` does not use, and who does."""
    preset = "scratch" if preset in OLD_PRESETS else preset
    odd = {
        group: [option_of(name, given[name]) for name in given if name in group.options]
        for group in GROUPS
        if preset not in group.presets
    }
    parts = [
        f"{', '.join(options)} {'belong' if len(options) > 1 else 'belongs'} to {_named(group)}"
        for group, options in odd.items()
        if options
    ]
    if parts:
        raise TrainingError(f"{'; '.join(parts)}, not to {preset}: choose one with --preset.")


def refuse_idle_objective(config: TrainConfig, given: Mapping[str, Any]) -> None:
    """TrainingError where an objective was ``given``, and ``config`` trains no generator to have it."""
    if "objective" in given and not config.adversarial:
        raise TrainingError(
            "--objective is for a generator, which is not trained here: add --adversarial 1, or leave it out."
        )


def refuse_idle_seed(config: FeaturesConfig, given: Mapping[str, Any]) -> None:
    """TrainingError where a seed was ``given``, and the method of ``config`` draws nothing."""
    if "seed" in given and config.method == "ddt":
        raise TrainingError("--seed changes nothing with --method ddt, which draws nothing: leave it out.")


def option_of(name: str, value: Any) -> str:
    """A setting as the person wrote it."""
    return f"--{'no-' if value is False else ''}{name.replace('_', '-')}"


def _section_of(name: str | None) -> str:
    return next((_heading(group) for group in GROUPS if name in group.options), "Options")


def _heading(group: Group) -> str:
    return f"{group.title} ({_named(group).removeprefix('the ')})"


def _named(group: Group) -> str:
    *others, last = group.presets
    return f"the presets {', '.join(others)} and {last}" if others else f"the preset {last}"
