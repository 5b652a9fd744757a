"""Draw the session: each presenter keeps one view as the session says."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from app.models.pictures import to_qimage
from app.models.session import Session
from app.models.thumbnails import Thumbnails
from app.timers import one_shot
from app.views.canvas_bar import CanvasBar, CanvasBarState
from app.views.image_canvas import ImageCanvas
from app.views.image_list_view import ImageListView
from app.views.problems_panel import Problem, ProblemsPanel
from app.views.status_strip import StatusStrip
from core.base.language import tr
from core.maps.colouring import colourize

# The overlay is drawn smoothly over the image: more pixels than this would not be seen.
OVERLAY_SIDE = 512
PROBLEMS_WAIT_MS = 200
__all__ = ["CanvasPresenter", "StatusPresenter"]


class CanvasPresenter(QObject):
    """The image in view with its heat map and boxes, and the bar below it."""

    def __init__(
        self, session: Session, thumbnails: Thumbnails, canvas: ImageCanvas, bar: CanvasBar, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._thumbnails, self._canvas, self._bar = session, thumbnails, canvas, bar
        self._shown: int | None = None
        self._overlay_key: tuple[object, ...] | None = None
        self._overlay: QImage | None = None
        session.current_changed.connect(self._show_image)
        session.picture_changed.connect(self._show_image)
        session.heat_map_changed.connect(self._show_heat_map)
        session.heat_map_changed.connect(self._show_bar)
        session.boxes_changed.connect(self._show_boxes)
        session.view_changed.connect(self._on_view_changed)
        session.training_changed.connect(self._show_provisional)
        session.runs.changed.connect(self._show_boxes)
        session.project_changed.connect(self._show_image)
        self._show_image()
        self._show_bar()

    def _show_image(self) -> None:
        session, canvas = self._session, self._canvas
        record, picture = session.record, session.picture
        canvas.set_levels(picture.levels if picture is not None else None)
        same, self._shown = self._shown == session.current, session.current
        if record is None:
            canvas.set_image(None)
            scanning = bool(session.activities)
            canvas.set_message("" if scanning else tr("There is no image in this project"))
        elif picture is not None and picture.image is not None:
            size = picture.width, picture.height
            canvas.set_image(picture.image, record.name, size=size, keep_view=same)
        elif picture is not None:
            canvas.set_image(None, record.name)
            canvas.set_message(f"{record.name}\n{picture.reason}")
        else:
            self._show_placeholder()
        self._show_heat_map()
        self._show_boxes()
        self._show_bar()

    def _show_placeholder(self) -> None:
        """Until the image is decoded: its thumbnail at full size, so that nothing flickers."""
        record, canvas = self._session.record, self._canvas
        assert record is not None
        thumbnail = self._thumbnails.get(record) if record.width else None
        if thumbnail is not None and thumbnail.pixmap is not None:
            size = record.width, record.height
            canvas.set_image(thumbnail.pixmap.toImage(), record.name, size=size)
        else:
            canvas.set_image(None, record.name)
            canvas.set_message(tr("Loading…"))

    def _show_heat_map(self) -> None:
        session = self._session
        heat_map, size, view = session.heat_map, session.image_size, session.view
        if heat_map is None or size is None or not view.show_heat_map:
            self._overlay_key = None
            self._canvas.set_heat_map(None)
            return
        colour_map = view.colour_map
        key = (session.current, id(heat_map), colour_map, size)
        if key != self._overlay_key:
            scale = OVERLAY_SIDE / max(size)
            width, height = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
            pixels = colourize(heat_map, width=width, height=height, colour_map=colour_map)
            # Keeping the map keeps its id from being given to another one.
            self._overlay_key, self._overlay, self._kept = key, to_qimage(pixels), heat_map
        self._canvas.set_heat_map(self._overlay)

    def _show_boxes(self) -> None:
        session = self._session
        self._canvas.set_boxes(session.boxes)
        self._show_provisional()

    def _show_provisional(self) -> None:
        """What a network finds while it trains is not settled: dashed, and beside boxes that are there."""
        session = self._session
        running = session.training.phase.running and not session.is_provisional and not session.held
        is_live = session.current is not None and session.live.step_of(session.current) is not None
        self._canvas.set_provisional(
            tuple(one.box for one in session.provisional_boxes), is_all=running and is_live
        )

    def _on_view_changed(self) -> None:
        view = self._session.view
        self._canvas.set_opacity(view.opacity)
        self._canvas.set_side_by_side(view.side_by_side)
        self._canvas.set_display(view.display)
        shown = self._overlay_key is not None
        if self._session.view.show_heat_map != shown:
            self._show_heat_map()
        self._show_bar()

    def _show_bar(self) -> None:
        session = self._session
        view = session.view
        ruling = view
        if session.heat_map is None and session.runs.current is None:  # what the first run will go by
            ruling = session.view_for(session.results.free_kind.value)
        self._bar.set_state(
            CanvasBarState(
                rule=ruling.rule,
                threshold=ruling.options.threshold_of(session.current),
                all_images=not session.this_image_only,
                overridden=session.this_image_only,
                heat_map=view.show_heat_map,
                opacity=view.opacity,
                colour_map=view.colour_map,
                side_by_side=view.side_by_side,
                enabled=session.heat_map is not None,
                has_image=session.current is not None,
                zoom=self._canvas.zoom,
            )
        )


class StatusPresenter(QObject):
    """The status bar, the list's mark and the panel of files that cannot be used."""

    def __init__(
        self,
        session: Session,
        strip: StatusStrip,
        images: ImageListView,
        problems: ProblemsPanel,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._strip, self._images, self._problems = session, strip, images, problems
        # Listing the problems reads all images: not for each of a hundred bad thumbnails.
        self._wait = one_shot(self, PROBLEMS_WAIT_MS, self._show_problems)
        session.problems.changed.connect(self._wait.start)
        session.activity_changed.connect(self._show_activity)
        session.notice.connect(strip.say)
        session.current_changed.connect(self._show_current)
        session.picture_changed.connect(self._show_size)
        session.boxes_changed.connect(lambda: strip.set_boxes(session.boxes))
        session.project_changed.connect(self._show_current)

    def _show_current(self) -> None:
        self._images.set_current(self._session.current)
        self._strip.set_boxes(self._session.boxes)
        self._show_size()

    def _show_size(self) -> None:
        picture = self._session.picture
        self._strip.set_size(self._session.image_size, truncated=bool(picture and picture.truncated))

    def _show_activity(self) -> None:
        activities = list(self._session.activities.values())
        self._strip.set_activity(activities[0] if activities else None)

    def _show_problems(self) -> None:
        session = self._session
        problems = [Problem(file.path, file.reason) for file in session.problems.files]
        text = tr("Damaged; used as far as it can be read.")
        damaged = [Problem(path, text, warning=True) for path in session.problems.damaged]
        text = tr("This folder is not there.")
        away = [Problem(folder.root, text) for folder in session.problems.away]
        self._problems.set_problems([*away, *problems, *damaged])
        self._strip.set_problems(len(problems), len(damaged), away=len(away))
