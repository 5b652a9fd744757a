"""Reading the tensors of a file that ``torch.save`` wrote before 1.6, without torch and safely.

Such a file is four pickles (a magic number, the protocol, the machine's sizes, the object), then a fifth with
the storages' keys in order, then each storage as its length (int64) and its raw numbers. Its object names
four globals; any other is refused, so that reading runs no code of the file.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class NotReadable(ValueError):  # noqa: N818 - says what the file is
    """The bytes are no such file, or ask for more than tensors."""


class _Storage:
    """Numbers whose place in the file is known only at its end."""

    def __init__(self, dtype: np.dtype[Any], length: int) -> None:
        self.length = length
        self.values = np.empty(length, dtype)


class _View:
    """A tensor: where in a storage it lies."""

    def __init__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: object
    ) -> None:
        self.storage, self.offset, self.shape, self.steps = storage, offset, shape, steps

    def array(self) -> npt.NDArray[Any]:
        values = self.storage.values
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.steps, strict=True))
        if self.offset < 0 or min(self.steps, default=0) < 0 or last >= len(values):
            raise NotReadable("A tensor lies outside its storage.")
        strides = tuple(step * values.itemsize for step in self.steps)
        return np.ascontiguousarray(
            np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides)
        ).reshape(self.shape)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _View,
    **{("torch", name): name for name in _DTYPES},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise NotReadable(f"The file asks for {module}.{name}, which no tensor needs.") from None

    def persistent_load(self, pid: Any) -> _Storage:
        kind, name, key, _device, length, whole = pid
        if kind != "storage" or whole is not None or name not in _DTYPES:
            raise NotReadable("The file holds something else than plain numbers.")
        return self.storages.setdefault(key, _Storage(_DTYPES[name], length))


def read_tensors(data: bytes) -> Mapping[str, npt.NDArray[Any]]:
    """Name -> array (C-contiguous) of a saved state dict, in its order.

    Raises
    ------
    NotReadable
        It is no such file, is cut short, or names anything but tensors of float32 and int64.
    """
    file = io.BytesIO(data)
    try:
        if _Unpickler(file).load() != _MAGIC:
            raise NotReadable("It is no file of torch.")
        for _ in ("protocol", "sizes"):
            _Unpickler(file).load()
        unpickler = _Unpickler(file)
        state = unpickler.load()
        for key in _Unpickler(file).load():
            _fill(unpickler.storages[key], file.read)
        return OrderedDict((str(name), view.array()) for name, view in state.items())
    except NotReadable:
        raise
    except Exception as error:  # a broken pickle raises nearly everything
        raise NotReadable("The file is damaged.") from error


def _fill(storage: _Storage, read: Callable[[int], bytes]) -> None:
    length = int.from_bytes(read(8), "little")
    raw = read(storage.values.nbytes)
    if length != storage.length or len(raw) != storage.values.nbytes:
        raise NotReadable("The file ends early.")
    storage.values = np.frombuffer(raw, storage.values.dtype)
