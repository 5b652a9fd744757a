"""Where shards are worked on: in this process, or on the workers of Dask.

Both take the same functions, which depend on their shard alone, and hand over what these return.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from core.base.errors import BoxscoutError, Cancelled, as_reason
from core.base.language import mark, tr
from core.scale.extras import needed
from core.scale.manifest import Task
from core.scale.work import versions

T = TypeVar("T")
Work = Callable[[Task], T]
IsCancelled = Callable[[], bool]

SCHEDULER_LOST = mark("The scheduler was lost. What was done is kept: start the same command again.")
_AHEAD = 3  # tasks for each worker that are under way or wait there
_SPREAD = 20  # shards for each worker by which one may come to its end before an earlier one
_POLL_S = 0.2
_DEATHS = 1  # of workers on this machine that one shard may see before it is looked at image by image
_PATIENCE_S = 15.0  # for a scheduler to answer


@dataclass(frozen=True, slots=True)
class Lost:
    """A shard that no worker came to the end of, and why."""

    shard: int
    reason: str


class Pool(Protocol):
    """Works on shards."""

    def run(
        self,
        work: Work[T],
        tasks: Iterable[Task],
        *,
        rescue: Work[T] | None = None,
        is_cancelled: IsCancelled,
    ) -> Iterator[T | Lost]:
        """What ``work`` returns for each task, as they come to their end; few tasks are taken at a time.

        Where the worker dies of a task, ``rescue`` has it next.

        Raises
        ------
        Cancelled
            ``is_cancelled()`` became true.
        BoxscoutError
            ``work`` raises it, or the scheduler is lost.
        """


class Here:
    """This process."""

    def run(
        self,
        work: Work[T],
        tasks: Iterable[Task],
        *,
        rescue: Work[T] | None = None,
        is_cancelled: IsCancelled,
    ) -> Iterator[T | Lost]:
        """One after the other; see :class:`Pool`."""
        for task in tasks:
            _check(is_cancelled)
            yield work(task)


class OnDask:
    """The workers that a client of Dask knows."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def dashboard(self) -> str:
        """The address of the page on which the cluster can be watched; empty where there is none."""
        has_one = "dashboard" in self._client.scheduler_info()["services"]
        return str(self._client.dashboard_link) if has_one else ""

    def check(self) -> None:
        """BoxscoutError where workers lack Boxscout, or have another version or runtime."""
        own = versions()
        try:
            theirs = self._client.run(versions)
        except Exception as error:
            text = tr("The workers cannot run Boxscout: install it in their environment. ({reason})")
            raise BoxscoutError(text.format(reason=as_reason(error))) from error
        for worker, (version, runtime) in theirs.items():
            if (version, runtime) != own:
                text = tr("The worker {worker} has {theirs}, and this machine {own}: install the same there.")
                raise BoxscoutError(
                    text.format(worker=worker, theirs=f"{version}, {runtime}", own=", ".join(own))
                )

    def run(
        self,
        work: Work[T],
        tasks: Iterable[Task],
        *,
        rescue: Work[T] | None = None,
        is_cancelled: IsCancelled,
    ) -> Iterator[T | Lost]:
        """As workers are free; see :class:`Pool`."""
        flight = _Flight(self._client, work, rescue)
        upcoming = iter(tasks)
        try:
            while True:
                flight.count_workers()
                while flight.has_room and (task := next(upcoming, None)) is not None:
                    flight.send(task)
                if flight.is_empty:
                    return
                _check(is_cancelled)
                yield from flight.landed()
        except (OSError, CancelledError) as error:  # of Dask's connections: no shard raises these
            raise BoxscoutError(tr(SCHEDULER_LOST)) from error
        finally:
            flight.give_up()


