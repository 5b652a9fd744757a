"""The preset with a generator in the real window: samples, MS-SSIM, heat maps of either unit, boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, fill, finish, start

from app.main_window import MainWindow
from app.models.training import Phase
from core.base.presets import PRESETS
from core.learn import checkpoint
from core.learn.engine import samples_of
from core.nets.projected import ProjectedDiscriminator
from core.project.workflow import saved_run

SMALL = PRESETS["generator"].with_(
    image_size=32, width=8, batch_size=4, steps=4, sample_every=2, snapshot_every=2, latent_size=8,
    device="cpu", precision="fp32",
)  # fmt: skip


def test_a_projected_training_shows_samples_diversity_maps_and_boxes(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    panel, session = window.train_panel, window.session
    form = panel.form
    form.preset_box.setCurrentIndex(form.preset_box.findData("generator"))
    assert form.config() == PRESETS["generator"].with_(device=form.config().device)
    fill(qtbot, window, folder, 12)
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    assert session.training.phase is Phase.FINISHED

    steps, values = panel.plot.points()["ms_ssim"]
    assert list(steps) == [2, 4] and all(0 <= value <= 1 for value in values)
    state = checkpoint.load(saved_run(session.project, "gan").file)
    assert isinstance(state.discriminator, ProjectedDiscriminator)
    assert panel.gallery.samples.count() == 64
    assert np.array_equal(session.samples, samples_of(state))

    assert session.project.load_survey().source.unit == "background"
    assert len(session.project.all_boxes()) == 12
    qtbot.waitUntil(lambda: bool(session.boxes), timeout=LONG)


def test_it_goes_on_after_a_stop(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    session = window.session
    fill(qtbot, window, folder, 12)
    start(qtbot, window, SMALL.with_(steps=100_000))
    qtbot.waitUntil(lambda: session.training.step >= 2, timeout=LONG)
    qtbot.mouseClick(window.train_panel.stop_button, Qt.MouseButton.LeftButton)
    finish(qtbot, window)
    stopped = session.training.saved_step
    assert stopped >= 2
    window.workbench.start_training(SMALL.with_(steps=stopped + 2), resume=True)
    qtbot.waitUntil(lambda: session.training.phase.running, timeout=LONG)
    finish(qtbot, window)
    assert session.training.saved_step == stopped + 2
