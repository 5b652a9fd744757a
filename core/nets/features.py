"""What a frozen, pretrained network computes of images: one way to ask, whatever computes it.

onnxruntime computes on processors (four times as fast as torch there), torch on a graphics card and wherever
onnxruntime is missing or answers wrongly. With onnxruntime torch is never imported.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.base.errors import FeaturesError, as_reason
from core.base.language import tr
from core.nets import lite0
from core.nets.onnx_graph import INPUT, lite0_model

if TYPE_CHECKING:
    from core.nets.backbones import Offer

Array = npt.NDArray[np.float32]
Maps = tuple[Array, ...]
Run = Callable[[Array], Maps]

_CPU = "CPUExecutionProvider"


@dataclass(frozen=True)
class Features:
    """A frozen network, ready to compute.

    Parameters
    ----------
    name
        The network, as ``--features`` names it.
    sha256
        Of the file of its weights, 64 hexadecimal digits.
    version
        What else its figures depend on, for a project to keep: runtime, its version, provider, threads.
    strides, channels
        Of the maps, in the order in which they come; a map has one cell per ``stride`` x ``stride`` pixels.
    run
        Computes; asked through :meth:`maps`.
    multiple
        What both sides of an image are to be multiples of, in pixels.
    note
        One sentence where it does not compute as it usually does, else empty.
    """

    name: str
    sha256: str
    version: str
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    run: Run = field(repr=False, compare=False)
    multiple: int = 32
    note: str = field(default="", compare=False)

    def maps(self, batch: Array) -> Maps:
        """float32 (N, 3, H, W), RGB in 0..1 -> for each stride s, float32 (N, C, H / s, W / s).

        Sides that are no multiples of :attr:`multiple` are refused by EfficientNet-Lite0; for a backbone of
        your own the images are resized to the nearest ones.

        Raises
        ------
        ValueError
            The batch has another type or shape.
        """
        if batch.dtype != np.float32 or batch.ndim != 4 or batch.shape[1] != 3 or 0 in batch.shape:
            raise ValueError(f"float32 (N, 3, H, W) is wanted, not {batch.dtype} {batch.shape}")
        return self.run(np.ascontiguousarray(batch))


def load_features(*, device: str = "auto", threads: int) -> Features:
    """EfficientNet-Lite0, checked against a known answer.

    Parameters
    ----------
    device
        As :func:`core.base.devices.resolve_device` has it.
    threads
        Of the processor, for one image after the other.

    Raises
    ------
    FeaturesError
        The weights are missing, damaged or other ones, or nothing here computes them rightly.
    TrainingError
        A graphics card was asked for and there is none.
    """
    weights, note = lite0.read_weights(), ""
    if _is_for_card(device):
        try:
            return _checked(_with_torch(weights, device=device, threads=threads))
        except Exception as error:  # a card too old for this torch is a RuntimeError
            if device != "auto":
                raise
            note = tr("The graphics card cannot be used ({reason}). The processor is used instead.").format(
                reason=as_reason(error)
            )
    try:
        return replace(_checked(_with_onnxruntime(weights, threads=threads)), note=note)
    except ImportError:
        note = tr("onnxruntime is missing, so torch computes the features, more slowly.")
    except Exception as error:  # onnxruntime's own kinds derive from nothing in common
        note = tr("onnxruntime does not work here ({reason}), so torch computes the features.").format(
            reason=as_reason(error)
        )
    return replace(_checked(_with_torch(weights, device="cpu", threads=threads)), note=note)


def features_named(
    name: str,
    *,
    device: str = "auto",
    threads: int,
    weights: Path | None = None,
    agree: Callable[[Offer], bool] | None = None,
) -> Features:
    """The features that ``name`` stands for: ``efficientnet-lite0``, or ``timm/NAME`` for your own backbone.

    Parameters
    ----------
    weights, agree
        For your own backbone, as in :func:`core.nets.backbones.load_backbone`.

    Raises
    ------
    FeaturesError
        There are none of this name, or they cannot be had; the text says what to do.
    Cancelled
        ``agree`` said no to a download.
    TrainingError
        The device is not there.
    """
    if name == lite0.NAME:
        return load_features(device=device, threads=threads)
    if name.startswith("timm/"):
        from core.nets.backbones import load_backbone  # imports torch

        return load_backbone(name, device=device, threads=threads, weights=weights, agree=agree)
    raise FeaturesError(
        tr("There are no features “{name}”; choose {own} or timm/NAME.").format(name=name, own=lite0.NAME)
    )


def graphics_cards() -> int:
    """How many devices NVIDIA's driver names. torch would know too, but takes its time to come up."""
    with suppress(OSError, AttributeError):
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) == 0 == driver.cuDeviceGetCount(ctypes.byref(count)):
            return count.value
    return 0


