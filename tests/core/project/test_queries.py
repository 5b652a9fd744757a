"""Questions about many images at once, beside the same asked of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.boxes.classes import ClassMap
from core.boxes.options import BoxOptions
from core.boxes.thresholds import Thresholds
from core.images.scan import ImageFile
from core.project.browse import Browse, ImageColumns, Show
from core.project.queries import box_facts, class_maps, heat_maps, undecided
from core.project.store import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Six images of 40 x 20 pixels; all but the last have a heat map."""
    made = Project.open_or_create(tmp_path / "p.boxscout")
    made.add_images([ImageFile(tmp_path, f"{i}.png", 1, 1) for i in range(6)])
    made.set_sizes(dict.fromkeys(range(1, 7), (40, 20)))
    made.set_heat_maps({i: np.full((2, 3), i, np.float32) for i in range(1, 6)}, step=1)
    yield made
    made.close()


def auto(score: float, *, side: float = 10, threshold: float = 0.2, rule: str = "moments") -> BoxRecord:
    return BoxRecord(Box(0, 0, side, side), score=score, threshold=threshold, rule=rule)


def test_facts_take_the_lowest_score_and_the_largest_box(project: Project) -> None:
    project.set_auto_boxes({2: [auto(0.9), auto(0.3, side=20)], 3: [auto(0.5)]})
    project.set_boxes(5, [BoxRecord(Box(0, 0, 40, 20), source=Source.EDITED)])
    facts = box_facts(project)
    assert facts.ids.tolist() == [2, 3, 5]
    assert facts.score[:2] == pytest.approx([0.3, 0.5])
    assert np.isnan(facts.score[2])
    assert facts.share.tolist() == [0.5, 0.125, 1.0]
    assert facts.edited.tolist() == [False, False, True]
    assert box_facts(project, 3).ids.tolist() == [3]
    assert len(box_facts(project, 4).ids) == 0


def test_an_image_that_a_person_emptied_is_edited_and_has_no_box(project: Project) -> None:
    project.set_auto_boxes({2: [auto(0.9)]})
    project.set_boxes(4, [])
    columns = ImageColumns()
    columns.append([1, 2, 3, 4, 5], list("abcde"), [Status.UNSEEN] * 5)
    columns.set_facts(box_facts(project))
    shown = {show: columns.ids[columns.arrange(Browse(show=show))].tolist() for show in Show}
    assert shown[Show.EDITED] == [4]
    assert shown[Show.NO_BOX] == [1, 3, 4, 5]
    project.set_boxes(2, [])
    for image_id in (2, 3):
        columns.set_facts_of(image_id - 1, box_facts(project, image_id))
    assert columns.ids[columns.arrange(Browse(show=Show.EDITED))].tolist() == [2, 4]
    assert 2 in columns.ids[columns.arrange(Browse(show=Show.NO_BOX))]


def test_what_may_show_no_object_is_known_of_images_with_and_without_boxes(project: Project) -> None:
    project.set_auto_boxes({1: [auto(0.9), auto(0.8)], 2: [auto(0.9)], 3: [auto(0.9)]})
    project.set_boxes(4, [])
    project.set_no_object({1: 0.75, 2: 0.25, 4: 0.5, 5: 1.0})
    facts = box_facts(project)
    assert dict(zip(facts.ids.tolist(), facts.boxes.tolist(), strict=True)) == {1: 2, 2: 1, 3: 1, 4: 0, 5: 0}
    assert facts.edited.tolist() == [i == 4 for i in facts.ids.tolist()]
    columns = ImageColumns()
    columns.append([1, 2, 3, 4, 5], list("abcde"), [Status.UNSEEN] * 5)
    columns.set_facts(facts)
    np.testing.assert_array_equal(columns.no_object, np.array([0.75, 0.25, np.nan, 0.5, 1], np.float32))
    may_be_empty = Browse(show=Show.MAY_BE_EMPTY)
    assert columns.ids[columns.arrange(may_be_empty)].tolist() == [1, 5]
    assert columns.ids[columns.arrange(Browse(show=Show.NO_BOX))].tolist() == [4, 5]
    project.set_no_object({2: 0.875, 5: 0.125})
    for image_id in (2, 5):
        columns.set_facts_of(image_id - 1, box_facts(project, image_id))
    assert columns.ids[columns.arrange(may_be_empty)].tolist() == [1, 2]


def test_undecided_are_those_whose_box_says_something_else(project: Project) -> None:
    project.set_auto_boxes({1: [auto(0.5)], 2: [auto(0.5, threshold=0.3)], 3: [auto(0.5, rule="component")]})
    project.set_boxes(4, [BoxRecord(Box(0, 0, 4, 4), source=Source.EDITED)])
    options = BoxOptions("moments", 0.2)
    assert undecided(project, options) == {2: (40, 20), 3: (40, 20), 5: (40, 20)}
    own = replace(options, thresholds=Thresholds.of({1: 0.4, 2: 0.3}))
    assert list(undecided(project, own)) == [1, 3, 5]
    assert own.thresholds_of([1, 2, 3]).tolist() == [0.4, 0.3, 0.2]
    assert list(undecided(project, own, [2, 3, 4])) == [3]


def test_heat_maps_of_many_are_those_of_each(project: Project) -> None:
    maps = heat_maps(project, [1, 3, 6, 99])
    assert sorted(maps) == [1, 3]
    for image_id, heat in maps.items():
        assert np.array_equal(heat, project.heat_map(image_id))
        assert heat.dtype == np.float32


def test_a_cut_heat_map_is_a_sentence(project: Project) -> None:
    project._db.execute("UPDATE heat_map SET data = x'00' WHERE image_id = 2")
    assert sorted(heat_maps(project, [1])) == [1]
    with pytest.raises(ProjectError, match="Create the heat maps again"):
        heat_maps(project, [1, 2])


def test_classes_of_cells_go_with_their_heat_map(project: Project) -> None:
    cells = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)
    project.set_class_maps({i: ClassMap(("Käfer", "bee"), cells) for i in (2, 3)})
    found = class_maps(project, [1, 2, 3])
    assert list(found) == [2, 3] and found[2].names == ("Käfer", "bee")
    np.testing.assert_array_equal(found[2].cells, cells)
    project.set_heat_maps({2: np.ones((2, 3), np.float32)}, step=2)
    assert list(class_maps(project, [2, 3])) == [3]


@pytest.mark.parametrize(
    ("names", "data"),
    [("[", bytes(6)), ('["a"]', bytes(5)), ('["a"]', b"\0\0\0\0\0\1"), ("[]", bytes(6)), ("7", bytes(6))],
)
def test_classes_that_nobody_wrote_so_are_passed_over(project: Project, names: str, data: bytes) -> None:
    with project.transaction() as db:
        db.execute("INSERT INTO class_map VALUES (2, ?, ?)", (names, data))
    assert class_maps(project, [2]) == {}
