"""Training with class labels: it learns, its rate is as published, and it resumes exactly."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.base.config import ClassifierConfig
from core.base.errors import BoxscoutError, CheckpointError, TrainingError
from core.base.presets import CLASSIFIER_PRESETS
from core.base.ranks import Ranks
from core.base.rng import Purpose, stream
from core.learn import checkpoint
from core.learn import class_training as classify
from core.learn.class_training import ClassifierState, learning_rate_at, new_state, train_classifier
from core.learn.training import epoch_order
from core.maps.heatmap import heat_maps
from core.nets.resnet import PreActResNet34

SMALL = ClassifierConfig(image_size=32, width=8, batch_size=8, steps=6, report_every=2, device="cpu")
CLASSES = ("dark", "light")


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(20) % 2


def _tensors(state: ClassifierState) -> dict[str, torch.Tensor]:
    tensors = {key: value.clone() for key, value in state.network.state_dict().items()}
    for i, moments in state.optimizer.state_dict()["state"].items():
        tensors[f"momentum.{i}"] = moments["momentum_buffer"].clone()
    return tensors


@pytest.mark.parametrize(
    ("precision", "hide", "stop"), [("fp32", 0.0, 1), ("bf16", 0.0, 3), ("fp32", 0.5, 3), ("bf16", 0.5, 1)]
)
def test_resume_from_a_checkpoint_is_bit_for_bit(
    images: np.ndarray, labels: np.ndarray, tmp_path: Path, precision: str, hide: float, stop: int
) -> None:
    config = SMALL.with_(precision=precision, hide=hide)
    whole, first = new_state(config, CLASSES), new_state(config, CLASSES)
    unbroken = list(train_classifier(config, images, labels, whole))
    begun = list(islice(train_classifier(config, images, labels, first), stop))
    classify.save(tmp_path / "a.pt", first)
    torch.rand(7)  # what others draw from the global generator must not matter
    resumed_state = classify.load(tmp_path / "a.pt")
    resumed = list(train_classifier(config, images, labels, resumed_state))
    ours, theirs = _tensors(resumed_state), _tensors(whole)
    assert ours.keys() == theirs.keys()
    assert not [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert resumed_state.history == whole.history
    assert [point.step for point in whole.history] == [2, 4, 6]
    assert [(p.loss, p.accuracy) for p in unbroken] == [(p.loss, p.accuracy) for p in begun + resumed]


def test_steps_equal_the_textbook_updates(images: np.ndarray, labels: np.ndarray) -> None:
    """Two steps against the update of momentum and weight decay written out."""
    config = SMALL.with_(precision="fp32", augmentation=False, steps=2)
    ours, plain = new_state(config, CLASSES), new_state(config, CLASSES)
    losses = [p.loss for p in train_classifier(config, images, labels, ours)]
    network = plain.network.train()
    velocity = [torch.zeros_like(parameter) for parameter in network.parameters()]
    expected = []
    for step, rate in enumerate((0.1, 0.001)):  # two steps: quarters 0 and 2
        rows = epoch_order(config.seed, 20, first=8 * step, count=8)
        batch = torch.from_numpy(images[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1
        chances = network(batch).softmax(dim=1)
        loss = -chances[torch.arange(8), torch.from_numpy(labels[rows])].log().mean()
        network.zero_grad()
        loss.backward()
        expected.append(loss.item())
        with torch.no_grad():
            for parameter, v in zip(network.parameters(), velocity, strict=True):
                v.mul_(0.9).add_(parameter.grad + 1e-4 * parameter)
                parameter.sub_(rate * v)
    assert losses == pytest.approx(expected, abs=1e-5)
    theirs = dict(network.named_parameters())
    for name, parameter in ours.network.named_parameters():
        assert torch.allclose(parameter, theirs[name], atol=3e-6), name


@pytest.mark.parametrize("steps", [4, 40, 100, 1000])
def test_the_rate_is_that_of_a_multi_step_schedule(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    quarters = [steps * i // 4 for i in (1, 2, 3)]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, quarters, gamma=0.1)
    for step in range(steps):
        assert learning_rate_at(step / steps, 0.1) == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()


def test_the_published_rate_falls_every_25_000_of_100_000_steps() -> None:
    steps = CLASSIFIER_PRESETS["paper"].steps
    edges = (0, 24_999, 25_000, 49_999, 50_000, 74_999, 75_000, 99_999)
    rates = [learning_rate_at(step / steps, 0.1) for step in edges]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 1e-4, 1e-4])


@given(st.integers(1, 10_000), st.data())
def test_a_quarter_is_never_a_rounding_away(steps: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, steps - 1))
    assert learning_rate_at(step / steps, 1.0) == pytest.approx(0.1 ** (4 * step // steps))


def test_the_optimizer_follows_the_rate(images: np.ndarray, labels: np.ndarray) -> None:
    config = SMALL.with_(steps=8)
    state = new_state(config, CLASSES)
    rates = []
    for _ in train_classifier(config, images, labels, state):
        rates.append(state.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 1e-4, 1e-4])


def _spots(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey noise with a bright square of 12 px: red in class 0, blue in class 1; and the squares' corners."""
    rng = np.random.default_rng(3)
    images = rng.integers(90, 150, (count, 32, 32, 3), np.uint8)
    labels = np.arange(count) % 2
    corners = rng.integers(0, 20, (count, 2))
    for image, label, (x, y) in zip(images, labels, corners, strict=True):
        image[y : y + 12, x : x + 12] = (250, 20, 20) if label == 0 else (20, 20, 250)
    return images, labels, corners


