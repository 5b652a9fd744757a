"""Every capability as a command. Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from core import __version__
from core.base.config import FeaturesConfig, TrainConfig
from core.base.errors import BoxscoutError, Cancelled
from core.base.output import lost_output
from core.base.presets import DEFAULT_PRESET, FEATURES_PRESETS, OLD_PRESETS, PRESETS
from core.boxes.rules import MAX_BOXES, MAX_THRESHOLD, RULES
from core.cli.cam_app import train_cam
from core.cli.console import complain, console, progress_bar, say, stop_on_signal
from core.cli.data_set_app import sample
from core.cli.evaluation_app import compare, curve, evaluate, print_report
from core.cli.formats_app import export, import_
from core.cli.learn_app import learn, localizer
from core.cli.mending_app import relocate, repair
from core.cli.one_process import in_one_process
from core.cli.preset_options import TrainCommand
from core.cli.reproduce_app import reproduce
from core.cli.runs_app import RunNumber, runs
from core.cli.scale_app import (
    DataSetOptions,
    DataSetOut,
    LearnFrom,
    LocalizerFile,
    Places,
    Scheduler,
    ShardSize,
    Workers,
    fill_data_set,
)
from core.cli.settings_options import with_settings
from core.cli.shared import (
    STOPPED,
    AsJson,
    Every,
    Folders,
    ProjectFile,
    Restart,
    Resume,
    SetName,
    Weights,
    one_of,
    run_training,
    show,
)
from core.cli.snapshots_app import SnapshotStep, snapshots

LOCALIZER_MODELS = ("features", "gan", "cam")
READ_OUTS = (
    "guided",
    "averaged",
    "plain",
)  # core.maps.heatmap's, whose import would cost each command a second


class _Commands(TyperGroup):
    """Commands that Ctrl-C ends at once, where they do not stop by themselves after a step."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:  # of which typer would make an exit without a word, or an abort
            raise Cancelled("Stopped at once; what was saved before is kept.") from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Boxscout finds the object in every photo of a folder, without a single label of yours.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"boxscout {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand != "train":
        in_one_process(f"'{context.invoked_subcommand}' runs in one process: start it without torchrun.")


@app.command(cls=TrainCommand)
@with_settings(
    FeaturesConfig,
    ("method", "features", "sample", "keep_aspect", "threads", "image_size", "seed", "device"),
    words={
        "image_size": "Pixels: 224 to 704; from scratch 32, 64 or 128.",
        "threads": "Of the processor; 0 for all.",
    },
)
@with_settings(
    TrainConfig,
    (
        *("objective", "steps", "minutes", "batch_size", "width", "fine_heat_map", "augmentation"),
        *("crop_size", "background", "adversarial", "framing", "precision"),
    ),
    words={
        "background": "Weight of telling the middle of images from their borders; 0 as published.",
        "precision": "Default: bf16 where the processor has it, or what BOXSCOUT_PRECISION says.",
    },
)
def train(
    folders: Folders,
    project: ProjectFile,
    settings: dict[str, Any],
    preset: Annotated[
        str | None, one_of((*FEATURES_PRESETS, *PRESETS, *OLD_PRESETS), f"Default: {DEFAULT_PRESET}.")
    ] = None,
    weights: Weights = None,
    download: Annotated[
        bool | None,
        typer.Option("--download", help="Download the weights of timm/NAME; its licence is shown before."),
    ] = None,
    resume: Resume = False,
    restart: Restart = False,
    set_: SetName = None,
    every: Every = None,
    as_json: AsJson = False,
) -> None:
    """Learn from the images of FOLDERS, into the project.

    No label of yours is needed: the default reads frozen features, once learned from ImageNet's labels;
    --preset scratch uses none at all. With --set, FOLDERS is the one folder of Tiny ImageNet and only that
    set's train images are used.
    """
    from core.cli.films import with_images_of_films
    from core.cli.job import run_train

    folders = with_images_of_films(folders, project, every)
    own = {"weights": None if weights is None else str(weights), "download": download}
    settings |= {name: value for name, value in own.items() if value is not None}
    run_training(
        run_train, folders, project, preset, settings,
        resume=resume, restart=restart, set_name=set_, as_json=as_json,
    )  # fmt: skip


app.command("train-cam")(train_cam)


