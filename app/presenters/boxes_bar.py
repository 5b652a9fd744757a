"""What is said of all boxes together: what is in the way, else how steady they are, without a truth."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.presenters.part import Presenter
from app.views.boxes_bar import BoxesBar, BoxesBarState
from app.views.boxes_popup import BoxesPopup, StandingState
from app.wiring import follow
from core.base.language import tr
from core.boxes.sureness import Sureness
from core.nets.features import installed_runtime
from core.project.frozen import other_runtime
from core.project.search import goes_on
from core.project.survey import Survey


class BoxesPresenter(Presenter):
    """Draws and wires the row, and what the popup says of all boxes."""

    def __init__(self, bench: Workbench, bar: BoxesBar, popup: BoxesPopup, window: QWidget) -> None:
        super().__init__(bench, window)
        self._bar, self._popup, session = bar, popup, self._session
        popup.max_boxes_changed.connect(lambda count: session.change_view(max_boxes=count))
        bar.find_requested.connect(bench.localization.find_boxes_again)
        seen = session.survey_changed, session.heat_map_changed, session.view_changed, session.current_changed
        jobs = session.project_changed, session.learning.changed, session.activity_changed
        follow(self._show, *seen, *jobs, session.measures.changed)
        self._show()

    def _show(self) -> None:
        session, survey = self._session, self._session.survey
        max_boxes, row = session.view.max_boxes, BoxesBarState()
        standing = StandingState(max_boxes, enabled=session.heat_map is not None)
        if survey is not None and not session.in_view.is_live and not session.training.phase.running:
            otherwise = _other_looks(survey, max_boxes) or other_runtime(survey, installed_runtime())
            in_the_way = self._outdated(survey) or otherwise
            if in_the_way:
                busy = session.activities or session.is_training
                idle = not (busy or session.only_looks)
                rest = not otherwise and goes_on(survey)
                row = BoxesBarState(in_the_way, can_find=idle, goes_on=rest)
            elif survey.sureness is not None and session.measures.standing is None:
                sure = survey.sureness
                standing = replace(standing, text=summary(sure), tip=meaning(sure), caution=sure.is_doubtful)
        self._bar.set_state(row)
        self._popup.set_standing(standing)

    def _outdated(self, survey: Survey) -> str:
        if self._session.activities:
            return ""  # boxes may just be on their way
        if self._session.in_view.outdated:
            return tr("This image still has the heat map and boxes of an earlier choice of network.")
        if not survey.complete:
            return tr("The search was stopped. Some images have older boxes or none.")
        return ""


def _other_looks(survey: Survey, max_boxes: int) -> str:
    """What speaks for making the maps anew, for as many boxes as are wanted now."""
    looks = survey.source.looks if survey.source else ""
    if max_boxes > 1 and looks == "guided":
        return tr("These heat maps were made for one box per image. Neighbouring objects may appear as one.")
    if max_boxes == 1 and looks == "averaged":
        return tr(
            "These heat maps were made for several boxes per image. A single box can be found more precisely."
        )
    return ""


def summary(sure: Sureness) -> str:
    return tr("Consistency {share:.2f}. This is not accuracy. {verdict}.").format(
        verdict=sure.verdict, share=sure.beyond_chance
    )


def meaning(sure: Sureness) -> str:
    return "\n".join(
        (
            sure.sentence(),
            tr("0: every image gets the same box. 1: each box follows its image exactly."),
            tr(
                "This is not accuracy. Image contrast is consistent too, so even a network that has "
                "learned little can score high."
            ),
            tr("Measured when boxes were last found, with the rule and threshold used then."),
        )
    )
