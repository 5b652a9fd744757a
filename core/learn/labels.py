"""Which class an image is of, read from where it lies: the folder names it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.formats.tiny_imagenet import val_classes

Rows = npt.NDArray[np.int64]


_WNID = re.compile(r"n\d{8}")


@dataclass(frozen=True)
class Labels:
    """The class of every image that has one, by path, and all classes in their order."""

    by_path: Mapping[Path, str]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.by_path.values())))

    def rows(self, paths: Sequence[Path]) -> Rows:
        """The position of each path's class in :attr:`classes`, int64 (N,); each must have one."""
        order = {name: i for i, name in enumerate(self.classes)}
        return np.array([order[self.by_path[path]] for path in paths], np.int64)


def labels_of(images: Sequence[Path], folders: Sequence[Path]) -> Labels:
    """What :func:`class_names` finds, without the images in no class's folder."""
    named = zip(images, class_names(images, folders), strict=True)
    return Labels({path: name for path, name in named if name is not None})


def class_names(
    images: Sequence[Path], folders: Sequence[Path], *, known: Collection[str] | None = None
) -> list[str | None]:
    """The class of each image.

    With one folder that is the first folder below it on the way to the image. With several, it is the
    folder itself that the image was found in. Tiny ImageNet, where the class is not the first folder, is
    recognised: ``n…/images/x.JPEG`` is of class ``n…``, and ``val/images`` has a list beside it.

    Parameters
    ----------
    images
        Absolute paths.
    folders
        What the person chose, folders or images.
    known
        The classes of a training. Then only these are found, also where the rest of the choice makes the
        rules above miss them: the folder of one class chosen alone, or several folders that hold classes.

    Returns
    -------
    list of str or None
        None where no folder names a class.
    """
    chosen = [Path(os.path.abspath(folder)) for folder in folders]  # noqa: PTH100 - as the scan names them
    roots = list(dict.fromkeys(folder if folder.is_dir() else folder.parent for folder in chosen))
    lists: dict[Path, Mapping[str, str]] = {}
    names: list[str | None] = []
    for image in images:
        candidates = _candidates(image, roots, lists)
        if known is None:
            names.append(next(candidates, "") or None)
        else:
            names.append(next((name for name in candidates if name in known), None))
    return names


def _candidates(image: Path, roots: Sequence[Path], lists: dict[Path, Mapping[str, str]]) -> Iterator[str]:
    """The names that could be the class, the one by the rules first; empty where a folder is missing."""
    if image.parent.name == "images":
        above = image.parent.parent
        if _WNID.fullmatch(above.name):
            yield above.name
            return
        if above not in lists:
            lists[above] = val_classes(above)
        if image.name in lists[above]:
            yield lists[above][image.name]
            return
    root = next((root for root in roots if image.is_relative_to(root)), None)
    if root is not None:
        below = next(iter(image.relative_to(root).parts[:-1]), "")
        yield from (root.name, below) if len(roots) > 1 else (below, root.name)
