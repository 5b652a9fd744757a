"""The paper's neighbours on the same photos: what each finds, what it is told, and how long it takes."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.config import FeaturesConfig
from core.base.errors import BoxscoutError
from core.base.geometry import Box
from core.boxes.options import BoxOptions
from core.boxes.rules import OBJECT_RULE
from core.evaluate.matching import align
from core.evaluate.report import Row, baselines_of, evaluate_aligned
from core.formats import reading, tiny_imagenet
from core.images.inputs import InputForm
from core.images.scan import ImageFile, scan_folder
from core.learn.frozen import input_form, learn, sample_of
from core.maps.ddt import Tally
from core.maps.stream import Described, stream_features
from core.nets.features import Features
from core.paper.single_image import Mask, box_around, largest_component, lost, tokencut

NOTHING, FEATURES = "nothing", "ImageNet's labels, by its features"
"""What a method is told."""
_TINY_SETS = ("artiodactyla", "dog", "bottle")  # those whose true boxes the data has
_EVERY = 20  # images between two reports of progress

OnShare = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """What is learned from and what is measured. ``is_known``: the features were taught these classes."""

    name: str
    learned: tuple[ImageFile, ...]
    measured: tuple[ImageFile, ...]
    truth: tuple[ImageBoxes, ...]
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One method on one set. ``seconds`` are those of an image, its share of learning included."""

    set_name: str
    method: str
    told: str
    row: Row
    seconds: float | None


class Method(Protocol):
    """Finds the object's mask in images that are described one batch after the other."""

    def see(self, described: Described) -> None:
        """A few of the images that are learned from; those of one image alone learn nothing."""

    def masks(self, described: Described) -> list[Mask]:
        """The mask of each of a few images, bool (h, w)."""


class _Alone:
    """A method that looks at one image alone, at the cells of the deepest stride."""

    def __init__(self, mask: Callable[[npt.NDArray[np.floating]], Mask]) -> None:
        self._mask = mask

    def see(self, described: Described) -> None:
        """Nothing is learned."""

    def masks(self, described: Described) -> list[Mask]:
        return [self._mask(one.transpose(1, 2, 0)) for one in described.maps[-1]]


class _Ddt:
    """DDT (Wei et al. 2017) on the deepest stride, or with ``plus`` DDT+ (Wei et al. 2019): two strides, and
    what both call the object."""

    def __init__(self, *, plus: bool) -> None:
        self._tallies = [Tally() for _ in range(1 + plus)]

    def see(self, described: Described) -> None:
        for tally, maps in zip(self._tallies, reversed(described.maps), strict=False):
            tally.add(maps)

    def masks(self, described: Described) -> list[Mask]:
        directions = [tally.direction() for tally in self._tallies]
        found = [d.maps(m) > 0 for d, m in zip(directions, reversed(described.maps), strict=False)]
        return [_both(*(one[i] for one in found)) for i in range(len(described.rows))]


