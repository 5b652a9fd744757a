"""Projects of older versions become projects of this one.

The first kept one training of each kind: they get runs. The second had no word for an image without an
object, which was accepted without a box.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from core.base.plain_json import parse_json

FILES = {"features": "localizer.safetensors", "gan": "checkpoint.pt", "cam": "classifier.pt"}
"""For each kind of training the file, in its folder, that it is saved in."""
RUNS = "runs"


def data_folder(path: Path) -> Path:
    """The folder beside the project at ``path`` for all that is too large for it; it may be missing."""
    return path.with_name(path.name + "-data")


def migrate(db: sqlite3.Connection, data: Path, version: int) -> None:
    """Bring a project of ``version``, with its folder ``data``, up to date; in the caller's transaction."""
    if version < 2:
        note_trainings(db, data)
    name_empty(db)


def name_empty(db: sqlite3.Connection) -> None:
    """Call images that were accepted without a box by the word that there is for them since."""
    db.execute(
        """UPDATE image SET status = 'no object'
           WHERE status = 'accepted' AND id NOT IN (SELECT image_id FROM box)"""
    )


def note_trainings(db: sqlite3.Connection, data: Path) -> None:
    """Make a run of each training that lies in ``data``, and of heat maps whose training is lost.

    Their files stay where they are. The run that the heat maps were made by becomes the current one. In the
    transaction that the caller holds.
    """
    found = [(kind, 0, "") for kind, name in FILES.items() if (data / name).exists()]
    for place in sorted((data / RUNS).glob("[1-9]*")):
        if place.name.isascii() and place.name.isdecimal():
            kinds = [kind for kind, name in FILES.items() if (place / name).exists()]
            found += [(kind, int(place.name), f"{RUNS}/{place.name}") for kind in kinds[:1]]
    shown = _kind_of_maps(db)
    if shown is not None and shown not in [kind for kind, _, _ in found]:
        found.insert(0, (shown, 0, ""))
    for kind, number, folder in found:
        db.execute(
            "INSERT INTO run (id, created, kind, folder, finished) VALUES (nullif(?, 0), ?, ?, ?, 1)",
            (number, _changed(data / folder / FILES[kind], data), kind, folder),
        )
    db.execute(
        "UPDATE run SET current = 1 WHERE id = (SELECT max(id) FROM run WHERE kind = ?)", (shown or "",)
    )


def _kind_of_maps(db: sqlite3.Connection) -> str | None:
    """Which kind of training made the heat maps; None where there are none."""
    if not db.execute("SELECT 1 FROM heat_map LIMIT 1").fetchone():
        return None
    try:
        (text,) = db.execute("SELECT json FROM survey").fetchone()
        return {"class": "cam", "features": "features"}.get(parse_json(text)["source"]["unit"], "gan")
    except (TypeError, ValueError, KeyError):
        return "gan"  # all that older versions had


def _changed(*places: Path) -> int:
    """When the first of ``places`` that is there was changed last, in seconds since 1970."""
    for place in places:
        try:
            return int(place.stat().st_mtime)
        except OSError:
            continue
    return 0
