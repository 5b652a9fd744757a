"""Image files: found here, decoded in :mod:`core.images.decoding`."""

from __future__ import annotations

import heapq
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from natsort import natsort_keygen, ns

from core.base.errors import ImageError
from core.base.language import mark, printable, tr
from core.images import raw
from core.images.decoding import EMPTY, NOT_A_FILE, NOT_AN_IMAGE, looks_like_image, unavailable, why

SUFFIXES = {
    ".png",
    ".apng",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".mpo",
    ".bmp",
    ".dib",
    ".gif",
    ".tif",
    ".tiff",
    ".webp",
    ".heic",
    ".heif",
    ".hif",
    ".avif",
}
# What lies beside photos and is none: passed over in silence unless it was chosen by itself.
# LICENSE, README and the like have no suffix.
SIDE_FILES = {"", ".txt", ".md", ".xml", ".json", ".csv", ".tsv", ".yaml", ".yml", ".toml", ".ini", ".cfg"}
SIDE_FILES |= {".html", ".htm", ".log", ".db", ".py", ".ipynb", ".mat", ".npy", ".npz", ".pkl", ".pt"}
SIDE_FILES |= {".pth", ".h5", ".boxscout"}
# What editors, phones and camera-trap programs write beside photos.
SIDE_FILES |= {".xmp", ".aae", ".pp3", ".dop", ".ddb", ".tdb", ".nksc", ".on1", ".cos", ".arp"}
SIDE_FILES |= {".lnk", ".url"}
# Pictures that are no photos of their own: films' stills, backups, half downloads.
_SECOND_HAND = (".thm", "_original", "~", ".bak", ".orig", ".part", ".partial", ".crdownload", ".download")
# Thumbnails, trash and notes of network storage and systems.
_OF_SYSTEMS = {"__macosx", "@eadir", "#recycle", "@recycle", "$recycle.bin", "recycler", "#snapshot"}
_OF_SYSTEMS |= {"system volume information", "lost+found", "lost.dir", "@recently-snapshot", "@tmp"}
_OF_SYSTEMS |= {"thumbs.db", "desktop.ini", "ehthumbs.db", "ehthumbs_vista.db"}
FILMS = {
    ".mp4",
    ".mov",
    ".m4v",
    ".avi",
    ".mkv",
    ".webm",
    ".wmv",
    ".mpg",
    ".mpeg",
    ".mts",
    ".m2ts",
    ".3gp",
    ".asf",
}
# What lies beside a project while it is open.
_BESIDE_PROJECTS = (".boxscout.lock", ".boxscout-wal", ".boxscout-shm", ".boxscout-journal")
HEAD = 32
"""Bytes of a file that tell its kind."""
_PIECE = 4096
_WORTH_A_GROUP = 256
_ALL_DIGITS = str.maketrans("123456789", "0" * 9)
Item = TypeVar("Item")
EXPORTED = "exported-by-boxscout.txt"
"""The file that marks a folder of copies: pictures that the program wrote are no photos of a person's."""

