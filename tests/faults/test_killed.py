"""Killed with -9 at a random moment: what was acknowledged is there, and the next try finishes the work."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fault_support import SEED, TRIES, Tally, command, forked
from learn_support import copy_of, find_boxes

from core.base.annotations import BoxRecord, Source, Status
from core.base.config import TrainConfig
from core.base.geometry import Box
from core.formats import FORMATS
from core.formats.reading import read_truth
from core.images.sample import draw_sample
from core.learn import checkpoint
from core.learn.engine import train
from core.project.edits import BoxesEdit, StatusEdit
from core.project.queries import kept
from core.project.rows import Kept
from core.project.store import Project

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]
COUNT = 12
SMALL = TrainConfig(
    image_size=32, width=8, batch_size=8, steps=30, sample_every=30, snapshot_every=30, latent_size=16,
    device="cpu", precision="fp32",
)  # fmt: skip


def killed(work: Callable[[int], object], after_s: float) -> tuple[list[str], bool]:
    """Fork ``work``, which writes lines to a pipe, and kill it; whole lines, and whether it had ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return said.decode().split("\n")[:-1], os.WIFEXITED(status)


def whole_run_s(work: Callable[[int], object]) -> float:
    """How long ``work`` takes where nobody kills it: kills come at moments within."""
    began = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        pipe.read()
    os.waitpid(child, 0)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of twelve drawn photos with their boxes, six of them accepted."""
    folder = tmp_path_factory.mktemp("whole")
    photos = draw_sample(folder / "photos", count=COUNT, seed=1).parent / "images"
    outcome = forked(lambda: find_boxes(photos, folder / "a.boxscout"))  # its threads stay in the fork
    assert outcome.is_fine, outcome
    with Project.open(folder / "a.boxscout") as project:
        project.set_statuses({image.id: Status.ACCEPTED for image in project.images()[:6]})
    return folder


def is_whole(path: Path) -> None:
    """SQLite itself finds the file whole, and the program opens it."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    Project.open(path).close()


def approved(path: Path) -> dict[int, Kept]:
    with Project.open(path) as project:
        ids = [image.id for image in project.images() if image.status is Status.ACCEPTED]
        return dict(kept(project, ids))


def close(tally: Tally, ended: int) -> None:
    tally.name += f" ({ended} had ended before the kill)"
    tally.close()


def test_reviewing(whole: Path, tmp_path: Path) -> None:
    """Each edit is told once it is done, as the window shows it; what was told must be there."""
    rng, tally, ended = np.random.default_rng(SEED), Tally("killed: reviewing"), 0
    edits = 0
    place = copy_of(whole, tmp_path)
    path = place / "a.boxscout"

    def review(pipe: int) -> None:
        with Project.open(path) as project:
            view = project.load_view()
            for number in range(2_000):
                i = 1 + number % COUNT
                before, status = kept(project, [i])[i], project.image(i).status
                box = BoxRecord(
                    Box(1, 1, 10 + number / 100, 20), label="object", score=None, source=Source.EDITED
                )
                after = Kept((box,), edited=True)
                BoxesEdit({i: before}, {i: after}).apply(project, view)
                StatusEdit({i: status}, {i: Status.ACCEPTED}).apply(project, view)
                os.write(pipe, f"{number}\n".encode())

    def look(told: list[str]) -> None:
        is_whole(path)
        now = approved(path)
        for number in map(int, told[-COUNT:]):
            [box] = now[1 + number % COUNT].boxes
            there = round((box.box.x1 - 10) * 100)
            assert there in (number, number + COUNT), (there, number)

    for number in range(TRIES):
        told, has_ended = killed(review, float(rng.uniform(0.01, 0.6)))
        ended += has_ended
        edits += len(told)
        tally.add(forked(lambda told=told: look(told)), f"kill {number}, {len(told)} edits told")
    tally.name += f", {edits} edits told"
    assert edits > TRIES, "else nothing was tried"
    close(tally, ended)


