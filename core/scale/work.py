"""What one worker does: the boxes of one shard, or its share of a sum. All of it depends on the shard alone.

Features are computed by one thread, in batches of one size, and a shard gives what its images give: so any
number of workers writes the same boxes, to the last bit.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2

from core import __version__
from core.base.annotations import ImageBoxes, Status
from core.base.errors import BoxscoutError
from core.base.language import mark, tr
from core.boxes.no_object import no_object_probability
from core.boxes.options import BoxOptions
from core.images.inputs import InputForm
from core.images.parallel import Failure
from core.maps.ddt import Tally
from core.maps.localizer import Localizer, load_localizer
from core.maps.stream import Described, stream_features
from core.nets.features import Features, features_named
from core.nets.lite0 import NAME
from core.scale.addresses import local_file
from core.scale.dataset import Found, part_name, write_shard
from core.scale.entries import Entry, Rejected
from core.scale.manifest import Task
from core.scale.remote import is_address

ENDED = mark("The process that read it ended: it may be damaged, or need more memory than there is.")
_FETCHERS = 8  # threads that wait for files that lie elsewhere; a local file is decoded by who computes


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What is the same for all shards.

    ``localizer`` is a file that every worker can read, ``digest`` tells it from another of the same name.
    ``options`` say how heat maps become boxes. ``weights`` is a file of one's own backbone.
    """

    localizer: str
    digest: str
    options: BoxOptions
    weights: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What is the same for all shards of a sum: the features by name, and the form that images have."""

    features: str
    form: InputForm
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What making a shard came to."""

    shard: int
    images: int
    boxes: int
    failed: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A shard's share of the sum over all images' descriptors, and of how many images it is."""

    shard: int
    images: int
    tally: Tally


def versions() -> tuple[str, str]:
    """Of Boxscout and of what computes the default's features: workers must have the same."""
    return __version__, network(NAME, None).version


def make_shard(orders: Orders, folder: str, task: Task) -> Report:
    """Find the boxes of a shard's images and write them as a part in ``folder``.

    Raises
    ------
    BoxscoutError
        The localizer or its features cannot be had here, or the shard cannot be written.
    """
    places = range(task.first, task.first + len(task.entries))
    return _written(folder, task, boxes_of(orders, task, places))


def boxes_of(orders: Orders, task: Task, places: Sequence[int]) -> list[Found]:
    """The boxes of some of a shard's images, by their places in the list; each place comes back once."""
    localizer = _localizer(orders.localizer, orders.digest)
    features = network(localizer.features, orders.weights)
    localizer.check(features)
    entries = [task.entries[place - task.first] for place in places]
    found: list[Found] = []

    def note(row: int, failure: Failure) -> None:
        found.append(failed(places[row], entries[row], failure.reason))

    for described in _stream(features, entries, localizer.form, note):
        read = localizer.read(described, features)
        maps, classes = localizer.heat(read), localizer.class_maps(read)
        rows = described.rows.tolist()
        sizes = [(int(width), int(height)) for width, height in described.sizes.tolist()]
        boxes = orders.options.boxes(
            dict(zip(rows, maps, strict=True)),
            {},
            dict(zip(rows, sizes, strict=True)),
            None,
            dict(zip(rows, classes, strict=False)),  # none where no class was named
        )
        empty = None if localizer.levels is None else no_object_probability(maps, localizer.levels).tolist()
        for i, (row, size) in enumerate(zip(rows, sizes, strict=True)):
            no_object = None if empty is None else empty[i]
            image = ImageBoxes(entries[row].name, *size, boxes[row], no_object=no_object)
            found.append(Found(places[row], entries[row].address, image))
    return found


def make_shard_apart(orders: Orders, folder: str, task: Task) -> Report:
    """:func:`make_shard` in processes of their own, an image at a time: one that ends its process is listed.

    Bits are those of :func:`make_shard`, since batches have one size there and here.
    """
    found: list[Found] = []
    last = task.first + len(task.entries)
    while len(found) < len(task.entries):
        found += _until_it_ends(orders, task, task.first + len(found))
        poison = task.first + len(found)
        if poison < last:
            found.append(failed(poison, task.entries[poison - task.first], tr(ENDED)))
    return _written(folder, task, found)


def count_shard(counting: Counting, task: Task) -> Counted:
    """A shard's share of the sum that DDT over all images is."""
    tally, images = Tally(), 0
    features = network(counting.features, counting.weights)
    for described in _stream(features, task.entries, counting.form, lambda row, failure: None):
        tally.add(described.maps[-1])
        images += len(described.rows)
    return Counted(task.shard, images, tally)


def failed(place: int, entry: Entry, reason: str) -> Found:
    """An image that cannot be used, with the reason."""
    return Found(place, entry.address, ImageBoxes(entry.name, 0, 0, status=Status.FAILED, reason=reason))


def _written(folder: str, task: Task, found: list[Found]) -> Report:
    found.sort(key=lambda one: one.place)
    write_shard(Path(folder) / part_name(task.shard), found)
    reasons = tuple(Rejected(one.image.name, one.image.reason) for one in found if one.image.reason)
    return Report(task.shard, len(found), sum(len(one.image.boxes) for one in found), reasons)


def _stream(
    features: Features, entries: Sequence[Entry], form: InputForm, note: Callable[[int, Failure], None]
) -> Iterator[Described]:
    """The features of images, in batches of one size."""
    fetchers = _FETCHERS if any(is_address(entry.address) for entry in entries) else 0
    stream = stream_features(
        features, entries, form=form, filled=True, opened=local_file, workers=fetchers, on_failure=note
    )
    with closing(stream):
        yield from stream


def _until_it_ends(orders: Orders, task: Task, first: int) -> list[Found]:
    """What a process of its own finds in a shard's images from ``first`` on, up to one that ends it."""
    module = __name__.rpartition(".")[0] + ".apart"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    found: list[Found] = []
    with subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        with suppress(BrokenPipeError), child.stdin as to_child:
            pickle.dump((orders, task, first), to_child)
        with suppress(EOFError, pickle.UnpicklingError):
            while True:
                one = pickle.load(child.stdout)
                if isinstance(one, BoxscoutError):
                    raise one
                found.append(one)
    if child.returncode > 0:  # by itself, so before the first image
        raise BoxscoutError(
            tr("A worker cannot start processes of its own, by {file}.").format(file=sys.executable)
        )
    return found


@lru_cache(maxsize=1)
def network(name: str, weights: str | None) -> Features:
    """The features of this name on the processor, by one thread; loaded once in a process."""
    cv2.setNumThreads(1)
    return features_named(name, device="cpu", threads=1, weights=None if weights is None else Path(weights))


@lru_cache(maxsize=1)
def _localizer(file: str, digest: str) -> Localizer:
    localizer = load_localizer(Path(file))
    assert localizer.digest == digest, "the file is the data set's own"
    return localizer