def _outranked(maps: np.ndarray, corners: np.ndarray) -> float:
    """The share of cells outside its square that a cell inside has more heat than, 0..1; chance is 1/2."""
    middles = (np.arange(8) + 0.5) * 4
    shares = []
    for heat, corner in zip(maps, corners, strict=True):
        x, y = ((middles >= low) & (middles < low + 12) for low in corner)
        inside = y[:, None] & x
        shares.append((heat[inside][:, None] > heat[~inside]).mean())
    return float(np.mean(shares))


def test_it_learns_two_classes_and_looks_at_what_tells_them_apart() -> None:
    """Over 8 seeds in each precision a square's cells outrank .86 of the others (deviation .04).

    In the map of the other class they outrank .14 (.04), and before training .44 (.20).
    """
    images, labels, corners = _spots(112)
    config = SMALL.with_(steps=60, batch_size=16, augmentation=False)
    state = new_state(config, ("red", "blue"))
    reports = list(train_classifier(config, images[:48], labels[:48], state))
    assert np.mean([p.accuracy for p in reports[-10:]]) > 0.95
    assert reports[-1].fraction == 1.0
    snapshot = classify.snapshot_of(state)
    assert not snapshot.network.training
    maps = heat_maps(snapshot.network, images[48:], classes=labels[48:])
    others = heat_maps(snapshot.network, images[48:], classes=1 - labels[48:])
    assert _outranked(maps, corners[48:]) > 0.7
    assert _outranked(others, corners[48:]) < 0.5


