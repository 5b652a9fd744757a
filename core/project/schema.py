"""The tables of a project, and what is sensible in their rows."""

from __future__ import annotations

from collections.abc import Mapping


def _lean(*statements: str) -> tuple[str, ...]:
    """``statements`` in one line each: SQLite keeps their text, and all of it must fit on the first page.

    Where that page is lost, the one of a new project is lent (core.project.rescue).
    """
    return tuple(" ".join(statement.split()) for statement in statements)


SCHEMA = _lean(
    "CREATE TABLE roots (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE)",
    """CREATE TABLE image (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        root_id INTEGER NOT NULL REFERENCES roots (id),
        name TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        width INTEGER NOT NULL DEFAULT 0,
        height INTEGER NOT NULL DEFAULT 0,
        status TEXT NOT NULL DEFAULT 'unseen',
        reason TEXT NOT NULL DEFAULT '',
        UNIQUE (root_id, name))""",
    """CREATE TABLE box (
        image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL,
        label TEXT NOT NULL,
        score REAL,
        source TEXT NOT NULL,
        threshold REAL,
        rule TEXT,
        PRIMARY KEY (image_id, position)) WITHOUT ROWID""",
    "CREATE TABLE rejected (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, reason TEXT NOT NULL)",
    """CREATE TABLE heat_map (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
        step INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL, data BLOB NOT NULL)""",
    "CREATE TABLE view (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL)",
)
# Tables that older projects lack and older versions of this program leave alone. New ones come last: where a
# project's first page is lost, that of a new one says where tables begin (core.project.rescue).
LATER_TABLES = _lean(
    # Images whose boxes a person has set, also where none were left: no automatic run touches them.
    """CREATE TABLE IF NOT EXISTS edited (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE)""",
    "INSERT OR IGNORE INTO edited SELECT image_id FROM box WHERE source = 'edited'",
    "CREATE TABLE IF NOT EXISTS survey (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL)",
    # Of automatic boxes: how many there might have been. Of heat maps: what made them (a MapSource's key).
    """CREATE TABLE IF NOT EXISTS box_limit (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE, boxes INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS map_source (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE, source TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS truth (
        image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL,
        label TEXT NOT NULL,
        PRIMARY KEY (image_id, position)) WITHOUT ROWID""",
    # The size in pixels that an image had when its boxes were made, where it has another one now.
    """CREATE TABLE IF NOT EXISTS resized (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
        width INTEGER NOT NULL, height INTEGER NOT NULL)""",
    # How each image with a heat map is framed (core.nets.framing), where the network knew.
    """CREATE TABLE IF NOT EXISTS framing (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
        x REAL NOT NULL, y REAL NOT NULL, width REAL NOT NULL, height REAL NOT NULL)""",
    # The trainings, each with a folder of its own in the data folder; boxes come from the current one.
    """CREATE TABLE IF NOT EXISTS run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL DEFAULT '',
        created INTEGER NOT NULL,
        kind TEXT NOT NULL,
        preset TEXT NOT NULL DEFAULT '',
        folder TEXT NOT NULL,
        finished INTEGER NOT NULL DEFAULT 0,
        current INTEGER NOT NULL DEFAULT 0)""",
    # How likely each image with a heat map shows no object, where the run that made it knows.
    """CREATE TABLE IF NOT EXISTS no_object (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE, probability REAL NOT NULL)""",
    # Files that a person took out of the project: a scan of their folder leaves them out.
    """CREATE TABLE IF NOT EXISTS removed (
        id INTEGER PRIMARY KEY, root_id INTEGER NOT NULL REFERENCES roots (id), name TEXT NOT NULL,
        UNIQUE (root_id, name))""",
    # What each image with a heat map looks like (core.maps.signature), where frozen features made it.
    """CREATE TABLE IF NOT EXISTS signature (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE, data BLOB NOT NULL)""",
    # The best class of each cell of a heat map (core.boxes.classes), where classes were learned: a byte each,
    # the place of one of the names, which are a JSON list.
    """CREATE TABLE IF NOT EXISTS class_map (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
        names TEXT NOT NULL, data BLOB NOT NULL)""",
    # Images whose file became another one after a person had reviewed it, until it is reviewed again.
    """CREATE TABLE IF NOT EXISTS replaced (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE)""",
    # When each photo was taken whose header was read, empty where it does not say; and whether it says where.
    # Where, stays in the photo (docs/decisions/0029-positions.md).
    """CREATE TABLE IF NOT EXISTS taken (
        image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
        time TEXT NOT NULL, placed INTEGER NOT NULL)""",
)


