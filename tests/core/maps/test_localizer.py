"""A localizer of frozen features: its maps by another way, its file there and back, files that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from core.base.errors import CheckpointError, FeaturesError
from core.boxes.no_object import PeakLevels
from core.images.decoding import Decoded
from core.images.inputs import InputForm
from core.maps.cells import cells
from core.maps.localizer import Localizer, Taught, load_localizer, save_localizer
from core.maps.stream import describe
from core.nets.features import Features

UNIT = Localizer(
    method="object",
    features="two",
    sha256="0" * 64,
    version="numpy 1, CPU, threads 1",
    form=InputForm(size=64, keep_aspect=True),
    strides=(16, 32),
    channels=(3, 5),
    cell=16,
    normalise=True,
    weights=np.linspace(-2, 3, 8).astype(np.float32),
    bias=-0.25,
    images=12,
)


#: A header as it was written before there were levels.
OF_BEFORE = {
    "version": 1,
    "method": "object",
    "features": "two",
    "sha256": "0" * 64,
    "runtime": "numpy 1, CPU, threads 1",
    "size": 64,
    "keep_aspect": True,
    "multiple": 32,
    "strides": [16, 32],
    "channels": [3, 5],
    "cell": 16,
    "normalise": True,
    "bias": -0.25,
    "images": 12,
}


def features(**changes: Any) -> Features:
    """Random but fixed maps of strides 8, 16 and 32."""

    def run(batch: np.ndarray) -> tuple[np.ndarray, ...]:
        n, _, height, width = batch.shape
        rng = np.random.default_rng(1)
        return tuple(
            rng.normal(size=(n, c, height // s, width // s)).astype(np.float32)
            for s, c in ((8, 2), (16, 3), (32, 5))
        )

    known = Features("two", "0" * 64, UNIT.version, (8, 16, 32), (2, 3, 5), run)
    return replace(known, **changes)


def described() -> Any:
    pixels = np.zeros((64, 96, 3), np.uint8)
    return describe(features(), [Decoded(pixels, 960, 640, False)] * 2)


def test_its_map_is_what_torch_makes_of_the_cells_one_by_one() -> None:
    found = UNIT.maps(described(), features())
    _, fine, coarse = (torch.from_numpy(maps) for maps in described().maps)
    both = [
        F.normalize(fine, dim=1),
        F.interpolate(F.normalize(coarse, dim=1), size=fine.shape[2:], mode="bilinear", align_corners=False),
    ]
    weights = torch.from_numpy(UNIT.weights)[None, :, None, None]
    wanted = torch.sigmoid((torch.cat(both, dim=1) * weights).sum(dim=1) + UNIT.bias)
    assert [one.shape for one in found] == [(4, 6)] * 2
    assert all(one.dtype == np.float32 for one in found)
    np.testing.assert_allclose(np.stack(found), wanted.numpy(), atol=1e-5)


def test_cells_are_what_it_reads() -> None:
    own = cells(described().maps[1:], normalise=True)
    assert own.shape == (2, 4, 6, 8)
    answers = 1 / (1 + np.exp(-(own @ UNIT.weights + UNIT.bias)))
    np.testing.assert_allclose(np.stack(UNIT.maps(described(), features())), answers, atol=1e-5)


def test_a_finer_stride_is_read_on_the_grid_of_its_cells() -> None:
    """As :mod:`core.learn.object_unit` learns: stride 8 brought to cells of 16 pixels."""
    weights = np.linspace(-1, 2, 10).astype(np.float32)
    unit = replace(UNIT, strides=(8, 16, 32), channels=(2, 3, 5), weights=weights)
    own = cells(described().maps, normalise=True, grid=1)
    assert own.shape == (2, 4, 6, 10)
    answers = 1 / (1 + np.exp(-(own @ weights + unit.bias)))
    np.testing.assert_allclose(np.stack(unit.maps(described(), features())), answers, atol=1e-5)


def test_what_is_finer_than_its_map_need_not_be_kept() -> None:
    weights = np.linspace(-1, 2, 10).astype(np.float32)
    unit = replace(UNIT, strides=(8, 16, 32), channels=(2, 3, 5), weights=weights)
    own = unit.read(described(), features())
    lean = unit.condensed(own)
    assert [one.shape[2:] for one in lean] == [(4, 6), (4, 6), (2, 3)]
    np.testing.assert_allclose(np.stack(unit.heat(lean)), np.stack(unit.heat(own)), atol=1e-6)


def test_what_taught_it_comes_back_and_names_no_other_maps(tmp_path: Path) -> None:
    path = tmp_path / "localizer.safetensors"
    taught = replace(UNIT, method="corrections", taught=Taught(12, 2, UNIT.digest))
    save_localizer(path, taught)
    assert load_localizer(path).taught == Taught(12, 2, UNIT.digest)
    assert replace(taught, taught=Taught(13, 2, UNIT.digest)).digest == taught.digest != UNIT.digest


def test_alone_or_among_others_an_image_has_the_same_map() -> None:
    both, batch = described(), features()
    alone = replace(both, rows=both.rows[:1], maps=tuple(maps[:1] for maps in both.maps))
    np.testing.assert_array_equal(UNIT.maps(alone, batch)[0], UNIT.maps(both, batch)[0])


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "localizer.safetensors"
    save_localizer(path, UNIT)
    again = load_localizer(path)
    assert replace(again, weights=UNIT.weights) == UNIT
    np.testing.assert_array_equal(again.weights, UNIT.weights)
    assert again.digest == UNIT.digest != replace(UNIT, bias=0.0).digest
    assert again.digest == replace(UNIT, version="another").digest, "what computes makes no other unit"
    assert path.stat().st_size < 2000


def test_its_levels_come_back_and_older_files_have_none(tmp_path: Path) -> None:
    path = tmp_path / "localizer.safetensors"
    known = replace(UNIT, levels=PeakLevels(objects=4.75, background=-2.1))
    save_localizer(path, known)
    assert load_localizer(path).levels == PeakLevels(objects=4.75, background=-2.1)
    assert header(path)["version"] == 1, "former versions read it, and pass over what they do not know"
    assert known.digest == UNIT.digest, "maps do not depend on them: none is made anew"
    save_file({"weights": UNIT.weights}, path, {"boxscout": json.dumps(OF_BEFORE)})
    assert load_localizer(path).levels is None
    assert replace(load_localizer(path), weights=UNIT.weights) == UNIT


def test_other_features_are_refused() -> None:
    UNIT.check(features())
    for changes in (
        {"sha256": "1" * 64},
        {"name": "three"},
        {"channels": (2, 3, 6)},
        {"strides": (4, 8, 32)},
    ):
        with pytest.raises(FeaturesError, match=r"train again.*\.$"):
            UNIT.check(features(**changes))


def header(path: Path) -> dict[str, Any]:
    size = int.from_bytes(path.read_bytes()[:8], "little")
    return json.loads(json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]["boxscout"])


HOSTILE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no dictionary": lambda header: [1],
    "a field away": lambda header: {k: v for k, v in header.items() if k != "bias"},
    "an unknown method": lambda header: {**header, "method": "os.system"},
    "strides that are words": lambda header: {**header, "strides": ["16", "32"]},
    "negative channels": lambda header: {**header, "channels": [-3, 11]},
    "channels beside the weights": lambda header: {**header, "channels": [3, 6]},
    "a stride of a million": lambda header: {**header, "strides": [16, 1_000_000]},
    "an input of a million": lambda header: {**header, "size": 1_000_000},
    "an input of nothing": lambda header: {**header, "multiple": 0},
    "a bias that is no number": lambda header: {**header, "bias": float("nan")},
    "a bias that is a word": lambda header: {**header, "bias": "0"},
    "no images": lambda header: {**header, "images": -1},
    "more images than there are": lambda header: {**header, "images": 2**70},
    "levels that are words": lambda header: {**header, "levels": {"objects": "a", "background": "b"}},
    "levels that are no numbers": lambda header: {
        **header,
        "levels": {"objects": float("inf"), "background": 0.0},
    },
    "one level": lambda header: {**header, "levels": {"objects": 1.0}},
    "a level too many": lambda header: {
        **header,
        "levels": dict.fromkeys(("objects", "background", "c"), 1.0),
    },
    "a level alone": lambda header: {**header, "levels": 1.0},
    "a name that is no text": lambda header: {**header, "features": "\ud800"},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_with_a_wrong_header_is_one_sentence(tmp_path: Path, what: str) -> None:
    path = tmp_path / "localizer.safetensors"
    save_localizer(path, UNIT)
    text = json.dumps(HOSTILE[what](header(path)))
    save_file({"weights": UNIT.weights}, path, {"boxscout": text})
    with pytest.raises(CheckpointError, match=r"^“localizer.safetensors” is damaged .*\.$"):
        load_localizer(path)


WEIGHTS: dict[str, np.ndarray] = {
    "float64": UNIT.weights.astype(np.float64),
    "too few": UNIT.weights[:-1],
    "a table": UNIT.weights.reshape(2, 4),
    "not finite": np.where(np.arange(8) == 3, np.inf, UNIT.weights).astype(np.float32),
    "a million": np.zeros(900_000, np.float32),
}


@pytest.mark.parametrize("what", WEIGHTS)
def test_a_file_with_wrong_weights_is_one_sentence(tmp_path: Path, what: str) -> None:
    path = tmp_path / "localizer.safetensors"
    save_localizer(path, UNIT)
    save_file({"weights": WEIGHTS[what]}, path, {"boxscout": json.dumps(header(path))})
    with pytest.raises(CheckpointError, match="damaged"):
        load_localizer(path)


def test_what_is_no_file_of_ours_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "localizer.safetensors"
    for data in (b"", b"PK\3\4", b"\xff" * 64, (2**62).to_bytes(8, "little") + b"{}"):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="damaged"):
            load_localizer(path)
    save_file({"weights": UNIT.weights}, path)
    with pytest.raises(CheckpointError, match="damaged"):
        load_localizer(path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_localizer(tmp_path / "nothing.safetensors")


def test_a_file_of_a_newer_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "localizer.safetensors"
    save_localizer(path, UNIT)
    save_file({"weights": UNIT.weights}, path, {"boxscout": json.dumps({**header(path), "version": 2})})
    with pytest.raises(CheckpointError, match="newer Boxscout"):
        load_localizer(path)
