"""Frozen features of many image files: decoded in threads beside what computes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from core.images.decoding import Decoded
from core.images.exif import Taken
from core.images.inputs import InputForm, as_batch
from core.images.parallel import Failure, decode_all
from core.images.scan import ImageFile
from core.nets.features import Features, Maps

T = TypeVar("T")

_HELD = 4  # batches whose images may wait for others of their shape

Waiting = dict[tuple[int, ...], list[tuple[int, Decoded]]]


@dataclass(frozen=True)
class Described:
    """Images with their maps.

    ``rows`` int64 (n,) are their places among the files; ``images`` is uint8 (n, H, W, 3), RGB, as the
    network took them; ``sizes`` int32 (n, 2) holds the width and height, in pixels, of the images as
    displayed; ``maps`` has for each stride s of the features float32 (n, C, H / s, W / s). ``taken`` is what
    each file says of its taking.
    """

    rows: npt.NDArray[np.int64]
    images: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.int32]
    maps: Maps
    taken: tuple[Taken, ...] = ()


def stream_features(
    features: Features,
    files: Sequence[T],
    *,
    form: InputForm,
    batch: int = 8,
    filled: bool = False,
    opened: Callable[[T], AbstractContextManager[ImageFile]] = nullcontext,  # type: ignore[assignment]
    workers: int | None = None,
    on_failure: Callable[[int, Failure], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Generator[Described, None, None]:
    """The features of all files, in batches of one shape, in an order that depends on the files alone.

    A batch leaves as soon as ``batch`` images of one shape are there. Of those that wait for others of their
    shape the largest group leaves when there are too many, so that memory does not grow with the files.

    Parameters
    ----------
    form
        The size that images are brought to; its ``multiple`` must suit the features.
    filled
        Compute every batch at the same size, the last ones with images that count for nothing.
    opened, workers
        As in :func:`core.images.parallel.decode_all`.
    on_failure
        Called in this thread with the row of a file that cannot be used, and why.

    Raises
    ------
    Cancelled
        ``cancelled()`` became true.
    """
    waiting: Waiting = {}
    whole = batch if filled else 0
    decoding = decode_all(files, form.decode, opened=opened, workers=workers, cancelled=cancelled)
    with closing(decoding) as results:
        for row, result in enumerate(results):
            if isinstance(result, Failure):
                if on_failure is not None:
                    on_failure(row, result)
                continue
            group = waiting.setdefault(result.pixels.shape, [])
            group.append((row, result))
            if len(group) == batch:
                yield _described(features, waiting.pop(result.pixels.shape), whole)
            elif sum(map(len, waiting.values())) >= _HELD * batch:
                largest = max(waiting, key=lambda shape: len(waiting[shape]))
                yield _described(features, waiting.pop(largest), whole)
    for group in waiting.values():
        yield _described(features, group, whole)


def describe(features: Features, group: Sequence[Decoded]) -> Described:
    """The features of decoded images of one shape, whose rows are counted from 0."""
    return _described(features, list(enumerate(group)))


def _described(features: Features, group: Sequence[tuple[int, Decoded]], whole: int = 0) -> Described:
    """Of decoded images with their rows; computed ``whole`` at a time at least."""
    images = [decoded.pixels for _, decoded in group]
    more = [images[0]] * max(0, whole - len(images))
    maps = features.maps(as_batch([*images, *more]))
    return Described(
        rows=np.array([row for row, _ in group], np.int64),
        images=np.stack(images),
        sizes=np.array([(decoded.width, decoded.height) for _, decoded in group], np.int32),
        maps=tuple(one[: len(images)] for one in maps) if more else maps,
        taken=tuple(decoded.taken for _, decoded in group),
    )
