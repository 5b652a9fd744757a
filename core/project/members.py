"""Which images belong to a project: taken out with all that is known of them, and put back exactly so.

What was taken out lies in temporary tables of the open project: there until it is closed, as long as a person
can take it back. Files on disk are never touched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.base.errors import ProjectError
from core.base.language import tr
from core.project.rows import ONE_OF, listed
from core.project.schema import image_tables

if TYPE_CHECKING:
    from core.project.store import Project

Key = tuple[int, str | bytes, int, int]
_PATHS = "INSERT OR IGNORE INTO removed (root_id, name) SELECT root_id, name FROM image WHERE id {0}"
_AGAIN = """DELETE FROM removed WHERE EXISTS (SELECT 1 FROM image WHERE id {0}
    AND (image.root_id, image.name) = (removed.root_id, removed.name))"""


def remove_images(project: Project, ids: Sequence[int]) -> None:
    """Take images by id out of the project; :func:`restore_images` puts them back until it is closed.

    They stay out when their folder is looked through again, until a person adds them.
    """
    with project.transaction() as db:
        db.execute(_PATHS.format(ONE_OF), (listed(ids),))
        for table, key in image_tables():
            db.execute(f"CREATE TEMP TABLE IF NOT EXISTS gone_{table} AS SELECT * FROM main.{table} LIMIT 0")
            for statement in (
                f"DELETE FROM gone_{table} WHERE {key} {ONE_OF}",
                f"INSERT INTO gone_{table} SELECT * FROM main.{table} WHERE {key} {ONE_OF}",
            ):
                db.execute(statement, (listed(ids),))
        # Last: what belongs to an image goes with it.
        db.execute(f"DELETE FROM image WHERE id {ONE_OF}", (listed(ids),))


def restore_images(project: Project, ids: Sequence[int]) -> None:
    """Put images back that :func:`remove_images` took out, with boxes, reviews, truth and heat maps.

    Raises
    ------
    ProjectError
        One was not taken out since the project was opened, or is in the project by another id.
    """
    with project.transaction() as db:
        try:
            for table, key in image_tables():
                db.execute(
                    f"INSERT INTO main.{table} SELECT * FROM gone_{table} WHERE {key} {ONE_OF}",
                    (listed(ids),),
                )
        except (sqlite3.IntegrityError, sqlite3.OperationalError) as error:
            raise _cannot_restore() from error
        here = db.execute(f"SELECT count(*) FROM image WHERE id {ONE_OF}", (listed(ids),)).fetchone()[0]
        if here != len(set(ids)):
            raise _cannot_restore()
        db.execute(_AGAIN.format(ONE_OF), (listed(ids),))


def among_members(db: sqlite3.Connection, keys: Sequence[Key], *, again: bool) -> list[Key]:
    """Of (root id, name, bytes, time) those that no person has taken out; with ``again`` all."""
    gone = set(db.execute("SELECT root_id, name FROM removed"))
    if not gone:
        return list(keys)
    if again:
        db.executemany("DELETE FROM removed WHERE root_id = ? AND name = ?", [key[:2] for key in keys])
        return list(keys)
    return [key for key in keys if key[:2] not in gone]


def _cannot_restore() -> ProjectError:
    return ProjectError(tr("These images cannot be put back: add them to the project again."))
