"""Average precision against pycocotools, and the table's counts against closed cases."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box
from core.boxes.overlap import Truth
from core.evaluate.average_precision import Detections, precision_of, precision_rows
from core.evaluate.matching import align
from core.evaluate.report import evaluate


def _random_images(seed: int, n: int = 40) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """True boxes, found boxes near some of them and anywhere else, and scores with many equal ones."""
    rng = np.random.default_rng(seed)
    true, found, scores = [], [], []
    for _ in range(n):
        corner = rng.uniform(0, 60, (rng.integers(1, 6), 2))
        own = np.hstack([corner, corner + rng.uniform(25, 40, corner.shape)])
        near = np.repeat(own, rng.integers(0, 4, len(own)), axis=0)
        near += rng.normal(0, 3.0, near.shape)
        lone = rng.uniform(0, 60, (rng.integers(0, 3), 2))
        boxes = np.vstack([near, np.hstack([lone, lone + 20])])
        true.append(own)
        found.append(boxes)
        scores.append(np.round(rng.random(len(boxes)), 1))
    return true, found, scores


def _by_pycocotools(
    true: list[np.ndarray], found: list[np.ndarray], scores: list[np.ndarray]
) -> tuple[float, float]:
    def xywh(box: np.ndarray) -> list[float]:
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    annotations = [
        {"id": k + 1, "image_id": i + 1, "category_id": 1, "bbox": xywh(box), "iscrowd": 0,
         "area": float(np.prod(xywh(box)[2:]))}
        for k, (i, box) in enumerate((i, box) for i, boxes in enumerate(true) for box in boxes)
    ]  # fmt: skip
    results = [
        {"image_id": i + 1, "category_id": 1, "bbox": xywh(box), "score": float(score)}
        for i, boxes in enumerate(found)
        for box, score in zip(boxes, scores[i], strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i + 1} for i in range(len(true))],
            "annotations": annotations,
            "categories": [{"id": 1, "name": "object"}],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[1]), float(judge.stats[0])


@pytest.mark.parametrize("seed", range(6))
def test_it_is_that_of_pycocotools(seed: int) -> None:
    true, found, scores = _random_images(seed)
    image_of_true = np.repeat(np.arange(len(true)), [len(boxes) for boxes in true])
    truth = Truth(np.vstack(true), image_of_true, np.full((len(true), 2), 100.0))
    image_of = np.repeat(np.arange(len(found)), [len(boxes) for boxes in found])
    detections = Detections(np.vstack(found), np.concatenate(scores), image_of)
    row = precision_of("any", detections, truth)
    ap50, ap = _by_pycocotools(true, found, scores)
    assert (row.ap50, row.ap) == pytest.approx((ap50, ap), abs=1e-6)
    assert 0.05 < ap < ap50 < 0.95  # a case that says something


def _image(name: str, *boxes: tuple[Box, float | None]) -> ImageBoxes:
    return ImageBoxes(name, 100, 100, tuple(BoxRecord(box, score=score) for box, score in boxes))


A, B, C = Box(0, 0, 20, 20), Box(50, 50, 90, 90), Box(0, 60, 30, 90)


def test_a_second_box_on_one_object_is_a_false_positive() -> None:
    truth = [_image("1", (A, None), (B, None)), _image("2", (C, None))]
    predicted = [_image("1", (A, 0.9), (Box(1, 0, 20, 20), 0.8), (B, 0.7)), _image("2", (A, 0.6))]
    ours, whole, centred = precision_rows(align(predicted, truth))
    assert (ours.found, ours.right, ours.false_positives, ours.missed) == (4, 2, 2, 1)
    # Right, wrong, right, wrong of three: precision 1 up to recall 1/3, then 2/3 up to recall 2/3.
    assert ours.ap50 == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    assert (whole.method, whole.found, whole.right) == ("whole image", 2, 0)
    assert (centred.method, centred.missed) == ("centred 80 %", 3)


def test_the_report_shows_it_where_an_image_has_several_boxes() -> None:
    one = [_image("1", (A, 0.5)), _image("2", (C, 0.4))]
    assert evaluate(one, one).precision == ()
    assert evaluate(one, one).precision_table() == []
    for predicted, truth in (
        ([_image("1", (A, 0.5), (B, 0.2))], [_image("1", (A, None))]),
        ([_image("1", (A, 0.5))], [_image("1", (A, None), (B, None))]),
    ):
        report = evaluate(predicted, truth)
        heading, ours, *baselines = report.precision_table()
        assert "false" in heading
        assert ours[0] == "predicted boxes"
        assert [row[0] for row in baselines] == ["whole image", "centred 80 %"]
        written = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert written["precision"][0]["false_positives"] == report.precision[0].false_positives


def test_a_persons_box_has_no_score_and_goes_first_and_no_box_at_all_is_worth_nothing() -> None:
    truth = [_image("1", (A, None)), _image("2", (B, None), (C, None))]
    predicted = [_image("1", (B, 0.99)), _image("2", (B, None), (C, None))]
    assert precision_rows(align(predicted, truth))[0].ap50 == pytest.approx(67 / 101)
    nothing = precision_rows(align([_image("1"), _image("2")], truth))[0]
    assert (nothing.ap50, nothing.ap, nothing.found, nothing.missed) == (0.0, 0.0, 0, 3)
