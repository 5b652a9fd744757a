"""Writing one file of boxes, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.base.atomic import atomic_write, keep_other_kinds, os_errors, remove_forgotten
from core.base.errors import FormatError
from core.base.language import tr


def write_checked(path: Path, data: bytes, check: Callable[[Path], bool]) -> None:
    """Write ``data`` to ``path``, whole or not at all, and only where reading it back satisfies ``check``.

    Raises
    ------
    FormatError
        It cannot be written or does not read back, or ``path`` is a file that holds no text, such as a photo
        or a project; ``path`` is then as it was.
    """
    with _text_file(path) as temporary:
        temporary.write_bytes(data)
        if not check(temporary):
            raise FormatError(
                tr("“{name}” did not read back as it was written; nothing was exported.").format(
                    name=path.name
                )
            )


def write_parts(path: Path, parts: Iterable[str]) -> None:
    """Write a file that may be larger than memory to ``path``, part by part, as UTF-8; whole or not at all.

    It is not read back. Raises what :func:`write_checked` does.
    """
    with _text_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)


@contextmanager
def _text_file(path: Path) -> Iterator[Path]:
    with os_errors(FormatError, tr("“{name}” could not be written: {reason}."), name=path.name):
        keep_other_kinds(path)
        remove_forgotten(path.parent)
        with atomic_write(path) as temporary:
            yield temporary
