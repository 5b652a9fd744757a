"""What was learned from a folder by frozen features: one linear unit, whose answer is the heat map."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from core.base.atomic import os_errors, os_reason, write_atomically
from core.base.errors import CheckpointError, FeaturesError
from core.base.language import tr
from core.base.limits import is_of_kind
from core.base.plain_json import parse_json
from core.boxes.classes import ClassMap
from core.boxes.no_object import PeakLevels
from core.boxes.score import logistic
from core.images.inputs import InputForm
from core.maps.cells import cells, maps_at, normalised, resized
from core.maps.class_units import BIASES, WEIGHTS, ClassUnits, names_of, units_of
from core.maps.stream import Described
from core.nets.features import Features, Maps

Array = npt.NDArray[np.float32]

METHODS = ("object", "ddt", "corrections")
VERSION = 1
_KEY, _CLASSES = "boxscout", "classes"
_MOST_BYTES = 16_000_000  # 255 classes of 15,000 numbers
_MOST_WEIGHT = 1e6  # of numbers about 1: what is larger overflows, and is nothing that was learned
_MOST_IMAGES = 2**31 - 1  # no database keeps a step beyond 64 bits
_MOST_PIXELS, _MOST_STRIDE = 4096, 256
_NOT_OF_MAPS = ("runtime", "images", "levels", "taught")
_HEADER = {
    "version": "int",
    "method": "str",
    "features": "str",
    "sha256": "str",
    "runtime": "str",
    "size": "int",
    "keep_aspect": "bool",
    "multiple": "int",
    "cell": "int",
    "normalise": "bool",
    "bias": "float",
    "images": "int",
}


@dataclass(frozen=True, slots=True)
class Taught:
    """By how many reviewed images a unit was taught: ``images`` in all, ``empty`` of them without an object.

    ``prior`` is the digest of the unit that it departed from.
    """

    images: int
    empty: int
    prior: str


@dataclass(frozen=True, kw_only=True)
class Localizer:
    """A linear unit on frozen features. Its map is ``1 / (1 + exp(-(weights . cell + bias)))``.

    Parameters
    ----------
    method
        How it was learned: one of :data:`METHODS`.
    features, sha256
        The frozen network that it reads, and of its weights' file.
    version
        What computed that network when this was learned: runtime, its version, provider, threads.
    form
        How large images are for it.
    strides, channels
        Which of the network's maps it reads, the finest first, and how many numbers each has.
    cell
        The one of ``strides`` that is the side of a heat map's cells, in pixels.
    normalise
        Whether each stride's descriptors are first brought to length 1.
    weights
        float32 (sum of ``channels``,), finite.
    bias
        Finite.
    images
        How many it was learned from.
    taught
        By which corrections; None where no person's work is in it.
    levels
        How hot objects and backgrounds are on its maps of these; None where that is not known, as of DDT and
        of what older versions learned.
    classes
        What tells the class of a box; None where no class was named.
    """

    method: str
    features: str
    sha256: str
    version: str
    form: InputForm
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    cell: int
    normalise: bool
    weights: Array
    bias: float
    images: int
    levels: PeakLevels | None = None
    taught: Taught | None = None
    classes: ClassUnits | None = None

    def maps(self, described: Described, features: Features) -> list[Array]:
        """The heat map of each image, float32 (h, w) in 0..1, on the grid of the stride :attr:`cell`.

        Parameters
        ----------
        described
            Images in this unit's ``form``, as ``features`` describe them.
        """
        return self.heat(self.read(described, features))

    def read(self, described: Described, features: Features) -> Maps:
        """What this unit reads of images: for each of its strides float32 (n, C, h, w)."""
        own = maps_at(described.maps, features, self.strides)
        return tuple(normalised(one) for one in own) if self.normalise else own

    def cells(self, described: Described, features: Features) -> npt.NDArray[np.float16]:
        """The numbers that each place of the heat map is told by: float16 (n, h, w, sum of channels)."""
        own = self.read(described, features)
        return cells(own, normalise=False, grid=self.strides.index(self.cell)).astype(np.float16)

    def condensed(self, own: Maps) -> Maps:
        """What :meth:`read` gave, nothing finer than the heat map: its :meth:`heat` is the same."""
        height, width = own[self.strides.index(self.cell)].shape[2:]
        return tuple(
            resized(one.reshape(-1, *one.shape[2:]), height, width).reshape(*one.shape[:2], height, width)
            if one.shape[2] > height
            else one
            for one in own
        )

    def heat(self, own: Maps) -> list[Array]:
        """The heat map of each image by what :meth:`read` gave of it, as :meth:`maps` has it."""
        height, width = own[self.strides.index(self.cell)].shape[2:]
        total = np.full((len(own[0]), height, width), self.bias, np.float64)
        # A sum of resized maps is that of resized answers, which are hundreds of times smaller.
        for maps, weights in zip(own, self._by_stride(), strict=True):
            answers = (maps * weights[:, None, None]).sum(axis=1, dtype=np.float64)
            total += resized(answers.astype(np.float32), height, width)
        return list(logistic(total).astype(np.float32))

    def class_maps(self, own: Maps) -> list[ClassMap]:
        """The classes of each image's cells by what :meth:`read` gave of it; none where none was named."""
        if self.classes is None:
            return []
        best = self.classes.best(own, self.channels, self.strides.index(self.cell))
        return [ClassMap(self.classes.names, one) for one in best]

    def check(self, features: Features) -> None:
        """FeaturesError where ``features`` are not those that it was learned on."""
        has = dict(zip(features.strides, features.channels, strict=True))
        fits = all(has.get(s) == c for s, c in zip(self.strides, self.channels, strict=True))
        fits &= self.form.multiple == features.multiple
        if (features.name, features.sha256) != (self.features, self.sha256) or not fits:
            raise FeaturesError(
                tr(
                    "This was learned with the features “{name}”, whose weights are different here: "
                    "train again or restore those weights."
                ).format(name=self.features)
            )

    @property
    def digest(self) -> str:
        """A short name for all that its maps depend on but the runtime."""
        known = hashlib.blake2b(self.weights.tobytes(), digest_size=16)
        header = {name: value for name, value in _header(self).items() if name not in _NOT_OF_MAPS}
        known.update(json.dumps(header, sort_keys=True).encode())
        if self.classes is not None:
            for tensor in self.classes.tensors().values():
                known.update(tensor.tobytes())
        return known.hexdigest()

    def _by_stride(self) -> list[Array]:
        return np.split(self.weights, np.cumsum(self.channels)[:-1])


