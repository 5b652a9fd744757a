"""Every capability as a command. Exit codes: 0 done, 1 failed or stopped, 2 wrong use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.table import Table
from rich.text import Text

from core import __version__
from core.boxes import DEFAULT_RULE, MAX_THRESHOLD, RULES
from core.config import DEFAULT_PRESET, DEVICES, OBJECTIVE_NAMES, PRESETS
from core.console import console, errors, progress_bar, say, stop_on_signal
from core.datasets.tiny_imagenet import SETS
from core.errors import BoxscoutError
from core.formats import FORMATS

SPLITS = ("train", "val")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Boxscout finds the object in every photo of a folder, without a single label.",
)


def _one_of(values: Iterable[str], help: str, *names: str) -> Any:
    """An option whose value is one of ``values``."""
    allowed = tuple(values)

    def check(value: str | None) -> str | None:
        if value is not None and value not in allowed:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}.")
        return value

    return typer.Option(*names, callback=check, metavar="|".join(allowed), help=help)


Folders = Annotated[list[Path], typer.Argument(help="Folders (with subfolders) or image files.")]
ProjectFile = Annotated[Path, typer.Option("--project", help="The project file; made where there is none.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"boxscout {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def train(
    folders: Folders,
    project: ProjectFile,
    preset: Annotated[Optional[str], _one_of(PRESETS, f"Default: {DEFAULT_PRESET}.")] = None,  # noqa: UP045
    objective: Annotated[Optional[str], _one_of(OBJECTIVE_NAMES, "The adversarial loss.")] = None,  # noqa: UP045
    steps: Annotated[Optional[int], typer.Option(help="Generator updates in all.")] = None,  # noqa: UP045
    minutes: Annotated[Optional[float], typer.Option(help="Training time in all, in minutes.")] = None,  # noqa: UP045
    image_size: Annotated[Optional[int], typer.Option(help="32, 64 or 128 pixels.")] = None,  # noqa: UP045
    batch_size: Annotated[Optional[int], typer.Option(help="Images per step.")] = None,  # noqa: UP045
    seed: Annotated[Optional[int], typer.Option(help="The same seed gives the same training.")] = None,  # noqa: UP045
    device: Annotated[Optional[str], _one_of(DEVICES, "Where to train.")] = None,  # noqa: UP045
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the project's training.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, in place of the project's training.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a GAN on the images of FOLDERS, into the project."""
    from core.commands import run_train

    if resume and restart:
        raise typer.BadParameter("--resume and --restart exclude each other.")
    if steps is not None and minutes is not None:
        raise typer.BadParameter("Give --steps or --minutes, not both.")
    changes = {
        "objective": objective,
        "steps": steps,
        "minutes": minutes,
        "image_size": image_size,
        "batch_size": batch_size,
        "seed": seed,
        "device": device,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_train(
            folders,
            project,
            preset,
            given,
            resume=resume,
            restart=restart,
            bar=bar,
            stop=stop,
        )
    _show(result, as_json, result.pop("text"))
    if result["stopped"]:
        raise typer.Exit(1)


@app.command()
def localize(
    folders: Folders,
    project: ProjectFile,
    threshold: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0.0, max=MAX_THRESHOLD, help="Share of a heat map's maximum; default: the rule's."),
    ] = None,
    rule: Annotated[str, _one_of(RULES, "How a heat map becomes a box.")] = DEFAULT_RULE,
    as_json: AsJson = False,
) -> None:
    """Find a box in every image of FOLDERS with the project's training."""
    from core.commands import run_localize

    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_localize(folders, project, rule=rule, threshold=threshold, bar=bar, stop=stop)
    _show(result, as_json, result.pop("text"))


