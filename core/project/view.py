"""Where the person was in a project: kept at each change, so that it reopens where it was left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from typing import Any

from core.base.config import FeaturesConfig, TrainConfig
from core.base.errors import BoxscoutError
from core.base.limits import plain
from core.base.plain_json import parse_json
from core.boxes.options import BoxOptions
from core.boxes.rules import DEFAULT_RULE, MAX_BOXES, default_rule
from core.boxes.thresholds import Thresholds
from core.images.display import Display
from core.project.browse import BoxFilter, Browse, Order, Show
from core.project.migration import FILES

_MOST_IDS = 10_000_000  # with a threshold of their own; more is no project of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """Everything about the look of a project that its person chose.

    ``threshold`` None is the rule's own default. ``thresholds`` holds images that have their own, by image
    id. ``max_boxes`` is how many boxes an image may get. ``opacity`` is 0..1. ``side_by_side`` shows the
    image beside itself under its heat map, ``display`` is how its pixels are shown. ``config`` is the
    training last set up, without labels, None before the first. ``model``, a kind of run, and ``at`` say
    where heat maps come from, and ``unit`` which of the discriminator's units shows them: ``own`` for its
    own choice, or ``real``. ``offered_truth`` are folders beside which true boxes were
    found and the person has not said yet whether to use them, ``declined_truth`` those whose they did not
    want. ``browse`` is which images the list shows, and in what order.
    """

    rule: str = DEFAULT_RULE
    threshold: float | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    max_boxes: int = 1
    current_image: int | None = None
    opacity: float = 0.35
    colour_map: str = "viridis"
    show_heat_map: bool = True
    show_truth: bool = True
    side_by_side: bool = False
    display: Display = field(default_factory=Display)
    config: TrainConfig | FeaturesConfig | None = None
    model: str = "features"
    at: str = "last"
    unit: str = "own"
    offered_truth: tuple[str, ...] = ()
    declined_truth: tuple[str, ...] = ()
    browse: Browse = field(default_factory=Browse)

    def for_maps_of(self, kind: str, *, before: str | None) -> ProjectView:
        """This view for heat maps of a run of this ``kind``, where it was one for those of kind ``before``.

        None for ``before`` where there were none. The rule that is the default of the one becomes that of
        the other, with its own thresholds; a rule that the person chose stays.
        """
        wanted = default_rule(kind)
        known = {default_rule(each) for each in (FILES if before is None else (before,))}
        if wanted == self.rule or self.rule not in known:
            return self
        return replace(self, rule=wanted, threshold=None, thresholds=Thresholds())

    @property
    def options(self) -> BoxOptions:
        """How heat maps become boxes."""
        return BoxOptions(self.rule, self.threshold, self.thresholds, self.max_boxes)

    def with_options(self, options: BoxOptions) -> ProjectView:
        """This view with other :attr:`options`."""
        return replace(self, **{f.name: getattr(options, f.name) for f in fields(options)})


def view_to_json(view: ProjectView) -> str:
    """``view`` as one JSON object."""
    values: dict[str, Any] = {f.name: getattr(view, f.name) for f in fields(view)}
    values["thresholds"] = view.thresholds.to_text()
    values["display"] = asdict(view.display)
    values["config"] = None if view.config is None else view.config.to_dict()
    browse = view.browse
    values["browse"] = asdict(browse)
    return json.dumps(values)


def view_from_json(text: str) -> ProjectView:
    """The view in ``text``. What cannot be understood takes its default: a view is never worth an error."""
    try:
        values = parse_json(text)
    except ValueError:
        return ProjectView()
    if not isinstance(values, dict):
        return ProjectView()
    kept: dict[str, Any] = {}
    for name, understand in _READERS.items():
        try:
            kept[name] = understand(values[name])
        except (KeyError, TypeError, ValueError, OverflowError, BoxscoutError):
            continue
    return ProjectView(**kept)


_text, _flag = partial(plain, kind="str"), partial(plain, kind="bool")


def _one_of(*known: str) -> Callable[[Any], str]:
    def understand(value: Any) -> str:
        if value not in known:
            raise ValueError
        return str(value)

    return understand


def _snapshot(value: Any) -> str:
    text: str = _text(value)
    if text not in ("last", "proposed") and not (text.isascii() and text.isdecimal()):
        raise ValueError
    return text


def _share(value: Any) -> float:
    if not 0 <= plain(value, "float") <= 1:
        raise ValueError
    return float(value)


def _count(value: Any) -> int:
    if not 1 <= plain(value, "int") <= MAX_BOXES:
        raise ValueError
    return int(value)


def _display(value: Any) -> Display:
    return Display(**{f.name: float(value[f.name]) for f in fields(Display)})


def _config(value: Any) -> TrainConfig | FeaturesConfig | None:
    if value is None:
        return None
    kind = FeaturesConfig if "method" in value else TrainConfig
    known = {f.name for f in fields(kind)}
    return kind.from_dict({name: setting for name, setting in dict(value).items() if name in known})


def _thresholds(value: Any) -> Thresholds:
    if isinstance(value, str):
        found = Thresholds.from_text(value)
    elif isinstance(value, dict):  # as the versions before this one wrote them
        found = Thresholds.of({int(image_id): _share(share) for image_id, share in value.items()})
    else:
        found = Thresholds.of_runs([(int(first), int(last), _share(share)) for first, last, share in value])
    if len(found) > _MOST_IDS:
        raise ValueError
    return found


def _browse(value: Any) -> Browse:
    show, order = Show(value["show"]), Order(value["order"])
    try:
        boxes = _box_filter(value["boxes"])
    except (KeyError, TypeError, ValueError, OverflowError):  # as of the versions before this one
        boxes = BoxFilter()
    descending = _flag(value["descending"])
    first, last = map(_text, value.get("days", ("", "")))  # projects of before know none
    return Browse(
        text=_text(value["text"]),
        show=show,
        order=order,
        descending=descending,
        boxes=boxes,
        days=(first, last),
    )


def _box_filter(value: Any) -> BoxFilter:
    (low, high), (fewest, most) = map(_share, value["score"]), map(int, value["count"])
    return BoxFilter(label=_text(value["label"]), score=(low, high), count=(fewest, most))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "rule": _text,
    "threshold": lambda value: None if value is None else _share(value),
    "thresholds": _thresholds,
    "max_boxes": _count,
    "current_image": lambda value: None if value is None else int(value),
    "opacity": _share,
    "colour_map": _text,
    "show_heat_map": _flag,
    "show_truth": _flag,
    "side_by_side": _flag,
    "display": _display,
    "config": _config,
    "model": _one_of(*FILES),
    "at": _snapshot,
    "unit": _one_of("own", "real"),
    "offered_truth": lambda value: tuple(map(_text, value)),
    "declined_truth": lambda value: tuple(map(_text, value)),
    "browse": _browse,
}
