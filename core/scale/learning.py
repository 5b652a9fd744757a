"""Learning for a data set: from a sample of its images, or by DDT from all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from core.base.config import FeaturesConfig
from core.base.errors import BoxscoutError, ImageError
from core.base.language import tr
from core.images.scan import ImageFile
from core.learn.frozen import ddt_localizer, input_form, learn
from core.maps.ddt import Tally
from core.maps.localizer import Localizer
from core.nets.features import Features
from core.scale.addresses import local_file
from core.scale.entries import Entry
from core.scale.manifest import Task
from core.scale.pools import IsCancelled, Lost, Pool
from core.scale.work import Counted, Counting, count_shard

OnShare = Callable[[float], None]


def learn_from_sample(
    config: FeaturesConfig,
    features: Features,
    entries: list[Entry],
    *,
    on_share: OnShare,
    is_cancelled: IsCancelled,
) -> Localizer:
    """What :func:`core.learn.frozen.learn` learns from these images, in this process.

    Those that lie elsewhere are copied here for as long as it takes.

    Raises
    ------
    ImageError
        No image can be used.
    TrainingError
        Nothing stands out in the images.
    Cancelled
        ``is_cancelled()`` became true.
    """
    localizer: Localizer | None = None
    with ExitStack() as stack:
        files = list(_opened(stack, entries))
        if not files:
            raise ImageError(tr("None of the images that are learned from can be read."))
        for step in learn(config.with_(sample=len(files)), features, files, cancelled=is_cancelled):
            on_share(step.fraction)
            localizer = step.localizer or localizer
    assert localizer is not None, "the last step has one"
    return localizer


def _opened(stack: ExitStack, entries: list[Entry]) -> Iterator[ImageFile]:
    for entry in entries:
        try:
            yield stack.enter_context(local_file(entry))
        except (ImageError, OSError):  # it is listed with its reason when its shard is made
            continue


def learn_from_all(
    config: FeaturesConfig,
    features: Features,
    pool: Pool,
    tasks: Iterator[Task],
    *,
    on_share: OnShare,
    is_cancelled: IsCancelled,
) -> Localizer:
    """DDT as published, on the sums of all shards, added in their order: the same for any number of workers.

    Raises
    ------
    BoxscoutError
        A shard was lost, nothing stands out in the images, or none can be used.
    """
    counting = Counting(features=features.name, form=input_form(config, features), weights=config.weights)
    sums = _InOrder()
    for result in pool.run(partial(count_shard, counting), tasks, is_cancelled=is_cancelled):
        if isinstance(result, Lost):
            text = tr("Learning from all images failed in shard {shard}: {reason}")
            raise BoxscoutError(text.format(shard=result.shard, reason=result.reason))
        sums.add(result)
        on_share(sums.shards)
    return ddt_localizer(sums.tally, config, features, images=sums.images)


class _InOrder:
    """Adds shards in their order, whichever comes first: sums of floats depend on it."""

    def __init__(self) -> None:
        self.tally, self.images, self.shards = Tally(), 0, 0
        self._waiting: dict[int, Counted] = {}

    def add(self, counted: Counted) -> None:
        self._waiting[counted.shard] = counted
        while (following := self._waiting.pop(self.shards, None)) is not None:
            self.tally.merge(following.tally)
            self.images += following.images
            self.shards += 1