FILM = mark("A film: open it by itself to take images from it, or use --every SECONDS in a command.")
NOT_UTF8 = mark("Its name is not valid text (UTF-8); rename it to use it.")
_COPIES = mark(
    "Skipped, because Boxscout exported it: to use its images, choose this folder itself or remove "
    "“{name}” from it."
)


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image file. ``name`` is relative to ``root``, with forward slashes."""

    root: Path
    name: str
    size_bytes: int
    mtime_ns: int

    @property
    def path(self) -> Path:
        return self.root / self.name


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file or folder that cannot be used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """Everything that a scan found, in natural order per folder."""

    images: tuple[ImageFile, ...]
    rejected: tuple[RejectedFile, ...]


def iter_scan(paths: Sequence[Path]) -> Iterator[ImageFile | RejectedFile]:
    """Find the image files in ``paths`` (files, folders with all their subfolders), one by one.

    A folder's own files come first, then its subfolders, each in natural order. Files with an image's
    suffix are not opened; of others 32 bytes are read. Hidden files, a system's own folders, backups and
    films' stills are passed over, unless chosen by themselves; links are followed once. A file chosen by
    itself has its folder as ``root``. A subfolder that :data:`EXPORTED` marks is told and passed over;
    chosen by itself it is a folder as any other.

    Raises
    ------
    ImageError
        A path in ``paths`` does not exist.
    """
    scan = _Scan()
    for path in paths:
        yield from scan.start(Path(os.path.abspath(path)))  # noqa: PTH100 - keeps links as the person sees them


def are_only_films(rejected: Sequence[RejectedFile]) -> bool:
    return bool(rejected) and all(file.reason == tr(FILM) for file in rejected)


def none_found(paths: Sequence[Path], rejected: Sequence[RejectedFile]) -> str:
    """What a person is told where ``paths`` hold no image that can be used, and what to do about it."""
    names = ", ".join(tr("“{name}”").format(name=path.name or path) for path in paths)
    if are_only_films(rejected):
        text = tr("There are only films in {names}. Open them in the window, or use --every SECONDS.")
        return text.format(names=names)
    text = tr("No usable image was found in {names}.").format(names=names)
    if rejected:
        return f"{text} " + tr("The Problems panel says why each file cannot be used.")
    return f"{text} " + tr("Choose a folder with photos (PNG, JPEG, BMP, GIF, TIFF, WebP, HEIC, AVIF).")


def scan_folder(paths: Sequence[Path]) -> ImageFolder:
    """All of :func:`iter_scan` at once."""
    images: list[ImageFile] = []
    rejected: list[RejectedFile] = []
    for found in iter_scan(paths):
        if isinstance(found, ImageFile):
            images.append(found)
        else:
            rejected.append(found)
    return ImageFolder(tuple(images), tuple(rejected))


_natural = natsort_keygen(alg=ns.IGNORECASE)
_split_numbers = re.compile("([0-9]+)").split


def natural_key(name: str) -> tuple[Any, str]:
    """A sort key that puts ``2.jpg`` before ``10.jpg`` and ignores case, except to break a tie."""
    if not name.isascii():
        return _natural(name), name
    # What natsort makes of plain names, eight times as fast: 100,000 of them wait for no one.
    parts: list[Any] = _split_numbers(name.lower())
    parts[1::2] = map(int, parts[1::2])
    if not parts[-1]:
        parts.pop()
    return tuple(parts), name


def sorted_in_pieces(items: Sequence[Item], *, key: Callable[[Item], Any]) -> Iterator[Item]:
    """``sorted`` one by one, in pieces: a sort of 100,000 stops every other thread until it is done."""
    pieces = [sorted(items[start : start + _PIECE], key=key) for start in range(0, len(items), _PIECE)]
    return heapq.merge(*pieces, key=key)


def natural_order(items: Sequence[Item], *, name: Callable[[Item], str]) -> Iterator[Item]:
    """``items`` in the order of the :func:`natural_key` of their names, one by one, the first ones at once.

    Names that differ only in digits at the same places, as a camera's do, are in that order as plain text,
    which takes a tenth of the time; the keys are then made one by one, while the first image is shown.
    """
    names = [name(item) for item in items]
    lower = [text.lower() for text in names]
    # All at once, which is five times as fast; no name holds a zero byte.
    patterns = "\0".join(lower).translate(_ALL_DIGITS).split("\0")
    alike: dict[str, list[int]] = {}
    others: list[int] = []
    for i, text in enumerate(names):
        group = alike.setdefault(patterns[i], []) if text.isascii() else others
        group.append(i)
    pieces: list[list[int]] = []
    for group in alike.values():
        if len(group) >= _WORTH_A_GROUP:
            parts = [group[start : start + _PIECE] for start in range(0, len(group), _PIECE)]
            pieces += [sorted(part, key=lambda i: lower[i] + names[i]) for part in parts]
        else:
            others += group

    def key(i: int) -> tuple[Any, str]:
        return natural_key(names[i])

    ordered = heapq.merge(*pieces, sorted_in_pieces(others, key=key), key=key)
    return (items[i] for i in ordered)


class _Scan:
    """What one scan has seen; links and overlapping choices lead to no second listing.

    A folder is listed once, and so are its own files: only files that were reached in another way are kept.
    """

    def __init__(self) -> None:
        self.folders: set[tuple[int, int]] = set()
        self.listed: set[tuple[int, int]] = set()  # those of them whose files were looked at, or are just now
        self.now: tuple[tuple[int, int], set[str]] = (0, 0), set()  # the last of them, and which of its files
        self.files: set[str] = set()  # real paths of what links led to, or was chosen by itself

    def start(self, path: Path) -> Iterator[ImageFile | RejectedFile]:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            if path.is_symlink():
                yield RejectedFile(path, tr("The link points nowhere."))
                return
            raise ImageError(
                tr("{path} does not exist or cannot be reached.").format(path=printable(str(path)))
            ) from error
        if not _is_text(str(path)):
            yield RejectedFile(path, tr(NOT_UTF8))
        elif is_folder:
            yield from self.folder(path, "", str(path))
        else:
            yield from self.other_file(path.parent, path.name, str(path), chosen=True)

    def folder(self, root: Path, prefix: str, path: str) -> Iterator[ImageFile | RejectedFile]:
        """``prefix`` is the folder's name below ``root``, empty or ending in a slash."""
        try:
            status = os.stat(path)  # noqa: PTH116 - strings are twice as fast for 100,000 files
            itself = status.st_dev, status.st_ino
            if itself in self.folders:
                return
            self.folders.add(itself)
            with os.scandir(path) as entries:
                listed = [entry for entry in entries if is_theirs(entry.name)]
        except OSError as error:
            yield RejectedFile(
                Path(path), tr("The folder cannot be opened: {reason}.").format(reason=why(error))
            )
            return
        if prefix and any(entry.name == EXPORTED for entry in listed):
            self.folders.discard(itself)  # it may be chosen by itself as well
            yield RejectedFile(Path(path), tr(_COPIES).format(name=EXPORTED))
            return
        real, names = os.path.realpath(path), set[str]()
        self.listed.add(itself)
        self.now = itself, names
        subfolders = []
        for entry in natural_order(listed, name=lambda entry: entry.name):
            if not _is_text(entry.name):
                yield RejectedFile(Path(entry.path), tr(NOT_UTF8))
            elif _is_folder(entry):
                subfolders.append(entry)
            elif entry.is_symlink():
                yield from self.other_file(root, prefix + entry.name, entry.path)
            else:
                names.add(entry.name)
                if not self.files or f"{real}{os.sep}{entry.name}" not in self.files:
                    yield from self.file(root, prefix + entry.name, entry.path)
        for entry in subfolders:
            if not _is_project_data(entry.path):
                yield from self.folder(root, f"{prefix}{entry.name}/", entry.path)

    def other_file(
        self, root: Path, name: str, path: str, *, chosen: bool = False
    ) -> Iterator[ImageFile | RejectedFile]:
        """A file that may be listed, or have been, in another way as well."""
        true_path = os.path.realpath(path)
        if not self.is_listed(true_path):
            self.files.add(true_path)
            yield from self.file(root, name, path, chosen=chosen)

    def is_listed(self, true_path: str) -> bool:
        """Whether a file has been looked at, by itself or with its folder."""
        if true_path in self.files:
            return True
        folder, name = os.path.split(true_path)
        try:
            status = os.stat(folder)  # noqa: PTH116
        except OSError:
            return False
        there = status.st_dev, status.st_ino
        if there not in self.listed or not is_theirs(name) or not _is_text(name):
            return False
        last, names = self.now
        return there != last or name in names

    def file(
        self, root: Path, name: str, path: str, *, chosen: bool = False
    ) -> Iterator[ImageFile | RejectedFile]:
        try:
            status = os.stat(path)  # noqa: PTH116
            reason = _usable(path, status, chosen=chosen)
        except OSError as error:
            gone = tr("The link points nowhere.") if os.path.islink(path) else unavailable(error)  # noqa: PTH114
            reason = gone
        else:
            if reason == "":
                yield ImageFile(root, name, status.st_size, status.st_mtime_ns)
        if reason:
            yield RejectedFile(Path(path), reason)


