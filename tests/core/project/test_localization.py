"""Maps and boxes of a folder of drawn pictures, by a network whose map is the picture's own brightness."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from torch import Tensor, nn

from core.base.annotations import BoxRecord, Source
from core.base.errors import Cancelled
from core.base.geometry import Box, iou
from core.boxes.batches import find_box
from core.boxes.options import BoxOptions
from core.boxes.rules import RULES
from core.boxes.thresholds import Thresholds
from core.images.pixels import Pixels
from core.maps.contrast import outline_ratios
from core.maps.heatmap import AVERAGED, PLAIN, HeatMapOptions
from core.nets.networks import Discriminator
from core.nets.resnet import PreActResNet34
from core.project import localize as localization
from core.project.decide import decide
from core.project.localize import localize_images
from core.project.queries import framings as stored_framings
from core.project.store import Project
from core.project.workflow import add_folders, load_pixels

WIDE, HIGH = 320, 160
ONE, TWO = (40, 30, 120, 110), (220, 60, 300, 140)


class _Brightness(Discriminator):
    """Each cell of 4 x 4 pixels is their mean."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.background = self.framing = None
        self.features = nn.Sequential(nn.Conv2d(3, 1, 4, 4, 0, bias=False))
        nn.init.constant_(self.features[0].weight, 1 / 48)

    def class_activation(self, images: Tensor) -> Tensor:
        return self.features(images)[:, 0]


COMPONENT = BoxOptions("component")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seventy pictures, more than a batch; every other one holds two objects."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(70):
        image = Image.new("RGB", (WIDE, HIGH), (20 + i % 7, 20, 20))
        draw = ImageDraw.Draw(image)
        for left, top, right, bottom in (ONE, TWO)[: 1 + i % 2]:
            draw.rectangle((left, top, right - 1, bottom - 1), fill=(250, 240, 230))
        image.save(folder / f"{i:02}.png")
    return folder


@pytest.fixture
def project(tmp_path: Path, folder: Path) -> Iterator[Project]:
    with Project.open_or_create(tmp_path / "p.boxscout") as project:
        add_folders(project, [folder])
        yield project


def _pixels(project: Project) -> Pixels:
    return load_pixels(project, project.images(), size=64)


def _localize(project: Project, how: BoxOptions = COMPONENT, **options: object) -> tuple[int, int]:
    given = {"step": 3, "options": PLAIN, **options}
    return localize_images(project, project.images(), _pixels(project), _Brightness(), how=how, **given)


