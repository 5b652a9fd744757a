"""Classes that boxes teach, on cells whose classes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import TrainingError
from core.learn.class_units import class_names, learn_classes
from core.learn.corrections import Reviewed
from core.learn.object_unit import Unit

SIDE, KINDS = 12, 10
LOOKS = np.random.default_rng(0).normal(size=(3, KINDS))
GROUND = np.random.default_rng(1).normal(size=KINDS)
# Of these three and the ground: it knows objects, whatever their class.
UNIT = Unit(
    np.linalg.lstsq(np.vstack([LOOKS, GROUND]), np.array([4, 4, 4, -4.0]), rcond=None)[0].astype(np.float32),
    0.0,
)
NAMES = ("ant", "bee", "cat")


def image(kind: int, seed: int, label: str | None = None) -> Reviewed:
    """One object of a kind; a quarter of its box, a corner, is ground."""
    rng = np.random.default_rng(seed)
    y, x = rng.integers(0, SIDE - 6, size=2)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y : y + 6, x : x + 6] = True
    mask[y : y + 3, x : x + 3] = False
    cells = np.where(mask[..., None], LOOKS[kind], GROUND) + 0.7 * rng.normal(size=(SIDE, SIDE, KINDS))
    box = np.array([[x, y, x + 6, y + 6]]) / SIDE
    return Reviewed(cells.astype(np.float16), box, (NAMES[kind] if label is None else label,))


def right(classes, kind: int, seed: int) -> float:
    """The share of an object's cells, clear of noise by a vote of a few, whose class is found."""
    one = image(kind, seed)
    hot = UNIT.logits(one.cells) > 0
    answers = one.cells[hot].astype(np.float32) @ classes.weights.T + classes.biases
    votes = np.bincount(answers.argmax(axis=1), minlength=len(classes.names))
    return float(classes.names[int(votes.argmax())] == NAMES[kind])


def test_a_few_boxes_of_each_class_teach_all_three() -> None:
    classes = learn_classes(UNIT, [image(k, seed) for k in range(3) for seed in range(4)], seed=0)
    assert classes is not None and classes.names == NAMES
    assert classes.weights.dtype == np.float32 and classes.weights.shape == (3, KINDS)
    found = [right(classes, k, 100 + seed) for k in range(3) for seed in range(20)]
    assert np.mean(found) > 0.95


def test_one_box_is_an_example_of_its_class() -> None:
    taught = [image(0, seed) for seed in range(6)] + [image(1, 50)]
    classes = learn_classes(UNIT, taught, seed=0)
    assert classes is not None and classes.names == NAMES[:2]
    assert np.mean([right(classes, 1, 100 + seed) for seed in range(20)]) > 0.8
    assert np.mean([right(classes, 0, 100 + seed) for seed in range(20)]) > 0.8


def test_where_all_boxes_have_one_class_all_cells_do() -> None:
    unnamed = [image(1, seed, label="object") for seed in range(3)]
    classes = learn_classes(UNIT, [*(image(0, seed) for seed in range(3)), *unnamed], seed=0)
    assert classes is not None and classes.names == ("ant",)
    assert classes.weights.shape == (1, KINDS)


def test_boxes_that_nobody_named_teach_no_class() -> None:
    assert learn_classes(UNIT, [image(k, k, label="object") for k in range(3)], seed=0) is None
    assert learn_classes(UNIT, [replace(image(k, k), labels=()) for k in range(3)], seed=0) is None


def test_an_empty_image_and_a_box_beside_all_heat_do_no_harm() -> None:
    empty = Reviewed(image(0, 1).cells, np.zeros((0, 4)))
    tiny = replace(image(1, 2), boxes=np.array([[0.0, 0.0, 1e-9, 1e-9]]))
    classes = learn_classes(UNIT, [image(0, 1), image(1, 3), empty, tiny], seed=0)
    assert classes is not None and np.isfinite(classes.weights).all() and np.isfinite(classes.biases).all()


def test_the_same_seed_gives_the_same_units() -> None:
    taught = [image(k, seed) for k in range(3) for seed in range(3)]
    one, other = (learn_classes(UNIT, taught, seed=4) for _ in range(2))
    assert one is not None and other is not None
    np.testing.assert_array_equal(one.weights, other.weights)


def test_more_classes_than_a_map_can_tell_apart_are_one_sentence() -> None:
    assert len(class_names(map(str, range(255)))) == 255
    with pytest.raises(TrainingError, match=r"^The reviewed boxes have 256 classes, and at most 255 can"):
        class_names(["object", *map(str, range(256))])