def _usable(path: str, status: os.stat_result, *, chosen: bool) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return tr(NOT_A_FILE)

    def head() -> bytes:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(HEAD)

    return reason_against(path, status.st_size, head, chosen=chosen)


def reason_against(path: str, size_bytes: int, head: Callable[[], bytes], *, chosen: bool) -> str | None:
    """The reason against a file; '' when there is none, None when it is not even worth a word.

    Parameters
    ----------
    path
        Its path or address, with the ending.
    head
        Reads its first :data:`HEAD` bytes; called where the ending does not say what the file is.
    chosen
        Whether a person chose it by itself.
    """
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    if suffix.endswith(_SECOND_HAND) and not chosen:
        return None
    if path.endswith(_BESIDE_PROJECTS) and not chosen:
        return None
    known = suffix in SUFFIXES
    if size_bytes == 0:
        return None if suffix in SIDE_FILES and not chosen else tr(EMPTY)
    if known:
        return ""
    first = head()
    if looks_like_image(first):
        return ""
    if raw.looks_like_raw(first):
        return "" if raw.has_extra() else raw.needs_extra()
    if suffix in FILMS:
        return tr(FILM)
    return None if suffix in SIDE_FILES and not chosen else tr(NOT_AN_IMAGE)


def is_theirs(name: str) -> bool:
    """Whether a file or folder of this name is a person's own, and no hidden one or a system's."""
    return not name.startswith(".") and name.lower() not in _OF_SYSTEMS


def _is_project_data(path: str) -> bool:
    """``p.boxscout-data`` beside a file ``p.boxscout`` is our own and holds no photos."""
    return path.endswith(".boxscout-data") and os.path.isfile(path.removesuffix("-data"))  # noqa: PTH113


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