@app.command()
def export(
    project: ProjectFile,
    format_: Annotated[str, _one_of(FORMATS, "What kind of file.", "--format")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    accepted_only: Annotated[
        bool, typer.Option("--accepted-only", help="Leave out what was not accepted in review.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the project's boxes to a file."""
    from core.commands import run_export

    result = run_export(project, format_, out, accepted_only=accepted_only)
    _show(result, as_json, result.pop("text"))


@app.command()
def evaluate(
    boxes: Annotated[Path, typer.Argument(help="A CSV or COCO file of boxes.")],
    truth: Annotated[Path, typer.Option(help="A COCO file, a VOC folder or a Tiny ImageNet folder.")],
    images: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The folder of the images: adds the colour contrast baseline."),
    ] = None,
    set_: Annotated[
        Optional[str],  # noqa: UP045
        _one_of(SETS, "Only this co-localization set of Tiny ImageNet.", "--set"),
    ] = None,
    split: Annotated[Optional[str], _one_of(SPLITS, "Only this part of Tiny ImageNet.")] = None,  # noqa: UP045
    json_file: Annotated[Optional[Path], typer.Option("--json", help="Write the result there too.")] = None,  # noqa: UP045
) -> None:
    """Compare BOXES with the truth, beside the baselines that need no training."""
    from core.commands import run_evaluate

    result = run_evaluate(boxes, truth, images=images, set_name=set_, split=split)
    if json_file is not None:
        from core.atomic import write_atomically

        write_atomically(json_file, (json.dumps(result.to_dict(), indent=1, allow_nan=False) + "\n").encode())
    print_report(result)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="A folder for the results; made where there is none.")],
    steps: Annotated[Optional[int], typer.Option(min=1, help="Training steps.")] = None,  # noqa: UP045
    count: Annotated[int, typer.Option(min=8, help="Images to draw.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same demo.")] = 0,
) -> None:
    """The whole job without a window, on a folder of pictures that the program draws itself."""
    from core.demo import run_demo

    with stop_on_signal() as stop, progress_bar() as bar:
        result = run_demo(out, steps=steps, count=count, seed=seed, bar=bar, stop=stop)
    print_report(result.report)
    for path in result.files:
        say(str(path))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Versions, device, memory, display and Qt's libraries."""
    from core.doctor import examine

    checks = examine()
    if as_json:
        rows = [{"name": c.name, "ok": c.ok, "detail": c.detail, "remedy": c.remedy} for c in checks]
        console.print_json(json.dumps(rows))
    else:
        marks = {True: ("ok", "green"), False: ("no", "red"), None: ("--", "dim")}
        for check in checks:
            mark, style = marks[check.ok]
            line = Text.assemble((mark, style), f"  {check.name:<24}{check.detail}")
            console.print(line)
            if check.ok is False and check.remedy:
                say(f"      {check.remedy}")
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)


def print_report(report: Any) -> None:
    """An accuracy table with intervals and baselines."""
    table = Table(title=f"GT-known Loc on {report.n} images (95 % interval)", title_justify="left")
    for heading in ("Boxes", "Accuracy", "Interval", "Images"):
        table.add_column(heading, justify="left" if heading == "Boxes" else "right")
    for row in report.rows:
        table.add_row(
            Text(row.method),
            f"{row.accuracy:.1%}",
            f"{row.low:.1%} - {row.high:.1%}",
            f"{row.correct}/{row.n}",
        )
    console.print(table)
    for line in report.remarks():
        say(line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every error is one sentence on the error stream."""
    command = typer.main.get_command(app)
    try:
        result = command.main(args=arguments, prog_name="boxscout", standalone_mode=False)
    except BoxscoutError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("Stopped.", 1)
    except Exception as error:
        wrong_use: Callable[[], None] | None = getattr(error, "show", None)
        if wrong_use is None:
            raise
        wrong_use()
        return int(getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0


def _show(result: dict[str, Any], as_json: bool, text: str) -> None:
    if as_json:
        print(json.dumps(result, allow_nan=False))  # noqa: T201
    else:
        say(text)


def _fail(sentence: str, code: int) -> int:
    errors.print(Text(sentence))
    return code
