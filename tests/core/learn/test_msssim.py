"""MS-SSIM against two libraries, a published constant, and its own definition."""

from __future__ import annotations

import pytest
import torch
from pytorch_msssim import ms_ssim as pytorch_ms_ssim
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from core.learn.msssim import WEIGHTS, WINDOW, diversity, ms_ssim


def _pair(side: int, noise: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(4, 3, side // 8, side // 8, generator=rng)
    x = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear") * 255
    y = (x + noise * 255 * torch.randn(x.shape, generator=rng)).clamp(0, 255)
    return x, y


@pytest.mark.parametrize("side", [176, 192])
@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_equals_pytorch_msssim_on_large_images(side: int, noise: float) -> None:
    x, y = _pair(side, noise)
    ours = ms_ssim(x, y)
    theirs = pytorch_ms_ssim(x, y, data_range=255, size_average=False)
    assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("side", [176, 192])
@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_agrees_with_torchmetrics_on_one_channel(side: int, noise: float) -> None:
    """torchmetrics pads the coarsest scale by reflection where Wang et al. count valid positions only.

    On more channels it also averages before the power, where Wang et al. take it per channel.
    """
    x, y = (images[:, :1] for images in _pair(side, noise))
    theirs = multiscale_structural_similarity_index_measure(
        x, y, data_range=255.0, normalize="relu", reduction="none"
    )
    assert torch.allclose(ms_ssim(x, y), theirs, atol=1e-4 if noise < 0.1 else 5e-4)


@pytest.mark.parametrize("side", [192, 256])
@pytest.mark.parametrize("other", [False, True], ids=["noisy", "other images"])
def test_equals_torchmetrics_scale_by_scale(side: int, other: bool) -> None:
    """On colours and on unlike images too, once its reflected border is cut off and channels stay apart."""
    x, y = _pair(side, 0.1)
    y = y.roll(1, 0) if other else y
    ours, border, expected = ms_ssim(x, y), WINDOW // 2, torch.ones(4, 3)
    for i, weight in enumerate(WEIGHTS):
        for channel in range(3):
            one, two = x[:, channel : channel + 1], y[:, channel : channel + 1]
            _, similarity = structural_similarity_index_measure(
                one, two, data_range=255.0, reduction="none", return_full_image=True
            )
            _, contrast = structural_similarity_index_measure(
                one, two, data_range=255.0, reduction="none", return_contrast_sensitivity=True
            )
            valid = similarity[:, 0, border:-border, border:-border].mean(dim=(1, 2))
            mean = valid if i + 1 == len(WEIGHTS) else contrast
            expected[:, channel] *= mean.clamp(min=0) ** weight
        x, y = (torch.nn.functional.avg_pool2d(images, 2) for images in (x, y))
    assert torch.allclose(ours, expected.mean(dim=1), atol=1e-4)


def test_diversity_of_constant_images_is_the_known_value() -> None:
    """The check of the compare_gan code base: images of 1, 0.7 and 0 on a range of 255 give 0.989989."""
    images = torch.stack([torch.full((3, 64, 64), value) for value in (1.0, 0.7, 0.0)])
    assert diversity(images) == pytest.approx(0.989989, abs=1e-5)


def test_diversity_is_the_mean_over_all_pairs() -> None:
    rng = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (23, 3, 32, 32), generator=rng)
    n = len(images)
    matrix = torch.stack([ms_ssim(images[i : i + 1].expand(n, -1, -1, -1), images) for i in range(n)])
    assert diversity(images) == pytest.approx(float((matrix.sum() - n) / (n * n - n)), abs=1e-5)


def test_equal_images_score_one_and_collapse_scores_higher_than_noise() -> None:
    rng = torch.Generator().manual_seed(0)
    one = torch.randint(0, 256, (1, 3, 64, 64), generator=rng)
    same, different = one.expand(8, -1, -1, -1), torch.randint(0, 256, (8, 3, 64, 64), generator=rng)
    assert diversity(same) == pytest.approx(1.0, abs=1e-5)
    assert diversity(different) < 0.2


def test_inverted_images_at_64_pixels_are_a_number() -> None:
    """A negative contrast term has no real power; a plain power gives NaN on such pairs."""
    x, _ = _pair(64, 0.0)
    score = ms_ssim(x, 255 - x)
    assert torch.isfinite(score).all()
    assert (score >= 0).all()


def test_too_small_images_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        ms_ssim(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))