@pytest.mark.parametrize("rule", list(RULES))
def test_the_projects_boxes_are_those_of_its_maps_and_its_survey(project: Project, rule: str) -> None:
    seen: list[tuple[int, int]] = []
    own = project.images()[5].id
    found = _localize(
        project,
        BoxOptions(rule, thresholds=Thresholds.of({own: 0.6})),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert found == (70, 0)
    assert seen == sorted(seen)
    assert seen[-1] == (70, 70)
    survey = project.load_survey()
    assert survey is not None
    assert survey.step == 3
    assert survey.prior is not None
    assert survey.prior.images == 70
    outlines = outline_ratios(_pixels(project).array).mean()
    assert survey.prior.elongation == pytest.approx(np.clip(0.8 * outlines + 0.3, -0.7, 0.7))
    assert survey.sureness is not None
    for record, boxes in zip(project.images(), project.all_boxes().values(), strict=True):
        heat = project.heat_map(record.id)
        assert heat is not None
        threshold = 0.6 if record.id == own else None
        expected = find_box(heat, width=WIDE, height=HIGH, rule=rule, threshold=threshold, prior=survey.prior)
        assert boxes == (expected,)


def _bright(images: np.ndarray) -> np.ndarray:
    """A framing for each picture by how bright its first pixel is; none for the darkest."""
    level = images[:, 0, 0, 0].astype(np.float64)
    found = np.stack([level / 400 - 0.1, 0.05 + 0 * level, level / 99, 0.3 - level / 99], axis=1)
    found[level == 20] = np.nan
    return found


@pytest.fixture
def framed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(localization, "framings", lambda _, images: _bright(images))


@pytest.mark.parametrize("rule", ["fitted", "component"])
@pytest.mark.parametrize("options", [PLAIN, HeatMapOptions(long_side=160)])
@pytest.mark.usefixtures("framed")
def test_boxes_are_moved_and_scaled_by_the_framing(
    project: Project, rule: str, options: HeatMapOptions
) -> None:
    _localize(project, BoxOptions(rule), options=options)
    prior = project.prior()
    rows = _bright(_pixels(project).array)
    known = ~np.isnan(rows[:, 0])
    assert 0 < known.sum() < 70
    assert (prior.usual_width, prior.usual_height) == pytest.approx(tuple(rows[known, 2:].mean(axis=0)))
    stored = stored_framings(project, [record.id for record in project.images()])
    assert len(stored) == known.sum()
    for record, (box,), row in zip(project.images(), project.all_boxes().values(), rows, strict=True):
        heat = project.heat_map(record.id)
        plain = find_box(heat, width=WIDE, height=HIGH, rule=rule, prior=prior).box
        if rule == "component" or np.isnan(row[0]):
            assert box.box == plain
            assert (record.id in stored) == (not np.isnan(row[0]))
            continue
        np.testing.assert_array_equal(stored[record.id], row)
        middle = plain.center[0] + row[0] / 2 * WIDE, plain.center[1] + row[1] / 2 * HIGH
        width = plain.width * np.exp(row[2] - prior.usual_width)
        height = plain.height * np.exp(row[3] - prior.usual_height)
        left, top = middle[0] - width / 2, middle[1] - height / 2
        expected = Box(left, top, left + width, top + height).clamped(WIDE, HIGH)
        assert astuple(box.box) == pytest.approx(astuple(expected))


@pytest.mark.usefixtures("framed")
@pytest.mark.parametrize("calls", [0, 1, 3])
def test_framings_outlast_a_stop_and_a_move_of_the_threshold_leaves_them(
    project: Project, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    with pytest.raises(Cancelled):
        _localize(project, BoxOptions("fitted"), cancelled=_after(calls))
    _localize(project, BoxOptions("fitted"))
    with Project.open_or_create(tmp_path / "other.boxscout") as other:
        add_folders(other, [folder])
        _localize(other, BoxOptions("fitted", 0.3))
        first = project.all_boxes()
        assert decide(project, BoxOptions("fitted", 0.3)) == 70
        assert project.all_boxes() == other.all_boxes() != first
        assert project.prior() == other.prior()
    # All made anew, by a network without framing: nothing is left of it.
    monkeypatch.setattr(localization, "framings", lambda *_: None)
    _localize(project, BoxOptions("fitted"))
    assert stored_framings(project, list(first)) == {}
    assert (project.prior().usual_width, project.prior().usual_height) == (0, 0)


def test_how_sure_boxes_are_counts_the_framing_of_the_moved_pictures(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where framings jump about from look to look, so do boxes."""
    _localize(project, BoxOptions("fitted"))
    plain = project.load_survey().sureness
    rng = np.random.default_rng(0)
    monkeypatch.setattr(
        localization, "framings", lambda _, images: rng.normal(0, (0.3, 0.3, 0, 0), (len(images), 4))
    )
    _localize(project, BoxOptions("fitted"))
    assert project.load_survey().sureness.own < plain.own - 0.1


def test_several_objects_get_a_box_each_where_asked(project: Project) -> None:
    _localize(project, BoxOptions("component", 0.5, max_boxes=4))
    for i, boxes in enumerate(project.all_boxes().values()):
        assert len(boxes) == 1 + i % 2
        for true in (ONE, TWO)[: len(boxes)]:
            assert max(iou(box.box, Box(*true)) for box in boxes) > 0.7
        scores = [box.score for box in boxes]
        assert scores == sorted(scores, reverse=True)


def test_photos_are_read_in_their_own_proportions(project: Project, folder: Path) -> None:
    pixels = _pixels(project)
    (folder / "03.png").unlink()  # after it was prepared: its squashed pixels stand in
    options = HeatMapOptions(long_side=160)
    localize_images(
        project, project.images(), pixels, _Brightness(),
        step=1, how=BoxOptions("component", 0.5), options=options,
    )  # fmt: skip
    shapes = [project.heat_map(record.id).shape for record in project.images()]
    assert shapes[3] == (16, 16)
    assert {shape for i, shape in enumerate(shapes) if i != 3} == {(20, 40)}
    boxes = project.all_boxes()[project.images()[0].id]
    assert iou(boxes[0].box, Box(*ONE)) > 0.9


def test_a_persons_boxes_stay(project: Project) -> None:
    record = project.images()[2]
    mine = BoxRecord(Box(1, 2, 3, 4), source=Source.EDITED)
    project.set_boxes(record.id, [mine])
    assert _localize(project, options=AVERAGED) == (69, 1)
    assert project.boxes(record.id) == (mine,)


def test_one_more_photo_does_not_undo_what_the_folder_said(project: Project) -> None:
    _localize(project)
    prior = project.prior()
    pixels = load_pixels(project, project.images()[:1], size=64)
    args = {"how": BoxOptions("fitted"), "options": PLAIN}
    localize_images(project, project.images()[:1], pixels, _Brightness(), step=3, **args)
    assert project.prior() == prior
    # Of another step the maps are others.
    localize_images(project, project.images()[:1], pixels, _Brightness(), step=4, **args)
    assert project.prior() != prior
    assert project.load_survey().sureness is None, "one picture cannot be held against another"


def test_stopping_keeps_what_was_done(project: Project) -> None:
    calls = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > 1

    with pytest.raises(Cancelled):
        _localize(project, cancelled=cancelled)
    boxes = project.all_boxes()
    assert sorted(boxes) == [record.id for record in project.images()[:64]]
    assert all(project.heat_map(image_id) is not None for image_id in boxes)


def test_a_stop_between_two_read_outs_leaves_each_map_with_its_own_source(project: Project) -> None:
    _localize(project)
    plain = project.load_survey()
    calls: list[int] = []
    with pytest.raises(Cancelled):
        _localize(project, options=AVERAGED, cancelled=lambda: len(calls) > 0 or calls.append(1) is not None)
    survey = project.load_survey()
    assert plain.complete and not survey.complete
    assert (survey.prior, survey.sureness) == (None, None), "no prior is that of maps of two kinds"
    assert (plain.source.looks, survey.source.looks) == ("plain", "averaged")
    assert plain.source.network == survey.source.network
    sources = [project.map_source(record.id) for record in project.images()]
    assert sources == [survey.source.key] * 64 + [plain.source.key] * 6
    _localize(project, options=AVERAGED)
    assert {project.map_source(record.id) for record in project.images()} == {survey.source.key}
    assert project.load_survey().complete and project.prior() is not None


class _Seen:
    """How many images a network has looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.images = 0
        make = localization.heat_maps

        def counting(network: nn.Module, images: np.ndarray, **options: object) -> np.ndarray:
            self.images += len(images)
            return make(network, images, **options)

        monkeypatch.setattr(localization, "heat_maps", counting)
        # It looks at a sample of its own.
        monkeypatch.setattr(localization, "_sureness", lambda *_: None)


def _after(calls: int) -> Callable[[], bool]:
    """Says stop once it was asked more often than that."""
    asked = itertools.count()
    return lambda: next(asked) >= calls


def _contents(project: Project) -> tuple[object, ...]:
    maps = [project.heat_map(record.id).tobytes() for record in project.images()]
    return project.load_survey(), project.all_boxes(), maps


@pytest.mark.parametrize("rule", ["fitted", "component"])
@pytest.mark.parametrize(("calls", "made"), [(0, 70), (1, 6), (2, 0), (3, 0)])
def test_what_was_stopped_goes_on_and_ends_as_if_it_had_not_been(
    project: Project,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calls: int,
    made: int,
    rule: str,
) -> None:
    """70 images are two batches of maps and two of boxes; each asks once."""
    seen = _Seen(monkeypatch)
    with pytest.raises(Cancelled):
        _localize(project, BoxOptions(rule), cancelled=_after(calls))
    assert not project.load_survey().complete
    seen.images = 0
    steps: list[tuple[int, int]] = []
    _localize(project, BoxOptions(rule), on_progress=lambda *step: steps.append(step))
    assert seen.images == made
    assert steps[-1] == (70, 70)
    with Project.open_or_create(tmp_path / "other.boxscout") as other:
        add_folders(other, [folder])
        _localize(other, BoxOptions(rule))
        assert _contents(project) == _contents(other)


def test_only_what_is_missing_is_made_and_where_nothing_is_all_is(
    project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _Seen(monkeypatch)
    _localize(project)
    Image.new("RGB", (WIDE, HIGH), (90, 20, 20)).save(folder / "new.png")
    add_folders(project, [folder])
    seen.images = 0
    _localize(project)
    assert seen.images == 1
    assert project.prior().images == 71
    _localize(project)
    assert seen.images == 1 + 71


@pytest.mark.parametrize("change", [{"options": AVERAGED}, {"step": 4}])
def test_another_choice_since_the_stop_makes_all_anew(
    project: Project, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    seen = _Seen(monkeypatch)
    with pytest.raises(Cancelled):
        _localize(project, cancelled=_after(1))
    seen.images = 0
    _localize(project, **change)
    assert seen.images == 70


def test_another_rule_since_the_stop_needs_no_map_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _Seen(monkeypatch)
    with pytest.raises(Cancelled):
        _localize(project, cancelled=_after(1))
    _localize(project, BoxOptions("moments", 0.4))
    assert seen.images == 70
    assert {(box.rule, box.threshold) for (box,) in project.all_boxes().values()} == {("moments", 0.4)}


def test_maps_that_were_damaged_since_are_made_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Cancelled):
        _localize(project, cancelled=_after(1))
    with project.transaction() as db:
        db.execute("UPDATE heat_map SET data = x'00' WHERE image_id = 3")
    seen = _Seen(monkeypatch)
    _localize(project)
    assert seen.images == 70
    assert project.heat_map(3).shape == (16, 16)


def test_a_classifiers_maps_are_always_made_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """By which class they were made is not kept."""
    seen = _Seen(monkeypatch)
    network = PreActResNet34(classes=2, width=1).eval()
    pixels = _pixels(project)
    args = {"step": 3, "how": BoxOptions("moments"), "options": PLAIN}
    ids = [record.id for record in project.images()]
    with pytest.raises(Cancelled):
        localize_images(
            project, project.images(), pixels, network,
            classes=dict.fromkeys(ids, 0), cancelled=_after(1), **args,
        )  # fmt: skip
    seen.images = 0
    localize_images(project, project.images(), pixels, network, classes=dict.fromkeys(ids, 1), **args)
    assert seen.images == 70


def test_boxes_that_move_with_the_picture_are_said_to(tmp_path: Path) -> None:
    folder = tmp_path / "moving"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(30):
        image = Image.new("RGB", (64, 64), (10, 10, 10))
        x, y = rng.integers(9, 40, 2).tolist()
        ImageDraw.Draw(image).rectangle((x, y, x + 14, y + 12), fill=(240, 240, 240))
        image.save(folder / f"{i}.png")
    with Project.open_or_create(tmp_path / "m.boxscout") as project:
        add_folders(project, [folder])
        _localize(project, BoxOptions("component", 0.5))
        sure = project.load_survey().sureness
    assert sure.images == 30
    assert sure.beyond_chance > 0.8
    assert sure.sentence().startswith("Boxes follow the image.")
