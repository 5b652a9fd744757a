"""Learning where a folder's object is from frozen features: a generator, one step for each few images.

Nothing of it is saved on the way, for the whole takes about a minute: what was interrupted begins again.
torch is not needed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from core.base.config import FeaturesConfig
from core.base.errors import TrainingError
from core.base.pace import Pace
from core.base.sampling import evenly
from core.base.threads import threads_wanted
from core.boxes.no_object import PeakLevels, peak_levels
from core.images.inputs import InputForm, as_batch
from core.images.parallel import Failure, none_usable
from core.images.scan import ImageFile
from core.learn.logistic import sigmoid
from core.learn.masks import SIDE
from core.learn.object_unit import Seen, Unit, learn_object_unit
from core.maps.cells import cells, maps_at
from core.maps.ddt import Tally
from core.maps.localizer import Localizer
from core.maps.stream import Described, stream_features
from core.nets.features import Features

Array = npt.NDArray[np.float32]

_BATCH = 8
_COARSE = 384  # pixels of a side at most, whatever the size, for DDT: whole objects are what it finds there
_NOT_YET = 0.99  # of the work, before what it comes to is there
_SEEING = 0.7  # the share of the work that looking at the images is, where more is learned after it


@dataclass(frozen=True)
class Learned:
    """One step's report.

    ``done`` of ``images`` were looked at. ``fraction`` is 0..1 of the whole, ``seconds_left`` None while
    unknown. ``localizer`` is there where it is a new one; it is provisional until ``fraction`` is 1.
    """

    done: int
    images: int
    fraction: float
    elapsed_s: float
    seconds_left: float | None
    localizer: Localizer | None = None

    @property
    def complete(self) -> bool:
        return self.fraction >= 1.0


class Learner(Protocol):
    """One method of learning, fed image by image."""

    seeing: float
    """The share of the whole work, 0..1, that looking at the images is."""

    def see(self, described: Described) -> None:
        """A few images more."""

    def provisional(self) -> Localizer:
        """What the images so far say."""

    def learn(self) -> Iterator[tuple[float, Localizer]]:
        """Once all are seen: how much of the rest is done, 0..1, and what is learned by then."""


def input_form(config: FeaturesConfig, features: Features) -> InputForm:
    """How large images are for ``features`` by ``config``."""
    return InputForm(size=config.image_size, keep_aspect=config.keep_aspect, multiple=features.multiple)


def threads_of(config: FeaturesConfig) -> int:
    """How many of the processor's threads compute features."""
    return config.threads or threads_wanted()


def sample_of(files: Sequence[ImageFile], most: int) -> list[ImageFile]:
    """At most ``most`` of the files, evenly from all."""
    return [files[i] for i in evenly(len(files), most).tolist()]


