"""Your own backbone: with networks made up here, and with timm and random weights where it is installed."""

from __future__ import annotations

import hashlib
import importlib.util
import socket
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.base.errors import Cancelled, FeaturesError
from core.nets.backbones import Offer
from core.nets.features import Features, features_named

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
CONFIG = {"mean": MEAN, "std": STD}


class TinyTransformer(nn.Module):
    """Patches of 14 px; a token is its patch's mean colour, behind two prefix tokens that would stand out."""

    num_prefix_tokens, num_features, pretrained_cfg = 2, 3, CONFIG
    patch_embed = SimpleNamespace(patch_size=(14, 14))

    def forward_features(self, images: Tensor) -> Tensor:
        tokens = nn.functional.avg_pool2d(images, 14).flatten(2).transpose(1, 2)
        return torch.cat([torch.full_like(tokens[:, :2], 1000.0), tokens], dim=1)


class TinyPyramid(nn.Module):
    """Maps of strides 4, 8, 8 and 16; the second of stride 8 is the last."""

    pretrained_cfg = CONFIG
    feature_info = SimpleNamespace(reduction=lambda: [4, 8, 8, 16], channels=lambda: [3, 3, 6, 3])

    def forward(self, images: Tensor) -> list[Tensor]:
        pooled = {stride: nn.functional.avg_pool2d(images, stride) for stride in (4, 8, 16)}
        return [pooled[4], pooled[8], torch.cat([pooled[8], -pooled[8]], dim=1), pooled[16]]


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in with two networks; ``loaded`` are the files it was given."""
    fake: Any = ModuleType("timm")
    fake.__version__ = "1.0"
    fake.loaded = []

    def create_model(name: str, **options: Any) -> nn.Module:
        if name == "pyramid" and "dynamic_img_size" in options:
            raise TypeError("unexpected keyword argument 'dynamic_img_size'")
        file = Path(options["pretrained_cfg_overlay"]["file"])
        if not file.read_bytes().startswith(b"weights"):
            raise RuntimeError("Missing key(s) in state_dict\nand more")
        fake.loaded.append(file)
        return TinyPyramid() if name == "pyramid" else TinyTransformer()

    def config(name: str) -> Any:
        return SimpleNamespace(hf_hub_id=f"timm/{name}") if name in ("tokens", "pyramid") else None

    fake.create_model, fake.get_pretrained_cfg = create_model, config
    monkeypatch.setitem(sys.modules, "timm", fake)
    monkeypatch.setitem(sys.modules, "safetensors", ModuleType("safetensors"))
    return fake


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"weights of anything")
    return path


def named(name: str, **options: Any) -> Features:
    return features_named(name, device="cpu", threads=1, **options)


def colours(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((2, 3, height, width), np.float32)


def normalised_means(batch: np.ndarray, stride: int) -> np.ndarray:
    n, c, height, width = batch.shape
    cells = batch.reshape(n, c, height // stride, stride, width // stride, stride).mean(axis=(3, 5))
    return (cells - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))


@pytest.mark.usefixtures("timm")
def test_tokens_lie_as_the_patches_do(file: Path) -> None:
    features = named("timm/tokens", weights=file)
    assert (features.strides, features.channels, features.multiple) == ((14,), (3,), 14)
    assert features.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert features.version == f"timm 1.0, torch {torch.__version__}, cpu, threads 1"
    batch = colours(28, 70)
    (maps,) = features.maps(batch)
    np.testing.assert_allclose(maps, normalised_means(batch, 14), atol=1e-5)


@pytest.mark.usefixtures("timm")
def test_a_side_that_is_no_multiple_of_the_patch_is_brought_to_one(file: Path) -> None:
    """64 x 96 px become 70 x 98: a ramp's cells stay where they are in the image."""
    ramp = np.broadcast_to(np.linspace(0, 1, 96, dtype=np.float32), (1, 3, 64, 96)).copy()
    (maps,) = named("timm/tokens", weights=file).maps(ramp)
    assert maps.shape == (1, 3, 5, 7)
    centres = (np.arange(7) + 0.5) / 7
    np.testing.assert_allclose(maps[0, 0] * STD[0] + MEAN[0], np.broadcast_to(centres, (5, 7)), atol=0.01)


@pytest.mark.usefixtures("timm")
def test_a_pyramid_gives_the_last_map_of_each_stride_from_8_on(file: Path) -> None:
    features = named("timm/pyramid", weights=file)
    assert (features.strides, features.channels, features.multiple) == ((8, 16), (6, 3), 16)
    batch = colours(32, 48)
    fine, coarse = features.maps(batch)
    np.testing.assert_allclose(fine[:, 3:], -normalised_means(batch, 8), atol=1e-5)
    np.testing.assert_allclose(coarse, normalised_means(batch, 16), atol=1e-5)


