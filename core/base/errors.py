"""The one family of errors whose text is written for the person in front of the screen."""

from __future__ import annotations


class BoxscoutError(Exception):
    """Something the person can understand and act on; ``str(error)`` is one clear sentence."""


def as_reason(error: BaseException | str) -> str:
    """The first line of what ``error`` says, to stand within a sentence that has a full stop of its own."""
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:200].rstrip(". ")


class ImageError(BoxscoutError):
    """A file that cannot be used as an image; the text is the reason, without the file's name."""


class ProjectError(BoxscoutError):
    """A project file that cannot be opened, read or written."""


class DamagedProjectError(ProjectError):
    """A project file that is damaged; :func:`core.project.rescue.rescue` may save what is whole in it."""


class ReadOnlyProjectError(ProjectError):
    """A project file that may be read at most; :meth:`core.project.store.Project.open_to_read` does so."""


class CheckpointError(BoxscoutError):
    """A checkpoint that is damaged, not ours, or does not fit."""


class FormatError(BoxscoutError):
    """A box file or truth that cannot be read or written."""


class TrainingError(BoxscoutError):
    """A training that cannot start or go on."""


class FeaturesError(BoxscoutError):
    """A pretrained network that is missing, damaged, or cannot run here."""


class Cancelled(BoxscoutError):  # noqa: N818 - not an error
    """The person asked to stop; nothing is wrong."""