def devices_here() -> tuple[str, ...]:
    """The devices that this computer has, as a setting names them; several cards also one by one."""
    cards = graphics_cards()
    numbered = tuple(f"cuda:{number}" for number in range(cards)) if cards > 1 else ()
    is_apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return ("auto", "cpu", *(("cuda",) if cards else ()), *numbered, *(("mps",) if is_apple else ()))


@lru_cache(maxsize=1)
def installed_runtime() -> str:
    """What computes features on the processor, such as ``onnxruntime 1.32.0``; nothing is loaded for it."""
    for name in ("onnxruntime", "torch"):
        with suppress(importlib.metadata.PackageNotFoundError):
            return f"{name} {importlib.metadata.version(name)}"
    return ""


def _is_for_card(device: str) -> bool:
    if device == "auto" and graphics_cards():
        import torch  # which may be a build that knows no card

        return torch.cuda.is_available()
    return device.startswith(("cuda", "mps"))


# The two runtimes


def _with_onnxruntime(weights: Mapping[str, Array], *, threads: int) -> Features:
    runtime: Any = importlib.import_module("onnxruntime")
    runtime.disable_telemetry_events()  # Windows alone has some
    runtime.set_default_logger_severity(3)
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    # Threads that wait in circles take an eighth more of a processor on which images are decoded beside it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = runtime.InferenceSession(lite0_model(weights), options, providers=[_CPU])

    def run(batch: Array) -> Maps:
        # One by one: as fast as eight at once or faster, in a quarter of the memory.
        answers = [session.run(None, {INPUT: batch[i : i + 1]}) for i in range(len(batch))]
        return tuple(np.concatenate(maps) for maps in zip(*answers, strict=True))

    return _lite0(run, "onnxruntime", runtime.__version__, _CPU, threads)


def _with_torch(weights: Mapping[str, Array], *, device: str, threads: int) -> Features:
    import torch  # not above: onnxruntime's users never wait for it

    from core.base.devices import resolve_device
    from core.nets.efficientnet import EfficientNetLite0
    from core.nets.torch_run import torch_run

    place = resolve_device(device)
    run = torch_run(EfficientNetLite0(weights), place, threads=threads)
    return _lite0(run, "torch", torch.__version__, place.type, threads)


def _lite0(run: Run, runtime: str, version: str, provider: str, threads: int) -> Features:
    def strict(batch: Array) -> Maps:
        if any(side % 32 for side in batch.shape[2:]):
            raise ValueError(f"sides must be multiples of 32, not {batch.shape[2:]}")
        return run(batch)

    return Features(
        name=lite0.NAME,
        sha256=lite0.SHA256,
        version=f"{runtime} {version}, {provider}, threads {threads}",
        strides=tuple(lite0.TAPS),
        channels=lite0.CHANNELS,
        run=strict,
    )


# The known answer

#: Of :func:`known_image`: root mean square of each map, and eight of its values evenly apart. Computed in
#: float64 by the package efficientnet-lite-pytorch (tests/core/nets/test_features.py does so again).
KNOWN = (
    (7.71861, (6.08202, -14.20735, 5.11803, -3.69985, 0.75598, -12.88789, -6.31835, -9.44948)),
    (4.84483, (-1.84166, 9.85508, -14.83595, -2.66144, -3.03698, 8.40499, 0.94721, 2.01281)),
    (1.84110, (-1.25301, 0.22204, 2.58436, 0.55384, -1.95834, 0.61851, 0.38543, -2.29103)),
)
_AGREES = 1e-3  # of the root mean square; float32 in another order of sums gives 1e-5


def known_image() -> Array:
    """One image whose answer is known: float32 (1, 3, 96, 96)."""
    values = np.arange(3 * 96 * 96, dtype=np.int64)
    return np.asarray((values * values % 251) / 250, np.float32).reshape(1, 3, 96, 96)


def answer(maps: npt.NDArray[np.floating[Any]]) -> tuple[float, tuple[float, ...]]:
    """What :data:`KNOWN` keeps of one map."""
    flat = maps.astype(np.float64).ravel()
    places = np.linspace(0, len(flat) - 1, 8).astype(int)
    return float(np.sqrt((flat**2).mean())), tuple(flat[places].tolist())


def _checked(features: Features) -> Features:
    """The same features; FeaturesError where they answer the known image wrongly."""
    for maps, (size, values) in zip(features.maps(known_image()), KNOWN, strict=True):
        found_size, found = answer(maps)
        wrong = np.abs(np.subtract((found_size, *found), (size, *values))).max()
        if not wrong <= _AGREES * size:  # not a number is wrong too
            raise FeaturesError(
                tr("{runtime} computes wrong features on this computer.").format(
                    runtime=features.version.split(",")[0]
                )
            )
    return features