@pytest.mark.usefixtures("timm")
def test_what_does_not_fit_is_one_sentence(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told("There are no features “vgg”; choose efficientnet-lite0 or timm/NAME", "vgg")
    told("timm knows no network “nothing”", "timm/nothing", weights=file)
    told("is no safetensors file; other files may run code", "timm/tokens", weights=tmp_path / "a.pth")
    told("cannot be read: its folder does not exist", "timm/tokens", weights=tmp_path / "no.safetensors")
    file.write_bytes(b"other")
    told(
        r"mine.safetensors cannot be used as timm/tokens: Missing key\(s\) in state_dict",
        "timm/tokens",
        weights=file,
    )
    file.write_bytes(b"weights")
    monkeypatch.setattr(TinyTransformer, "num_features", 4)
    told("timm/tokens gives no maps of its image", "timm/tokens", weights=file)
    monkeypatch.setitem(sys.modules, "timm", None)
    told("needs the package timm .*pip install timm huggingface_hub safetensors", "timm/tokens", weights=file)


def told(pattern: str, name: str, **options: Any) -> None:
    with pytest.raises(FeaturesError, match=pattern) as caught:
        named(name, **options)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


# The hub


@pytest.fixture
def hub(timm: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for huggingface_hub; ``asked`` is what it was asked for, ``fails`` what it raises."""
    fake: Any = ModuleType("huggingface_hub")
    seen = SimpleNamespace(asked=[], fails=None, cached=None, files={"model.safetensors": 88_200_000})
    seen.card = {"license": "other", "license_name": "some-license"}

    def model_info(self: object, repository: str, *, files_metadata: bool) -> SimpleNamespace:
        assert files_metadata
        seen.asked.append(("info", repository))
        if seen.fails:
            raise seen.fails
        files = [SimpleNamespace(rfilename=name, size=size) for name, size in seen.files.items()]
        return SimpleNamespace(siblings=files, card_data=seen.card)

    def hf_hub_download(repository: str, name: str) -> str:
        seen.asked.append(("download", repository, name))
        path = tmp_path / "downloaded.safetensors"
        path.write_bytes(b"weights from afar")
        return str(path)

    fake.HfApi = type("HfApi", (), {"model_info": model_info})
    fake.hf_hub_download = hf_hub_download
    fake.try_to_load_from_cache = lambda repository, name: seen.cached
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    return seen


def test_licence_and_size_come_before_the_download(hub: SimpleNamespace) -> None:
    offers: list[Offer] = []

    def agree(offer: Offer) -> bool:
        assert hub.asked == [("info", "timm/tokens")]
        offers.append(offer)
        return True

    features = named("timm/tokens", agree=agree)
    assert features.name == "timm/tokens"
    assert [str(one) for one in offers] == [
        "timm/tokens is on huggingface.co/timm/tokens: 88 MB, licence some-license."
    ]
    assert hub.asked[1:] == [("download", "timm/tokens", "model.safetensors")]


def test_nothing_is_downloaded_without_agreement(hub: SimpleNamespace) -> None:
    with pytest.raises(Cancelled):
        named("timm/tokens", agree=lambda offer: False)
    told("88 MB, licence some-license. Nothing is downloaded before you agree", "timm/tokens")
    assert not [one for one in hub.asked if one[0] == "download"]


def test_what_was_downloaded_before_is_used_without_the_network(
    hub: SimpleNamespace, timm: Any, file: Path
) -> None:
    hub.cached = str(file)
    named("timm/tokens")
    assert timm.loaded == [file] and hub.asked == []


def test_a_hub_that_cannot_serve_is_one_sentence(hub: SimpleNamespace) -> None:
    hub.fails = OSError("no route\nto host")
    told(r"cannot be downloaded from .* \(no route\); download model.safetensors elsewhere", "timm/tokens")
    hub.fails, hub.files = None, {"pytorch_model.bin": 5}
    told("has no model.safetensors on huggingface.co/timm/tokens", "timm/tokens")


# timm itself


def real_timm() -> Any:
    """timm and safetensors; a skip where they are missing or torchvision does not fit the torch here."""
    for name in ("timm", "safetensors", "torchvision"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed here (extra “backbones”)")
    try:
        import timm
    except Exception as error:
        pytest.skip(f"timm cannot be imported beside this torch: {error}")
    return timm


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("vit_tiny_patch16_224.augreg_in21k", (96, 64)),
        ("vit_small_patch14_reg4_dinov2.lvd142m", (70, 42)),
        ("vit_small_patch16_dinov3.lvd1689m", (64, 96)),
        ("vit_base_patch16_224.mae", (64, 96)),
        ("convnext_atto.d2_in1k", (96, 64)),
        ("resnet18.a1_in1k", (64, 96)),
    ],
)
def test_maps_are_those_that_timm_lays_out(
    name: str, sides: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timm = real_timm()
    from safetensors.torch import save_file

    torch.manual_seed(0)
    config = timm.get_pretrained_cfg(name)
    whole = timm.create_model(name, pretrained=False, num_classes=config.num_classes).eval()
    file = tmp_path / "random.safetensors"
    save_file({key: value.contiguous() for key, value in whole.state_dict().items()}, file)

    def blocked(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket, "socket", blocked)
    features = named(f"timm/{name}", weights=file)
    batch = colours(*sides)
    x = (torch.from_numpy(batch) - torch.tensor(config.mean).view(3, 1, 1)) / torch.tensor(config.std).view(
        3, 1, 1
    )
    with torch.inference_mode():
        if len(features.strides) == 1:
            twin = timm.create_model(name, pretrained=False, num_classes=0, dynamic_img_size=True).eval()
            twin.load_state_dict(whole.state_dict(), strict=False)
            theirs = twin.forward_intermediates(x, indices=1, norm=True, intermediates_only=True)
        else:
            theirs = whole.forward_intermediates(x, intermediates_only=True)
    by_size = {one.shape[2:]: one for one in theirs}
    for stride, channels, ours in zip(features.strides, features.channels, features.maps(batch), strict=True):
        assert ours.shape == (2, channels, sides[0] // stride, sides[1] // stride)
        np.testing.assert_allclose(ours, by_size[ours.shape[2:]].numpy(), atol=1e-4)
