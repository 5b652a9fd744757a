"""What all heat maps together say: it comes back, in old projects too, and a damaged one is missing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.boxes.prior import Prior
from core.boxes.sureness import Sureness
from core.project.store import Project
from core.project.survey import MapSource, Survey

SURVEY = Survey(700, Prior(1.25, -3.5, 0.5, 99), Sureness(0.8, 0.5, 64))


@pytest.mark.parametrize(
    "survey",
    [
        SURVEY,
        Survey(1),
        Survey(2, prior=SURVEY.prior),
        Survey(2, prior=Prior(1.25, -3.5, 0.5, 99, 0.5, usual_width=0.25, usual_height=-0.5)),
        Survey(3, source=MapSource("ab", "real", "guided"), complete=False),
    ],
)
def test_a_survey_comes_back_after_reopening(tmp_path: Path, survey: Survey) -> None:
    path = tmp_path / "a.boxscout"
    with Project.open_or_create(path) as project:
        assert project.load_survey() is None
        assert project.prior() is None
        project.save_survey(Survey(5))
        project.save_survey(survey)
    with Project.open(path) as project:
        assert project.load_survey() == survey
        assert project.prior() == survey.prior


def test_a_project_from_before_gets_its_table(tmp_path: Path) -> None:
    path = tmp_path / "old.boxscout"
    Project.open_or_create(path).close()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE survey")
    db.close()
    with Project.open(path) as project:
        assert project.load_survey() is None
        project.save_survey(SURVEY)
        assert project.load_survey() == SURVEY


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"step": 1, "prior": 3, "sureness": null}', '{"step": 1, "prior": {"images": 2}}',
     '{"step": 1, "prior": null, "sureness": {"images": 2, "own": NaN, "other": 0.5}}'],
)  # fmt: skip
def test_what_cannot_be_understood_is_no_survey(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.boxscout"
    Project.open_or_create(path).close()
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO survey (id, json) VALUES (1, ?)", (text,))
    db.close()
    with Project.open(path) as project:
        assert project.load_survey() is None
