"""What runs find that the boxes do not come from: each run's heat maps and boxes, kept beside its training.

They lie in a project file of their own, with the same images by the same ids. The project itself holds those
of its current run alone: nothing that another run finds replaces what is there before a person takes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.base.atomic import atomic_write, os_errors
from core.base.errors import ProjectError
from core.base.language import tr
from core.images.scan import ImageFile
from core.project.file import make_folder, settle_log
from core.project.migration import RUNS, data_folder
from core.project.rows import BESIDE_MAPS, HELD
from core.project.runs import Run, current_run, runs, set_current
from core.project.store import Project

_MAP_TABLES = ("heat_map", "map_source", *BESIDE_MAPS)
# Images of the other file that are the same here: neither another file nor of another size.
_SAME = """SELECT image.id FROM image JOIN {0}.image AS other ON other.id = image.id
    AND (other.size_bytes, other.mtime_ns, other.width, other.height)
        = (image.size_bytes, image.mtime_ns, image.width, image.height) WHERE image.width > 0"""


def results_file(project: Project, run: Run) -> Path:
    """Where boxes of ``run`` lie while those of the project come from another one."""
    return data_folder(project.path) / RUNS / str(run.id) / "boxes.boxscout"


def is_provisional(project: Project, run: Run) -> bool:
    """Whether what ``run`` finds has to wait, because the project has heat maps of another run."""
    return not run.current and project.heat_maps_step() is not None


def is_complete(project: Project, run: Run) -> bool:
    """Whether ``run``, which is not the current one, has found boxes for all images it was to look at."""
    file = results_file(project, run)
    if not file.exists():
        return False
    with Project.open_to_read(file) as found:
        survey = found.load_survey()
    return survey is not None and survey.complete


@contextmanager
def results_of(project: Project, run: Run) -> Iterator[Project]:
    """Where the heat maps and boxes of ``run`` belong: in the project, or in a file until they are taken."""
    if not is_provisional(project, run):
        set_current(project, run)
        yield project
        return
    file = results_file(project, run)
    make_folder(file.parent)
    with Project.open_or_create(file) as found:
        with found.beside(project.path), found.transaction() as db:
            _copy_images(db)
        yield found


def take(project: Project, run: Run) -> None:
    """Let the project's boxes be those that ``run`` has found; what is there now is kept as its own run's.

    Images that a person has edited or accepted keep their boxes, and so do those that ``run`` has not known.

    Raises
    ------
    ProjectError
        It has found none yet, or what it found cannot be read.
    """
    before = current_run(project)
    if before is not None and before.id == run.id:
        return
    file = results_file(project, run)
    if not file.exists():
        raise ProjectError(tr("{run} has found no boxes yet: find them first.").format(run=run.name))
    with Project.open(file):
        pass  # whole, and ours
    if before is not None:
        _put_away(project, before)
    with project.beside(file), project.transaction() as db:
        same = f"{_SAME.format('beside')} AND image.id IN (SELECT image_id FROM beside.box_limit)"
        free = f"{same} AND image.id NOT IN ({HELD})"
        _replace(db, _MAP_TABLES, same)
        _replace(db, ("box", "box_limit"), free)
        db.execute("DELETE FROM survey")
        db.execute("INSERT INTO survey SELECT * FROM beside.survey")
        set_current(project, run)
    file.unlink(missing_ok=True)


def note_moved(project: Project, files: Mapping[int, ImageFile]) -> None:
    """Say of images by id that they are the same ones, whatever the bytes and time of their files."""
    rows = [(file.size_bytes, file.mtime_ns, image_id) for image_id, file in files.items()]
    for path in (results_file(project, run) for run in runs(project)):
        if path.exists():
            with Project.open(path) as found, found.transaction() as db:
                db.executemany("UPDATE image SET size_bytes = ?, mtime_ns = ? WHERE id = ?", rows)


def _put_away(project: Project, run: Run) -> None:
    """Keep heat maps and automatic boxes of the project as those of ``run``."""
    file = results_file(project, run)
    make_folder(file.parent)
    settle_log(file)
    with (
        os_errors(ProjectError, tr("The boxes of {run} cannot be kept: {reason}."), run=run.name),
        atomic_write(file) as temporary,
        Project.open_or_create(temporary) as kept,
        kept.beside(project.path),
        kept.transaction() as db,
    ):
        _copy_images(db)
        for table in (*_MAP_TABLES, "box_limit", "survey"):
            db.execute(f"INSERT INTO {table} SELECT * FROM beside.{table}")
        # Images without boxes count as well, so that they are without any again.
        db.execute("INSERT OR IGNORE INTO box_limit SELECT id, 1 FROM image")
        own = "image_id NOT IN (SELECT image_id FROM beside.edited)"
        db.execute(f"INSERT INTO box SELECT * FROM beside.box WHERE {own}")


def _copy_images(db: sqlite3.Connection) -> None:
    """Images as the project beside has them now, of which no person has said anything.

    One that is another file now loses its heat map and boxes.
    """
    db.execute(
        "INSERT OR IGNORE INTO roots SELECT id, CAST(id AS TEXT) FROM beside.roots"
    )  # wherever they lie
    for table in ("box", *_MAP_TABLES):
        db.execute(f"DELETE FROM {table} WHERE image_id NOT IN ({_SAME.format('beside')})")
    # A file that was taken out of the project and added again is another image now.
    db.execute(
        """DELETE FROM image WHERE EXISTS (SELECT 1 FROM beside.image AS now WHERE now.id <> image.id
           AND (now.root_id, now.name) = (image.root_id, image.name))"""
    )
    db.execute(
        """INSERT INTO image SELECT id, root_id, name, size_bytes, mtime_ns, width, height, 'unseen', ''
           FROM beside.image WHERE TRUE ON CONFLICT (id) DO UPDATE SET size_bytes = excluded.size_bytes,
           mtime_ns = excluded.mtime_ns, width = excluded.width, height = excluded.height"""
    )


def _replace(db: sqlite3.Connection, tables: tuple[str, ...], ids: str) -> None:
    """Rows of images ``ids``, a statement that selects them, by those of the file beside."""
    for table in tables:
        db.execute(f"DELETE FROM main.{table} WHERE image_id IN ({ids})")
        db.execute(f"INSERT INTO main.{table} SELECT * FROM beside.{table} WHERE image_id IN ({ids})")
