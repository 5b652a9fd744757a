"""How well boxes find the objects, always beside the boxes that cost nothing.

GT-known Loc is the share of images whose box (the one of highest score) has an IoU of 0.5 or more with
a true box. An image of the truth that has no box counts as wrong.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.annotations import BoxRecord, ImageBoxes
from core.baselines import CENTRED_SHARE, best_fixed_box, centred_boxes, contrast_boxes
from core.errors import FormatError
from core.overlap import CORRECT_IOU, Truth, best_overlap

__all__ = ["CORRECT_IOU", "Matches", "Report", "Row", "evaluate", "match_by_name", "wilson_interval"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One method's accuracy: ``correct`` of ``n``; ``accuracy``, ``low``, ``high`` (95 %) are 0..1."""

    method: str
    correct: int
    n: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation. ``n`` is the number of images that have a true box.

    ``rows`` holds the predicted boxes first, then the baselines. ``r_cx`` and ``r_cy`` correlate predicted
    with true centres over the images that have a box, -1..1, None where that is undefined. ``missing`` counts
    images of the truth without a predicted box (they count as wrong), ``extra`` predicted images that
    the truth does not know, ``other_size`` images that the two hold at different sizes, ``unreadable``
    images that colour contrast could not read. ``best_fixed`` is the (width, height) of the best fixed box as
    shares of the image.
    """

    n: int
    rows: tuple[Row, ...]
    r_cx: float | None
    r_cy: float | None
    missing: int
    extra: int
    other_size: int
    unreadable: int
    best_fixed: tuple[float, float]

    def table(self) -> list[tuple[str, ...]]:
        """The rows as text for printing, a heading first."""
        body = [
            (
                row.method,
                f"{100 * row.accuracy:.1f} %",
                f"{100 * row.low:.1f} - {100 * row.high:.1f} %",
                f"{row.correct}/{row.n}",
            )
            for row in self.rows
        ]
        return [("boxes", "accuracy", "95 % interval", "images"), *body]

    def remarks(self) -> list[str]:
        """What the rows do not say, as sentences."""
        r_cx, r_cy = ("undefined" if r is None else f"{r:+.2f}" for r in (self.r_cx, self.r_cy))
        lines = [f"Correlation of predicted and true centres: r(cx) {r_cx}, r(cy) {r_cy}."]
        for count, what in (
            (self.missing, "of the truth without a predicted box, counted as wrong"),
            (self.extra, "with predicted boxes that the truth does not know, left out"),
            (self.other_size, "whose size differs between boxes and truth, compared pixel by pixel"),
            (self.unreadable, "that colour contrast could not read, counted as wrong for it"),
        ):
            if count:
                lines.append(f"{count:,} {'image' if count == 1 else 'images'} {what}.")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The report for JSON: every number finite or null."""
        return {
            **asdict(self),
            "rows": [asdict(row) for row in self.rows],
            "best_fixed": list(self.best_fixed),
        }


@dataclass(frozen=True, slots=True)
class Matches:
    """``pairs`` of (predicted, truth); ``missing`` truth and ``extra`` predictions have no partner."""

    pairs: tuple[tuple[ImageBoxes, ImageBoxes], ...]
    missing: tuple[ImageBoxes, ...]
    extra: tuple[ImageBoxes, ...]


def match_by_name(predicted: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]) -> Matches:
    """Pair images by name: the same name, else the longest path suffix where only one fits.

    ``images/a.png`` and ``val/images/a.png`` fit, ``x/a.png`` and ``y/a.png`` do not. Where two images
    would fit equally well none is taken: a wrong pair is worse than none.
    """
    by_name = {image.name: image for image in reversed(truth)}
    pairs: list[tuple[ImageBoxes, ImageBoxes]] = []
    rest: list[ImageBoxes] = []
    taken: set[str] = set()
    for image in predicted:
        if image.name in by_name and image.name not in taken:
            taken.add(image.name)
            pairs.append((image, by_name[image.name]))
        else:
            rest.append(image)
    left = [image for name, image in by_name.items() if name not in taken]
    pairs += _match_by_suffix(rest, left)
    matched = {id(one) for pair in pairs for one in pair}
    return Matches(
        tuple(pairs),
        tuple(image for image in truth if id(image) not in matched),
        tuple(image for image in predicted if id(image) not in matched),
    )


