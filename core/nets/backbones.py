"""Your own backbone: a network of timm (DINOv2, DINOv3, MAE, ConvNeXt, ...) behind the features' interface.

Its weights come from a safetensors file, named or downloaded from the hub once its licence and size have been
agreed to. Pickles are not read. timm, huggingface_hub and safetensors are the extra ``backbones``.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from core.base.atomic import os_errors
from core.base.devices import resolve_device
from core.base.errors import Cancelled, FeaturesError, as_reason
from core.base.language import number, tr
from core.nets.features import Features
from core.nets.torch_run import torch_run

PREFIX = "timm/"
_FILE = "model.safetensors"
_FINEST = 8  # stride; maps of smaller ones show edges and colours, and are large


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be downloaded: ``size`` in bytes, ``licence`` as the model card names it, or empty."""

    name: str
    repository: str
    licence: str
    size: int

    def __str__(self) -> str:
        return tr("{name} is on huggingface.co/{repository}: {size} MB, licence {licence}.").format(
            name=self.name,
            repository=self.repository,
            size=number(max(1, round(self.size / 1e6)), ",d"),
            licence=self.licence or tr("not stated"),
        )


Agree = Callable[[Offer], bool]


def load_backbone(
    name: str, *, device: str, threads: int, weights: Path | None, agree: Agree | None
) -> Features:
    """The features of ``timm/NAME``.

    Parameters
    ----------
    weights
        A safetensors file of this network; no network is used then. With None the file that was downloaded
        before, else ``agree`` is asked and it is downloaded.
    agree
        Asked before a download; where it is None nothing is downloaded.

    Raises
    ------
    FeaturesError
        A package or the weights are missing, do not fit, or cannot be had; the text says what to do.
    Cancelled
        ``agree`` said no.
    TrainingError
        The device is not there.
    """
    place = resolve_device(device)
    timm = _package("timm")
    _package("safetensors")
    known = name.removeprefix(PREFIX)
    config = _config(timm, known)
    path = _named(weights) if weights else _from_hub(name, str(config.hf_hub_id or ""), agree)
    sha256 = _sha256(path)
    network = _network(timm, known, path)
    run = torch_run(network, place, threads=threads)
    version = f"timm {timm.__version__}, torch {torch.__version__}, {place.type}, threads {threads}"
    return Features(name, sha256, version, network.strides, network.channels, run, network.multiple)


# The network


