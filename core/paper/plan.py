"""What is to be trained: one run for each set, method and seed, with the paper's settings."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import PROGRAM
from core.base.config import ClassifierConfig, TrainConfig
from core.base.plain_json import parse_json
from core.base.presets import CLASSIFIER_PRESETS, PRESETS
from core.paper.published import IMAGE_SIZE, METHODS, published_steps

POINTS = 25
"""Of a run's curves, at least: more cost a short run much, and a long one has one every 1,000 steps."""

Config = TrainConfig | ClassifierConfig


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the person asked for.

    Parameters
    ----------
    what
        The command: ``table2``, ``precision`` or one of :data:`core.paper.published.FIGURE_METHODS`.
    data
        The folder that holds Tiny ImageNet's train and val.
    out
        Where everything goes; runs that are there are reused.
    budget
        Share of the published steps, above 0 up to 1. ``steps``, if given, replaces it for every method.
    width, batch_size, image_size
        In place of the paper's; None keeps these.
    cam
        Settings of ``cam`` alone, which is far slower than the rest: ``steps``, ``width`` or ``batch_size``.
    """

    what: str
    data: Path
    out: Path
    sets: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    budget: float = 1.0
    steps: int | None = None
    width: int | None = None
    batch_size: int | None = None
    image_size: int | None = None
    cam: Mapping[str, int] = field(default_factory=dict)
    device: str = "auto"

    @property
    def changes(self) -> dict[str, int]:
        """Those of the paper's settings, other than steps, that are replaced."""
        wanted = {"width": self.width, "batch_size": self.batch_size, "image_size": self.image_size}
        return {name: value for name, value in wanted.items() if value is not None}

    @property
    def command(self) -> str:
        """The command line that does this job again."""
        parts = [
            *PROGRAM.split(),
            "reproduce",
            self.what,
            "--data",
            str(self.data),
            "--out",
            str(self.out),
        ]
        parts += ["--sets", ",".join(self.sets), "--methods", ",".join(self.methods)]
        parts += ["--seeds", ",".join(str(seed) for seed in self.seeds)]
        parts += ["--budget", f"{self.budget:g}"] if self.steps is None else ["--steps", str(self.steps)]
        for name, value in self.changes.items():
            parts += [f"--{_dashed(name)}", str(value)]
        if self.cam:
            parts += ["--cam", ",".join(f"{_dashed(name)}={value}" for name, value in self.cam.items())]
        return shlex.join([*parts, "--device", self.device])

    def steps_of(self, method: str) -> int:
        """How many steps ``method`` gets, at least one."""
        if METHODS[method].objective is None and "steps" in self.cam:
            return self.cam["steps"]
        return self.steps or max(1, round(self.budget * published_steps(method)))


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: where it lies and with which settings. Others differ in its name."""

    set_name: str
    method: str
    config: Config
    folder: Path

    @property
    def name(self) -> str:
        """``dog-dcgan-aug-w64-b128-n200000-s0``: whatever tells two runs of one folder apart.

        The published image size and the device's own precision go without saying.
        """
        c = self.config
        name = f"{self.set_name}-{self.method}-w{c.width}-b{c.batch_size}-n{c.steps}-s{c.seed}"
        name += "" if c.image_size == IMAGE_SIZE else f"-{c.image_size}px"
        return name + ("" if c.precision == "auto" else f"-{c.precision}")

    @property
    def title(self) -> str:
        c = self.config
        precision = "" if c.precision == "auto" else f", {c.precision}"
        return f"{self.set_name}, {METHODS[self.method].title}, seed {c.seed}{precision}"

    @property
    def project(self) -> Path:
        return self.folder / f"{self.name}.boxscout"

    @property
    def record_path(self) -> Path:
        return self.folder / f"{self.name}.json"

    def record(self) -> dict[str, Any]:
        """What is known of its training so far; empty before the first step, or where it is unreadable."""
        try:
            found = parse_json(self.record_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def effort(self) -> float:
        """How much work is left, in steps of DCGAN; never nothing, since boxes are found each time."""
        record = self.record()
        left = self.config.steps - int(record.get("step", 0))
        return max(left * METHODS[self.method].cost, 0.02 * self.config.steps, 1.0)


def plan(job: Job) -> list[Run]:
    """The runs of ``job``: set by set, then method by method, then seed by seed."""
    return [
        Run(
            set_name=set_name,
            method=method,
            config=config_of(job, method, seed),
            folder=job.out / "runs",
        )
        for set_name in job.sets
        for method in job.methods
        for seed in job.seeds
    ]


def config_of(job: Job, method: str, seed: int) -> Config:
    """The paper's settings of ``method`` with what ``job`` changes.

    Raises
    ------
    BoxscoutError
        A value outside its range.
    """
    steps, chosen = job.steps_of(method), METHODS[method]
    changes: dict[str, Any] = {"steps": steps, "seed": seed, "device": job.device, **job.changes}
    if chosen.objective is None:
        return CLASSIFIER_PRESETS["paper"].with_(**{**changes, **job.cam})
    every = max(1, min(1000, steps // POINTS))
    return PRESETS["paper"].with_(
        objective=chosen.objective,
        augmentation=chosen.augmentation,
        sample_every=every,
        snapshot_every=every,
        **changes,
    )


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def same_training(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two configs, as dictionaries, give the same training; the device may differ."""
    return {**a, "device": ""} == {**b, "device": ""}


def shares(runs: Sequence[Run]) -> list[float]:
    """The share of the whole work, 0..1, that is left in each of ``runs``."""
    efforts = [run.effort for run in runs]
    return [effort / sum(efforts) for effort in efforts]
