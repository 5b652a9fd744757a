"""Which predicted image is which true one, and their boxes as arrays."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.language import short, tr
from core.boxes.overlap import Floats, Truth


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


@dataclass(frozen=True)
class Alignment:
    """The images of a truth that have a box, each beside what was predicted for it.

    ``known`` and ``guesses`` go image by image; a guess is None where no image has its name. ``truth``
    holds the same images as arrays. ``extra`` counts predicted images that the truth does not know,
    ``other_size`` images that the two hold at different sizes.
    """

    known: tuple[ImageBoxes, ...]
    guesses: tuple[ImageBoxes | None, ...]
    truth: Truth
    extra: int
    other_size: int

    def surest_boxes(self) -> Floats:
        """The predicted box of highest score per image, float64 (n, 4) pixels; NaN where there is none."""
        boxes: Floats = self._surest_boxes.copy()
        return boxes

    @cached_property
    def _surest_boxes(self) -> Floats:
        surest = [_surest(guess) for guess in self.guesses]
        return np.array([(math.nan,) * 4 if record is None else _sides(record) for record in surest])

    def surest_scores(self) -> Floats:
        """The score of that box, float64 (n,); NaN where there is no box or nobody gave it a score."""
        scores = [None if (record := _surest(guess)) is None else record.score for guess in self.guesses]
        return np.array(scores, dtype=np.float64)


def align(predicted: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]) -> Alignment:
    """Put predicted images beside those of the truth that have a box, in the truth's order.

    Raises
    ------
    FormatError
        No true box, no name in common, or an image whose size nobody tells.
    """
    known = tuple(image for image in truth if any(record.box.area > 0 for record in image.boxes))
    if not known:
        raise FormatError(tr("The truth holds no box, so that there is nothing to compare with."))
    matches = match_by_name(predicted, known)
    if not matches.pairs:
        raise FormatError(
            tr(
                "No image has the same name in the boxes (“{found}”) and in the truth (“{true}”): one path "
                "has to end with the other."
            ).format(found=short(_first_name(predicted)), true=short(known[0].name))
        )
    found = {id(true): guess for guess, true in matches.pairs}
    guesses = tuple(found.get(id(image)) for image in known)
    return Alignment(
        known=known,
        guesses=guesses,
        truth=_truth_arrays(known, guesses),
        extra=len(_unknown(matches.extra, truth)),
        other_size=sum(_sizes_differ(guess, true) for guess, true in matches.pairs),
    )


def align_pairs(known: Sequence[ImageBoxes], guesses: Sequence[ImageBoxes | None]) -> Alignment:
    """The same where it is known which image is which: ``guesses`` go image by image with ``known``.

    Each image of ``known`` has a box of some area and a size, or its guess has the size.
    """
    truth = _truth_arrays(known, guesses)
    return Alignment(tuple(known), tuple(guesses), truth, extra=0, other_size=0)


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
            raise FormatError(
                tr("Neither truth nor boxes tell the width and height of “{name}”.").format(
                    name=short(true.name)
                )
            )
        sizes[i] = known.width, known.height
        for record in true.boxes:
            if record.box.area > 0:
                boxes.append(_sides(record))
                image_of.append(i)
    return Truth(np.array(boxes, dtype=np.float64), np.array(image_of, dtype=np.intp), sizes)


def _sides(record: BoxRecord) -> tuple[float, float, float, float]:
    return record.box.x0, record.box.y0, record.box.x1, record.box.y1


def surest_box(boxes: Sequence[BoxRecord]) -> BoxRecord | None:
    """The box of highest score, None of no box; one without a score is a person's and the surest."""
    return max(boxes, key=lambda record: math.inf if record.score is None else record.score, default=None)


def _surest(guess: ImageBoxes | None) -> BoxRecord | None:
    return None if guess is None else surest_box(guess.boxes)


def _sizes_differ(guess: ImageBoxes, true: ImageBoxes) -> bool:
    known = min(guess.width, guess.height, true.width, true.height) > 0
    return known and (guess.width, guess.height) != (true.width, true.height)


def _first_name(images: Sequence[ImageBoxes]) -> str:
    return images[0].name if images else "none"
