"""Units that tell classes apart: maps by another way, their file there and back, files that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.base.errors import CheckpointError
from core.images.inputs import InputForm
from core.maps.cells import cells
from core.maps.class_units import ClassUnits
from core.maps.localizer import Localizer, load_localizer, save_localizer

RNG = np.random.default_rng(3)
CLASSES = ClassUnits(
    ("ant", "bee", "Käfer"),
    RNG.normal(size=(3, 8)).astype(np.float32),
    RNG.normal(size=3).astype(np.float32) / 4,
)
PLAIN = Localizer(
    method="corrections",
    features="two",
    sha256="0" * 64,
    version="numpy",
    form=InputForm(size=64, keep_aspect=True),
    strides=(16, 32),
    channels=(3, 5),
    cell=16,
    normalise=False,
    weights=np.ones(8, np.float32),
    bias=0.0,
    images=12,
)
UNIT = replace(PLAIN, classes=CLASSES)


def maps() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    shapes = ((2, 3, 4, 6), (2, 5, 2, 3))
    return tuple(rng.normal(size=shape).astype(np.float32) for shape in shapes)


def test_the_best_class_is_that_of_the_cells_one_by_one() -> None:
    answers = cells(maps(), normalise=False) @ CLASSES.weights.T + CLASSES.biases
    found = UNIT.class_maps(maps())
    assert [one.names for one in found] == [CLASSES.names] * 2
    np.testing.assert_array_equal(np.stack([one.cells for one in found]), answers.argmax(axis=3))
    assert len(np.unique(found[0].cells)) > 1, "or it would tell nothing"
    assert found[0].cells.dtype == np.uint8 and PLAIN.class_maps(maps()) == []


def test_classes_come_back_from_their_file_and_name_other_maps(tmp_path: Path) -> None:
    path = tmp_path / "unit.safetensors"
    save_localizer(path, UNIT)
    again = load_localizer(path)
    assert again.classes is not None and again.classes.names == CLASSES.names
    np.testing.assert_array_equal(again.classes.weights, CLASSES.weights)
    np.testing.assert_array_equal(again.classes.biases, CLASSES.biases)
    assert again.digest == UNIT.digest
    others = (
        replace(CLASSES, names=("ant", "bee", "cat")),
        replace(CLASSES, weights=-CLASSES.weights),
        replace(CLASSES, biases=-CLASSES.biases),
    )
    digests = {replace(PLAIN, classes=one).digest for one in (None, CLASSES, *others)}
    assert len(digests) == 5, "boxes depend on all of it"


NAMES: dict[str, Any] = {
    "no list": "ant",
    "none": [],
    "numbers": [1, 2, 3],
    "one twice": ["ant", "ant", "bee"],
    "an empty one": ["ant", "", "bee"],
    "half a letter": ["ant", "\ud800", "bee"],
    "too long": ["ant", "b" * 5000, "c"],
    "one too few": ["ant", "bee"],
    "thousands": [str(number) for number in range(3000)],
}
WEIGHTS: dict[str, Callable[[], dict[str, np.ndarray]]] = {
    "no weights": lambda: {"class_biases": CLASSES.biases},
    "no biases": lambda: {"class_weights": CLASSES.weights},
    "of another cell": lambda: {**CLASSES.tensors(), "class_weights": np.zeros((3, 9), np.float32)},
    "of two classes": lambda: {**CLASSES.tensors(), "class_biases": np.zeros(2, np.float32)},
    "float64": lambda: {**CLASSES.tensors(), "class_weights": np.zeros((3, 8))},
    "not finite": lambda: {**CLASSES.tensors(), "class_biases": np.full(3, np.nan, np.float32)},
}


@pytest.mark.parametrize("what", [*NAMES, *WEIGHTS])
def test_a_file_with_wrong_classes_is_one_sentence(tmp_path: Path, what: str) -> None:
    path = tmp_path / "unit.safetensors"
    save_localizer(path, UNIT)
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]["boxscout"])
    assert header["classes"] == list(CLASSES.names), "or this would test another place"
    header["classes"] = NAMES.get(what, header["classes"])
    tensors = WEIGHTS[what]() if what in WEIGHTS else CLASSES.tensors()
    save_file({"weights": UNIT.weights, **tensors}, path, {"boxscout": json.dumps(header)})
    with pytest.raises(CheckpointError, match=r"^“unit.safetensors” is damaged .*\.$"):
        load_localizer(path)