@dataclass
class _Flight(Generic[T]):
    """Tasks that are under way."""

    client: Any
    work: Work[T]
    rescue: Work[T] | None
    _under_way: dict[Any, tuple[Task, bool]] = field(default_factory=dict)
    _workers: int = 1
    _newest: int = 0

    @property
    def is_empty(self) -> bool:
        return not self._under_way

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent: who adds results in their order keeps those behind a slow one."""
        oldest = min((task.shard for task, _ in self._under_way.values()), default=self._newest)
        waiting = self._newest - oldest
        return len(self._under_way) < _AHEAD * self._workers and waiting < _SPREAD * self._workers

    def count_workers(self) -> None:
        """Workers come and go."""
        self._workers = max(len(self.client.scheduler_info(n_workers=-1)["workers"]), 1)

    def send(self, task: Task, *, again: bool = False) -> None:
        work = self.rescue if again else self.work
        self._under_way[self.client.submit(work, task, pure=False)] = task, again
        self._newest = max(self._newest, task.shard)

    def landed(self) -> list[T | Lost]:
        """What has come to its end within a moment."""
        distributed = _distributed()
        try:
            done, _ = distributed.wait(list(self._under_way), timeout=_POLL_S, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return []
        results: list[T | Lost] = []
        for future in done:
            task, again = self._under_way.pop(future)
            results += self._result(future, task, again)
        return results

    def _result(self, future: Any, task: Task, again: bool) -> list[T | Lost]:
        if future.status in ("cancelled", "lost"):
            raise BoxscoutError(tr(SCHEDULER_LOST))
        if future.status == "finished":
            return [future.result()]
        error = future.exception()
        if isinstance(error, BoxscoutError):
            raise error
        if again or self.rescue is None:
            return [Lost(task.shard, as_reason(error))]
        self.send(task, again=True)
        return []

    def give_up(self) -> None:
        """Nothing that is still under way is wanted."""
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self.client.cancel(list(self._under_way), force=True)


@contextlib.contextmanager
def on_workers(count: int) -> Iterator[OnDask]:
    """A cluster of ``count`` processes of one thread each on this machine, gone at the end.

    Raises
    ------
    BoxscoutError
        Dask is missing, or the cluster does not come up.
    """
    distributed = _distributed()
    settings = {"distributed.scheduler.allowed-failures": _DEATHS}
    with _quiet(), importlib.import_module("dask").config.set(settings), contextlib.ExitStack() as stack:
        with _coming_up():
            cluster = distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
            )
            stack.enter_context(cluster)
            client = stack.enter_context(distributed.Client(cluster))
        yield OnDask(client)


@contextlib.contextmanager
def on_scheduler(address: str) -> Iterator[OnDask]:
    """The workers of the scheduler at ``address``, which runs already.

    Raises
    ------
    BoxscoutError
        Dask is missing, nothing answers there, or the workers are not of this version.
    """
    distributed = _distributed()
    with _quiet(), contextlib.ExitStack() as stack:
        try:
            client = stack.enter_context(distributed.Client(address, timeout=_PATIENCE_S))
        except (OSError, TimeoutError, ValueError) as error:
            text = tr("No scheduler of Dask answers at {address}: start one, or mend the address.")
            raise BoxscoutError(text.format(address=address)) from error
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise BoxscoutError(tr("The scheduler at {address} has no workers.").format(address=address))
        pool = OnDask(client)
        pool.check()
        yield pool


def _distributed() -> Any:
    return needed("distributed", extra="scale", what=tr("Several workers"))


def _check(is_cancelled: IsCancelled) -> None:
    if is_cancelled():
        raise Cancelled(tr("Stopped. What was done is kept: start the same command again."))


@contextlib.contextmanager
def _coming_up() -> Iterator[None]:
    """A sentence where processes cannot be started."""
    try:
        yield
    except (OSError, TimeoutError, RuntimeError) as error:
        text = tr("The workers could not be started: {reason}.")
        raise BoxscoutError(text.format(reason=as_reason(error))) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what Dask logs of workers that come and go: results say what came of it."""
    chatty = ("distributed", "tornado", "asyncio")
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in chatty]
    loggers = list(map(logging.getLogger, names))
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
