"""EfficientNet-Lite0 as an ONNX model, written straight from its weights: neither torch nor onnx is needed.

The file is a protocol buffer (onnx/onnx.proto); a message is its fields in a row, each a key (number and wire
type) with an integer or with a length and bytes. Batch norms are folded into the convolutions in float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.nets.lite0 import BLOCKS, EPSILON, MEAN, STD, TAPS, Array, padding

IR_VERSION = 8  # read by every onnxruntime since 1.10
OPSET = 13
INPUT = "images"
_FLOAT, _INTS, _INT = 1, 7, 2  # TensorProto.FLOAT, AttributeProto.INTS and .INT


def lite0_model(weights: Mapping[str, Array]) -> bytes:
    """The model's bytes: from ``images`` to ``stride8``, ``stride16`` and ``stride32``.

    Images are float32 (N, 3, H, W), RGB in 0..1; N, H and W are free, H and W multiples of 32.

    Parameters
    ----------
    weights
        Name -> array, as :func:`core.nets.lite0.read_weights` gives them.
    """
    graph = _Graph(weights)
    centred = graph.node("Sub", INPUT, graph.constant("mean", _per_channel(MEAN)))
    x = graph.node("Mul", centred, graph.constant("scale", _per_channel(1 / np.asarray(STD))))
    x = graph.relu6(graph.conv(x, "_conv_stem", "_bn0", stride=2))
    outputs = {}
    for i, block in enumerate(BLOCKS):
        at, hidden = f"{block.name}.", x
        if block.expansion != 1:
            hidden = graph.relu6(graph.conv(hidden, at + "_expand_conv", at + "_bn0"))
        hidden = graph.conv(
            hidden, at + "_depthwise_conv", at + "_bn1", stride=block.stride, groups=block.hidden
        )
        change = graph.conv(graph.relu6(hidden), at + "_project_conv", at + "_bn2")
        x = graph.node("Add", change, x) if block.adds_input else change
        for stride, last in TAPS.items():
            if i == last:
                outputs[graph.node("Identity", x, name=f"stride{stride}")] = block.outputs
    return graph.model(outputs)


def _per_channel(values: npt.ArrayLike) -> Array:
    return np.asarray(values, np.float32).reshape(1, 3, 1, 1)


@dataclass
class _Graph:
    """Nodes and constants as they are written, in an order in which they can be computed."""

    weights: Mapping[str, Array]
    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.constant("zero", np.zeros((), np.float32))
        self.constant("six", np.full((), 6, np.float32))

    def constant(self, name: str, values: npt.NDArray[np.floating]) -> str:
        dims = b"".join(_integer(1, size) for size in values.shape)
        raw = np.ascontiguousarray(values, "<f4").tobytes()
        self.constants.append(dims + _integer(2, _FLOAT) + _text(8, name) + _bytes(9, raw))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", attributes: bytes = b"") -> str:
        """Add a node with one output; the output's name."""
        output = name or f"{kind}{len(self.nodes)}"
        body = b"".join(_text(1, value) for value in inputs) + _text(2, output)
        self.nodes.append(body + _text(3, output) + _text(4, kind) + attributes)
        return output

    def relu6(self, x: str) -> str:
        return self.node("Clip", x, "zero", "six")

    def conv(self, x: str, name: str, norm: str, *, stride: int = 1, groups: int = 1) -> str:
        """A convolution with the batch norm behind it."""
        weight = self.weights[f"{name}.weight"].astype(np.float64)
        gain, shift, mean, variance = (
            self.weights[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + EPSILON)
        folded = self.constant(f"{name}.weight", weight * scale[:, None, None, None])
        bias = self.constant(f"{name}.bias", shift - mean * scale)
        before, after = padding(weight.shape[-1], stride)
        attributes = (
            _ints_attribute("pads", [before, before, after, after])
            + _ints_attribute("strides", [stride, stride])
            + _int_attribute("group", groups)
        )
        return self.node("Conv", x, folded, bias, attributes=attributes)

    def model(self, outputs: Mapping[str, int]) -> bytes:
        """The whole model; ``outputs`` says how many channels each has."""
        graph = b"".join(_bytes(1, node) for node in self.nodes) + _text(2, "efficientnet-lite0")
        graph += b"".join(_bytes(5, constant) for constant in self.constants)
        graph += _bytes(11, _value(INPUT, ["N", 3, "H", "W"]))
        for name, channels in outputs.items():
            graph += _bytes(12, _value(name, ["N", channels, f"H_{name}", f"W_{name}"]))
        opset = _text(1, "") + _integer(2, OPSET)
        return _integer(1, IR_VERSION) + _text(2, "boxscout") + _bytes(7, graph) + _bytes(8, opset)


# Protocol buffers


def _ints_attribute(name: str, values: Sequence[int]) -> bytes:
    return _bytes(5, _text(1, name) + b"".join(_integer(8, value) for value in values) + _integer(20, _INTS))


def _int_attribute(name: str, value: int) -> bytes:
    return _bytes(5, _text(1, name) + _integer(3, value) + _integer(20, _INT))


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto of float32; a name in ``shape`` stands for any size."""
    dims = (_integer(1, size) if isinstance(size, int) else _text(2, size) for size in shape)
    tensor = _integer(1, _FLOAT) + _bytes(2, b"".join(_bytes(1, dim) for dim in dims))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _text(number: int, value: str) -> bytes:
    return _bytes(number, value.encode())


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
