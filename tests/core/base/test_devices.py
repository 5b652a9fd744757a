"""What precision ``auto`` is; and that a training never makes its graphics card wait, seen without a card.

Torch's device "meta" computes shapes alone: reading a value from it fails, and so does mixing it with the
CPU. A step that gets through reads nothing and mixes nothing on any other device either.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from core.base.config import FeaturesConfig, TrainConfig
from core.base.devices import resolve_device, to_device, uses_bf16
from core.base.errors import BoxscoutError, TrainingError
from core.base.presets import PRESETS
from core.learn.checkpoint import new_state
from core.learn.engine import train
from core.learn.losses import LossLog
from core.learn.objectives import OBJECTIVES
from core.nets import features

META = torch.device("meta")
PLAIN = TrainConfig(image_size=32, width=8, batch_size=8, latent_size=16, precision="fp32")
WINDOWS = PRESETS["scratch"].with_(
    adversarial=1.0, learning_rate=None, width=8, batch_size=8, precision="fp32"
)
CONFIGS = {
    **{name: PLAIN.with_(objective=name) for name in OBJECTIVES},
    "plain": PLAIN.with_(augmentation=False),
    "windows": WINDOWS,
    "norm": WINDOWS.with_(norm="image"),
    "no generator": WINDOWS.with_(adversarial=0.0),
    "projected": PRESETS["generator"].with_(width=8, precision="fp32"),
}


class Waiting(TorchDispatchMode):
    """Counts copies from the CPU that a graphics card would be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.copies = 0
        self.there = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        copies = {torch.ops.aten._to_copy.default: 0, torch.ops.aten.copy_.default: 1}
        if func in copies and args[copies[func]].device.type == "cpu":
            target = kwargs.get("device") if copies[func] == 0 else args[0].device
            if target is not None and torch.device(target).type == "meta":
                self.there += 1
                waits_not = kwargs.get("non_blocking") or (len(args) > 2 and args[2])
                self.copies += not waits_not
        return func(*args, **kwargs)


class Literal(TorchFunctionMode):
    """Counts tensors that are made from Python's numbers on the device: they are copied, and waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.tensor, torch.as_tensor) and str(kwargs.get("device")).startswith("meta"):
            self.made += 1
        return func(*args, **kwargs)


def test_what_waits_is_seen() -> None:
    with Waiting() as waiting, Literal() as literal:
        to_device(torch.zeros(3), META)
        assert (waiting.there, waiting.copies, literal.made) == (1, 0, 0)
        torch.zeros(3).to(META)
        torch.zeros(3, device=META).copy_(torch.zeros(3))
        torch.tensor([1.0], device=META)
        assert (waiting.copies, literal.made) == (2, 1)
        for refused in (
            lambda: torch.zeros(3, device=META) + torch.zeros(3),
            lambda: float(torch.zeros((), device=META)),
        ):
            with pytest.raises((RuntimeError, NotImplementedError)):
                refused()


@pytest.mark.skipif(
    tuple(map(int, version("kornia").split(".")[:2])) < (0, 9),
    reason="before 0.9, the newest for Python 3.10, Kornia's colours wait once in each batch",
)
@pytest.mark.parametrize("name", CONFIGS)
def test_a_step_waits_for_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = CONFIGS[name]
    monkeypatch.setattr("core.learn.engine.resolve_device", lambda _name: META)
    monkeypatch.setattr("core.learn.training.free_bytes", lambda _device: 2**40)
    # It is found once, before the first step.
    monkeypatch.setattr("core.learn.projected_game.find_direction", lambda *_: None)
    state = new_state(config)
    for optimizer in (state.g_optimizer, state.d_optimizer, state.f_optimizer):
        for group in optimizer.param_groups if optimizer else ():
            group["fused"] = False  # There is no fused Adam for shapes alone.
    # The losses of the very first step are waited for, those of step 10 next.
    state.losses = LossLog([(1.0, None, None, None)])
    side = config.image_size
    images = np.zeros((40, side, side, 3), np.uint8)
    steps = train(config, images, state)
    next(steps)  # it makes what the optimizers keep; those that follow are all alike
    with Waiting() as waiting, Literal() as literal:
        next(steps)
    assert waiting.there >= 1
    assert (waiting.copies, literal.made) == (0, 0)


def _losses(precision: str) -> list[float]:
    images = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), np.uint8)
    return [one.d_loss for one in train(PLAIN.with_(steps=3, precision=precision, device="cpu"), images)]


@pytest.mark.parametrize("forced", ["fp32", "bf16"])
def test_the_environment_says_what_auto_is(forced: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On any processor: bf16 is slow where the hardware has none, and computes the same."""
    monkeypatch.delenv("BOXSCOUT_PRECISION", raising=False)
    plain = {precision: _losses(precision) for precision in ("fp32", "bf16")}
    assert plain["fp32"] != plain["bf16"]
    monkeypatch.setenv("BOXSCOUT_PRECISION", forced)
    assert _losses("auto") == plain[forced]
    for precision, losses in plain.items():
        assert _losses(precision) == losses, "a chosen precision stays"