def _header(localizer: Localizer) -> dict[str, Any]:
    return {
        "version": VERSION,
        "method": localizer.method,
        "features": localizer.features,
        "sha256": localizer.sha256,
        "runtime": localizer.version,
        "size": localizer.form.size,
        "keep_aspect": localizer.form.keep_aspect,
        "multiple": localizer.form.multiple,
        "strides": list(localizer.strides),
        "channels": list(localizer.channels),
        "cell": localizer.cell,
        "normalise": localizer.normalise,
        "bias": localizer.bias,
        "images": localizer.images,
        **({} if localizer.levels is None else {"levels": asdict(localizer.levels)}),
        **({} if localizer.taught is None else {"taught": asdict(localizer.taught)}),
        **({} if localizer.classes is None else {_CLASSES: list(localizer.classes.names)}),
    }


def save_localizer(path: Path, localizer: Localizer) -> None:
    """Write ``localizer`` as one safetensors file, a few kilobytes; ``path`` always holds a whole one.

    Raises
    ------
    CheckpointError
        The file cannot be written.
    """
    own = {} if localizer.classes is None else localizer.classes.tensors()
    data = save({"weights": localizer.weights, **own}, {_KEY: json.dumps(_header(localizer))})
    with os_errors(CheckpointError, tr("“{name}” cannot be written: {reason}."), name=path.name):
        write_atomically(path, data)


