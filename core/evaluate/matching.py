"""Which predicted image is which true one, and their boxes as arrays."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.language import short, tr
from core.base.names import EXACT, KnownNames
from core.boxes.overlap import Floats, Truth


@dataclass(frozen=True, slots=True)
class Matches:
    """``pairs`` of (predicted, truth); ``missing`` truth and ``extra`` predictions have no partner.

    ``unsure`` are those of ``extra`` that fit two images or more, each with the names of some of these, or
    that fit one image as well as another prediction does.
    """

    pairs: tuple[tuple[ImageBoxes, ImageBoxes], ...]
    missing: tuple[ImageBoxes, ...]
    extra: tuple[ImageBoxes, ...]
    unsure: tuple[tuple[ImageBoxes, tuple[str, ...]], ...] = ()

    def doubt(self) -> str:
        """The sentence on the first of ``unsure``; empty where there is none."""
        if not self.unsure:
            return ""
        image, names = self.unsure[0]
        if len(names) == 1:
            return tr("Several names of the file, such as “{name}”, fit the one image “{one}”.").format(
                name=short(image.name), one=short(names[0])
            )
        return tr("More than one image fits the name “{name}”: “{one}” and “{other}”.").format(
            name=short(image.name), one=short(names[0]), other=short(names[1])
        )


def match_by_name(predicted: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]) -> Matches:
    """Pair images by name as :class:`core.base.names.KnownNames` has it: exactly, else loosely.

    An annotation file's own name counts before the one inside it. Where two images would fit equally well
    none is taken: a wrong pair is worse than none.
    """
    known = KnownNames(image.name for image in truth)
    won: dict[int, str] = {}
    doubts: dict[int, tuple[str, ...]] = {}
    _choose(known, {i: image.stem or image.name for i, image in enumerate(predicted)}, won, doubts)
    stale = {i: image.name for i, image in enumerate(predicted) if image.stem and i not in won}
    _choose(known, stale, won, doubts)
    by_name = {image.name: image for image in reversed(truth)}
    taken = {id(by_name[name]) for name in won.values()}
    return Matches(
        tuple((predicted[i], by_name[name]) for i, name in sorted(won.items())),
        tuple(image for image in truth if id(image) not in taken),
        tuple(image for i, image in enumerate(predicted) if i not in won),
        tuple((predicted[i], names) for i, names in sorted(doubts.items()) if i not in won),
    )


def _choose(
    known: KnownNames, asked: Mapping[int, str], won: dict[int, str], doubts: dict[int, tuple[str, ...]]
) -> None:
    """Add to ``won`` the image that fits each of ``asked`` best, and to ``doubts`` those that fit no better
    than another."""
    taken = set(won.values())
    claims: dict[str, list[tuple[tuple[int, int], int]]] = defaultdict(list)
    for i, given in asked.items():
        fit = known.find(given)
        if len(fit.names) > 1:
            doubts[i] = fit.names
        elif fit.name is not None and fit.name not in taken:
            claims[fit.name].append((fit.rank, i))
    for name, claimants in claims.items():
        (best, first), *others = sorted(claimants)
        if best != EXACT and others and others[0][0] == best:
            doubts |= {i: (name,) for rank, i in claimants if rank == best}
        else:
            won[first] = name


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
        return np.array([(math.nan,) * 4 if record is None else record.box.sides for record in surest])

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
        raise FormatError(tr("The ground truth has no boxes, so there is nothing to compare with."))
    matches = match_by_name(predicted, known)
    if not matches.pairs:
        raise FormatError(
            matches.doubt()
            or tr(
                "No image has the same name in the boxes (“{found}”) and in the truth (“{true}”): one path "
                "has to end with the other."
            ).format(found=short(_first_name(predicted)), true=short(known[0].name))
        )
    found = {id(true): guess for guess, true in matches.pairs}
    given = tuple(found.get(id(image)) for image in known)
    guesses = tuple(
        guess and guess.in_pixels(true.width, true.height) for guess, true in zip(given, known, strict=True)
    )
    known = tuple(
        true.in_pixels(guess.width, guess.height) if guess is not None else true
        for guess, true in zip(given, known, strict=True)
    )
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
                tr("Neither the ground truth nor the boxes give the width and height of “{name}”.").format(
                    name=short(true.name)
                )
            )
        sizes[i] = known.width, known.height
        for record in true.boxes:
            if record.box.area > 0:
                boxes.append(record.box.sides)
                image_of.append(i)
    return Truth(np.array(boxes, dtype=np.float64), np.array(image_of, dtype=np.intp), sizes)


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
