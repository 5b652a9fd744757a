"""What a list of projects says of one that is not open: read quickly, and nothing is written beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.project.file import absolute, from_db
from core.project.rows import REVIEWED


@dataclass(frozen=True, slots=True)
class Summary:
    """How many ``images`` a project has, how many a person has ``reviewed``, the ``folder`` that most of them
    lie in, and one of them to show; both are None where there is no image."""

    images: int
    reviewed: int
    folder: Path | None = None
    picture: Path | None = None


def summary_of(path: Path) -> Summary | None:
    """The summary of the project at ``path``; None where it cannot be read as it is."""
    try:
        with closing(sqlite3.connect(f"{absolute(path).as_uri()}?mode=ro", uri=True, timeout=0.2)) as db:
            images, reviewed = db.execute(
                f"SELECT count(*), coalesce(sum(id IN ({REVIEWED})), 0) FROM image WHERE status <> 'failed'"
            ).fetchone()
            most = db.execute(
                """SELECT roots.path, image.name FROM image JOIN roots ON roots.id = image.root_id
                   WHERE image.status <> 'failed' GROUP BY root_id ORDER BY count(*) DESC LIMIT 1"""
            ).fetchone()
    except (sqlite3.Error, OSError, ValueError):
        return None
    if most is None:
        return Summary(images, reviewed)
    folder = Path(from_db(most[0]))
    return Summary(images, reviewed, folder, folder / from_db(most[1]))