def learn(
    config: FeaturesConfig,
    features: Features,
    files: Sequence[ImageFile],
    *,
    on_failure: Callable[[ImageFile, Failure], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Generator[Learned, None, None]:
    """Learn a :class:`Localizer` from ``files``; the last report has it.

    Parameters
    ----------
    on_failure
        Called with a file that cannot be used, and why.

    Raises
    ------
    ImageError
        No image can be used.
    TrainingError
        Nothing stands out in the images.
    Cancelled
        ``cancelled()`` became true.
    """
    chosen = sample_of(files, config.sample)
    learner = _learner(config, features)
    report = _Reports(len(chosen))

    failures: list[Failure] = []

    def failed(row: int, failure: Failure) -> None:
        failures.append(failure)
        report.left_out += 1
        if on_failure is not None:
            on_failure(chosen[row], failure)

    form = input_form(config, features)
    stream = stream_features(
        features, chosen, form=form, batch=_BATCH, on_failure=failed, cancelled=cancelled
    )
    seen, next_look = 0, _BATCH
    with closing(stream):
        for described in stream:
            learner.see(described)
            seen += len(described.rows)
            shown = None
            if seen >= next_look:  # at 8, 16, 32 … images: often while a look still changes much
                shown, next_look = _looked(learner), 2 * seen
            share = learner.seeing * (seen + report.left_out) / len(chosen)
            yield report.step(seen, min(share, _NOT_YET), shown)
            report.go_on()
    if not seen:
        raise none_usable(len(failures), failures[0])
    for share, localizer in learner.learn():
        yield report.step(seen, learner.seeing + (1 - learner.seeing) * share, localizer)
        report.go_on()


def _looked(learner: Learner) -> Localizer | None:
    """What the first images say; None where nothing stands out in them yet."""
    try:
        return learner.provisional()
    except TrainingError:
        return None


class _Reports:
    """Makes each step's report; what passes between two steps is not counted, so that pauses are free."""

    def __init__(self, images: int) -> None:
        self._images = images
        self._elapsed_s = 0.0
        self._pace = Pace()
        self.left_out = 0
        self.go_on()

    def go_on(self) -> None:
        """The next step begins."""
        self._began = time.monotonic()

    def step(self, seen: int, fraction: float, localizer: Localizer | None) -> Learned:
        self._elapsed_s += time.monotonic() - self._began
        elapsed = self._elapsed_s
        self._pace.note(elapsed, fraction)
        left = (1 - fraction) / self._pace.speed if self._pace.speed > 0 else None
        # Rounded: a whole whose shares were added up is a whole.
        return Learned(
            seen, self._images - self.left_out, min(round(fraction, 9), 1.0), elapsed, left, localizer
        )


def _learner(config: FeaturesConfig, features: Features) -> Learner:
    return _Ddt(config, features) if config.method == "ddt" else _ObjectUnit(config, features)


class _Ddt:
    """Deep descriptor transforming, as :mod:`core.maps.ddt` has it."""

    seeing = 1.0

    def __init__(self, config: FeaturesConfig, features: Features) -> None:
        self._config, self._features = config, features
        self._tally = Tally()
        self._images = 0

    def see(self, described: Described) -> None:
        self._tally.add(described.maps[-1])  # of the last convolution
        self._images += len(described.rows)

    def provisional(self) -> Localizer:
        """Its map is .5 where the projection is 0, which is the published cut, and grows with it."""
        found = self._tally.direction()
        weights = (found.direction / found.deviation).astype(np.float32)
        features = self._features
        return Localizer(
            method="ddt",
            features=features.name,
            sha256=features.sha256,
            version=features.version,
            form=input_form(self._config, features),
            strides=features.strides[-1:],
            channels=features.channels[-1:],
            cell=features.strides[-1],
            normalise=False,
            weights=weights,
            bias=-float(weights.astype(np.float64) @ found.mean),
            images=self._images,
        )

    def learn(self) -> Iterator[tuple[float, Localizer]]:
        yield 1.0, self.provisional()


class _ObjectUnit:
    """A unit on cells of up to three strides, taught for this folder; DDT shows the way until it is."""

    seeing = _SEEING

    def __init__(self, config: FeaturesConfig, features: Features) -> None:
        self._features = features
        self._ddt = _Ddt(config, features)
        self._seed, self._size = config.seed, config.image_size
        self._seen: list[Seen] = []
        self._strides, self._channels = features.strides[-3:], features.channels[-3:]
        self._cell = self._strides[-2:][0]

    def see(self, described: Described) -> None:
        self._ddt.see(described)
        maps = maps_at(described.maps, self._features, self._strides)
        own = cells(maps, normalise=True, grid=self._strides.index(self._cell)).astype(np.float16)
        coarse = self._coarse(described.images).astype(np.float16)
        images = [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in described.images]
        self._seen += [Seen(*parts) for parts in zip(own, coarse, images, strict=True)]

    def _coarse(self, images: npt.NDArray[np.uint8]) -> Array:
        """The deepest descriptors of the same images at the size that DDT finds whole objects at."""
        multiple = self._features.multiple
        share = min(1.0, _COARSE / self._size)
        height, width = (max(1, round(share * side / multiple)) * multiple for side in images.shape[1:3])
        small = [cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in images]
        return self._features.maps(as_batch(small))[-1]

    def provisional(self) -> Localizer:
        return self._ddt.provisional()

    def learn(self) -> Iterator[tuple[float, Localizer]]:
        start, ends = self._ddt.provisional(), np.cumsum(self._channels).tolist()
        finer = len(ends) > 1
        near = slice(0, ends[-2] if finer else ends[-1])
        deep = slice(ends[-3] if len(ends) > 2 else 0, ends[-1])
        for share, unit in learn_object_unit(self._seen, near=near, deep=deep, seed=self._seed):
            yield (
                share,
                replace(
                    start,
                    method="object",
                    strides=self._strides,
                    channels=self._channels,
                    cell=self._cell,
                    normalise=True,
                    weights=unit.weights,
                    bias=unit.bias,
                    levels=self._levels(unit) if share >= 1 else None,
                ),
            )

    def _levels(self, unit: Unit) -> PeakLevels | None:
        """How hot objects and backgrounds are on the maps that ``unit`` makes of these images."""
        return peak_levels(sigmoid(unit.logits(one.cells)) for one in self._seen)