def evaluate(
    predicted: Sequence[ImageBoxes],
    truth: Sequence[ImageBoxes],
    *,
    images_root: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Compare predicted boxes with true ones, beside the baselines.

    Parameters
    ----------
    predicted, truth
        Boxes in pixels of the same images. Images of the truth without a box are left out.
    images_root
        The folder of the images, by the truth's names or the predicted ones: adds colour contrast.
    on_progress
        Called with (done, all) images while colour contrast reads them.

    Raises
    ------
    FormatError
        No true box, no name in common, or an image whose size nobody tells.
    """
    known = [image for image in truth if any(record.box.area > 0 for record in image.boxes)]
    if not known:
        raise FormatError("The truth holds no box, so that there is nothing to compare with.")
    matches = match_by_name(predicted, known)
    if not matches.pairs:
        raise FormatError(
            f"No image has the same name in the boxes (“{_first_name(predicted)}”) "
            f"and in the truth (“{known[0].name}”)."
        )
    found = {id(true): guess for guess, true in matches.pairs}
    guesses = [found.get(id(image)) for image in known]
    arrays = _truth_arrays(known, guesses)
    boxes = np.array([_surest(guess) for guess in guesses])
    rows = [_row("predicted boxes", boxes, arrays), *_plain_baselines(arrays)]
    unreadable = 0
    if images_root is not None:
        contrast = contrast_boxes(images_root, known, guesses, on_progress=on_progress)
        unreadable = int(np.isnan(contrast[:, 0]).sum())
        if unreadable < len(known):
            rows.append(_row("colour contrast", contrast, arrays))
    shares, correct = best_fixed_box(arrays)
    rows.append(_counted("best fixed box (tuned on truth)", correct, arrays.n))
    r_cx, r_cy = _centre_correlation(boxes, arrays)
    return Report(
        n=arrays.n,
        rows=tuple(rows),
        r_cx=r_cx,
        r_cy=r_cy,
        missing=int(np.isnan(boxes[:, 0]).sum()),
        extra=len(_unknown(matches.extra, truth)),
        other_size=sum(_sizes_differ(guess, true) for guess, true in matches.pairs),
        unreadable=unreadable,
        best_fixed=shares,
    )


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of ``correct`` out of ``n`` (at least 1), as shares 0..1."""
    z = 1.959963984540054
    share = correct / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if correct == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if correct == n else min(1.0, (middle + half) / scale)
    return low, high


def _match_by_suffix(
    predicted: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]
) -> list[tuple[ImageBoxes, ImageBoxes]]:
    by_base: Mapping[str, list[ImageBoxes]] = defaultdict(list)
    for true in truth:
        by_base[true.name.rpartition("/")[2]].append(true)
    wanted: list[tuple[ImageBoxes, ImageBoxes, int]] = []
    for guess in predicted:
        fits = [
            (_shared_suffix(guess.name, true.name), true) for true in by_base[guess.name.rpartition("/")[2]]
        ]
        longest = max((length for length, _ in fits), default=0)
        best = [true for length, true in fits if length == longest]
        if longest and len(best) == 1:
            wanted.append((guess, best[0], longest))
    claims: dict[int, Counter[int]] = defaultdict(Counter)
    for _, true, length in wanted:
        claims[id(true)][length] += 1
    return [
        (guess, true)
        for guess, true, length in wanted
        if length == max(claims[id(true)]) and claims[id(true)][length] == 1
    ]


def _shared_suffix(a: str, b: str) -> int:
    """How many parts the shorter path has, where it ends the longer one; 0 where it does not."""
    short, long = sorted((a.split("/"), b.split("/")), key=len)
    return len(short) if long[-len(short) :] == short else 0


def _unknown(extra: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]) -> list[ImageBoxes]:
    """Those of ``extra`` that the truth does not list even without a box."""
    empty = [image for image in truth if not image.boxes]
    return list(match_by_name(extra, empty).extra) if empty else list(extra)


def _truth_arrays(truth: Sequence[ImageBoxes], guesses: Sequence[ImageBoxes | None]) -> Truth:
    sizes = np.zeros((len(truth), 2))
    boxes, image_of = [], []
    for i, (true, guess) in enumerate(zip(truth, guesses, strict=True)):
        known = true if true.width > 0 and true.height > 0 else guess
        if known is None or known.width < 1 or known.height < 1:
            raise FormatError(f"Neither truth nor boxes tell the width and height of “{true.name}”.")
        sizes[i] = known.width, known.height
        for record in true.boxes:
            if record.box.area > 0:
                boxes.append(_sides(record))
                image_of.append(i)
    return Truth(np.array(boxes, dtype=np.float64), np.array(image_of, dtype=np.intp), sizes)


def _sides(record: BoxRecord) -> tuple[float, float, float, float]:
    return record.box.x0, record.box.y0, record.box.x1, record.box.y1


def _surest(guess: ImageBoxes | None) -> tuple[float, float, float, float]:
    """The box of highest score; one without a score is a person's and the surest. NaN: no box."""
    if guess is None or not guess.boxes:
        return (math.nan,) * 4
    return _sides(max(guess.boxes, key=lambda record: math.inf if record.score is None else record.score))


def _plain_baselines(truth: Truth) -> list[Row]:
    share = f"{100 * CENTRED_SHARE:.0f} %"
    return [
        _row("whole image", centred_boxes(truth.sizes, 1.0, 1.0), truth),
        _row(f"centred {share}", centred_boxes(truth.sizes, CENTRED_SHARE, CENTRED_SHARE), truth),
    ]


def _row(method: str, boxes: Floats, truth: Truth) -> Row:
    overlap, _ = best_overlap(boxes, truth)
    return _counted(method, int((overlap >= CORRECT_IOU).sum()), truth.n)


def _counted(method: str, correct: int, n: int) -> Row:
    low, high = wilson_interval(correct, n)
    return Row(method, correct, n, correct / n, low, high)


def _centre_correlation(boxes: Floats, truth: Truth) -> tuple[float | None, float | None]:
    has_box = ~np.isnan(boxes[:, 0])
    _, best = best_overlap(boxes, truth)
    true = truth.boxes[best]
    pairs = []
    for axis in (0, 1):
        scale = 2 * truth.sizes[has_box, axis]
        guessed = (boxes[has_box, axis] + boxes[has_box, axis + 2]) / scale
        pairs.append(_pearson(guessed, (true[has_box, axis] + true[has_box, axis + 2]) / scale))
    return pairs[0], pairs[1]


def _pearson(a: Floats, b: Floats) -> float | None:
    if len(a) < 2:
        return None
    a, b = a - a.mean(), b - b.mean()
    # Centres are shares of an image: a spread this small is rounding, not a place.
    if min(a.std(), b.std()) < 1e-9:
        return None
    return float(np.clip((a * b).mean() / (a.std() * b.std()), -1.0, 1.0))


def _sizes_differ(guess: ImageBoxes, true: ImageBoxes) -> bool:
    known = min(guess.width, guess.height, true.width, true.height) > 0
    return known and (guess.width, guess.height) != (true.width, true.height)


def _first_name(images: Sequence[ImageBoxes]) -> str:
    return images[0].name if images else "none"
