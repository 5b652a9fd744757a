"""What is shown of the image in view is decided once, and anew only where something is another."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from window_support import LONG

from app.controllers.workbench import Workbench
from app.models import in_view
from app.models.evidence import Evidence, Picture
from app.models.in_view import Known, resolve
from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.boxes.options import BoxOptions
from core.project.rows import Kept

MINE = BoxRecord(Box(1, 2, 3, 4), source=Source.EDITED)
OLD = BoxRecord(Box(0, 0, 9, 9))
LEFT, RIGHT = (np.roll(np.eye(1, 16, 3, dtype=np.float32).repeat(16, 0), x, 1) for x in (0, 8))


def test_it_is_decided_once_for_many_asks(
    opened: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, decided = opened.session, []
    qtbot.waitUntil(lambda: session.has_evidence and session.picture is not None, timeout=LONG)
    monkeypatch.setattr(in_view, "image_overlap", lambda *_: decided.append(1))
    session.set_live_map(session.current, 1, LEFT)
    assert session.boxes and session.boxes == session.in_view.boxes
    session.change_view(opacity=0.25)
    assert session.in_view.is_live and len(decided) == 1
    session.change_view(threshold=0.9)
    assert session.boxes and len(decided) == 2


def test_whose_boxes_come_first(opened: Workbench) -> None:
    record, picture = opened.session.images.record(1), Picture(None, 40, 30)

    def middle(**known: object) -> float:
        return resolve(Known(record, picture, options=BoxOptions("component", 0.5), **known)).boxes[0].box.x0

    stored = Evidence(LEFT, Kept((OLD,)))
    assert middle(evidence=stored) < 20 <= middle(evidence=stored, live=RIGHT)
    assert middle(evidence=stored, live=RIGHT, is_provisional=True) < 20
    assert resolve(Known(record, picture, Evidence(LEFT, Kept((MINE,), edited=True)), RIGHT)).boxes == (MINE,)
    assert resolve(Known(record, picture, Evidence(None, Kept((OLD,))))).boxes == (OLD,)
    assert resolve(Known(record, picture, stored, RIGHT, is_learning=True)).unsettled
    assert not resolve(Known(record, picture, stored, is_learning=True)).unsettled