@pytest.mark.parametrize("name", ["csv", "coco", "yolo"])
def test_exporting(whole: Path, tmp_path: Path, name: str) -> None:
    """The old file whole or the new one whole, and what is left of a kill stops no other export."""
    rng, tally, ended = np.random.default_rng(SEED), Tally(f"killed: exporting {name}"), 0
    place = copy_of(whole, tmp_path)
    out = place / f"set{FORMATS[name].suffix}"
    words = ("export", "--project", place / "a.boxscout", "--format", name, "--out", out)
    took = whole_run_s(lambda pipe: command(*words))
    is_folder = out.is_dir()

    def look() -> None:
        is_whole(place / "a.boxscout")
        if out.exists():
            assert len(read_truth(out)) == COUNT, "half an export"
            if is_folder:
                shutil.rmtree(out)
        command(*words)
        assert len(read_truth(out)) == COUNT

    for number in range(TRIES):
        if is_folder:
            shutil.rmtree(out, ignore_errors=True)
        _, has_ended = killed(lambda pipe: command(*words), float(rng.uniform(0, took)))
        ended += has_ended
        tally.add(forked(look), f"kill {number}")
    close(tally, ended)


@pytest.mark.parametrize("what", ["train", "learn", "localize"])
def test_commands(whole: Path, tmp_path: Path, what: str) -> None:
    rng, tally, ended = np.random.default_rng(SEED), Tally(f"killed: {what}"), 0
    photos, before = whole / "photos" / "images", approved(whole / "a.boxscout")
    place = tmp_path / "try"

    def again() -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        copy_of(whole, place)

    def words() -> tuple[object, ...]:
        own = {
            "train": (photos, "--restart", "--image-size", "224", "--threads", "1", "--device", "cpu"),
            "learn": (),
            "localize": (photos, "--again"),
        }[what]
        return (what, *own, "--project", place / "a.boxscout")

    def look() -> None:
        is_whole(place / "a.boxscout")
        assert approved(place / "a.boxscout") == before, "nothing approved is lost"
        command(*words())
        assert approved(place / "a.boxscout") == before
        is_whole(place / "a.boxscout")

    again()
    took = whole_run_s(lambda pipe: command(*words()))
    for number in range(TRIES):
        again()
        _, has_ended = killed(lambda pipe: command(*words()), float(rng.uniform(0, took)))
        ended += has_ended
        tally.add(forked(look), f"kill {number}")
    close(tally, ended)


def test_checkpoints_resume_bit_for_bit(tmp_path: Path) -> None:
    """A training saved after each step: what a kill leaves resumes to the weights of one never killed."""
    rng, tally, ended = np.random.default_rng(SEED), Tally("killed: checkpoints of a GAN"), 0
    pixels = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    file, target = tmp_path / "a.pt", tmp_path / "target.pt"

    def go_on(pipe: int, place: Path = file, *, every_step: bool = True) -> None:
        state = checkpoint.load(place) if place.exists() else checkpoint.new_state(SMALL)
        for _ in train(state.config, pixels, state):
            if every_step:
                checkpoint.save(place, state)
        checkpoint.save(place, state)

    took = whole_run_s(lambda pipe: go_on(pipe, target, every_step=False))
    wanted = checkpoint.load(target)

    def look() -> None:
        go_on(0, every_step=False)
        found = checkpoint.load(file)
        assert found.step == wanted.step
        for own in ("generator", "discriminator"):
            one, other = getattr(found, own).state_dict(), getattr(wanted, own).state_dict()
            assert all((one[name] == other[name]).all() for name in other), own
        assert json.dumps([p.d_loss for p in found.history]) == json.dumps([p.d_loss for p in wanted.history])

    for number in range(TRIES):
        for old in tmp_path.iterdir():
            if old != target:
                old.unlink()
        _, has_ended = killed(go_on, float(rng.uniform(0, 2 * took)))
        ended += has_ended
        tally.add(forked(look), f"kill {number}")
    close(tally, ended)
