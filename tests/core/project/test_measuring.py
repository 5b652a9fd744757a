"""A project against its truth, compared with closed forms and with the evaluation of exported files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import Cancelled
from core.base.geometry import Box
from core.boxes.options import BoxOptions
from core.boxes.prior import Prior
from core.boxes.rules import RULES
from core.boxes.thresholds import Thresholds
from core.evaluate import reading
from core.evaluate.compare import paired_bootstrap
from core.evaluate.report import evaluate
from core.project import measure as measuring
from core.project.measure import against_truth, folder_curve, image_overlap, measure_contrast, standing
from core.project.queries import framings, heat_maps
from core.project.store import Project
from core.project.survey import MapSource, Survey
from core.project.truth import set_truth, true_boxes
from core.project.view import ProjectView
from core.project.workflow import add_folders

WIDTH, HEIGHT = 40, 30


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Fourteen images with a bright square, twelve with truth; a noisy heat map each, but for the last."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(5)
    places = [(int(rng.integers(0, 28)), int(rng.integers(0, 18))) for _ in range(14)]
    for i, (x, y) in enumerate(places):
        pixels = rng.integers(0, 80, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        pixels[y : y + 12, x : x + 12] = (230, 200, 60)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    made = Project.open_or_create(tmp_path / "a.boxscout")
    add_folders(made, [folder])
    records = made.images()
    made.set_sizes({one.id: (WIDTH, HEIGHT) for one in records})
    maps = {}
    for one, (x, y) in list(zip(records, places, strict=True))[:-1]:
        heat = rng.random((15, 20)).astype(np.float32)
        heat[y // 2 : y // 2 + 6, x // 2 : x // 2 + 6] += 1.5
        maps[one.id] = heat
    made.set_heat_maps(maps, step=3)
    boxes = [BoxRecord(Box(x, y, x + 12, y + 12)) for x, y in places]
    # The first two have no truth, the third has a second true box far away.
    truth = {one.id: [box] for one, box in list(zip(records, boxes, strict=True))[2:]}
    truth[records[2].id].append(BoxRecord(Box(0, 0, 4, 4)))
    set_truth(made, truth)
    yield made
    made.close()


def decide(project: Project, view: ProjectView) -> None:
    """The box of every image, one by one."""
    for one in project.images():
        heat = project.heat_map(one.id)
        if heat is not None:
            boxes = view.options.boxes_of(
                heat,
                (WIDTH, HEIGHT),
                image_id=one.id,
                prior=None if (project.map_source(one.id) or "").startswith("old") else project.prior(),
                framing=framings(project, [one.id]).get(one.id),
            )
            project.set_auto_boxes({one.id: boxes})


def _report(project: Project, root: Path | None = None):
    """What ``evaluate`` says of the same boxes in files."""
    images = project.image_boxes()
    true = true_boxes(project)
    truth = [
        ImageBoxes(image.name, image.width, image.height, true.get(record.id, ()))
        for image, record in zip(images, project.images(), strict=True)
    ]
    return evaluate(images, truth, images_root=root)


def test_overlap_of_an_image_is_that_of_its_surest_box_with_the_true_box_it_fits_best() -> None:
    truth = [BoxRecord(Box(0, 0, 10, 10)), BoxRecord(Box(20, 20, 30, 40))]
    boxes = [BoxRecord(Box(0, 0, 10, 10), score=0.2), BoxRecord(Box(20, 20, 40, 30), score=0.9)]
    assert image_overlap(boxes, truth) == pytest.approx(100 / (200 + 200 - 100))
    assert image_overlap([], truth) == 0.0
    assert image_overlap(boxes, []) is None


def test_the_standing_is_what_evaluate_says_of_the_same_boxes(project: Project) -> None:
    decide(project, ProjectView(rule="moments"))
    against = against_truth(project)
    assert against is not None
    plain = standing(against)
    # The folder's own evaluation knows two images more, without truth, and names them in ``extra``. How well
    # scores rank is not asked for: the window measures after each move, and that would take most of the time.
    assert plain.report.ranking is None
    assert replace(plain.report, extra=0) == replace(_report(project), extra=0, ranking=None)
    root = project.images()[0].root
    baselines = measuring.baselines_of(against.aligned.truth, measure_contrast(against))
    with_contrast = standing(against, baselines)
    assert with_contrast.report.rows == _report(project, root).rows
    assert [row.method for row in with_contrast.report.rows][3] == "colour contrast"
    true, found = true_boxes(project), project.all_boxes()
    for image_id, overlap in zip(plain.ids.tolist(), plain.overlaps.tolist(), strict=True):
        ious = [_iou(box.box, one.box) for box in found.get(image_id, ()) for one in true[image_id]]
        assert overlap == pytest.approx(max(ious, default=0))
    assert plain.overlaps[-1] == 0  # it has no heat map, so no box


def _iou(a: Box, b: Box) -> float:
    across = max(0.0, min(a.x1, b.x1) - max(a.x0, b.x0))
    down = max(0.0, min(a.y1, b.y1) - max(a.y0, b.y0))
    both = across * down
    return both / ((a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0) - both)


@pytest.mark.parametrize(
    ("rule", "max_boxes"), [*((rule, 1) for rule in RULES), ("component", 3), ("fitted", 3)]
)
@pytest.mark.parametrize("sources", [(), ("new",), ("old", "new")])
def test_the_curve_is_the_accuracy_that_the_project_then_has(
    project: Project, rule: str, max_boxes: int, sources: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "_CHUNK", 5)  # so that there are several
    records = project.images()
    if sources:
        _frame(project, sources)
    project.set_boxes(records[3].id, [BoxRecord(Box(0, 0, WIDTH, HEIGHT))])
    view = ProjectView(rule=rule, thresholds=Thresholds.of({records[4].id: 0.9}), max_boxes=max_boxes)
    decide(project, view)
    against = against_truth(project)
    assert against is not None
    curve = folder_curve(project, against, view.options)
    assert curve is not None
    accuracies = []
    for threshold in (0.0, 0.2, 0.45, 0.95):
        decide(project, replace(view, threshold=threshold))
        accuracies.append(_report(project).rows[0].accuracy)
        assert curve.at(threshold) == pytest.approx(accuracies[-1])
    assert len(set(accuracies)) > 1
    assert curve.max_box_acc == max(curve.accuracies) == curve.at(curve.best)


def _frame(project: Project, sources: tuple[str, ...]) -> None:
    """Framings of every other image that has a map, and what is usual; maps are by each source in turn."""
    rng = np.random.default_rng(8)
    maps = heat_maps(project, [record.id for record in project.images()])
    rows = {i: rng.normal(0, 0.15, 4) for i in list(maps)[::2]}
    for number, name in enumerate(sources):
        source = MapSource(name, "background", "guided")
        part = dict(list(maps.items())[number :: len(sources)])
        project.set_heat_maps(part, step=3, source=source, framings={i: rows[i] for i in part if i in rows})
    prior = Prior(0.4, 0.5, 0.1, 13, usual_width=0.1, usual_height=-0.1)
    project.save_survey(Survey(3, prior, source=source))


def test_a_curve_needs_a_heat_map_that_can_move_a_box_and_ends_when_asked(project: Project) -> None:
    against = against_truth(project)
    assert against is not None
    assert standing(against).text == "None of these images has a box yet."
    with pytest.raises(Cancelled):
        folder_curve(project, against, BoxOptions(), cancelled=lambda: True)
    with pytest.raises(Cancelled):
        measure_contrast(against, cancelled=lambda: True)
    own = dict.fromkeys((record.id for record in project.images()), 0.3)
    assert folder_curve(project, against, BoxOptions(thresholds=Thresholds.of(own))) is None
    set_truth(project, {record.id: [] for record in project.images()})
    assert against_truth(project) is None


def test_the_sentence_says_which_baseline_and_whether_chance_may_be_all() -> None:
    n = 100
    half = np.arange(n) < 50

    def said(right: np.ndarray) -> str:
        return reading.sentence("whole image", paired_bootstrap(right, half))

    assert said(np.arange(n) < 90).startswith(
        "40.0 points better than the strongest baseline, whole image (95\u00a0% interval +3"
    )
    assert said(np.arange(n) < 10).startswith("40.0 points worse than the strongest baseline, whole image (")
    shifted = (np.arange(n) >= 3) & (np.arange(n) < 54)
    none = "No significant difference from the strongest baseline, whole image (95\u00a0% interval "
    assert said(shifted).startswith(none + "-")
    assert said(half) == none + "+0.0 to +0.0)."
