"""Projects, checkpoints, localizers and weights with bytes changed: no code run, no hang, one sentence."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from fault_support import SEED, TRIES, Tally, command, forked, forked_each
from learn_support import find_boxes

from core.base.annotations import Status
from core.base.config import ClassifierConfig, TrainConfig
from core.base.errors import DamagedProjectError
from core.base.preferences import Preferences, load
from core.images.sample import draw_sample
from core.images.scan import scan_folder
from core.learn import checkpoint
from core.learn import class_training as classify
from core.learn.engine import train
from core.maps.localizer import load_localizer
from core.nets.torch_file import NotReadable, read_tensors
from core.project.queries import class_maps, framings, heat_maps, kept, signatures
from core.project.rescue import rescue
from core.project.runs import runs
from core.project.store import Project

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]
PAGE = 4096
SMALL = TrainConfig(
    image_size=32, width=8, batch_size=8, steps=2, sample_every=2, snapshot_every=2, latent_size=16,
    device="cpu",
)  # fmt: skip


# ---- ways to damage bytes ----


def flipped(data: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(0, len(data), rng.integers(1, 9)):
        data[place] ^= 1 << int(rng.integers(8))


def cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[int(rng.integers(0, len(data))) :]


def emptied(data: bytearray, rng: np.random.Generator) -> None:
    page = PAGE * int(rng.integers(0, -(-len(data) // PAGE)))
    data[page : page + PAGE] = bytes(len(data[page : page + PAGE]))


def noisy(data: bytearray, rng: np.random.Generator) -> None:
    place, length = int(rng.integers(0, len(data))), int(rng.integers(1, PAGE))
    data[place : place + length] = rng.bytes(len(data[place : place + length]))


def swapped(data: bytearray, rng: np.random.Generator) -> None:
    one, other = (PAGE * int(i) for i in rng.integers(0, max(1, len(data) // PAGE), 2))
    data[one : one + PAGE], data[other : other + PAGE] = data[other : other + PAGE], data[one : one + PAGE]


def started_otherwise(data: bytearray, rng: np.random.Generator) -> None:
    """The first bytes say where all else lies: more is wrong with them than elsewhere."""
    for place in rng.integers(0, min(len(data), 400), rng.integers(1, 5)):
        data[place] = int(rng.integers(256))


WAYS = (flipped, cut, emptied, noisy, swapped, started_otherwise)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    WAYS[int(rng.integers(len(WAYS)))](changed, rng)
    return bytes(changed)


def tried(name: str, good: bytes, put: Callable[[bytes], None], look: Callable[[], object]) -> None:
    """``look`` at what ``put`` makes of damaged bytes, so many times as are asked for."""

    def try_one(number: int) -> None:
        put(damaged(good, np.random.default_rng((SEED, number))))
        look()

    tally = Tally(name)
    for number, outcome in enumerate(forked_each(TRIES, try_one)):
        tally.add(outcome, f"try {number}")
    tally.close()


# ---- the whole files ----


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of twelve drawn photos, four of them accepted, as ``a.boxscout``."""
    folder = tmp_path_factory.mktemp("whole")
    photos = draw_sample(folder / "photos", count=12, seed=1).parent / "images"
    find_boxes(photos, folder / "a.boxscout")
    with Project.open(folder / "a.boxscout") as project:
        project.set_statuses({image.id: Status.ACCEPTED for image in project.images()[:4]})
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints: of a GAN ``gan.pt``, with class labels ``class.pt``."""
    folder = tmp_path_factory.mktemp("saved")
    state = checkpoint.new_state(SMALL)
    for _ in train(SMALL, np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8), state):
        pass
    checkpoint.save(folder / "gan.pt", state)
    classify.save(
        folder / "class.pt", classify.new_state(ClassifierConfig(image_size=32, width=4), ["a", "b"])
    )
    return folder


def look_through(path: Path) -> None:
    """All that a window or a command reads of a project; a damaged one is rescued first."""
    try:
        Project.open(path).close()
    except DamagedProjectError:
        rescue(path)
    out = path.with_suffix(".csv")
    out.unlink(missing_ok=True)
    command("export", "--project", path, "--format", "csv", "--out", out)
    command("runs", "--project", path)
    with Project.open(path) as project:
        ids = [image.id for image in project.images()]
        kept(project, ids), project.no_object(), project.rejected(), runs(project)
        project.load_survey(), project.load_view(), project.prior()
        heat_maps(project, ids), class_maps(project, ids), framings(project, ids), signatures(project)


def test_projects(work: Path, tmp_path: Path) -> None:
    shutil.copytree(work / "a.boxscout-data", tmp_path / "a.boxscout-data")
    path = tmp_path / "a.boxscout"

    def put(data: bytes) -> None:
        for old in tmp_path.glob("a*"):
            if old.is_file():
                old.unlink()
        path.write_bytes(data)

    tried("projects", (work / "a.boxscout").read_bytes(), put, lambda: look_through(path))


def test_localizers(work: Path, tmp_path: Path) -> None:
    with Project.open(work / "a.boxscout") as project:
        good = runs(project)[0].file.read_bytes()
    place = tmp_path / "a.safetensors"
    tried("localizers", good, place.write_bytes, lambda: load_localizer(place))


@pytest.mark.parametrize("kind", ["gan", "class"])
def test_checkpoints(saved: Path, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "a.pt"
    loader = {"gan": checkpoint.load, "class": classify.load}[kind]
    tried(
        f"checkpoints, {kind}", (saved / f"{kind}.pt").read_bytes(), place.write_bytes, lambda: loader(place)
    )


@pytest.mark.parametrize("kind", ["gan", "class"])
def test_checkpoints_whose_checksums_fit(saved: Path, tmp_path: Path, kind: str) -> None:
    """What somebody changed on purpose, or before it was saved: the archive is whole, its pickle is not."""
    place = tmp_path / "a.pt"
    loader = {"gan": checkpoint.load, "class": classify.load}[kind]
    with zipfile.ZipFile(saved / f"{kind}.pt") as archive:
        parts = {one.filename: archive.read(one) for one in archive.infolist()}
    [pickled] = (name for name in parts if name.endswith("data.pkl"))

    def put(data: bytes) -> None:
        with zipfile.ZipFile(place, "w") as archive:
            for name, content in (parts | {pickled: data}).items():
                archive.writestr(name, content)

    tried(f"checkpoints with fitting checksums, {kind}", parts[pickled], put, lambda: loader(place))


def test_weights(tmp_path: Path) -> None:
    place = tmp_path / "a.pth"
    content = io.BytesIO()
    tensors = {f"layer{i}": torch.randn(8, i + 1) for i in range(9)} | {"count": torch.tensor(3)}
    torch.save(tensors, content, _use_new_zipfile_serialization=False)
    assert read_tensors(content.getvalue()).keys() == tensors.keys()

    def look() -> None:
        try:
            read_tensors(place.read_bytes())
        except NotReadable as error:
            assert str(error).endswith(".") and "\n" not in str(error)

    tried("weights", content.getvalue(), place.write_bytes, look)


def test_settings(tmp_path: Path) -> None:
    place = tmp_path / "settings.json"
    good = json.dumps({"language": "en", "kept_features": 3, "shortcuts": {"accept": ["A"]}}).encode()

    def look() -> None:
        assert isinstance(load(place)[0], Preferences)

    tried("settings", good, place.write_bytes, look)


# ---- files in one another's place, and files that would run something ----


def test_each_file_in_the_place_of_each_other(work: Path, saved: Path, tmp_path: Path) -> None:
    with Project.open(work / "a.boxscout") as project:
        localizer = runs(project)[0].file
    photo = scan_folder([work / "photos"]).images[0].path
    files = [work / "a.boxscout", localizer, saved / "gan.pt", saved / "class.pt", photo, Path(os.devnull)]
    places: dict[str, Callable[[Path], object]] = {
        "a.boxscout": look_through, "a.safetensors": load_localizer, "a.pt": checkpoint.load,
        "b.pt": classify.load, "settings.json": load,
    }  # fmt: skip
    tally = Tally("files in one another's place")
    for name, look in places.items():
        for file in files:
            place = tmp_path / name
            place.write_bytes(file.read_bytes())
            tally.add(forked(lambda look=look, place=place: look(place)), f"{file.name} as {name}")
    tally.close()


class _Runs:
    """A pickle of this calls something as soon as it is read."""

    def __init__(self, call: object, *arguments: object) -> None:
        self.call = call, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


def _deep(depth: int) -> bytes:
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def hostile_pickles(mark: Path) -> dict[str, bytes]:
    """Each would leave ``mark``, or take all memory or time."""
    runs_code = {
        "os.system": _Runs(os.system, f"touch {mark}"),
        "open": _Runs(open, str(mark), "w"),
        "exec": _Runs(exec, f"open({str(mark)!r}, 'w')"),
        "eval": _Runs(eval, f"open({str(mark)!r}, 'w')"),
        "Path.touch": _Runs(Path.touch, mark),
        "getattr": _Runs(getattr, os, "system"),
    }
    pickles = {
        name: pickle.dumps(one, protocol) for protocol in (2,) for name, one in runs_code.items()
        if name != "getattr"
    }  # fmt: skip
    pickles["an old class"] = f"cposix\nsystem\n(S'touch {mark}'\ntR.".encode()
    pickles["torch's own loader"] = b"ctorch\nload\n(S'" + str(mark).encode() + b"'\ntR."
    pickles["a far memo"] = b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b"."
    pickles["a long string"] = b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x."
    pickles["a long number"] = b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"."
    pickles["deep lists"] = _deep(100_000)
    pickles["a large storage"] = (
        b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        b"\x8a\x06" + (2**40).to_bytes(6, "little") + b"NtQ."
    )
    return pickles


def _as_zip(pickled: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return content.getvalue()


def test_files_that_would_run_something(tmp_path: Path) -> None:
    tally, mark, place = Tally("hostile pickles"), tmp_path / "it ran", tmp_path / "a.pt"
    magic, protocol, sizes = (pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, {}))

    def weights() -> None:
        with pytest.raises(NotReadable):
            read_tensors(place.read_bytes())

    looks = (lambda: checkpoint.load(place), lambda: classify.load(place), lambda: load_localizer(place))
    for name, pickled in hostile_pickles(mark).items():
        for data in (pickled, _as_zip(pickled), magic + protocol + sizes + pickled):
            place.write_bytes(data)
            for look in (*looks, weights):
                tally.add(forked(look), name)
                assert not mark.exists(), name
    tally.close()
