"""Figures as the paper shows them, drawn in a thread and written to a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from app import paths
from app.models.evidence import HeatMap
from app.models.figure import FigureRequest
from app.models.session import Session
from app.models.training import Activity
from app.pump import Pump
from app.worker import Worker
from core.base.annotations import Status
from core.base.errors import BoxscoutError, ImageError
from core.base.language import tr
from core.boxes.rules import RULES
from core.boxes.several import find_boxes
from core.images.decoding import decode
from core.learn.stopping import Estimate
from core.project.decide import decide
from core.project.queries import kept
from core.project.store import Project, ProjectView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.project.drawing import Panel

ACTIVITY = "figure"
Stopping = Callable[[], bool]
MAX_SIDE = 512  # pixels; a page shows an image about this large


class FigureController(QObject):
    """Draws what the session shows, and what the project holds of images that are not in view."""

    saved = Signal(object)
    """The path of a figure that was written."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pump = pump

    def save(self, request: FigureRequest) -> None:
        """Draw and write; :attr:`saved` follows, or an error."""
        session = self._session
        draw = self._drawing(request)
        if draw is None:
            return

        def run(worker: Worker) -> None:
            # Drawing is rare and its library slow to load, so it waits until it is wanted.
            from core.project.drawing import write_figure

            write_figure(draw(worker.is_stopping), request.path)

        def done(_: object) -> None:
            session.set_activity(ACTIVITY, None)
            session.notice.emit(tr("Figure saved as {name}.").format(name=request.path.name))
            self.saved.emit(request.path)

        session.set_activity(ACTIVITY, Activity(text=tr("Drawing…"), can_stop=False))
        self._pump.run("figure", run, on_done=done, on_failed=lambda _: session.set_activity(ACTIVITY, None))

    def _drawing(self, request: FigureRequest) -> Callable[[Stopping], Figure] | None:
        """What the thread does; everything of the session is read here, in the window's thread."""
        session = self._session
        project, view, step = session.project, session.view, session.training.step
        if project is None:
            return None
        name = paths.title(project.path)
        if request.kind == "boxes":
            live = session.live_maps(request.images)
            return lambda _: _boxes(project, view, request.images, name, live, step)
        if request.kind == "samples":
            samples = session.samples
            title = tr("{name}: samples at step {step:,}").format(name=name, step=step)
            return None if samples is None else lambda _: _samples(samples, title)
        if request.kind == "accuracy":
            title = tr("{name}: accuracy over training, rule “{rule}”")
            title = title.format(name=name, rule=tr(RULES[view.rule].title))
            return lambda stopping: _accuracy(project, view, title, stopping)
        points = [(p.step, p.ms_ssim) for p in session.points if p.ms_ssim is not None]
        real = session.results.snapshots.real
        title = tr("{name}: MS-SSIM between samples").format(name=name)
        return lambda _: _diversity(points, real, title)


def _boxes(
    project: Project,
    view: ProjectView,
    images: tuple[int, ...],
    name: str,
    live: Mapping[int, HeatMap],
    live_step: int,
) -> Figure:
    """Of the project's maps, and while a network trains of those of it that have been looked at."""
    from core.project.pages import MAX_IMAGES, boxes_page

    decide(project, view)
    panels, names = [], []
    for image_id in images:
        panel = _panel(project, image_id, view, live.get(image_id))
        if panel is not None:
            panels.append(panel)
            names.append(project.image(image_id).name)
        if len(panels) == MAX_IMAGES:
            break
    if not panels:
        raise BoxscoutError(tr("None of these images has a heat map yet: train, or find boxes, first."))
    step = live_step if live else project.heat_maps_step()
    title = tr("{name}: box found, heat map and overlay, step {step:,}")
    return boxes_page(panels, names, title.format(name=name, step=step))


def _panel(project: Project, image_id: int, view: ProjectView, live: HeatMap | None) -> Panel | None:
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
    if live is not None and not kept_.edited and record.status is not Status.ACCEPTED:
        found = find_boxes(
            live,
            width=record.width,
            height=record.height,
            rule=view.rule,
            threshold=view.thresholds.get(image_id, view.threshold),
            max_boxes=view.max_boxes,
        )
    boxes = [b.box.scaled(width / record.width, height / record.height) for b in found]
    return Panel(decoded.pixels, heat_map, boxes[0] if boxes else None, others=tuple(boxes[1:]))


def _accuracy(project: Project, view: ProjectView, title: str, stopping: Stopping) -> Figure:
    from core.project.course import course
    from core.project.pages import accuracy_page

    return accuracy_page(course(project, view, cancelled=stopping), title)


def _samples(samples: npt.NDArray[np.uint8], title: str) -> Figure:
    from core.project.pages import samples_page

    return samples_page(samples, title)


def _diversity(points: list[tuple[int, float]], real: Estimate | None, title: str) -> Figure:
    from core.project.pages import diversity_page

    if not points:
        raise BoxscoutError(tr("There is no MS-SSIM yet: train first."))
    return diversity_page(points, real, title)