def image_tables() -> list[tuple[str, str]]:
    """The tables with rows of images, that of the images first, and the column that holds an image's id."""
    return [("image", "id")] + [(t, "image_id") for t, checks in row_checks().items() if "image_id" in checks]


def insensible(checks: Mapping[str, str]) -> str:
    """What SQLite finds true of a row that fails one of ``checks``."""
    return " OR ".join(f"coalesce(NOT ({check}), 1)" for check in checks.values())


def row_checks() -> dict[str, dict[str, str]]:
    """For each table its columns, the key first, and what SQLite must find true of a sensible value."""
    number, text = "typeof({0}) = 'integer' AND {0} BETWEEN 0 AND {1}", "typeof({0}) IN ('text', 'blob')"
    big, small = 1 << 62, 1 << 24

    def numbers(*names: str, most: int = big) -> dict[str, str]:
        return {name: number.format(name, most) for name in names}

    def texts(*names: str) -> dict[str, str]:
        return {name: f"{text.format(name)} AND length({name}) < 100000" for name in names}

    def paths(*names: str) -> dict[str, str]:  # without the one sign that no system has in them
        return {name: f"{check} AND instr({name}, char(0)) = 0" for name, check in texts(*names).items()}

    def reals(*names: str) -> dict[str, str]:
        return {name: f"typeof({name}) = 'real' AND abs({name}) < 1e9" for name in names}

    def maybe(checks: dict[str, str]) -> dict[str, str]:
        return {name: f"{name} IS NULL OR ({check})" for name, check in checks.items()}

    times = {"mtime_ns": "typeof(mtime_ns) = 'integer'"}
    return {
        "roots": numbers("id") | paths("path"),
        "image": numbers("id", "root_id")
        | paths("name")
        | numbers("size_bytes")
        | times
        | numbers("width", "height", most=small)
        | texts("status", "reason"),
        "box": numbers("image_id", "position")
        | reals("x0", "y0", "x1", "y1")
        | texts("label", "source")
        | maybe(reals("score", "threshold") | texts("rule")),
        "rejected": numbers("id") | paths("path") | texts("reason"),
        "heat_map": numbers("image_id", "step")
        | numbers("height", "width", most=1 << 12)
        | {"data": "typeof(data) = 'blob' AND length(data) = 4 * height * width"},
        "view": numbers("id") | {"json": "typeof(json) IN ('text', 'blob')"},
        "edited": numbers("image_id"),
        "survey": numbers("id") | {"json": "typeof(json) IN ('text', 'blob')"},
        "box_limit": numbers("image_id", "boxes", most=small),
        "map_source": numbers("image_id") | texts("source"),
        "framing": numbers("image_id") | reals("x", "y", "width", "height"),
        "truth": numbers("image_id", "position") | reals("x0", "y0", "x1", "y1") | texts("label"),
        "resized": numbers("image_id") | numbers("width", "height", most=small),
        "run": numbers("id", "created")
        | texts("name", "kind", "preset")
        | {"folder": "folder IN ('', 'runs/' || id)"}  # what is deleted with a run lies there
        | numbers("finished", "current", most=1),
        "no_object": numbers("image_id")
        | {"probability": "typeof(probability) = 'real' AND probability BETWEEN 0 AND 1"},
        "removed": numbers("id", "root_id") | paths("name"),
        "signature": numbers("image_id") | {"data": "typeof(data) = 'blob' AND length(data) = 128"},
        "class_map": numbers("image_id")
        | texts("names")
        | {"data": "typeof(data) = 'blob' AND length(data) < 1 << 24"},
        "replaced": numbers("image_id"),
        "taken": numbers("image_id") | texts("time") | numbers("placed", most=1),
    }
