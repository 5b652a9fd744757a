"""Network + images -> heat maps.

The published read-out is one pass over the image as it is (:data:`PLAIN`). A finer one looks several times:
mirrored, with the grid of map cells moved by a part of a cell, at several scales, and with the image's own
reflection around it in place of the network's zeros. All looks are brought to one grid and averaged, so that
the map stays linear in the last features.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.base.errors import BoxscoutError
from core.base.language import tr
from core.maps.contrast import contrast_maps, guided
from core.nets.networks import Discriminator, Judge, Unit, to_model_range
from core.nets.projected import ProjectedDiscriminator
from core.nets.resnet import PreActResNet34

# Cells of a map's longer side at most: rules read a grid of 64 x 64.
MAX_CELLS = 64
PADDINGS = ("reflect", "zero")

Network = Judge | PreActResNet34


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMapOptions:
    """How often and how a network looks at each image.

    ``scales`` are factors of the image's side. ``mirror`` adds the mirrored image. ``shifts`` are the parts
    of a map cell, 0 up to 1, by which the cells are moved right and down, one look each. ``padding`` is what
    lies around the image: its own reflection, as far as the network's zeros reach, or nothing but these
    zeros (``zero``). ``unit`` is the discriminator's whose map is read; None for ``Discriminator.unit``.
    ``guided`` multiplies the map by the picture's own contrast. ``long_side`` reads photos in their own
    proportions at that many pixels; None reads the squashed pixels that training saw.

    Raises
    ------
    BoxscoutError
        No look at all, or a value out of its range.
    """

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = True
    shifts: tuple[float, ...] = (0.0,)
    padding: str = "reflect"
    unit: Unit | None = None
    guided: bool = False
    long_side: int | None = None

    def __post_init__(self) -> None:
        if not self.scales or not all(0.1 <= scale <= 8 for scale in self.scales):
            raise BoxscoutError(tr("Scales of a heat map lie between 0.1 and 8, and there is at least one."))
        if not self.shifts or not all(0 <= shift < 1 for shift in self.shifts):
            raise BoxscoutError(tr("Shifts of a heat map lie from 0 to below 1, and there is at least one."))
        if self.padding not in PADDINGS:
            raise BoxscoutError(
                tr("The padding is one of {names}, not {padding!r}.").format(
                    names=", ".join(PADDINGS), padding=self.padding
                )
            )
        if self.long_side is not None and not 32 <= self.long_side <= 1024:
            raise BoxscoutError(tr("The long side of a photo must be between 32 and 1024 pixels."))


PLAIN = HeatMapOptions(mirror=False, padding="zero")
AVERAGED = HeatMapOptions()
GUIDED = HeatMapOptions(guided=True)
READ_OUTS: Mapping[str, HeatMapOptions] = {"guided": GUIDED, "averaged": AVERAGED, "plain": PLAIN}


def read_out_of(network: Network, *, unit: Unit | None = None, max_boxes: int = 1) -> HeatMapOptions:
    """How a network is read where nobody chose: the baseline with class labels as published, ours guided.

    Contrast draws neighbours into one, so that where an image may get several boxes, none guides the map.

    Parameters
    ----------
    unit
        Of the discriminator; None, or one that it lacks, for :attr:`Discriminator.unit`.
    max_boxes
        How many boxes an image may get.
    """
    if isinstance(network, PreActResNet34):
        return PLAIN
    known = None if network.background is None else unit
    return replace(GUIDED if max_boxes == 1 else AVERAGED, unit=known)


@torch.no_grad()
def heat_maps(
    network: Network,
    images: npt.NDArray[np.uint8],
    *,
    batch_size: int = 64,
    classes: npt.NDArray[np.int64] | None = None,
    options: HeatMapOptions = PLAIN,
) -> npt.NDArray[np.float32]:
    """The class activation map of every image (Zhou et al. 2016, equation 2).

    It is that for "real" with a discriminator, that of a class with a classifier.

    Parameters
    ----------
    network
        In evaluation mode; it runs where its parameters are.
    images
        uint8 (N, H, W, 3) of any one size; one photo in its own proportions is (1, H, W, 3).
    batch_size
        Images at once; bounds the memory, not the result.
    classes
        int64 (N,), for a classifier only: whose map is wanted for each image; below 0, or None for all, the
        predicted one's, in each look anew.
    options
        The looks to average; :data:`PLAIN` is the published read-out. ``long_side`` is the caller's to obey.

    Returns
    -------
    float32 (N, h, w)
        Unnormalised: with :data:`PLAIN`, their mean plus the linear unit's bias is the logit; ``guided``
        ones are 0 or more. Cells are as fine as the network's at the largest scale, but for ``MAX_CELLS``.
    """
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        batch = to_model_range(torch.from_numpy(np.array(images[rows])).to(device))
        wanted = None if classes is None else torch.from_numpy(classes[rows]).to(device)
        maps = _average(_looks(network, batch, wanted, options)).cpu().numpy()
        parts.append(guided(maps, contrast_maps(images[rows])) if options.guided else maps)
    return np.concatenate(parts) if parts else np.zeros((0, 1, 1), np.float32)


def _average(looks: Iterator[Tensor]) -> Tensor:
    total, count = next(looks), 1
    for look in looks:
        total, count = total + look, count + 1
    return total / count if count > 1 else total


def _looks(
    network: Network, images: Tensor, classes: Tensor | None, options: HeatMapOptions
) -> Iterator[Tensor]:
    """The map of each scale and shift on the common grid, float32 (N, h, w)."""
    cell, reach = cell_and_reach(network)
    grid = _common_grid(images, cell, max(options.scales))
    eye = _Eye(network, classes, options.unit, options.padding == "reflect", cell, reach, grid)
    for scale in options.scales:
        scaled = _resized(images, scale)
        mirrored = _resized(images.flip(3), scale) if options.mirror else None
        for shift in options.shifts:
            moved = round(shift * cell)
            look = eye.look(scaled, moved)
            if mirrored is not None:
                # In pairs, so that the map of the mirrored image is the mirrored map to the last bit.
                look = (look + eye.look(mirrored, moved).flip(2)) / 2
            yield look


@dataclass(frozen=True)
class _Eye:
    """What stays the same from look to look; ``cell`` and ``reach`` as :func:`cell_and_reach` gives them."""

    network: Network
    classes: Tensor | None
    unit: Unit | None
    reflect: bool
    cell: int
    reach: int
    grid: tuple[int, int]

    def look(self, images: Tensor, moved: int) -> Tensor:
        """One pass over ``images`` with its cells ``moved`` by some pixels, resampled to the grid."""
        margin = self.reach if self.reflect else 0
        before = -(-margin // self.cell) * self.cell + moved
        around = _surrounded(images, before, margin, self.cell, reflect=self.reflect)
        if isinstance(self.network, PreActResNet34) and self.classes is not None:
            maps = self.network.class_activation(around, self.classes)
        elif isinstance(self.network, Judge) and self.unit is not None:
            maps = self.network.class_activation(around, self.unit)
        else:
            maps = self.network.class_activation(around)
        maps = maps.float()
        rows, columns = (
            _sampling(cells, whole / cells, before, side, wanted)
            for cells, whole, side, wanted in zip(
                maps.shape[1:], around.shape[2:], images.shape[2:], self.grid, strict=True
            )
        )
        if rows is not None:
            maps = rows.to(maps.device) @ maps
        if columns is not None:
            maps = maps @ columns.T.to(maps.device)
        return maps


def cell_and_reach(network: nn.Module) -> tuple[int, int]:
    """The side of a map's cell, and how far the zeros at the border reach into the map, both in pixels.

    Each convolution of padding p carries the zeros p of its own steps further. Shortcuts of 1 x 1 pad nothing
    and run beside the convolutions that count. Of a network on frozen features the zeros reach nearly
    everywhere, so that its image gets no reflection around it: 0.
    """
    if isinstance(network, ProjectedDiscriminator):
        return network.cell, 0
    cell, reach = 1, 0
    seen = network.features if isinstance(network, Discriminator) else network
    for layer in seen.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
            assert not isinstance(layer.padding, str), "the networks here pad by numbers"
            reach += layer.padding[0] * cell
            cell *= layer.stride[0]
    return cell, reach


def _common_grid(images: Tensor, cell: int, scale: float) -> tuple[int, int]:
    rows, columns = (max(1, round(side * scale / cell)) for side in images.shape[2:])
    shrink = min(1.0, MAX_CELLS / max(rows, columns))
    return max(1, round(rows * shrink)), max(1, round(columns * shrink))


def _resized(images: Tensor, scale: float) -> Tensor:
    if scale == 1.0:
        return images
    sides = [max(1, round(side * scale)) for side in images.shape[2:]]
    return F.interpolate(images, size=sides, mode="bilinear", antialias=True)


def _surrounded(images: Tensor, before: int, margin: int, cell: int, *, reflect: bool) -> Tensor:
    """``images`` with ``before`` pixels left and above, and ``margin`` or more, up to whole cells, beyond."""
    height, width = images.shape[2:]
    below, right = (margin + -(before + side + margin) % cell for side in (height, width))
    if not (before or below or right):
        return images
    if not reflect:
        return F.pad(images, (before, right, before, below))
    return images[:, :, _reflected(height, before, below)][:, :, :, _reflected(width, before, right)]


def _reflected(side: int, before: int, after: int) -> Tensor:
    """Indices -before..side + after - 1 as a mirror at both ends, the end pixel not repeated, sees them."""
    period = max(2 * (side - 1), 1)
    folded = torch.arange(-before, side + after) % period
    return torch.minimum(folded, period - folded) if side > 1 else torch.zeros_like(folded)


def _sampling(cells: int, step: float, before: int, side: int, wanted: int) -> Tensor | None:
    """The matrix (wanted, cells) that reads a map's axis linearly at the middles of ``wanted`` even parts.

    ``cells`` of ``step`` pixels begin ``before`` pixels ahead of the image, which is ``side`` pixels long.
    None where the two grids are the same.
    """
    if before == 0 and cells == wanted and step * cells == side:
        return None
    places = ((torch.arange(wanted, dtype=torch.float64) + 0.5) * (side / wanted) + before) / step - 0.5
    places = places.clamp(0, cells - 1)
    low = places.floor().clamp(max=max(cells - 2, 0)).long()
    share = (places - low).float()
    matrix = torch.zeros(wanted, cells)
    index = torch.arange(wanted)
    matrix[index, low] = 1 - share
    matrix[index, (low + 1).clamp(max=cells - 1)] += share
    return matrix