class Backbone(nn.Module):
    """RGB in 0..1 of any size -> maps; images are resized to the nearest multiples of ``multiple``."""

    mean: Tensor
    std: Tensor
    strides: tuple[int, ...]
    channels: tuple[int, ...]

    def __init__(self, network: Any, config: Any, multiple: int) -> None:
        super().__init__()
        self.network, self.multiple = network, multiple
        self.register_buffer("mean", torch.tensor(config["mean"]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config["std"]).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        sides = [max(1, round(side / self.multiple)) * self.multiple for side in images.shape[2:]]
        if sides != list(images.shape[2:]):
            images = interpolate(images, sides, mode="bilinear", antialias=True)
        return self.maps((images - self.mean) / self.std)

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        raise NotImplementedError


class Tokens(Backbone):
    """A vision transformer: its tokens after the last norm, laid out as the patches lie.

    Class and register tokens come first and are no places: they are dropped.
    """

    def __init__(self, network: Any) -> None:
        super().__init__(network, network.pretrained_cfg, int(max(network.patch_embed.patch_size)))
        self.prefix = int(network.num_prefix_tokens)
        self.strides, self.channels = (self.multiple,), (int(network.num_features),)

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        tokens = self.network.forward_features(images)[:, self.prefix :]
        height, width = (side // self.multiple for side in images.shape[2:])
        return (tokens.transpose(1, 2).unflatten(2, (height, width)),)


class Pyramid(Backbone):
    """A convolutional network: the last map of each stride from 8 on."""

    def __init__(self, network: Any) -> None:
        info = network.feature_info
        places = {stride: i for i, stride in enumerate(info.reduction()) if stride >= _FINEST}
        super().__init__(network, network.pretrained_cfg, max(places, default=32))
        self.places = tuple(places.values())
        self.strides = tuple(places)
        self.channels = tuple(info.channels()[i] for i in self.places)

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        maps = self.network(images)
        return tuple(maps[i] for i in self.places)


def _network(timm: Any, known: str, path: Path) -> Backbone:
    """The network with its weights, tried on a small image; FeaturesError where one of both does not work."""
    options = {"pretrained": True, "pretrained_cfg_overlay": {"file": str(path), "custom_load": False}}
    try:
        try:
            made = timm.create_model(known, num_classes=0, dynamic_img_size=True, **options)
            network: Backbone = Tokens(made)
        except (TypeError, AttributeError):  # no transformer, or one without a grid of patches
            network = Pyramid(timm.create_model(known, features_only=True, **options))
        side = 2 * network.multiple
        with torch.inference_mode():
            maps = network.eval()(torch.zeros(1, 3, side, 2 * side))
    except Exception as error:  # timm lets through whatever its networks raise
        raise FeaturesError(
            tr("{path} cannot be used as {name}: {reason}.").format(
                path=path, name=PREFIX + known, reason=as_reason(error)
            )
        ) from error
    expected = [
        (1, c, side // s, 2 * side // s) for s, c in zip(network.strides, network.channels, strict=True)
    ]
    if not expected or [tuple(one.shape) for one in maps] != expected:
        raise FeaturesError(
            tr("{name} gives no maps of its image; choose another network.").format(name=PREFIX + known)
        )
    return network


def _config(timm: Any, known: str) -> Any:
    try:
        config = timm.get_pretrained_cfg(known)
    except Exception as error:
        raise _unknown(known) from error
    if config is None:
        raise _unknown(known)
    return config


def _unknown(known: str) -> FeaturesError:
    return FeaturesError(
        tr(
            "timm knows no network “{known}”; “{python} -c 'import timm; print(timm.list_pretrained())'” "
            "lists those it knows."
        ).format(known=known, python=sys.executable)
    )


# Where its weights come from


def _named(path: Path) -> Path:
    if path.suffix != ".safetensors":
        raise FeaturesError(
            tr("{path} is no safetensors file; other files may run code and are not read.").format(path=path)
        )
    return path


def _from_hub(name: str, repository: str, agree: Agree | None) -> Path:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    hub = _package("huggingface_hub")
    if not repository:
        raise FeaturesError(
            tr("{name} is on no hub; name a safetensors file of its weights.").format(name=name)
        )
    there = hub.try_to_load_from_cache(repository, _FILE)
    if isinstance(there, str):
        return Path(there)
    try:
        offer = _offer(hub, name, repository)
        if agree is None:
            raise FeaturesError(str(offer) + " " + tr("Nothing is downloaded before you agree."))
        if not agree(offer):
            raise Cancelled(tr("{name} was not downloaded.").format(name=name))
        return Path(hub.hf_hub_download(repository, _FILE))
    except (FeaturesError, Cancelled):
        raise
    except Exception as error:  # the network's, the hub's and the disk's own kinds
        raise FeaturesError(
            tr(
                "{name} cannot be downloaded from huggingface.co/{repository} ({reason}); download {file} "
                "elsewhere and name that file."
            ).format(name=name, repository=repository, reason=as_reason(error), file=_FILE)
        ) from error


def _offer(hub: Any, name: str, repository: str) -> Offer:
    info = hub.HfApi().model_info(repository, files_metadata=True)
    sizes = {one.rfilename: one.size for one in info.siblings or ()}
    if _FILE not in sizes:
        raise FeaturesError(
            tr("{name} has no {file} on huggingface.co/{repository}; choose another network.").format(
                name=name, file=_FILE, repository=repository
            )
        )
    card = info.card_data or {}
    licence = card.get("license_name") or card.get("license") or ""
    return Offer(name, repository, str(licence), int(sizes[_FILE] or 0))


def _sha256(path: Path) -> str:
    with (
        os_errors(FeaturesError, tr("The weights {path} cannot be read: {reason}."), path=path),
        path.open("rb") as file,
    ):
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
        return digest.hexdigest()


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = tr("it is not installed") if error.name == name else as_reason(error)
    except Exception as error:  # torchvision beside another torch raises RuntimeError
        reason = as_reason(error)
    raise FeaturesError(
        tr(
            "A backbone of your own needs the package {name} ({reason}); install it with “{python} -m pip "
            "install timm huggingface_hub safetensors”."
        ).format(name=name, reason=reason, python=sys.executable)
    )