def test_hidden_patches_have_the_mean_colour_of_the_data(
    images: np.ndarray, labels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    forward = PreActResNet34.forward

    def spy(network: PreActResNet34, batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch.float().clone())
        return forward(network, batch)

    monkeypatch.setattr(PreActResNet34, "forward", spy)
    for hide in (0.0, 0.5):
        config = SMALL.with_(hide=hide, augmentation=False, precision="fp32")
        next(train_classifier(config, images, labels, new_state(config, CLASSES)))
    whole, hidden = seen
    mean = torch.from_numpy(images.reshape(-1, 3).mean(axis=0)).float() / 127.5 - 1
    changed = (whole != hidden).any(dim=1)
    assert 0.3 < changed.float().mean() < 0.7
    assert torch.allclose(hidden.permute(0, 2, 3, 1)[changed], mean, atol=1e-5)


def test_augmented_batches_are_those_of_the_gan(
    images: np.ndarray, labels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.base.config import TrainConfig
    from core.learn import batches
    from core.learn import class_training as classifier_training
    from core.learn.checkpoint import new_state as new_gan
    from core.learn.engine import train
    from core.nets.augment import augment

    seen: list[torch.Tensor] = []

    def spy(batch: torch.Tensor, rng: torch.Generator, *ranks: Ranks) -> torch.Tensor:
        seen.append(augment(batch, rng, *ranks))
        return seen[-1]

    for module in (batches, classifier_training):
        monkeypatch.setattr(module, "augment", spy)
    gan = TrainConfig(image_size=32, width=8, batch_size=8, steps=2, latent_size=4, device="cpu")
    next(train(gan, images, new_gan(gan)))
    next(train_classifier(SMALL, images, labels, new_state(SMALL, CLASSES)))
    assert len(seen) == 2
    assert torch.equal(seen[0], seen[1])
    rows = epoch_order(0, 20, first=0, count=8)
    plain = torch.from_numpy(images[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert torch.allclose(seen[1], augment(plain, stream(0, Purpose.AUGMENTATION, 0)), atol=1e-5)


def test_a_snapshot_does_not_change_while_training_goes_on(images: np.ndarray, labels: np.ndarray) -> None:
    state = new_state(SMALL, CLASSES)
    training = train_classifier(SMALL, images, labels, state)
    next(training)
    snapshot = classify.snapshot_of(state)
    kept = {key: value.clone() for key, value in snapshot.network.state_dict().items()}
    list(training)
    assert all(torch.equal(value, snapshot.network.state_dict()[key]) for key, value in kept.items())
    assert (snapshot.step, snapshot.classes) == (1, CLASSES)


def test_minutes_end_a_training_before_its_steps(images: np.ndarray, labels: np.ndarray) -> None:
    config = SMALL.with_(steps=100_000, minutes=0.02)
    reports = list(train_classifier(config, images, labels, new_state(config, CLASSES)))
    assert 1 <= len(reports) < 100_000
    assert reports[-1].fraction == 1.0


def test_one_class_is_refused_in_a_sentence() -> None:
    with pytest.raises(TrainingError, match="all images here are of the class 'cats'"):
        new_state(SMALL, ["cats"])
    with pytest.raises(TrainingError, match="at least two folders"):
        new_state(SMALL, [])


def test_too_few_images_and_wrong_sizes_are_refused(images: np.ndarray, labels: np.ndarray) -> None:
    state = new_state(SMALL, CLASSES)
    with pytest.raises(TrainingError, match="at least 8"):
        next(train_classifier(SMALL, images[:7], labels[:7], state))
    with pytest.raises(TrainingError, match="size"):
        next(train_classifier(SMALL.with_(image_size=64), images, labels, state))


def test_a_rate_that_breaks_down_is_a_sentence(images: np.ndarray, labels: np.ndarray) -> None:
    config = SMALL.with_(steps=200)
    state = new_state(config, CLASSES)
    with torch.no_grad():
        state.network.linear.weight.fill_(float("inf"))
    with pytest.raises(TrainingError, match="failed at step 1"):
        next(train_classifier(config, images, labels, state))


def test_checkpoints_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with pytest.raises(CheckpointError, match="no training"):
        classify.load(path)
    classify.save(path, new_state(SMALL, CLASSES))
    good = torch.load(path, weights_only=True)
    assert classify.load(path).classes == CLASSES
    for broken in (
        {**good, "format": checkpoint.FORMAT},
        {**good, "version": 99},
        {**good, "classes": ["one"]},
        {**good, "classes": ["one", "two", "three"]},
        {**good, "classes": None},
        {**good, "config": {**good["config"], "width": 16}},
        {**good, "optimizer": {}},
        {key: value for key, value in good.items() if key != "step"},
    ):
        torch.save(broken, path)
        with pytest.raises(CheckpointError):
            classify.load(path)
    classify.save(path, new_state(SMALL, CLASSES))
    with pytest.raises(CheckpointError, match="not a Boxscout checkpoint"):
        checkpoint.load(path)


@pytest.mark.parametrize(("name", "value"), [("batch_size", 1), ("width", 2), ("image_size", 65)])
def test_settings_outside_their_range_are_named(name: str, value: object) -> None:
    with pytest.raises(BoxscoutError, match="must"):
        ClassifierConfig(**{name: value})


def test_the_published_settings() -> None:
    paper = CLASSIFIER_PRESETS["paper"]
    assert (paper.steps, paper.batch_size, paper.width, paper.image_size) == (100_000, 256, 64, 64)
    assert paper.learning_rate == 0.1
    assert paper.augmentation
    group = new_state(SMALL, CLASSES).optimizer.param_groups[0]
    assert (group["momentum"], group["weight_decay"], group["nesterov"]) == (0.9, 1e-4, False)
    assert ClassifierConfig.from_dict(paper.to_dict()) == paper
