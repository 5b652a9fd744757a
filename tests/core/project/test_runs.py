"""Runs: each training has its own place, and taking another one's boxes loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.images.scan import ImageFile
from core.project.places import Move, apply_move
from core.project.queries import heat_maps
from core.project.results import is_complete, is_provisional, results_of, take
from core.project.runs import (
    begin_run,
    current_run,
    delete_run,
    newest_finished_run,
    run_of,
    runs,
    set_finished,
)
from core.project.store import Project
from core.project.survey import MapSource, Survey

COUNT = 5


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open_or_create(tmp_path / "a.boxscout") as made:
        made.add_images([ImageFile(tmp_path / "photos", f"{i}.png", 9, 9) for i in range(COUNT)])
        made.set_sizes(dict.fromkeys(range(1, COUNT + 1), (40, 30)))
        yield made


def _box(left: float, source: Source = Source.AUTO) -> BoxRecord:
    return BoxRecord(Box(left, 2, left + 9, 20), score=0.5, source=source, threshold=0.2, rule="component")


def _find(project: Project, run_id: int, ids: list[int], left: float) -> None:
    """What a localization by a run does: maps full of ``left``, and boxes that begin there."""
    with results_of(project, run_of(project, run_id)) as place:
        source = MapSource(f"network {run_id}", "real", "plain")
        maps = {i: np.full((2, 2), left, np.float32) for i in ids}
        place.set_heat_maps(maps, step=run_id, source=source)
        place.set_auto_boxes({i: [_box(left + i)] for i in ids})
        place.set_no_object(dict.fromkeys(ids, left / 16))
        place.save_survey(Survey(run_id, source=source))


def _train(project: Project, kind: str = "gan") -> int:
    run = begin_run(project, kind)
    run.file.write_bytes(b"weights")
    set_finished(project, run)
    return run.id


def _state(project: Project) -> tuple[object, ...]:
    maps = {i: heat.tolist() for i, heat in heat_maps(project, range(1, COUNT + 2)).items()}
    sources = [project.map_source(i) for i in maps]
    return project.all_boxes(), maps, project.load_survey(), sources, project.no_object()


def _lefts(project: Project) -> dict[int, float]:
    return {i: boxes[0].box.x0 for i, boxes in project.all_boxes().items()}


def test_each_run_has_its_own_place_and_number(project: Project) -> None:
    first, second = _train(project), _train(project, "cam")
    one, other = runs(project)
    assert [one.id, other.id] == [first, second] and one.name == "Run 1" and one.day
    assert one.folder == project.data_dir / "runs" / "1" and other.file.name == "classifier.pt"
    delete_run(project, other)
    assert not other.folder.exists() and one.is_saved
    assert begin_run(project, "gan").id == 3, "a number is never given twice"
    newest = newest_finished_run(project, "gan")
    assert newest is not None and newest.id == 1, "the one that has just begun has learned nothing"
    with pytest.raises(ProjectError, match="Run 2 is not in"):
        run_of(project, 2)


def test_what_another_run_finds_waits_until_it_is_taken_and_can_be_given_back(project: Project) -> None:
    ids = list(range(1, COUNT + 1))
    first, second = _train(project), _train(project)
    _find(project, first, ids, 1)
    assert current_run(project) == run_of(project, first)
    project.set_boxes(2, [_box(7, Source.EDITED)])
    project.set_statuses({3: Status.ACCEPTED})
    project.set_statuses({4: Status.REJECTED})
    before = _state(project)

    assert is_provisional(project, run_of(project, second))
    _find(project, second, ids, 10)
    assert _state(project) == before
    assert is_complete(project, run_of(project, second)) and not is_complete(project, run_of(project, first))

    take(project, run_of(project, second))
    assert _lefts(project) == {
        1: 11,
        2: 7,
        3: 4,
        4: 14,
        5: 15,
    }
    assert project.heat_map(3).tolist() == [[10, 10], [10, 10]], "what it would follow if it were free again"
    assert project.no_object() == dict.fromkeys(ids, 10 / 16)
    assert project.image(3).status is Status.ACCEPTED and project.image(4).status is Status.REJECTED
    assert current_run(project) == run_of(project, second) and project.load_survey().step == second

    take(project, run_of(project, first))
    assert _state(project) == before


def test_images_that_a_run_has_not_seen_keep_what_they_have(project: Project, tmp_path: Path) -> None:
    first, second = _train(project), _train(project)
    _find(project, first, [1, 2, 3], 1)
    _find(project, second, [2, 3, 4], 10)
    project.add_images([ImageFile(tmp_path / "photos", "2.png", 77, 9)])  # another file since
    project.set_sizes({3: (40, 30)})
    before = _state(project)
    take(project, run_of(project, second))
    assert _lefts(project) == {1: 2, 2: 12, 3: 4, 4: 14}
    take(project, run_of(project, first))
    assert _state(project) == before, "image 4 has no box again"


def test_a_moved_folder_takes_what_waits_with_it(project: Project, tmp_path: Path) -> None:
    first, second = _train(project), _train(project)
    _find(project, first, [1], 1)
    _find(project, second, [1], 10)
    new = tmp_path / "elsewhere"
    apply_move(project, Move(tmp_path / "photos", new, {1: ImageFile(new, "0.png", 9, 12345)}, {}, ()))
    take(project, run_of(project, second))
    assert project.boxes(1)[0].box.x0 == 11


def test_the_current_run_cannot_be_deleted_and_nothing_can_be_taken_of_one_that_found_nothing(
    project: Project,
) -> None:
    first, second = _train(project), _train(project)
    _find(project, first, [1], 1)
    with pytest.raises(ProjectError, match="The boxes come from Run 1"):
        delete_run(project, run_of(project, first))
    with pytest.raises(ProjectError, match="Run 2 has found no boxes yet"):
        take(project, run_of(project, second))
    assert current_run(project) == run_of(project, first) and project.boxes(1)


def test_a_damaged_result_is_a_sentence_and_changes_nothing(project: Project) -> None:
    first, second = _train(project), _train(project)
    _find(project, first, [1], 1)
    _find(project, second, [1], 10)
    before = _state(project)
    (project.data_dir / "runs" / "2" / "boxes.boxscout").write_bytes(b"no project" * 100)
    with pytest.raises(ProjectError, match="not a Boxscout project"):
        take(project, run_of(project, second))
    assert _state(project) == before and current_run(project) == run_of(project, first)


def test_no_automatic_run_changes_what_is_accepted(project: Project) -> None:
    project.set_auto_boxes({1: [_box(1)], 2: [_box(2)]})
    project.set_statuses(dict.fromkeys([1, 3], Status.ACCEPTED))
    assert project.set_auto_boxes({i: [_box(20)] for i in (1, 2, 3)}) == 2
    assert _lefts(project) == {1: 1, 2: 20}
    assert project.boxes(1)[0].source is Source.AUTO
    project.set_statuses({1: Status.UNSEEN})
    assert project.set_auto_boxes({1: [_box(20)]}) == 0
