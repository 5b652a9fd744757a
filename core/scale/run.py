"""Boxes for any number of images: list them, learn or take a localizer, make each shard that is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from core.base.atomic import is_temporary, os_errors
from core.base.config import FeaturesConfig
from core.base.errors import BoxscoutError
from core.base.language import tr
from core.boxes.options import BoxOptions
from core.maps.localizer import Localizer, load_localizer, save_localizer
from core.nets.features import features_named
from core.scale.addresses import list_images
from core.scale.dataset import (
    LOCALIZER,
    SHARD,
    DataSet,
    Made,
    begin,
    count_shard_file,
    is_begun,
    is_part,
    open_data_set,
    rows_in,
)
from core.scale.entries import Entry, Rejected
from core.scale.learning import learn_from_all, learn_from_sample
from core.scale.manifest import sampled, tasks, write_manifest
from core.scale.pools import IsCancelled, Lost, Pool
from core.scale.remote import is_address
from core.scale.work import Orders, make_shard, make_shard_apart

SAMPLE, ALL = "sample", "all"
"""What is learned from: the default's unit from a sample, or DDT from all images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asks for: boxes of the images at ``where``, into the data set in ``folder``.

    ``localizer`` finds them; where it is None it is learned by ``config`` from ``learn_from``, :data:`SAMPLE`
    or :data:`ALL`. ``options`` say how heat maps become boxes. ``shard`` is a number of images.
    """

    where: str
    folder: Path
    options: BoxOptions
    config: FeaturesConfig
    localizer: Localizer | None = None
    learn_from: str = SAMPLE
    shard: int = SHARD


class Watch(Protocol):
    """Is told what happens; each method may be called many times."""

    def listed(self, images: int) -> None:
        """So many images were listed by now."""

    def left_out(self, rejected: Rejected) -> None:
        """A file that is no image, or an image that cannot be used."""

    def learning(self, share: float) -> None:
        """So much of learning, 0..1, is done."""

    def found(self, done: int, images: int) -> None:
        """So many of the images have boxes by now, those of earlier starts included."""

    def lost(self, lost: Lost) -> None:
        """A shard that is not there at the end."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a data set holds: every image of its list is counted once."""

    images: int
    usable: int
    boxes: int
    missing: int


def find_boxes(wanted: Wanted, pool: Pool, watch: Watch, *, is_cancelled: IsCancelled) -> Totals:
    """Make the data set, or what is missing of it.

    Raises
    ------
    BoxscoutError
        It was begun in another way, cannot be written, or there is no image; and what :class:`Pool` raises.
        What was done is kept.
    """
    with os_errors(BoxscoutError, tr("“{name}” cannot be written: {reason}."), name=wanted.folder.name):
        wanted.folder.mkdir(parents=True, exist_ok=True)
    if is_begun(wanted.folder):
        data_set = open_data_set(wanted.folder)
        _check_same(data_set, wanted)
    else:
        data_set = _begin(wanted, pool, watch, is_cancelled)
    _fill(data_set, wanted, pool, watch, is_cancelled)
    return totals(data_set)


def totals(data_set: DataSet) -> Totals:
    """Count what is there, a shard at a time; BoxscoutError where one is damaged."""
    images = usable = boxes = 0
    for shard in data_set.done():
        own = count_shard_file(data_set.shard_file(shard))
        images, usable, boxes = images + own[0], usable + own[1], boxes + own[2]
    return Totals(images, usable, boxes, data_set.made.images - images)


# --- the beginning ------------------------------------------------------------------------------------


def _begin(wanted: Wanted, pool: Pool, watch: Watch, is_cancelled: IsCancelled) -> DataSet:
    folder = wanted.folder
    _check_empty(folder)
    listed = _counted(list_images(wanted.where, on_rejected=watch.left_out), watch)
    images = write_manifest(folder, listed, shard=wanted.shard)
    made = Made(
        where=place_of(wanted.where),
        images=images,
        shard=wanted.shard,
        localizer="",
        features="",
        runtime="",
        rule=wanted.options.rule,
        threshold=wanted.options.threshold,
        max_boxes=wanted.options.max_boxes,
    )
    listing = DataSet(folder, made)
    localizer = wanted.localizer or _learn(listing, wanted, pool, watch, is_cancelled)
    save_localizer(folder / LOCALIZER, localizer)
    runtime = _runtime(localizer, wanted.config)
    found_by = replace(made, localizer=localizer.digest, features=localizer.features, runtime=runtime)
    return begin(folder, found_by)


