"""Work of a graphics card that is recorded once and replayed at once (a CUDA graph).

A step of small networks is hundreds of short kernels, and starting each from Python takes longer than what
it does. A replay starts them all. What it must not change is the result, and that is not taken on trust: the
first replay is compared with the same work done the ordinary way, on the card at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
Tensors = tuple[Tensor | None, ...]
Function = Callable[[Tensors], Tensors]

WARM_UP = 3
"""Calls before the recording: the first ones choose algorithms and make what the optimizers keep."""
_APART = 0.1
"""How far a replay may end from the ordinary way, in shares of the way: kernels may sum in any order."""


class Recorder(Protocol):
    """How work is recorded."""

    def apart(self, work: Callable[[], T]) -> T:
        """Do ``work`` where it would be recorded."""

    def record(self, work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
        """Where a replay of ``work`` leaves its results, and the replay; ``work`` itself is not done.

        RuntimeError where it cannot be recorded.
        """


class Recorded:
    """A function whose work is recorded at its fourth call and replayed from then on.

    Where it cannot be recorded, or a replay does not do the same, the function goes on being called.

    Parameters
    ----------
    function
        Takes and gives tensors of one device. Shapes are the same at each call, and so is the work; it waits
        for nothing that the device computes and draws no random numbers.
    changes
        All tensors that it changes in place; asked at the fourth call.
    recorder
        How it is recorded.
    """

    def __init__(
        self, function: Function, changes: Callable[[], Iterable[Tensor]], recorder: Recorder
    ) -> None:
        self._function, self._changes, self._recorder = function, changes, recorder
        self._calls = 0
        self._inputs: Tensors = ()
        self._outputs: Tensors = ()
        self._replay: Callable[[], None] | None = None

    def __call__(self, inputs: Tensors) -> Tensors:
        if self._replay is not None:
            return self._replayed(inputs, self._replay)
        self._calls += 1
        if self._calls == WARM_UP + 1:
            return self._record(inputs)
        return self._recorder.apart(lambda: self._function(inputs))

    def _record(self, inputs: Tensors) -> Tensors:
        """One call in the ordinary way, then the same replayed from where that began, to compare."""
        changed = list(self._changes())
        before = _copies(changed)
        outputs = self._recorder.apart(lambda: self._function(inputs))
        after = _copies(changed)
        self._inputs = tuple(None if value is None else value.clone() for value in inputs)
        try:
            self._outputs, replay = self._recorder.record(lambda: self._function(self._inputs))
        except RuntimeError:
            return outputs
        _put(before, changed)
        again = self._replayed(inputs, replay)
        if _ends_near(changed, after, before) and _near(again, outputs):
            self._replay = replay
        _put(after, changed)
        return outputs

    def _replayed(self, inputs: Tensors, replay: Callable[[], None]) -> Tensors:
        for own, given in zip(self._inputs, inputs, strict=True):
            if own is not None and given is not None:
                own.copy_(given, non_blocking=True)
        replay()
        return tuple(None if value is None else value.clone() for value in self._outputs)


def _copies(tensors: Iterable[Tensor]) -> list[Tensor]:
    return [tensor.detach().clone() for tensor in tensors]


@torch.no_grad()
def _put(values: Iterable[Tensor], tensors: Iterable[Tensor]) -> None:
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(value)


def _ends_near(there: list[Tensor], expected: list[Tensor], start: list[Tensor]) -> bool:
    return _distance(there, expected) <= _APART * _distance(expected, start)


def _distance(some: list[Tensor], others: list[Tensor]) -> float:
    pairs = zip(some, others, strict=True)
    return sum(float((a.detach().double() - b.double()).abs().sum()) for a, b in pairs)


def _near(some: Tensors, others: Tensors) -> bool:
    pairs = zip(some, others, strict=True)
    return all(a is None or b is None or torch.allclose(a, b, rtol=1e-2, atol=1e-3) for a, b in pairs)


class _CudaGraph:
    def __init__(self, device: torch.device) -> None:
        # Of its own: what autograd keeps from the usual stream must not turn up in a recording.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def apart(self, work: Callable[[], T]) -> T:
        usual = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(usual)
        with torch.cuda.stream(self._stream):
            done = work()
        usual.wait_stream(self._stream)
        return done

    def record(self, work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
        graph = torch.cuda.CUDAGraph()
        usual = torch.cuda.current_stream(self._stream.device)
        # The outer one, since a recording that fails does not leave its stream. Other threads, such as one
        # that computes heat maps, may go on with their own work meanwhile.
        with (
            torch.cuda.stream(usual),
            torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
        ):
            results = work()
        return results, graph.replay


def cuda_graph(device: torch.device) -> Recorder:
    """Recordings of a CUDA device."""
    return _CudaGraph(device)