@pytest.mark.parametrize("wrong", ["auto", "FP32", "half"])
def test_a_precision_that_is_none_is_told_before_anything_is_trained(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXSCOUT_PRECISION", wrong)
    sentence = f"BOXSCOUT_PRECISION is '{wrong}'; set it to fp32 or bf16, or unset it."
    with pytest.raises(TrainingError, match=f"^{sentence}$"):
        _losses("auto")
    assert len(_losses("fp32")) == 3


# Which device a name stands for, without any of them


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(
    ("name", "device"),
    [("auto", "cuda"), ("cpu", "cpu"), ("cuda", "cuda"), ("cuda:0", "cuda:0"), ("cuda:1", "cuda:1")],
)
def test_cards_go_by_their_numbers(two_cards: None, name: str, device: str) -> None:
    assert resolve_device(name) == torch.device(device)


def test_a_card_that_is_not_there_is_a_sentence(two_cards: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match="no device 'cuda:2'; the last one here is 'cuda:1'"):
        resolve_device("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="No CUDA device"):
        resolve_device("cuda:0")
    assert resolve_device("auto") == torch.device("cpu")


def test_apples_gpu_is_used_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("mps") == torch.device("mps")
    assert resolve_device("auto") == torch.device("cpu")
    assert not uses_bf16("auto", torch.device("mps"))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="No Apple GPU"):
        resolve_device("mps")


@pytest.mark.parametrize("name", ["cuda:", "cuda:-1", "cuda:100", "mps:1", "cpu:0", "tpu", "xcuda:1"])
def test_no_other_name_is_a_device(name: str) -> None:
    with pytest.raises(BoxscoutError, match="Device must be one of auto, cpu, cuda, mps"):
        FeaturesConfig(device=name)
    assert FeaturesConfig(device="cuda:1").device == "cuda:1"


@pytest.mark.parametrize(
    ("cards", "system", "wanted"),
    [
        (0, ("linux", "x86_64"), ("auto", "cpu")),
        (1, ("linux", "x86_64"), ("auto", "cpu", "cuda")),
        (2, ("win32", "AMD64"), ("auto", "cpu", "cuda", "cuda:0", "cuda:1")),
        (0, ("darwin", "arm64"), ("auto", "cpu", "mps")),
        (0, ("darwin", "x86_64"), ("auto", "cpu")),
    ],
)
def test_the_devices_that_a_form_offers(
    monkeypatch: pytest.MonkeyPatch, cards: int, system: tuple[str, str], wanted: tuple[str, ...]
) -> None:
    monkeypatch.setattr(features, "graphics_cards", lambda: cards)
    monkeypatch.setattr(features.sys, "platform", system[0])
    monkeypatch.setattr(features.platform, "machine", lambda: system[1])
    assert features.devices_here() == wanted
