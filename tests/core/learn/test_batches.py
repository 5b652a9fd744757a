"""Windows: where they lie, and that nothing but the place tells both kinds apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.base.config import TrainConfig
from core.base.errors import BoxscoutError, TrainingError
from core.base.presets import OLD_PRESETS, PRESETS
from core.base.rng import Purpose, stream
from core.learn.batches import batch_at, batch_seen, presented, updates_of
from core.learn.training import Pool
from core.nets.augment import OFF_CENTRE, SHARE, border_windows, centre_windows, crop

PLAIN = TrainConfig(batch_size=8, device="cpu", augmentation=False)
CROPS = PLAIN.with_(crop_size=32, background=1.0)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), np.uint8)


def _places(n: int, side: int = 64) -> torch.Tensor:
    """Images whose channels hold each pixel's own x and y, as shares of the side, and the image's number."""
    axis = (torch.arange(side) + 0.5) / side
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    images = torch.stack([x, y, torch.zeros_like(x)]).repeat(n, 1, 1, 1)
    images[:, 2] = torch.arange(n).view(n, 1, 1) / n
    return images


def _edges(crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Left, top, right and bottom of windows cut from :func:`_places`, as shares of the side."""
    half = (crops[:, 0, 0, 1] - crops[:, 0, 0, 0]) / 2
    return (
        crops[:, 0, 0, 0] - half,
        crops[:, 1, 0, 0] - half,
        crops[:, 0, 0, -1] + half,
        crops[:, 1, -1, 0] + half,
    )


def test_middle_windows_touch_no_edge_and_have_the_shares_that_are_said() -> None:
    windows = centre_windows(4000, 64, stream(0, Purpose.CROPS))
    left, top, right, bottom = _edges(crop(_places(4000), windows, 32))
    assert min(left.min(), top.min()) > 0.04
    assert max(right.max(), bottom.max()) < 0.96
    share = right - left
    assert torch.allclose(share, bottom - top, atol=1e-4)
    assert share.min() == pytest.approx(SHARE[0], abs=0.005)
    assert share.max() == pytest.approx(SHARE[1], abs=0.005)
    off = ((left + right) / 2 - 0.5).abs().max()
    assert off == pytest.approx(OFF_CENTRE, abs=0.005)


def test_border_windows_lie_along_each_edge_equally_often_and_none_leaves_the_image() -> None:
    windows = border_windows(4000, 64, stream(0, Purpose.CROPS))
    edges = torch.stack(_edges(crop(_places(4000), windows, 32)))
    inside = torch.cat([edges[:2], 1 - edges[2:]])
    assert inside.min() > 0.0
    touching = inside < 1 / 64
    assert touching.any(dim=0).all()
    assert touching.float().mean(dim=1).numpy() == pytest.approx(np.full(4, 0.25), abs=0.03)


def test_both_kinds_are_drawn_from_the_same_images_at_the_same_scales() -> None:
    batch = presented(CROPS, _places(8), stream(0, Purpose.CROPS), None)
    assert batch.background is not None
    assert torch.allclose(batch.real[:, 2], batch.background[:, 2])
    many = (
        centre_windows(4000, 64, stream(1, Purpose.CROPS)),
        border_windows(4000, 64, stream(2, Purpose.CROPS)),
    )
    quartiles = [torch.quantile(kind.share, torch.tensor([0.25, 0.5, 0.75])) for kind in many]
    assert torch.allclose(*quartiles, atol=0.01)


def test_colours_and_mirrors_do_not_tell_the_kinds_apart() -> None:
    """On images without any place in them both kinds look alike: the same spread of colours."""
    config = CROPS.with_(augmentation=True)
    plain = torch.full((2000, 3, 8, 8), 0.2)
    batch = presented(config, plain, stream(0, Purpose.CROPS), stream(0, Purpose.AUGMENTATION))
    assert batch.background is not None
    for measure in (torch.mean, torch.std):
        real, background = (
            measure(part.flatten(2).mean(2), dim=0) for part in (batch.real, batch.background)
        )
        assert torch.allclose(real, background, atol=0.01)
    assert batch.real.flatten(1).mean(1).std() > 0.05


def test_what_is_seen_is_what_training_sees(images: np.ndarray) -> None:
    for config in (PLAIN, PLAIN.with_(augmentation=True), CROPS.with_(augmentation=True)):
        for step in (0, 5):
            seen = batch_seen(config, images, step=step)
            batch = batch_at(config, Pool(images, torch.device("cpu")), step)
            side = config.input_size
            assert seen.real.shape == (8, side, side, 3)
            assert seen.real.dtype == np.uint8
            expected = (batch.real.permute(0, 2, 3, 1).numpy() + 1) * 127.5
            assert np.abs(seen.real - expected).max() <= 0.51
            assert (seen.background is None) == (not config.background)
    assert len(batch_seen(CROPS, images, step=0, count=3).background) == 3
    assert not np.array_equal(batch_seen(PLAIN, images, step=0).real, batch_seen(PLAIN, images, step=1).real)


@pytest.mark.parametrize("room", (0.5, 4.0))
def test_a_card_with_room_holds_the_images_and_gives_the_same_batches(
    images: np.ndarray, room: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = torch.device("cpu")
    expected = batch_at(CROPS, Pool(images, cpu), 3)
    monkeypatch.setattr("core.learn.training.free_bytes", lambda device: int(room * images.nbytes))
    source = images.copy()
    pool = Pool(source, cpu)
    batch = batch_at(CROPS, pool, 3)
    assert len(pool) == len(images)
    assert torch.equal(batch.real, expected.real)
    assert torch.equal(batch.background, expected.background)
    source[:] = 0
    black = not pool.rows(np.arange(len(images))).any()
    assert black == (room < 2), "without room they are read where they lie"


def test_without_augmentation_whole_images_are_seen_as_they_are(images: np.ndarray) -> None:
    seen = batch_seen(PLAIN, images, step=0).real
    assert all(any(np.array_equal(picture, image) for image in images) for picture in seen)


def test_a_step_of_several_updates_shows_its_first(images: np.ndarray) -> None:
    critic = PLAIN.with_(objective="wgan-gp")
    assert updates_of(critic) == 5
    assert updates_of(CROPS.with_(objective="wgan-gp", adversarial=0.0)) == 1
    assert np.array_equal(batch_seen(critic, images, step=1).real, batch_seen(PLAIN, images, step=5).real)


def test_images_that_cannot_be_trained_on_are_refused(images: np.ndarray) -> None:
    with pytest.raises(TrainingError, match="at least 8"):
        batch_seen(PLAIN, images[:3], step=0)
    with pytest.raises(TrainingError, match="size"):
        batch_seen(PLAIN.with_(image_size=32), images, step=0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"image_size": 32, "crop_size": 64}, "Crop size must not be larger"),
        ({"background": 1.0}, "Background needs crops"),
        ({"adversarial": 0.0}, "nothing would be learned"),
        ({"crop_size": 48}, "Crop size must be one of none, 32, 64"),
    ],
)
def test_settings_that_contradict_each_other_are_told(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BoxscoutError, match=sentence):
        PLAIN.with_(**changes)


def test_the_published_preset_has_none_of_it_and_the_others_do() -> None:
    paper = PRESETS["paper"]
    assert (paper.crop_size, paper.background, paper.adversarial, paper.norm) == (None, 0.0, 1.0, "auto")
    assert paper.input_size == paper.image_size
    for preset in (PRESETS["scratch"], *OLD_PRESETS.values()):
        assert preset.background > 0
        assert preset.input_size == preset.crop_size == 32
