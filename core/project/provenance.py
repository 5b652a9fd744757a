"""What an export says of how its boxes were found, where a person's corrections are in them."""

from __future__ import annotations

from typing import Any

from core.base.errors import BoxscoutError
from core.maps.localizer import Localizer
from core.project.learning import KIND, saved_unit
from core.project.runs import current_run
from core.project.store import Project


def provenance(project: Project) -> dict[str, Any]:
    """What taught the run that the boxes of ``project`` come from; empty where no corrections did.

    A run whose file cannot be read says nothing: its boxes are exported all the same.
    """
    run = current_run(project)
    if run is None or run.kind != KIND or not run.is_saved:
        return {}
    try:
        unit = saved_unit(run)
    except BoxscoutError:
        return {}
    return taught_by(unit, run.name)


def taught_by(unit: Localizer, run: str) -> dict[str, Any]:
    """The same of a ``unit`` that ``run`` names; empty where no corrections taught it."""
    if unit.taught is None:
        return {}
    return {
        "run": run,
        "features": unit.features,
        "reviewed_images": unit.taught.images,
        "without_object": unit.taught.empty,
        **({} if unit.classes is None else {"classes": list(unit.classes.names)}),
    }