def load_localizer(path: Path) -> Localizer:
    """What :func:`save_localizer` wrote; nothing in the file is run, and sizes are bounded before it is read.

    Raises
    ------
    CheckpointError
        It cannot be read, is damaged or not ours, or of a newer version.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError
        with safe_open(path, framework="numpy") as file:
            header = parse_json((file.metadata() or {})[_KEY])
            known = {"weights", WEIGHTS, BIASES}.intersection(file.keys())
            tensors = {name: file.get_tensor(name) for name in known}
    except OSError as error:
        raise CheckpointError(
            tr("“{name}” cannot be read: {reason}.").format(name=path.name, reason=os_reason(error))
        ) from error
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error
    if isinstance(header, dict) and is_of_kind(header.get("version"), "int") and header["version"] > VERSION:
        raise CheckpointError(
            tr("“{name}” was made by a newer Boxscout. Update Boxscout to open it.").format(name=path.name)
        )
    try:
        return _localizer(header, tensors)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise _damaged(path) from error


def _localizer(header: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> Localizer:
    """ValueError, KeyError or TypeError where anything is not as :func:`save_localizer` writes it."""
    weights = tensors["weights"]
    strides, channels = _numbers(header["strides"]), _numbers(header["channels"])
    whole = all(is_of_kind(header[name], kind) for name, kind in _HEADER.items())
    if (
        not whole
        or len(strides) != len(channels)
        or not strides
        or max(strides) > _MOST_STRIDE
        or header["cell"] not in strides
    ):
        raise ValueError
    if (
        weights.dtype != np.float32
        or weights.shape != (sum(channels),)
        or not (np.abs(weights) < _MOST_WEIGHT).all()
    ):
        raise ValueError
    sides = header["size"], header["multiple"]
    if header["method"] not in METHODS or not all(1 <= side <= _MOST_PIXELS for side in sides):
        raise ValueError
    if not math.isfinite(header["bias"]) or not 0 <= header["images"] <= _MOST_IMAGES:
        raise ValueError
    for name in ("features", "sha256", "runtime"):
        header[name].encode()  # half a surrogate can be neither kept nor shown
        if not header[name].isprintable():
            raise ValueError
    return Localizer(
        method=header["method"],
        features=header["features"],
        sha256=header["sha256"],
        version=header["runtime"],
        form=InputForm(size=sides[0], keep_aspect=header["keep_aspect"], multiple=sides[1]),
        strides=strides,
        channels=channels,
        cell=header["cell"],
        normalise=header["normalise"],
        weights=weights,
        bias=float(header["bias"]),
        images=header["images"],
        levels=_levels(header.get("levels")),
        taught=_taught(header.get("taught")),
        classes=_classes(header.get(_CLASSES), tensors, len(weights)),
    )


def _numbers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or not all(is_of_kind(v, "int") and v > 0 for v in values):
        raise ValueError
    return tuple(values)


def _levels(values: Any) -> PeakLevels | None:
    if values is None:
        return None
    levels = PeakLevels(**{name: float(value) for name, value in dict(values).items()})
    if not math.isfinite(levels.objects) or not math.isfinite(levels.background):
        raise ValueError
    return levels


def _taught(values: Any) -> Taught | None:
    if values is None:
        return None
    taught = Taught(**values)
    counts = taught.images, taught.empty
    if not all(is_of_kind(count, "int") and 0 <= count <= _MOST_IMAGES for count in counts):
        raise ValueError
    taught.prior.encode()
    return taught


def _classes(values: Any, tensors: Mapping[str, npt.NDArray[Any]], numbers: int) -> ClassUnits | None:
    return None if values is None else units_of(names_of(values), tensors, numbers, _MOST_WEIGHT)


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(
        tr("“{name}” is damaged or no Boxscout training: train again.").format(name=path.name)
    )
