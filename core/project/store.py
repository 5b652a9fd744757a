"""The user's work: one SQLite file in which every edit is durable when the call returns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.base.annotations import BoxRecord, ImageBoxes, Status
from core.base.errors import ProjectError
from core.base.language import tr
from core.boxes.classes import ClassMap
from core.boxes.prior import Prior
from core.images.scan import ImageFile, RejectedFile
from core.project import resized
from core.project.database import Database
from core.project.file import absolute, from_db, to_db
from core.project.members import among_members
from core.project.names import export_names, overlapping
from core.project.rows import (
    BESIDE_MAPS,
    BOX_COLUMNS,
    EDITED,
    HELD_AMONG,
    IMAGE_COLUMNS,
    ONE_OF,
    SETTLED,
    ImageRecord,
    Kept,
    at_known_roots,
    box_of,
    forget_changed_files,
    image_of,
    listed,
    map_of,
    mark_edited,
    note_reviewed,
    replace_boxes,
    root_ids,
)
from core.project.survey import MapSource, Survey, survey_from_json, survey_to_json
from core.project.view import ProjectView, view_from_json, view_to_json

__all__ = ["ImageRecord", "Project", "ProjectView"]


class Project(Database):
    """A project file, open: images, boxes, heat maps and view. What all calls keep to: :class:`Database`."""

    # -- images -------------------------------------------------------------------------------

    def add_images(self, files: Iterable[ImageFile], *, again: bool = False) -> int:
        """Add ``files`` in their order and return how many were new.

        Those that a person has taken out of the project stay out, but with ``again``.

        One that is here already (by root and name, or as the same path under another root) keeps its id,
        boxes and status and takes the new size and time. Where these differ the file has changed: its
        heat map and size are forgotten and a failed one gets a new chance.
        """
        files = list(files)
        roots = {root: absolute(root) for root in {f.root for f in files}}
        rows = [(roots[f.root], f.name, f.size_bytes, f.mtime_ns) for f in files]
        with self.transaction() as db:
            before = db.execute("SELECT count(*) FROM image").fetchone()[0]
            ids = root_ids(db, [row[0] for row in rows])
            if nested := overlapping(ids):
                rows = at_known_roots(db, rows, {root: ids[root] for root in nested})
            keys = [(ids[root], to_db(name), size, mtime) for root, name, size, mtime in rows]
            keys = among_members(db, keys, again=again)
            if before:
                forget_changed_files(db, keys)
            db.executemany(
                """INSERT INTO image (root_id, name, size_bytes, mtime_ns) VALUES (?, ?, ?, ?)
                   ON CONFLICT (root_id, name) DO UPDATE SET
                   size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, width = 0, height = 0,
                   status = iif(status = 'failed', 'unseen', status), reason = ''
                   WHERE (size_bytes, mtime_ns) <> (excluded.size_bytes, excluded.mtime_ns)""",
                keys,
            )
            after: int = db.execute("SELECT count(*) FROM image").fetchone()[0]
            return after - int(before)

    def images(self, *, after: int = 0) -> list[ImageRecord]:
        """Every image in the order added, or only those added after the one with id ``after``."""
        roots, rows = self._read_images("WHERE id > ? ORDER BY id", after)
        return [image_of(roots, row) for row in rows]

    def image(self, image_id: int) -> ImageRecord:
        """One image by its id; ProjectError where there is none."""
        roots, rows = self._read_images("WHERE id = ?", image_id)
        if not rows:
            raise ProjectError(
                tr("Image {image_id} is not in “{name}”.").format(image_id=image_id, name=self._path.name)
            )
        return image_of(roots, rows[0])

    def set_sizes(self, sizes: Mapping[int, tuple[int, int]]) -> None:
        """Keep (width, height) by image id. A size proves an image readable: it is no longer failed.

        Where an image had another size, :func:`core.project.resized.note` says what becomes of its boxes.
        """
        rows = [(int(width), int(height), image_id) for image_id, (width, height) in sizes.items()]
        with self.transaction() as db:
            resized.note(db, rows)
            db.executemany(
                """UPDATE image SET width = ?, height = ?, reason = '',
                   status = iif(status = 'failed', 'unseen', status) WHERE id = ?""",
                rows,
            )

    def set_failed(self, reasons: Mapping[int, str]) -> None:
        """Note, by image id, why files cannot be used.

        An image becomes ``FAILED`` by that unless a person has reviewed it or set its boxes: a disk that is
        away takes nobody's work.
        """
        self._many(
            f"""UPDATE image SET reason = ?, status =
                iif({SETTLED} OR status = 'rejected' OR id {EDITED}, status, 'failed') WHERE id = ?""",
            [(to_db(reason), image_id) for image_id, reason in reasons.items()],
        )

    def set_statuses(self, statuses: Mapping[int, Status]) -> None:
        """Give each image, by id, its status: all or, where one fails, none.

        Unusable ones stay so, and one whose file cannot be used is so again once its review is taken back.
        An accepted one without a box shows no object.
        """
        ids: dict[Status, list[int]] = {}
        for image_id, status in statuses.items():
            ids.setdefault(status, []).append(image_id)
        with self.transaction() as db:
            for status, same in ids.items():
                db.execute(
                    f"""UPDATE image SET
                        status = iif(?1 <> 'unseen' OR reason = '' OR id {EDITED}, ?1, 'failed')
                        WHERE status <> 'failed' AND id IN (SELECT value FROM json_each(?2))""",
                    (status.value, listed(same)),
                )
            note_reviewed(db, statuses)

    def add_rejected(self, files: Iterable[RejectedFile]) -> None:
        """Keep files that cannot be used, each with its reason; the newest reason for a path stays."""
        self._many(
            """INSERT INTO rejected (path, reason) VALUES (?, ?)
               ON CONFLICT (path) DO UPDATE SET reason = excluded.reason""",
            [(to_db(str(f.path)), to_db(f.reason)) for f in files],
        )

    def rejected(self) -> list[RejectedFile]:
        """The files kept by :meth:`add_rejected`, in the order added."""
        rows = self.select("SELECT path, reason FROM rejected ORDER BY id")
        return [RejectedFile(path=Path(from_db(path)), reason=from_db(reason)) for path, reason in rows]

    def relocate(self, old_root: Path, new_root: Path, files: Mapping[int, ImageFile] | None = None) -> None:
        """Say that the folder ``old_root`` now lies at ``new_root``; ids, boxes and status stay.

        ``files``, by image id, are known to be the same images there, whatever their bytes and time.
        """
        old, new = to_db(str(absolute(old_root))), to_db(str(absolute(new_root)))
        with self.transaction() as db:
            if db.execute("SELECT 1 FROM roots WHERE path = ?", (new,)).fetchone() and old != new:
                raise ProjectError(
                    tr("The folder “{new_root}” is in the project already.").format(new_root=new_root)
                )
            if not db.execute("UPDATE roots SET path = ? WHERE path = ?", (new, old)).rowcount:
                raise ProjectError(
                    tr("The folder “{old_root}” is not in the project.").format(old_root=old_root)
                )
            rows = [(f.size_bytes, f.mtime_ns, image_id) for image_id, f in (files or {}).items()]
            db.executemany("UPDATE image SET size_bytes = ?, mtime_ns = ? WHERE id = ?", rows)

    # -- boxes --------------------------------------------------------------------------------

    def boxes(self, image_id: int) -> tuple[BoxRecord, ...]:
        """The boxes of one image, in the order set."""
        rows = self.select(f"SELECT {BOX_COLUMNS} FROM box WHERE image_id = ? ORDER BY position", image_id)
        return tuple(box_of(row) for row in rows)

    def all_boxes(self) -> dict[int, tuple[BoxRecord, ...]]:
        """The boxes of every image that has any, by image id."""
        rows = self.select(f"SELECT {BOX_COLUMNS} FROM box ORDER BY image_id, position")
        return {
            image_id: tuple(box_of(row) for row in group) for image_id, group in groupby(rows, lambda r: r[0])
        }

    def set_boxes(self, image_id: int, boxes: Sequence[BoxRecord]) -> None:
        """Replace the boxes of one image, edited ones included: this is the person's own edit.

        It stays as it is in every automatic run, also where ``boxes`` is empty.
        """
        self.set_kept({image_id: Kept(tuple(boxes), edited=True)})

    def set_kept(self, kept: Mapping[int, Kept]) -> None:
        """Replace the boxes of images by id, and whether they are a person's: all of them or none."""
        with self.transaction() as db:
            replace_boxes(db, {image_id: one.boxes for image_id, one in kept.items()})
            resized.forget(db, kept)
            resized.remember(db, {i: one.made_for for i, one in kept.items() if one.made_for})
            mark_edited(db, {image_id: one.edited for image_id, one in kept.items()})
            note_reviewed(db, kept)

    def set_auto_boxes(self, boxes: Mapping[int, Sequence[BoxRecord]], *, max_boxes: int = 1) -> int:
        """Replace boxes of many images by id, ``max_boxes`` each at most; return how many were left alone.

        Left alone are images that a person has accepted, or whose boxes a person has set or taken away: no
        automatic run ever undoes that. Whoever writes automatic boxes does it here.
        """
        with self.transaction() as db:
            # Of these images only: a pass over all boxes for each batch would make the whole quadratic.
            held = {row[0] for row in db.execute(HELD_AMONG, (listed(boxes),))}
            free = {image_id: new for image_id, new in boxes.items() if image_id not in held}
            replace_boxes(db, free)
            db.executemany(
                "INSERT OR REPLACE INTO box_limit (image_id, boxes) VALUES (?, ?)",
                [(image_id, max_boxes) for image_id in free],
            )
            resized.forget(db, free)
        return len(boxes) - len(free)

    def image_boxes(self) -> list[ImageBoxes]:
        """Every image with its boxes, for export, in the order added.

        Names are relative to the common parent of all roots (to the root itself where there is one),
        with forward slashes, and unique. Sizes are those that the boxes were made for.
        """
        images, boxes, sizes = self.images(), self.all_boxes(), resized.former_sizes(self)
        no_object = self.no_object()
        names = export_names([(image.root, image.name) for image in images])
        return [
            ImageBoxes(
                name,
                *sizes.get(image.id, (image.width, image.height)),
                boxes=boxes.get(image.id, ()),
                status=image.status,
                reason=image.reason,
                no_object=no_object.get(image.id),
            )
            for image, name in zip(images, names, strict=True)
        ]

    # -- heat maps ----------------------------------------------------------------------------

    def set_heat_maps(
        self,
        heat_maps: Mapping[int, npt.NDArray[np.float32]],
        *,
        step: int,
        source: MapSource | None = None,
        framings: Mapping[int, npt.NDArray[np.float64]] | None = None,
    ) -> None:
        """Keep float32 ``(h, w)`` heat maps by image id, made by ``source`` after ``step`` training steps.

        ``framings`` are finite rows of :func:`framings`, of those of these images that have one.
        """
        rows = [
            (image_id, int(step), *heat_map.shape, np.ascontiguousarray(heat_map, dtype="<f4").tobytes())
            for image_id, heat_map in heat_maps.items()
        ]
        key = source.key if source else ""
        with self.transaction() as db:
            db.executemany(
                """INSERT OR REPLACE INTO heat_map (image_id, step, height, width, data)
                   VALUES (?, ?, ?, ?, ?)""",
                rows,
            )
            db.executemany(
                "INSERT OR REPLACE INTO map_source (image_id, source) VALUES (?, ?)",
                [(image_id, key) for image_id in heat_maps],
            )
            for table in BESIDE_MAPS:  # of the maps before these
                db.execute(f"DELETE FROM {table} WHERE image_id {ONE_OF}", (listed(heat_maps),))
            db.executemany(
                "INSERT INTO framing (image_id, x, y, width, height) VALUES (?, ?, ?, ?, ?)",
                [(image_id, *framing.tolist()) for image_id, framing in (framings or {}).items()],
            )

    def heat_map(self, image_id: int) -> npt.NDArray[np.float32] | None:
        """The float32 ``(h, w)`` heat map of one image; None where there is none."""
        rows = self.select("SELECT height, width, data FROM heat_map WHERE image_id = ?", image_id)
        return map_of(self._path, *rows[0]).copy() if rows else None

    def set_no_object(self, probabilities: Mapping[int, float]) -> None:
        """Keep by image id how likely images show no object, 0..1, until they have another heat map."""
        self._many(
            "INSERT OR REPLACE INTO no_object (image_id, probability) VALUES (?, ?)",
            [(image_id, float(probability)) for image_id, probability in probabilities.items()],
        )

    def no_object(self) -> dict[int, float]:
        """What :meth:`set_no_object` kept, by image id."""
        return dict(self.select("SELECT image_id, probability FROM no_object"))

    def set_signatures(self, signatures: Mapping[int, npt.NDArray[np.float16]]) -> None:
        """Keep by image id the signatures of images (core.maps.signature), until they have another map."""
        self._many(
            "INSERT OR REPLACE INTO signature (image_id, data) VALUES (?, ?)",
            [(i, np.ascontiguousarray(one, dtype="<f2").tobytes()) for i, one in signatures.items()],
        )

    def set_class_maps(self, class_maps: Mapping[int, ClassMap]) -> None:
        """Keep by image id the classes of heat maps' cells, until images have another heat map."""
        self._many(
            "INSERT OR REPLACE INTO class_map (image_id, names, data) VALUES (?, ?, ?)",
            [(i, json.dumps(one.names), one.cells.tobytes()) for i, one in class_maps.items()],
        )

    def heat_maps_step(self) -> int | None:
        """The newest step of training among all heat maps; None where there are none."""
        step: int | None = self.select("SELECT max(step) FROM heat_map")[0][0]
        return step

    def map_source(self, image_id: int) -> str | None:
        """The key of what made an image's heat map; None where that is not known."""
        rows = self.select("SELECT source FROM map_source WHERE image_id = ?", image_id)
        return rows[0][0] if rows else None

    def load_survey(self) -> Survey | None:
        """What :meth:`save_survey` kept; None before the first localization."""
        rows = self.select("SELECT json FROM survey WHERE id = 1")
        return survey_from_json(from_db(rows[0][0])) if rows else None

    def prior(self) -> Prior | None:
        """What the heat maps have in common, where that is known."""
        return survey.prior if (survey := self.load_survey()) else None

    def save_survey(self, survey: Survey) -> None:
        """Keep what all heat maps together say."""
        self._many("INSERT OR REPLACE INTO survey (id, json) VALUES (1, ?)", [(survey_to_json(survey),)])

    # -- view ---------------------------------------------------------------------------------

    def load_view(self) -> ProjectView:
        """What :meth:`save_view` kept; the defaults where nothing (or nothing readable) was."""
        rows = self.select("SELECT json FROM view WHERE id = 1")
        return view_from_json(from_db(rows[0][0])) if rows else ProjectView()

    def save_view(self, view: ProjectView) -> None:
        """Keep where the person is, for the next opening."""
        self._many("INSERT OR REPLACE INTO view (id, json) VALUES (1, ?)", [(view_to_json(view),)])

    def _read_images(self, where: str, *values: Any) -> tuple[dict[int, Path], list[tuple[Any, ...]]]:
        with self._lock:
            roots = {i: Path(from_db(path)) for i, path in self.select("SELECT id, path FROM roots")}
            return roots, self.select(f"SELECT {IMAGE_COLUMNS} FROM image {where}", *values)
