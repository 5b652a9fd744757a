"""Figures as the paper shows them, drawn in a thread and written to a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal

from app import paths
from app.controllers.job import Controller, Job
from app.models.evidence import HeatMap, boxes_in
from app.models.figure import FigureRequest
from app.worker import Worker
from core.base.errors import BoxscoutError, ImageError
from core.base.language import tr
from core.boxes.options import BoxOptions
from core.boxes.rules import RULES
from core.images.decoding import decode
from core.learn.stopping import Estimate
from core.project.decide import decide
from core.project.frozen import FEATURES
from core.project.queries import kept
from core.project.store import Project

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.project.drawing import Panel

Stopping = Callable[[], bool]
MAX_SIDE = 512  # pixels; a page shows an image about this large


class FigureController(Controller):
    """Draws what the session shows, and what the project holds of images that are not in view."""

    saved = Signal(object)
    """The path of a figure that was written."""

    def save(self, request: FigureRequest) -> None:
        """Draw and write; :attr:`saved` follows, or an error."""
        draw = self._drawing(request)
        if draw is None:
            return

        def run(worker: Worker) -> None:
            # Drawing is rare and its library slow to load, so it waits until it is wanted.
            from core.project.drawing import write_figure

            write_figure(draw(worker.is_stopping), request.path)

        def done(_: object) -> None:
            self._session.notice.emit(tr("Figure saved as {name}.").format(name=request.path.name))
            self.saved.emit(request.path)

        Job(self._session, self._pump, "figure").start(run, text=tr("Drawing…"), can_stop=False, on_done=done)

    def _drawing(self, request: FigureRequest) -> Callable[[Stopping], Figure] | None:
        """What the thread does; everything of the session is read here, in the window's thread."""
        session = self._session
        project, options, step = session.project, session.view.options, session.training.step
        if project is None:
            return None
        name = paths.title(project.path)
        if request.kind == "boxes":
            live = session.live.maps_of(request.images)
            return lambda _: _boxes(project, options, request.images, name, live, step)
        if request.kind == "samples":
            samples = session.samples
            title = tr("{name}: samples at step {step:,}").format(name=name, step=step)
            return None if samples is None else lambda _: _samples(samples, title)
        if request.kind == "accuracy":
            title = tr("{name}: accuracy over training, rule “{rule}”")
            title = title.format(name=name, rule=tr(RULES[options.rule].title))
            return lambda stopping: _accuracy(project, options, title, stopping)
        points = [(p.step, p.ms_ssim) for p in session.learning.points if p.ms_ssim is not None]
        real = session.results.snapshots.real
        title = tr("{name}: MS-SSIM between samples").format(name=name)
        return lambda _: _diversity(points, real, title)


def _boxes(
    project: Project,
    options: BoxOptions,
    images: tuple[int, ...],
    name: str,
    live: Mapping[int, HeatMap],
    live_step: int,
) -> Figure:
    """Of the project's maps, and while a network trains of those of it that have been looked at."""
    from core.project.pages import MAX_IMAGES, boxes_page

    decide(project, options)
    panels, names = [], []
    for image_id in images:
        panel = _panel(project, image_id, options, live.get(image_id))
        if panel is not None:
            panels.append(panel)
            names.append(project.image(image_id).name)
        if len(panels) == MAX_IMAGES:
            break
    if not panels:
        raise BoxscoutError(tr("None of these images has a heat map yet: train or find boxes first."))
    step = live_step if live else project.heat_maps_step()
    survey = project.load_survey()
    if survey is not None and survey.source is not None and survey.source.unit == FEATURES:
        title = tr("{name}: box found, heat map and overlay")
    else:
        title = tr("{name}: box found, heat map and overlay, step {step:,}")
    return boxes_page(panels, names, title.format(name=name, step=step))


def _panel(project: Project, image_id: int, options: BoxOptions, live: HeatMap | None) -> Panel | None:
    """One image at the size of a page; None where it has no heat map or cannot be read."""
    from core.project.drawing import Panel

    record, kept_ = project.image(image_id), kept(project, [image_id])[image_id]
    heat_map = project.heat_map(image_id) if live is None else live
    if heat_map is None or not record.width:
        return None
    try:
        decoded = decode(record.path, max_side=MAX_SIDE)
    except ImageError:
        return None
    height, width = decoded.pixels.shape[:2]
    found = kept_.boxes
    if live is not None and not kept_.edited and not record.status.is_settled:
        found = boxes_in(live, options, size=(record.width, record.height), image_id=image_id)
    boxes = [b.box.scaled(width / record.width, height / record.height) for b in found]
    return Panel(decoded.pixels, heat_map, boxes[0] if boxes else None, others=tuple(boxes[1:]))


def _accuracy(project: Project, options: BoxOptions, title: str, stopping: Stopping) -> Figure:
    from core.project.course import course
    from core.project.pages import accuracy_page

    return accuracy_page(course(project, options, cancelled=stopping), title)


def _samples(samples: npt.NDArray[np.uint8], title: str) -> Figure:
    from core.project.pages import samples_page

    return samples_page(samples, title)


def _diversity(points: list[tuple[int, float]], real: Estimate | None, title: str) -> Figure:
    from core.project.pages import diversity_page

    if not points:
        raise BoxscoutError(tr("There is no MS-SSIM yet: train first."))
    return diversity_page(points, real, title)
