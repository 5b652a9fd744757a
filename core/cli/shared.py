"""Options that several commands have, and what they do alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core.base.limits import is_allowed
from core.base.ranks import ranks_from_environment
from core.cli.console import progress_bar, say, stop_on_signal
from core.formats.tiny_imagenet import SETS, SPLITS

STOPPED = 130
"""The exit code of what Ctrl-C or SIGTERM has stopped, as shells have it."""


def one_of(values: Iterable[str], help: str, *names: str, also: str = "", shown: str = "") -> Any:
    """An option whose value is one of ``values`` or matches the pattern ``also``; ``shown`` is its help."""
    allowed = tuple(values)

    def check(value: str | None) -> str | None:
        if value is not None and not is_allowed(value, allowed, also):
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}.")
        return value

    def completed(incomplete: str) -> list[str]:
        return [value for value in allowed if value.startswith(incomplete)]

    metavar = "|".join([*allowed, *([shown] if shown else [])])
    return typer.Option(*names, callback=check, autocompletion=completed, metavar=metavar, help=help)


Folders = Annotated[list[Path], typer.Argument(help="Folders (with subfolders) or image files.")]
Every = Annotated[
    float | None,
    typer.Option("--every", metavar="SECONDS", help="Films too: take an image of them every so often."),
]
ProjectFile = Annotated[Path, typer.Option("--project", help="The project file; made where there is none.")]
ExistingProject = Annotated[Path, typer.Option("--project", help="The project file.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the project's training.")]
Restart = Annotated[bool, typer.Option("--restart", help="Train a new run; the ones before it stay.")]
_BOXES = typer.Argument(help="A file or folder of boxes, in any format that 'import' reads.")
BoxFile = Annotated[Path, _BOXES]
OptionalBoxFile = Annotated[Path | None, _BOXES]
TruthPath = Annotated[
    Path, typer.Option("--truth", help="A file or folder of true boxes, or a Tiny ImageNet folder.")
]
SetName = Annotated[str | None, one_of(SETS, "Only this co-localization set of Tiny ImageNet.", "--set")]
ImagesFolder = Annotated[
    Path | None,
    typer.Option(
        "--images", help="The images' folder, for colour contrast; default: TRUTH, if they lie there."
    ),
]
Split = Annotated[str | None, one_of(SPLITS, "Only this part of Tiny ImageNet.", "--split")]
Weights = Annotated[
    Path | None, typer.Option("--weights", help="A safetensors file with the weights of your own backbone.")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the result there too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def run_training(
    run: Callable[..., dict[str, Any]],
    folders: Sequence[Path],
    project: Path,
    preset: str | None,
    settings: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
    set_name: str | None,
    as_json: bool,
) -> None:
    """Train by ``run`` with the ``settings`` that were given, and show the result."""
    if resume and restart:
        raise typer.BadParameter("--resume and --restart exclude each other.")
    if "steps" in settings and "minutes" in settings:
        raise typer.BadParameter("Give --steps or --minutes, not both.")
    with stop_on_signal() as stop, progress_bar() as bar:
        result = run(
            folders,
            project,
            preset,
            settings,
            resume=resume,
            restart=restart,
            bar=bar,
            stop=stop,
            set_name=set_name,
        )
    if ranks_from_environment().writes:
        show(result, as_json, result.pop("text"))
    if result["stopped"]:
        raise typer.Exit(STOPPED)


def show(result: Mapping[str, Any], as_json: bool, text: str) -> None:
    """``result`` as JSON, or ``text`` for a person."""
    if as_json:
        print(json.dumps(result, allow_nan=False))  # noqa: T201
    else:
        say(text)
