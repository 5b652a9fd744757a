"""Which images of a project to review next, so that the others learn most by it."""

from __future__ import annotations

import numpy as np

from core.learn.usefulness import Ranking, most_useful
from core.project.browse import ImageColumns
from core.project.queries import box_facts, signatures
from core.project.store import Project

MOST = 200
"""Images that are ranked: a person looks at no more before the next run, and then all are ranked anew."""


def rank_useful(project: Project) -> Ranking:
    """The images of ``project`` that are most useful to review, by what the current run has seen of them."""
    ids, points = signatures(project)
    columns = ImageColumns()
    images = project.images()
    columns.append([one.id for one in images], [""] * len(images), [one.status for one in images])
    columns.set_facts(box_facts(project))
    here = np.isin(ids, columns.ids)
    ids, points = ids[here], points[here]
    places = np.searchsorted(columns.ids, ids)
    chosen = most_useful(points, columns.score[places], ~columns.waiting[places], count=MOST)
    return Ranking(ids[chosen], ids)
