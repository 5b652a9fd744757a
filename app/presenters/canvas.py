"""The image in view with its heat map and boxes, the bar below it, and the hands on both."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu, QWidget

from app import style
from app.actions import CLASS_KEYS, CLASSES, fill_menu
from app.controllers.workbench import Workbench
from app.models.marks import mark_of_image
from app.models.pictures import to_qimage
from app.presenters.part import Handlers, Presenter
from app.views.box_editor import Change, Delete, Draw, Intent
from app.views.canvas_bar import CanvasBar, CanvasBarState
from app.views.class_chooser import ClassChooser
from app.views.display_popup import DisplayPopup
from app.views.image_canvas import ImageCanvas
from app.views.status_strip import StatusStrip
from app.wiring import follow
from core.base.annotations import Status
from core.base.language import number, tr
from core.boxes.outlines import Outline, cut_outlines
from core.boxes.rules import RULES, used_threshold
from core.images.display import Display
from core.maps.colouring import colourize

# The overlay is drawn smoothly over the image: more pixels than this would not be seen.
OVERLAY_SIDE = 512
_VERDICTS = ("accept", "reject", "no_object", "unmark")
_BOX_MENU = ("class", CLASSES, "", "copy", "duplicate", "delete_box", "", "zoom_to_box", "", *_VERDICTS)
_IMAGE_MENU = (
    "draw",
    "paste",
    "repeat",
    "",
    *_VERDICTS,
    "",
    "automatic",
    "clear",
    "",
    "fit",
    "actual_size",
    "heat_map",
)


class CanvasPresenter(Presenter):
    """What is shown of the image in view, and what is done to it."""

    def __init__(
        self, bench: Workbench, canvas: ImageCanvas, bar: CanvasBar, strip: StatusStrip, window: QWidget
    ) -> None:
        super().__init__(bench, window)
        self._canvas, self._bar, self._strip = canvas, bar, strip
        self._shown: int | None = None
        self._overlay_key: tuple[object, ...] | None = None
        self._overlay: QImage | None = None
        self._labelled = 0
        self.accepts_drawn = False
        """Whether a drawn box is accepted at once."""
        self.chooser, self.popup, self.menu = ClassChooser(window), DisplayPopup(window), QMenu(window)
        self._wire_canvas()
        self._wire_bar()
        session = self._session
        follow(self._show_image, session.current_changed, session.picture_changed, session.project_changed)
        follow(self._show_heat_map, session.heat_map_changed)
        follow(self._show_bar, session.heat_map_changed)
        follow(self._show_boxes, session.boxes_changed, session.runs.changed)
        follow(self._on_view_changed, session.view_changed)
        follow(self._show_marks, session.learning.changed)
        changed = session.boxes_changed, session.current_changed, session.selection_changed
        follow(self.update, bench.editing.history_changed, session.project_changed, *changed)
        self._show_image()

    def handlers(self) -> Handlers:
        session, editing, canvas = self._session, self._bench.editing, self._canvas
        copying = self._bench.copying
        return {
            "undo": editing.undo,
            "redo": editing.redo,
            "draw": canvas.start_drawing,
            "class": self._choose_class,
            **{
                f"class_{n}": lambda n=n: editing.give_class(n, canvas.selected_box or 0)
                for n in range(1, CLASS_KEYS + 1)
            },
            "next_box": canvas.select_next_box,
            "previous_box": lambda: canvas.select_next_box(-1),
            "copy": lambda: copying.copy(canvas.selected_box),
            "paste": copying.paste,
            "duplicate": lambda: copying.duplicate(canvas.selected_box or 0),
            "repeat": copying.repeat_previous,
            "delete_box": canvas.delete_selected,
            "clear": editing.clear,
            "automatic": editing.replace_by_automatic,
            "threshold_of_many": self._bench.browsing.set_threshold_of_many,
            "heat_map": lambda on: session.change_view(show_heat_map=on),
            "show_truth": lambda on: session.change_view(show_truth=on),
            "zoom_in": canvas.zoom_in,
            "zoom_out": canvas.zoom_out,
            "fit": canvas.fit,
            "actual_size": canvas.actual_size,
            "zoom_to_box": canvas.zoom_to_box,
            "side_by_side": lambda on: session.change_view(side_by_side=on),
            "display": self._show_display,
            "plain_display": lambda: session.change_view(display=Display()),
        }

    def _wire_canvas(self) -> None:
        canvas, editing = self._canvas, self._bench.editing
        canvas.edit_asked.connect(self._on_edit_asked)
        canvas.drag_changed.connect(self._strip.set_drag)
        canvas.cursor_moved.connect(self._strip.set_cursor)
        canvas.zoom_changed.connect(self._bar.set_zoom)
        canvas.menu_asked.connect(self._show_menu)
        canvas.selection_changed.connect(self.update)
        self.chooser.chosen.connect(lambda label: editing.relabel(self._labelled, label))
        self.popup.changed.connect(lambda display: self._session.change_view(display=display))

    def _wire_bar(self) -> None:
        bar, browsing, editing, session = self._bar, self._bench.browsing, self._bench.editing, self._session
        bar.threshold_changed.connect(browsing.set_threshold)
        bar.threshold_held.connect(editing.hold)
        bar.threshold_settled.connect(editing.settle)
        bar.rule_changed.connect(browsing.set_rule)
        bar.scope_changed.connect(lambda everywhere: browsing.set_this_image_only(not everywhere))
        bar.reset_threshold_requested.connect(browsing.reset_threshold)
        bar.opacity_changed.connect(lambda value: session.change_view(opacity=value))
        bar.colour_map_changed.connect(lambda name: session.change_view(colour_map=name))
        bar.heat_map_toggled.connect(lambda on: session.change_view(show_heat_map=on))
        bar.side_by_side_toggled.connect(lambda on: session.change_view(side_by_side=on))
        bar.display_requested.connect(self._show_display)
        bar.fit_requested.connect(self._canvas.fit)
        bar.actual_size_requested.connect(self._canvas.actual_size)

    def update(self) -> None:
        """Which commands make sense now, what undo would take back, and the sides of the selected box."""
        session, editing, canvas = self._session, self._bench.editing, self._canvas
        boxes, is_kept = bool(session.boxes), not session.only_looks
        is_shown = canvas.viewport_state is not None
        has_image = session.project is not None and session.current is not None
        canvas.set_may_draw(is_kept)
        self._enable({
            "undo": bool(editing.undo_text),
            "redo": bool(editing.redo_text),
            **dict.fromkeys(("zoom_in", "zoom_out", "fit", "actual_size", "heat_map"), has_image),
            **dict.fromkeys(("display", "plain_display", "side_by_side"), is_shown),
            **dict.fromkeys(("next_box", "previous_box", "zoom_to_box"), is_shown and boxes),
            **dict.fromkeys((f"class_{n}" for n in range(1, CLASS_KEYS + 1)), is_shown and is_kept),
            **dict.fromkeys(("class", "clear"), is_shown and boxes and is_kept),
            **dict.fromkeys(("draw", "paste", "repeat"), is_shown and is_kept),
            "copy": is_shown and boxes,
            "duplicate": is_shown and boxes and is_kept,
            "delete_box": canvas.selected_box is not None and is_kept,
            "automatic": session.in_view.held and is_kept,
            "threshold_of_many": len(session.selection) > 1 and session.heat_map is not None,
        })  # fmt: skip
        for name, title, what in (
            ("undo", tr("&Undo"), editing.undo_text),
            ("redo", tr("&Redo"), editing.redo_text),
        ):
            if name in self._actions:
                self._actions[name].setText(f"{title}: {what}" if what else title)
        self._check_view()
        self._strip.set_boxes(session.boxes, canvas.selected_box)

    def _check_view(self) -> None:
        view = self._session.view
        self._check(
            {"side_by_side": view.side_by_side, "heat_map": view.show_heat_map, "show_truth": view.show_truth}
        )

    def _on_edit_asked(self, intent: Intent) -> None:
        editing = self._bench.editing
        if isinstance(intent, Draw):
            self._bench.review.draw(intent.box, adds=intent.adds, accepts=self.accepts_drawn)
        elif isinstance(intent, Change):
            editing.change(intent.index, intent.box, nudged=intent.nudged)
        elif isinstance(intent, Delete):
            editing.delete(intent.index)

    def _choose_class(self) -> None:
        if self._canvas.boxes:
            self._labelled = self._canvas.selected_box or 0
            record, place = self._canvas.boxes[self._labelled], self._canvas.place_of(self._labelled)
            self.chooser.ask(self._bench.editing.labels(), record.label, place)

    def name_classes(self, is_open: bool) -> None:
        """Call the number keys in the menu by their classes while it is open; a hidden key would be dead."""
        names = self._bench.editing.class_names() if is_open else []
        for n in range(1, CLASS_KEYS + 1):
            action, name = self._actions[f"class_{n}"], names[n - 1] if n <= len(names) else ""
            action.setText(f"&{n}  {style.without_mnemonic(name)}" if name else tr("Class &{0}").format(n))
            action.setVisible(bool(name) or not is_open or not names)

    def _show_menu(self, at: QPoint) -> None:
        """About the selected box, else about the image."""
        is_box = self._canvas.selected_box is not None
        fill_menu(self.menu, self._actions, _BOX_MENU if is_box else _IMAGE_MENU)
        self.menu.popup(at)

    def _show_display(self) -> None:
        bar = self._bar
        button = bar.display_button if bar.display_button.isVisible() else bar.heat_button
        above = button.mapToGlobal(QPoint(0, 0)) - QPoint(0, self.popup.sizeHint().height())
        self.popup.ask(self._session.view.display, above)

    def _show_image(self) -> None:
        session, canvas = self._session, self._canvas
        record, picture = session.record, session.picture
        canvas.set_levels(picture.levels if picture is not None else None)
        same, self._shown = self._shown == session.current, session.current
        if record is None:
            canvas.set_image(None)
            scanning = bool(session.activities)
            canvas.set_message("" if scanning else tr("No image to show. Drop a folder of photos here."))
        elif picture is None:
            self._show_placeholder()
        else:
            size = picture.width, picture.height
            is_there = picture.image is not None
            canvas.set_image(picture.image, record.name, size=size, keep_view=same and is_there)
            if not is_there:
                canvas.set_message(f"{record.name}\n{picture.reason}")
        self._show_heat_map()
        self._show_boxes()
        self._show_bar()

    def _show_placeholder(self) -> None:
        """Until the image is decoded: its thumbnail at full size, so that nothing flickers."""
        record, canvas = self._session.record, self._canvas
        assert record is not None
        thumbnail = self._bench.browsing.thumbnails.get(record) if record.width else None
        if thumbnail is not None and thumbnail.pixmap is not None:
            canvas.set_image(thumbnail.pixmap.toImage(), record.name, size=(record.width, record.height))
        else:
            canvas.set_image(None, record.name)
            canvas.set_message(tr("Loading…"))

    def _show_heat_map(self) -> None:
        shown, view = self._session.in_view, self._session.view
        heat_map, size = shown.heat_map, shown.size
        if heat_map is None or size is None or not view.show_heat_map:
            self._overlay_key = None
            self._canvas.set_heat_map(None)
            self._canvas.set_outlines(())
            return
        absolute = RULES[view.rule].absolute
        key = (self._session.current, id(heat_map), view.colour_map, absolute, size)
        if key != self._overlay_key:
            scale = OVERLAY_SIDE / max(size)
            width, height = (max(1, round(side * scale)) for side in size)
            pixels = colourize(
                heat_map,
                width=width,
                height=height,
                colour_map=view.colour_map,
                absolute=absolute,
                fades=True,
            )
            # Keeping the map keeps its id from being given to another one.
            self._overlay_key, self._overlay, self._kept = key, to_qimage(pixels), heat_map
        self._canvas.set_heat_map(self._overlay)
        self._show_cut()

    def _show_cut(self) -> None:
        """Where the map is cut for the boxes in sight; a person's own boxes follow no map."""
        session, shown = self._session, self._session.in_view
        view = session.view
        lines: tuple[Outline, ...] = ()
        if shown.heat_map is not None and view.show_heat_map and not shown.kept.edited:
            threshold = view.options.threshold_of(session.current)
            lines = cut_outlines(shown.heat_map, rule=view.rule, threshold=threshold)
        self._canvas.set_outlines(lines)

    def _show_boxes(self) -> None:
        session, shown = self._session, self._session.in_view
        self._canvas.set_boxes(shown.boxes, held=shown.held)
        status = Status.UNSEEN if session.record is None else session.record.status
        mark = mark_of_image(status, boxes=len(shown.boxes), edited=shown.kept.edited)
        self._canvas.set_status(status, mark)
        self._show_cut()
        self._show_marks()

    def _show_marks(self) -> None:
        """What a network finds while it trains is not settled: dashed, and beside boxes that are there."""
        shown = self._session.in_view
        self._canvas.set_provisional(tuple(one.box for one in shown.provisional), is_all=shown.unsettled)
        truth, text = (shown.truth if self._session.view.show_truth else ()), ""
        if shown.overlap is not None:
            iou = tr("true box, IoU {overlap}").format(overlap=number(shown.overlap, ".2f"))
            text = iou if shown.boxes else tr("true box, not found")
        self._canvas.set_truth([one.box for one in truth], text)

    def _on_view_changed(self) -> None:
        view = self._session.view
        self._canvas.set_opacity(view.opacity)
        self._canvas.set_side_by_side(view.side_by_side)
        self._canvas.set_display(view.display)
        if view.show_heat_map != (self._overlay_key is not None):
            self._show_heat_map()
        self._show_marks()
        self._show_bar()
        self._check_view()

    def _show_bar(self) -> None:
        session, view = self._session, self._session.view
        ruling = view
        if session.heat_map is None and session.runs.current is None:  # what the first run will go by
            ruling = session.view_for(session.results.free_kind.value)
        self._bar.set_state(
            CanvasBarState(
                rule=ruling.rule,
                threshold=ruling.options.threshold_of(session.current),
                automatic=used_threshold(ruling.rule, None),
                all_images=not session.this_image_only,
                heat_map=view.show_heat_map,
                opacity=view.opacity,
                colour_map=view.colour_map,
                side_by_side=view.side_by_side,
                enabled=session.heat_map is not None,
                has_image=session.current is not None,
                zoom=self._canvas.zoom,
            )
        )