@app.command()
def localize(
    folders: Places,
    project: Annotated[Path | None, typer.Option("--project", help="The project file.")] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=MAX_THRESHOLD, help="From what heat on; default: the rule's.")
    ] = None,
    rule: Annotated[
        str | None, one_of(RULES, "How a heat map becomes a box; default: by what made it.")
    ] = None,
    set_: SetName = None,
    model: Annotated[
        str | None,
        one_of(LOCALIZER_MODELS, "Whose heat maps: cam is 'train-cam'; default: the newest of 'train'."),
    ] = None,
    at: SnapshotStep = "last",
    run: RunNumber = None,
    predicted_class: Annotated[
        bool, typer.Option("--predicted-class", help="With cam: of the likeliest class, not the folder's.")
    ] = False,
    max_boxes: Annotated[
        int, typer.Option(min=1, max=MAX_BOXES, help="Boxes in an image at most, where several stand out.")
    ] = 1,
    looks: Annotated[
        str | None,
        one_of(
            READ_OUTS,
            "How often the network looks; default: guided with gan, averaged for several boxes, "
            "plain with cam.",
        ),
    ] = None,
    long_side: Annotated[
        int | None,
        typer.Option(min=32, max=1024, help="Look at photos unsquashed, of that many pixels: small objects."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="With frozen features: make the heat maps that are there anew.")
    ] = False,
    weights: Weights = None,
    every: Every = None,
    out: DataSetOut = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    localizer: LocalizerFile = None,
    learn_from: LearnFrom = None,
    shard: ShardSize = None,
    as_json: AsJson = False,
) -> None:
    """Find a box in every image of FOLDERS.

    The newest run that was trained to its end finds them, or --run. With --set, FOLDERS is the one folder
    of Tiny ImageNet: that set's train and val images are used.

    With --out boxes go to a data set of Parquet files instead of the project, for any number of images:
    FOLDERS is then one folder, an address such as s3://bucket/photos, or a list of either; --workers and
    --scheduler share the work among processes or machines. --project or --localizer say what finds the boxes;
    without them it is learned first.
    """
    from core.cli.films import with_images_of_films
    from core.cli.job import Wanted, run_localize

    wide = DataSetOptions(
        project=project, run=run, weights=weights, out=out, workers=workers, scheduler=scheduler,
        localizer=localizer, learn_from=learn_from, shard=shard,
    )  # fmt: skip
    if out is not None:
        others = {
            "--set": set_,
            "--model": model,
            "--looks": looks,
            "--long-side": long_side,
            "--every": every,
        }
        if idle := [name for name, value in others.items() if value is not None]:
            raise typer.BadParameter(f"{idle[0]} and --out exclude each other.")
        how = Wanted(rule=rule, threshold=threshold, max_boxes=max_boxes).options
        fill_data_set(folders, wide, how, as_json=as_json)
        return
    wide.check_idle()
    if project is None:
        raise typer.BadParameter("Give --project, or --out for a data set.")
    paths = with_images_of_films([Path(folder) for folder in folders], project, every)
    if predicted_class and model != "cam":
        raise typer.BadParameter("--predicted-class needs --model cam.")
    if at != "last" and model == "cam":
        raise typer.BadParameter("--at needs --model gan.")
    wanted = Wanted(
        rule=rule, threshold=threshold, max_boxes=max_boxes, at=at, predicted_class=predicted_class,
        looks=looks, long_side=long_side, again=again, weights=weights,
    )  # fmt: skip
    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_localize(
            paths, project, wanted, bar=bar, stop=stop, set_name=set_, model=model, run_id=run
        )
    show(result, as_json, result.pop("text"))


app.command()(learn)
app.add_typer(localizer, name="localizer")
app.command("snapshots")(snapshots)
app.command("runs")(runs)
app.command()(export)
app.command()(sample)
app.command()(evaluate)
app.command()(compare)
app.command()(curve)
app.add_typer(reproduce, name="reproduce")
app.command("import")(import_)
app.command()(relocate)
app.command()(repair)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="A folder for the results; made where there is none.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps.")] = None,
    count: Annotated[int, typer.Option(min=8, help="Images to draw.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same demo.")] = 0,
) -> None:
    """The whole job without a window, on pictures drawn for it.

    They lie in a folder of OUT afterwards, with the project and what was found.
    """
    from core.cli.demo import run_demo

    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_demo(out, steps=steps, count=count, seed=seed, bar=bar, stop=stop)
    print_report(result.report)
    for path in result.files:
        say(str(path))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Versions, device, memory, display and Qt's libraries."""
    from core.setup.doctor import examine

    checks = examine()
    if as_json:
        rows = [{"name": c.name, "ok": c.ok, "detail": c.detail, "remedy": c.remedy} for c in checks]
        console.print_json(json.dumps(rows))
    else:
        marks = {True: ("ok", "green"), False: ("no", "red"), None: ("--", "dim")}
        width = max(len(check.name) for check in checks) + 2
        for check in checks:
            mark, style = marks[check.ok]
            line = Text.assemble((mark, style), f"  {check.name:<{width}}{check.detail}")
            console.print(line)
            if check.ok is False and check.remedy:
                say(f"      {check.remedy}")
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every error is one sentence on the error stream."""
    command = typer.main.get_command(app)
    try:
        result = command.main(args=arguments, prog_name="boxscout", standalone_mode=False)
        print(end="", flush=True)  # noqa: T201 - or a full disk would show only when Python itself ends
    except Cancelled as error:
        return _fail(str(error), STOPPED)
    except BoxscoutError as error:
        return _fail(str(error), 1)
    except OSError as error:
        if error.filename is not None:  # a file's own trouble, which nobody has put into words
            raise
        sentence = lost_output(error)
        return _fail(sentence, 1) if sentence else 1
    except Exception as error:
        wrong_use: Callable[[], None] | None = getattr(error, "show", None)
        if wrong_use is None:
            raise
        wrong_use()
        return int(getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0


def _fail(sentence: str, code: int) -> int:
    complain(sentence)
    return code