def _counted(entries: Iterator[Entry], watch: Watch) -> Iterator[Entry]:
    for number, entry in enumerate(entries, start=1):
        if number % 1000 == 0:
            watch.listed(number)
        yield entry


def _learn(
    data_set: DataSet, wanted: Wanted, pool: Pool, watch: Watch, is_cancelled: IsCancelled
) -> Localizer:
    config = wanted.config
    features = features_named(
        config.features,
        device="cpu" if wanted.learn_from == ALL else config.device,
        threads=config.threads or os.cpu_count() or 1,
        weights=None if config.weights is None else Path(config.weights),
    )
    if wanted.learn_from == ALL:
        return learn_from_all(
            config, features, pool, tasks(data_set),
            on_share=lambda shards: watch.learning(shards / data_set.shards), is_cancelled=is_cancelled,
        )  # fmt: skip
    entries = sampled(data_set, config.sample)
    return learn_from_sample(config, features, entries, on_share=watch.learning, is_cancelled=is_cancelled)


def _runtime(localizer: Localizer, config: FeaturesConfig) -> str:
    """What computes the features that a localizer reads: the same for every worker and every start."""
    features = features_named(
        localizer.features,
        device="cpu",
        threads=1,
        weights=None if config.weights is None else Path(config.weights),
    )
    localizer.check(features)
    return features.version


def _check_empty(folder: Path) -> None:
    """BoxscoutError where a folder holds anything but what an interrupted start has left."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not is_temporary(path)]
    others = [path.name for path in paths if path.name != LOCALIZER and not is_part(path.name)]
    if others:
        text = tr("“{name}” holds other files, such as “{other}”: choose a new folder for the data set.")
        raise BoxscoutError(text.format(name=folder.name, other=others[0]))


def place_of(where: str) -> str:
    """Where images are, in the one way in which it is kept."""
    return where if is_address(where) else os.path.abspath(where)  # noqa: PTH100 - keeps links


def _check_same(data_set: DataSet, wanted: Wanted) -> None:
    """BoxscoutError where a data set was begun with other images or options, or is found by other means."""
    made, options = data_set.made, wanted.options
    saved = load_localizer(data_set.localizer)
    asked = {
        tr("images"): (made.where, place_of(wanted.where)),
        tr("a rule"): (made.rule, options.rule),
        tr("a threshold"): (made.threshold, options.threshold),
        tr("a number of boxes"): (made.max_boxes, options.max_boxes),
        tr("a localizer"): (made.localizer, wanted.localizer.digest if wanted.localizer else made.localizer),
        tr("a localizer file"): (made.localizer, saved.digest),
        tr("a runtime"): (made.runtime, _runtime(saved, wanted.config)),
    }
    for what, (before, now) in asked.items():
        if before != now:
            text = tr(
                "“{name}” was begun with {what} {before}, not {now}: "
                "ask for the same, or choose a new folder for the data set."
            )
            raise BoxscoutError(text.format(name=data_set.folder.name, what=what, before=before, now=now))


# --- the shards ---------------------------------------------------------------------------------------


def _fill(data_set: DataSet, wanted: Wanted, pool: Pool, watch: Watch, is_cancelled: IsCancelled) -> None:
    """Make the shards that are not there, or not whole."""
    there = {s for s in data_set.done() if rows_in(data_set.shard_file(s)) == data_set.images_in(s)}
    orders = Orders(
        localizer=str(data_set.localizer.resolve()),
        digest=data_set.made.localizer,
        options=wanted.options,
        weights=wanted.config.weights,
    )
    boxes = str(data_set.boxes.resolve())
    done, images = sum(map(data_set.images_in, there)), data_set.made.images
    watch.found(done, images)
    results = pool.run(
        partial(make_shard, orders, boxes),
        tasks(data_set, without=there),
        rescue=partial(make_shard_apart, orders, boxes),
        is_cancelled=is_cancelled,
    )
    for result in results:
        if isinstance(result, Lost):
            watch.lost(result)
            continue
        done += result.images
        for rejected in result.failed:
            watch.left_out(rejected)
        watch.found(done, images)
