"""The commands ``export`` and ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.console import progress_bar, stop_on_signal
from core.cli.data_set_app import DataSet
from core.cli.shared import AsJson, one_of, show
from core.formats import WRITTEN, Selection, Which, WriteOptions
from core.formats.selection import MAX_VAL_SHARE

KINDS = ("boxes", "cifar10")
STATUSES = ("unseen", "accepted")
_FOLDERS = "Boxes without a class of their own get the name of the folder that their image was sorted into."


def export(
    format_: Annotated[str, one_of(WRITTEN, "What kind of file or folder.", "--format")],
    out: Annotated[Path, typer.Option("--out", help="The file to write, or the new folder to make.")],
    images: Annotated[
        str, one_of([which.value for which in Which], "Which images, by their review.", "--images")
    ] = Which.NOT_REJECTED.value,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Only boxes of this score or more; edited ones always.")
    ] = 0.0,
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", help="Only boxes of this class; may be given several times."),
    ] = None,
    val: Annotated[
        float,
        typer.Option(min=0.0, max=MAX_VAL_SHARE, help="Share of the images to keep apart for validation."),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.")] = 0,
    link: Annotated[
        bool, typer.Option("--link", help="YOLO, imagefolder, FiftyOne: hard links to the images.")
    ] = False,
    flat: Annotated[
        bool, typer.Option("--flat", help="YOLO: no subfolders; their names go into the files'.")
    ] = False,
    one_based: Annotated[bool, typer.Option("--one-based", help="VOC: count pixels from 1.")] = False,
    beside_images: Annotated[
        bool, typer.Option("--beside-images", help="labelme: write beside the images, not to --out.")
    ] = False,
    replace_foreign: Annotated[
        bool, typer.Option("--replace-foreign", help="labelme: replace files that others wrote there.")
    ] = False,
    animal: Annotated[
        bool, typer.Option("--animal", help="MegaDetector: call boxes without a class of their own 'animal'.")
    ] = False,
    with_gps: Annotated[
        bool,
        typer.Option("--with-gps", help="CSV, Camtrap DP, copied photos: say where they were taken (GPS)."),
    ] = False,
    folder_classes: Annotated[bool, typer.Option("--folder-classes", help=_FOLDERS)] = False,
    project: Annotated[Path | None, typer.Option("--project", help="The project file.")] = None,
    dataset: DataSet = None,
    reviewed: Annotated[
        Path | None,
        typer.Option("--reviewed", help="With --dataset: keeps what this project has reviewed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the boxes of a project or a data set to a file or folder.

    What was written is read back, and told. A data set is written image by image and not read back; for it
    choose coco, csv, megadetector or yolo.
    """
    from core.cli.data_set_commands import run_export_data_set
    from core.cli.formats_commands import run_export

    if (project is None) == (dataset is None):
        raise typer.BadParameter("Give --project or --dataset, the one whose boxes are exported.")
    if dataset is None and reviewed is not None:
        raise typer.BadParameter("--reviewed needs --dataset.")
    if dataset is not None and folder_classes:
        raise typer.BadParameter("--folder-classes is for --project.")
    selection = Selection(
        which=Which(images),
        min_score=min_score,
        classes=frozenset(class_) if class_ else None,
        val_share=val,
        seed=seed,
    )
    given = {
        "link": link, "flat": flat, "one_based": one_based,
        "beside_images": beside_images, "replace_foreign": replace_foreign, "animal": animal,
        "with_gps": with_gps,
    }  # fmt: skip
    for name, on in given.items():
        if on and name not in WRITTEN[format_].own:
            raise typer.BadParameter(f"--{name.replace('_', '-')} is not for --format {format_}.")
    with stop_on_signal() as stop, progress_bar() as bar:
        options = WriteOptions(**given)  # type: ignore[arg-type]
        if project is None:
            assert dataset is not None
            result = run_export_data_set(
                dataset, format_, out,
                selection=selection, options=options, reviewed=reviewed, bar=bar, stop=stop,
            )  # fmt: skip
        else:
            result = run_export(
                project, format_, out, selection=selection, options=options, folder_classes=folder_classes,
                bar=bar, stop=stop,
            )  # fmt: skip
    show(result, as_json, result.pop("text"))


def import_(
    kind: Annotated[str, typer.Argument(metavar="|".join(KINDS), help="What is imported.")],
    source: Annotated[
        Path,
        typer.Argument(
            help="boxes: a file or folder of COCO, CSV, YOLO, VOC, labelme, MegaDetector, CVAT, "
            "Label Studio, VIA, CreateML, Open Images or Camtrap DP. "
            "cifar10: cifar-10-binary.tar.gz, or the folder of its *.bin files."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="cifar10: a new folder for the images, one folder per class.")
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--project", help="boxes: the project that they go into.")
    ] = None,
    status: Annotated[str, one_of(STATUSES, "boxes: what their images become.")] = "unseen",
    replace_edited: Annotated[
        bool, typer.Option("--replace-edited", help="boxes: also where one was edited or accepted here.")
    ] = False,
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", help="boxes: only those of this class; may be given several times."),
    ] = None,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="boxes: only those of this score or more, or without one.")
    ] = 0.0,
    folder_classes: Annotated[bool, typer.Option("--folder-classes", help=f"boxes: {_FOLDERS}")] = False,
    blanks: Annotated[
        bool, typer.Option("--blanks", help="boxes: images that the file shows without one show no object.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in boxes made elsewhere, or unpack a published archive.

    An archive becomes image files.
    """
    from core.cli.formats_commands import run_import_archive, run_import_boxes

    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} cannot be imported; what can is {' and '.join(KINDS)}.")
    if kind == "boxes":
        if project is None:
            raise typer.BadParameter("'import boxes' needs --project.")
        wanted = Selection(classes=frozenset(class_) if class_ else None, min_score=min_score)
        result = run_import_boxes(
            source, project, wanted, status=status, replace_edited=replace_edited,
            folder_classes=folder_classes, blanks=blanks,
        )  # fmt: skip
    else:
        if out is None:
            raise typer.BadParameter("'import cifar10' needs --out.")
        with stop_on_signal() as stop, progress_bar() as bar:
            result = run_import_archive(source, out, bar=bar, stop=stop)
    show(result, as_json, result.pop("text"))