def _both(deep: Mask, fine: Mask | None = None) -> Mask:
    """The largest part of ``deep``; what ``fine`` calls the object too, where that is given."""
    own = largest_component(deep)
    if fine is None:
        return own
    height, width = fine.shape
    enlarged = cv2.resize(own.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    shared = enlarged & fine
    return largest_component(shared) if shared.any() else enlarged


# LOST asks whether two patches correlate positively. Those of these features all do, as most of each is what
# an image's patches share, and its box was the whole image on every set; so that is taken away first.
METHODS: dict[str, Callable[[], Method]] = {
    "DDT": lambda: _Ddt(plus=False),
    "DDT+": lambda: _Ddt(plus=True),
    "LOST": lambda: _Alone(lambda cells: lost(cells - cells.mean(axis=(0, 1)))),
    "TokenCut": lambda: _Alone(tokencut),
}
DEFAULT = "Boxscout's default"
"""The product's own preset, beside its neighbours."""


def sets_in(data: Path, out: Path, wanted: Sequence[str] = ()) -> Iterator[PhotoSet]:
    """The sets in the folder ``data``: each subfolder with images and true boxes, and each such zip archive.

    Archives are unpacked below ``out``. Tiny ImageNet gives the three sets whose true boxes it holds: train
    images are learned from, val images are measured. ``wanted`` are names; none for all.

    Raises
    ------
    BoxscoutError
        There is no set, or one that is wanted is missing.
    """
    found: set[str] = set()
    for folder in _folders(data, out):
        for photos in _sets_of(folder):
            if photos.name in wanted or not wanted:
                found.add(photos.name)
                yield photos
    if missing := sorted(set(wanted) - found):
        raise BoxscoutError(f"{data} holds no set {', '.join(missing)} with images and true boxes.")
    if not found:
        raise BoxscoutError(f"{data} holds no folder with images and true boxes, nor a zip archive of one.")


def results_of(
    photos: PhotoSet,
    methods: Sequence[str],
    features: Features,
    config: FeaturesConfig,
    *,
    on_share: OnShare = lambda what, share: None,
) -> list[Result]:
    """What each of ``methods`` finds on a set, after the baselines.

    Every method sees the same features, of images in the form of ``config``.
    """
    truth = align(photos.truth, photos.truth).truth
    baselines = baselines_of(truth)
    results = [Result(photos.name, row.method, NOTHING, row, None) for row in baselines.rows]
    found = _neighbours([m for m in methods if m != DEFAULT], photos, features, config, on_share)
    if DEFAULT in methods:
        found = {DEFAULT: _default(photos, features, config, on_share), **found}
    for name, (boxes, seconds) in found.items():
        row = evaluate_aligned(align(boxes, photos.truth), baselines, ranks=False).rows[0]
        results.append(Result(photos.name, name, FEATURES, replace(row, method=name), seconds))
    return results


def _neighbours(
    names: Sequence[str], photos: PhotoSet, features: Features, config: FeaturesConfig, on_share: OnShare
) -> dict[str, tuple[list[ImageBoxes], float]]:
    """The boxes of some of :data:`METHODS`, which share one look at the images, and their seconds an image.

    Each counts the look as its own, and the look at the images that are learned from if it learns.
    """
    methods, form = {name: METHODS[name]() for name in names}, input_form(config, features)
    learners = {name: method for name, method in methods.items() if not isinstance(method, _Alone)}
    learning, finding = _Clock(learners), _Clock(methods)
    if learners:
        for done, described in _stream(features, photos.learned, form):
            for name, method in learners.items():
                with learning.of(name):
                    method.see(described)
            on_share(f"{photos.name}: learning", done / len(photos.learned))
    learning.stop()
    boxes: dict[str, list[ImageBoxes]] = {name: [] for name in methods}
    finding.start()
    for done, described in _stream(features, photos.measured, form) if methods else ():
        for name, method in methods.items():
            with finding.of(name):
                masks = method.masks(described)
            rows = zip(described.rows.tolist(), described.sizes.tolist(), masks, strict=True)
            for place, (width, height), mask in rows:
                box = BoxRecord(Box(*box_around(mask, width, height)))
                boxes[name].append(ImageBoxes(photos.truth[place].name, width, height, (box,)))
        on_share(f"{photos.name}: finding", done / len(photos.measured))
    finding.stop()
    count = max(len(photos.measured), 1)
    return {name: (boxes[name], (learning.spent(name) + finding.spent(name)) / count) for name in methods}


class _Clock:
    """The seconds of some methods: each one's own, and those that all of them share."""

    def __init__(self, names: Iterable[str]) -> None:
        self._own = dict.fromkeys(names, 0.0)
        self._whole = 0.0
        self.start()

    def start(self) -> None:
        self._began = time.perf_counter()

    def stop(self) -> None:
        self._whole = time.perf_counter() - self._began

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """What is done in here is ``name``'s alone."""
        began = time.perf_counter()
        yield
        self._own[name] += time.perf_counter() - began

    def spent(self, name: str) -> float:
        """Of one method, what is shared included; 0 of one that is not among them."""
        if name not in self._own:
            return 0.0
        return self._whole - sum(self._own.values()) + self._own[name]


def _default(
    photos: PhotoSet, features: Features, config: FeaturesConfig, on_share: OnShare
) -> tuple[list[ImageBoxes], float]:
    """The same of the product's preset, as ``train`` and ``localize`` have it."""
    began = time.perf_counter()
    localizer = None
    for step in learn(config, features, photos.learned):
        on_share(f"{photos.name}: the default learns", step.fraction)
        localizer = step.localizer or localizer
    assert localizer is not None, "the last step has one"
    options, boxes = BoxOptions(OBJECT_RULE), []
    for done, described in _stream(features, photos.measured, localizer.form):
        rows = described.rows.tolist()
        sizes = {row: (int(w), int(h)) for row, (w, h) in zip(rows, described.sizes.tolist(), strict=True)}
        maps = dict(zip(rows, localizer.maps(described, features), strict=True))
        found = options.boxes(maps, {}, sizes, None)
        boxes += [ImageBoxes(photos.truth[row].name, *sizes[row], found[row]) for row in rows]
        on_share(f"{photos.name}: the default finds", done / len(photos.measured))
    return boxes, (time.perf_counter() - began) / max(len(photos.measured), 1)


def _stream(
    features: Features, files: Sequence[ImageFile], form: InputForm
) -> Iterator[tuple[int, Described]]:
    """Images in batches, each after how many there were by then."""
    done = 0
    for described in stream_features(features, files, form=form):
        done += len(described.rows)
        yield done, described


# --- where photos come from ---------------------------------------------------------------------------


def _folders(data: Path, out: Path) -> Iterator[Path]:
    for path in sorted(data.iterdir()):
        if path.is_dir():
            yield path
        elif path.suffix.lower() == ".zip" and not (data / path.stem).is_dir():
            place = out / "photos" / path.stem
            if not place.is_dir():
                part = place.with_name(f"{path.stem}.part")
                with zipfile.ZipFile(path) as archive:
                    archive.extractall(part)
                part.rename(place)
            inner = [one for one in place.iterdir() if one.is_dir()]
            yield inner[0] if len(inner) == 1 and not any(one.is_file() for one in place.iterdir()) else place


def _sets_of(folder: Path) -> Iterator[PhotoSet]:
    """The sets that a folder holds; none where it has no true boxes."""
    if (folder / "val" / tiny_imagenet.VAL_FILE).is_file():
        for name in _TINY_SETS:
            yield _tiny(folder, name)
        return
    try:
        truth = {image.name: image for image in reading.read_truth(folder) if image.boxes}
    except BoxscoutError:
        return
    files = {file.name: file for file in scan_folder([folder]).images}
    usable = sorted(truth.keys() & files.keys())
    if usable:
        measured = tuple(files[name] for name in usable)
        yield PhotoSet(folder.name, tuple(files.values()), measured, tuple(truth[name] for name in usable))


def _tiny(folder: Path, name: str) -> PhotoSet:
    """Learn from train images, measure on val images: 64 x 64 pixels of classes that the features know."""
    wnids = tiny_imagenet.SETS[name]
    truth = {one.name: one for one in tiny_imagenet.read(folder, wnids=wnids, split="val") if one.boxes}
    train = scan_folder(tiny_imagenet.images_of(folder, name, "train")).images
    val = {
        f"val/images/{file.path.name}": file
        for file in scan_folder(tiny_imagenet.images_of(folder, name, "val")).images
    }
    usable = sorted(truth.keys() & val.keys())
    chosen = tuple(sample_of(train, 500))
    measured = tuple(val[one] for one in usable)
    return PhotoSet(name, chosen, measured, tuple(truth[one] for one in usable), is_known=True)
