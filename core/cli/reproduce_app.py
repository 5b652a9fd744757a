"""The command ``reproduce``: the published table and figures, from training to file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.base.config import CARD, DEVICES
from core.cli.console import progress_bar, say, stop_on_signal
from core.cli.shared import one_of
from core.formats.tiny_imagenet import SETS
from core.paper.published import FIGURE_METHODS, GAN_METHODS, METHODS

reproduce = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The published table and figures, made again. Trains what is missing, goes on where it stopped.",
)

Data = Annotated[Path, typer.Option("--data", help="The folder that holds Tiny ImageNet's train and val.")]
Out = Annotated[Path, typer.Option("--out", help="A folder for runs and results; what is there is reused.")]
Sets = Annotated[str | None, typer.Option("--sets", help=f"Some of {','.join(SETS)}.")]
Methods = Annotated[str | None, typer.Option("--methods", help=f"Some of {','.join(METHODS)}.")]
Budget = Annotated[
    float | None,
    typer.Option("--budget", help="Share of the published steps, up to 1 (200,000; 100,000 for cam)."),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Steps of every run instead.")]
Seeds = Annotated[str, typer.Option("--seeds", help="A run for each, such as 0,1.")]
Width = Annotated[int | None, typer.Option("--width", help="Channels of the first stage; paper: 64.")]
BatchSize = Annotated[int | None, typer.Option("--batch-size", help="Images per step; paper: 128, cam 256.")]
Cam = Annotated[
    str | None, typer.Option("--cam", help="Settings of cam alone, such as steps=300,width=8,batch-size=32.")
]
Device = Annotated[str, one_of(DEVICES, "Where to train.", "--device", also=CARD, shown="cuda:N")]


@reproduce.command()
def table2(
    data: Data,
    out: Out,
    sets: Sets = None,
    methods: Methods = None,
    budget: Budget = None,
    steps: Steps = None,
    seeds: Seeds = "0",
    width: Width = None,
    batch_size: BatchSize = None,
    cam: Cam = None,
    device: Device = "auto",
) -> None:
    """GT-known Loc of every set and method beside the published: OUT/table2.md and table2.json."""
    from core.paper.markdown import mean_line
    from core.paper.rows import means_of
    from core.paper.table import make_table

    job = _job(
        "table2", sets, tuple(SETS), methods, tuple(METHODS), seeds, budget, steps,
        data=data, out=out, width=width, batch_size=batch_size, cam=_settings(cam), device=device,
    )  # fmt: skip
    with stop_on_signal() as stop, progress_bar() as bar:
        rows = make_table(job, meter=bar, stop=stop)
    for row in rows:
        say(f"{row.run.title}: {row.statement}")
    for mean in means_of(rows):
        say(mean_line(mean))
    for name in ("table2.md", "table2.json"):
        say(str(out / name))
    if any(row.failure for row in rows):
        raise typer.Exit(1)


@reproduce.command()
def precision(
    data: Data,
    out: Out,
    sets: Annotated[str, one_of(SETS, "The set to train on.", "--sets")] = "dog",
    methods: Annotated[str, one_of(GAN_METHODS, "The method to train.", "--methods")] = "dcgan-aug",
    steps: Annotated[int, typer.Option("--steps", min=2, help="Steps of every run.")] = 300,
    seeds: Annotated[str, typer.Option("--seeds", help="Two runs for each.")] = "0,1,2,3,4,5,6,7",
    width: Annotated[int, typer.Option("--width", help="Channels of the first stage.")] = 8,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Images per step.")] = 32,
    image_size: Annotated[int, typer.Option("--image-size", help="Side of the images in pixels.")] = 32,
    device: Device = "auto",
) -> None:
    """Training in bf16 against fp32 over seeds, a small check: OUT/precision.md and precision.json."""
    from core.paper.precision import compare_precisions, reading, scope

    job = _job(
        "precision", sets, (), methods, GAN_METHODS, seeds, None, steps,
        data=data, out=out, width=width, batch_size=batch_size, image_size=image_size, device=device,
    )  # fmt: skip
    with stop_on_signal() as stop, progress_bar() as bar:
        found = compare_precisions(job, meter=bar, stop=stop)
    for line in (scope(job), reading(found), str(out / "precision.md"), str(out / "precision.json")):
        say(line)


@reproduce.command()
def neighbours(
    data: Annotated[Path, typer.Option("--data", help="A folder of sets, each with images and true boxes.")],
    out: Out,
    sets: Annotated[str | None, typer.Option("--sets", help="Some of them by name; default: all.")] = None,
    methods: Annotated[
        str | None, typer.Option("--methods", help="Some of default,ddt,ddt+,lost,tokencut.")
    ] = None,
    image_size: Annotated[int, typer.Option("--image-size", help="Pixels that all methods look at.")] = 576,
    threads: Annotated[int, typer.Option("--threads", help="Of the processor; 0 for all.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of the default's learning.")] = 0,
) -> None:
    """Other methods on the same photos, beside the default: OUT/neighbours.md and neighbours.json.

    DATA holds a folder or zip archive for each set; Tiny ImageNet's gives three.
    """
    from core.cli.neighbours_commands import run_neighbours

    with stop_on_signal() as stop, progress_bar() as bar:
        text = run_neighbours(
            data, out, _names(sets), _names(methods), image_size=image_size, threads=threads, seed=seed,
            bar=bar, stop=stop,
        )  # fmt: skip
    say(text)


def _names(given: str | None) -> list[str]:
    return [name.strip() for name in (given or "").split(",") if name.strip()]


def _add_figure(what: str, known: tuple[str, ...], text: str) -> None:
    """Add the command ``what``, which takes the methods ``known`` and shows its own unless told."""

    shown = FIGURE_METHODS[what]

    @reproduce.command(what, help=f"{text}: OUT/{what}-SET-SEED, .png and .pdf. Shows {', '.join(shown)}.")
    def command(
        data: Data,
        out: Out,
        sets: Sets = None,
        methods: Methods = None,
        budget: Budget = None,
        steps: Steps = None,
        seeds: Seeds = "0",
        width: Width = None,
        batch_size: BatchSize = None,
        cam: Cam = None,
        device: Device = "auto",
    ) -> None:
        from core.paper.figures import make_figures

        job = _job(
            what, sets, ("dog",), methods or ",".join(shown), known, seeds, budget, steps,
            data=data, out=out, width=width, batch_size=batch_size, cam=_settings(cam), device=device,
        )  # fmt: skip
        with stop_on_signal() as stop, progress_bar() as bar:
            files = make_figures(job, meter=bar, stop=stop)
        for file in files:
            say(str(file))


_add_figure("figure2", tuple(METHODS), "Image with box, heat map and overlay by published method")
_add_figure("figure3", tuple(METHODS), "The same without and with augmentation")
_add_figure("figure4", GAN_METHODS, "Samples of every generator")
_add_figure("figure5", tuple(METHODS), "The same by objective")
_add_figure("figure6", GAN_METHODS, "MS-SSIM and GT-known Loc over training")


def _job(
    what: str,
    sets: str | None,
    default_sets: tuple[str, ...],
    methods: str | None,
    known_methods: tuple[str, ...],
    seeds: str,
    budget: float | None,
    steps: int | None,
    **rest: Any,
) -> Any:
    from core.paper.plan import Job

    if budget is not None and steps is not None:
        raise typer.BadParameter("Give --budget or --steps, not both.")
    if budget is not None and not 0 < budget <= 1:
        raise typer.BadParameter("--budget lies above 0 and up to 1.")
    return Job(
        what=what,
        sets=default_sets if sets is None else _listed("--sets", sets, tuple(SETS)),
        methods=known_methods if methods is None else _listed("--methods", methods, known_methods),
        seeds=_numbers(seeds),
        budget=1.0 if budget is None else budget,
        steps=steps,
        **rest,
    )


def _listed(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{option}: {name!r} is not one of {', '.join(known)}.")
    return names


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise typer.BadParameter(f"--seeds: {text!r} is not numbers like 0,1.") from error


def _settings(text: str | None) -> dict[str, int]:
    """``steps=300,width=8`` as settings of the classifier."""
    known = ("steps", "width", "batch-size")
    found: dict[str, int] = {}
    for part in [] if text is None else text.split(","):
        name, _, value = part.partition("=")
        if name not in known or not value.isdecimal() or int(value) < 1:
            raise typer.BadParameter(f"--cam: {part!r} is not like steps=300, of {', '.join(known)}.")
        found[name.replace("-", "_")] = int(value)
    return found
