"""What all heat maps of a project together say, kept beside them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from core.base.plain_json import parse_json
from core.boxes.prior import Prior
from core.boxes.sureness import Sureness


@dataclass(frozen=True, slots=True)
class MapSource:
    """What makes heat maps: a ``network`` (a digest of its weights), one of its units, and how it is read.

    ``unit`` is ``background``, ``real``, ``class`` or ``features``; ``looks`` a name in :data:`READ_OUTS`,
    the options in words, or how a unit on frozen features was learned.
    """

    network: str
    unit: str
    looks: str

    @property
    def key(self) -> str:
        """One text, the same for maps that can be told apart by nothing but their image."""
        return f"{self.network} {self.unit} {self.looks}"


@dataclass(frozen=True, slots=True)
class Survey:
    """The newest localization as a whole: after which ``step``, by what, with what in common, and how sure.

    ``prior`` and ``sureness`` are None where they could not be measured, and until all maps are there. It is
    ``complete`` once all boxes are read by them. ``source`` is None in projects of older versions.
    ``superseded`` says that what made the maps was trained since, on or anew. ``runtime`` is what computed
    frozen features: another one may give maps that differ in the last digits.
    """

    step: int
    prior: Prior | None = None
    sureness: Sureness | None = None
    source: MapSource | None = None
    complete: bool = True
    superseded: bool = False
    runtime: str = ""


def survey_to_json(survey: Survey) -> str:
    """``survey`` as one JSON object."""
    return json.dumps(asdict(survey))


def survey_from_json(text: str) -> Survey | None:
    """The survey in ``text``; None where it cannot be understood: the next localization makes another."""
    try:
        values = parse_json(text)
        prior, sureness, source = values["prior"], values["sureness"], values.get("source")
        return Survey(
            int(values["step"]),
            None if prior is None else Prior(images=int(prior.pop("images")), **_finite(prior)),
            None if sureness is None else Sureness(images=int(sureness.pop("images")), **_finite(sureness)),
            None if source is None else MapSource(**{name: str(value) for name, value in source.items()}),
            bool(values.get("complete", True)),
            bool(values.get("superseded", False)),
            str(values.get("runtime", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _finite(values: dict[str, Any]) -> dict[str, float]:
    numbers = {name: float(value) for name, value in values.items()}
    if not all(math.isfinite(number) for number in numbers.values()):
        raise ValueError
    return numbers
