"""Makes things for keys in a few threads, newest wish first, and remembers the last ones."""

from __future__ import annotations

import threading
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Any


class Loader:
    """A bounded cache in front of a slow ``make(key)``.

    :meth:`get` answers at once with what is known and otherwise queues the key. The newest wish is
    served first and the queue is bounded, so that scrolling past thousands of rows decodes only
    what is on the screen. :meth:`deliver` is called by the window's timer. After :meth:`clear`
    results of older wishes are dropped.

    Parameters
    ----------
    make : runs in a thread; what it raises is handed to ``on_error``
    on_ready : called in the window's thread with (key, value)
    wake : called when there is something to wait for
    """

    def __init__(
        self,
        name: str,
        make: Callable[[Any], Any],
        *,
        on_ready: Callable[[Any, Any], None],
        on_error: Callable[[BaseException, str], None],
        wake: Callable[[], None],
        finish: Callable[[Any], Any] | None = None,
        threads: int = 2,
        capacity: int = 2000,
        queue_limit: int = 200,
    ) -> None:
        self._name = name
        self._make = make
        self._finish = finish or (lambda value: value)
        self._on_ready = on_ready
        self._on_error = on_error
        self._wake = wake
        self._capacity = capacity
        self._cache: OrderedDict[Hashable, Any] = OrderedDict()
        self._wishes: OrderedDict[Hashable, None] = OrderedDict()
        self._in_work: set[Hashable] = set()
        # What could not be made is not wished for again at the next paint: the person was told once.
        self._broken: set[Hashable] = set()
        self._queue_limit = queue_limit
        self._generation = 0
        self._ready: deque[tuple[int, Hashable, Any, tuple[BaseException, str] | None]] = deque()
        self._condition = threading.Condition()
        self._closed = False
        self._wanted_threads = threads
        self._threads: list[threading.Thread] = []

    def get(self, key: Hashable) -> Any | None:
        """What is known for ``key``; None, and a wish for it, where nothing is."""
        value = self._cache.get(key)
        if value is not None:
            self._cache.move_to_end(key)
            return value
        if key in self._broken:
            return None
        with self._condition:
            if self._closed or key in self._in_work:
                return None
            self._wishes[key] = None
            self._wishes.move_to_end(key)
            while len(self._wishes) > self._queue_limit:
                self._wishes.popitem(last=False)
            self._start_threads()
            self._condition.notify()
        self._wake()
        return None

    def forget(self, key: Hashable) -> None:
        """Make ``key`` anew at the next wish."""
        self._cache.pop(key, None)
        self._broken.discard(key)

    def clear(self) -> None:
        """Forget everything; results on the way are dropped."""
        with self._condition:
            self._generation += 1
            self._wishes.clear()
            self._in_work.clear()
            self._ready.clear()
        self._cache.clear()
        self._broken.clear()

    def deliver(self, limit: int = 24) -> bool:
        """Hand finished results over, at most ``limit``; True while there is more to come."""
        for _ in range(limit):
            with self._condition:
                if not self._ready:
                    return bool(self._wishes or self._in_work)
                generation, key, value, error = self._ready.popleft()
                if generation != self._generation:
                    continue
                self._in_work.discard(key)
            if error is not None:
                self._broken.add(key)
                self._on_error(*error)
                continue
            value = self._finish(value)
            self._cache[key] = value
            while len(self._cache) > self._capacity:
                self._cache.popitem(last=False)
            self._on_ready(key, value)
        return True

    def close(self) -> None:
        """End the threads, after the piece of work each has in hand."""
        with self._condition:
            self._closed = True
            self._wishes.clear()
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _start_threads(self) -> None:
        while len(self._threads) < self._wanted_threads:
            number = len(self._threads)
            thread = threading.Thread(target=self._work, name=f"boxscout-{self._name}-{number}")
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while True:
            with self._condition:
                while not self._wishes and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                key, _ = self._wishes.popitem()
                self._in_work.add(key)
                generation = self._generation
            value, error = None, None
            try:
                value = self._make(key)
            except BaseException as caught:
                error = (caught, traceback.format_exc())
            with self._condition:
                self._ready.append((generation, key, value, error))
