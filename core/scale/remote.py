"""Images that lie elsewhere, through fsspec: S3, Google Cloud Storage, HTTP, and what else it reads.

Who may read them is said by the environment or the profile of the user, as each service's own tools read it.
Nothing of that passes through this program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.base.errors import BoxscoutError, ImageError
from core.base.language import tr
from core.images.decoding import UnavailableError
from core.images.parallel import CHANGED
from core.scale.entries import UNKNOWN, Entry
from core.scale.extras import needed
from core.scale.retries import with_retries

_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "http": "aiohttp", "https": "aiohttp"}
_OTHER_NAMES = {"s3a": "s3", "gcs": "gs"}
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
# A host with a port, and Amazon's names of access points.
_COLON_IN_HOST = re.compile(r"[^:]*:\d*|\[[0-9A-Fa-f:.]+\](:\d*)?|arn:.*")
#: Names in a query whose values let others in.
_SECRET = re.compile(
    r"signature|^sign?$|credential|token|secret|passw|^auth(?!or)|key|policy|jwt|session", re.IGNORECASE
)
_VERSION = ("ETag", "generation", "etag", "Last-Modified", "LastModified", "mtime", "modified", "updated")
_PAGE = 1000  # files that a server lists at once: the most that they allow


def is_address(text: str) -> bool:
    """Whether ``text`` is an address, such as ``s3://bucket/photos``, and no path."""
    return _ADDRESS.match(text) is not None


def name_of(address: str) -> str:
    """Host or bucket, and path: what tells an address from others, as the name of a file in folders."""
    return unquote(address.partition("://")[2])


def checked_address(address: str) -> str:
    """``address``, where it holds nothing that must not be stored.

    Raises
    ------
    ImageError
        It holds a password, a key or a signature, or may. The text does not repeat it.
    """
    place, *query = re.split("[?#&;]", unquote(address.partition("://")[2]))
    host, _, path = place.partition("/")
    named = (part.partition("=")[0] for part in query)
    if "@" in host or (":" in host and not _COLON_IN_HOST.fullmatch(host)) or any(map(_SECRET.search, named)):
        raise ImageError(
            tr(
                "The address holds a password, key or signature, which would be stored: leave it out and set "
                "it in the environment or your profile, where the service's own tools look for it."
            )
        )
    if "::" in path:
        raise ImageError(tr("An address within an address (“::”) cannot be read: name the images' own."))
    return address


@dataclass(frozen=True, slots=True)
class Place:
    """An address with the file system of fsspec that reads it, and the path that this one knows it by."""

    address: str
    files: Any
    path: str

    @classmethod
    def of(cls, address: str) -> Place:
        """Nothing is asked of a server yet.

        Raises
        ------
        ImageError
            The address holds a secret.
        BoxscoutError
            A package is missing, or there is none for such an address.
        """
        given = address.partition("://")[0].lower()
        scheme = _OTHER_NAMES.get(given, given)
        fsspec = needed("fsspec.core", extra="cloud", what=tr("Addresses"))
        if scheme in _PACKAGES:
            what = tr("Addresses that begin with {scheme}://").format(scheme=scheme)
            needed(_PACKAGES[scheme], extra="cloud", what=what)
        try:
            files, path = fsspec.url_to_fs(checked_address(address), **_options(scheme))
        except (ImportError, ValueError) as error:
            text = tr("Addresses that begin with {scheme}:// cannot be read: fsspec has no package for them.")
            raise BoxscoutError(text.format(scheme=scheme)) from error
        if scheme == "s3":
            files.retries = 1  # core.scale.retries is the one place that tries again
        return cls(address.rstrip("/"), files, path)

    @property
    def kind(self) -> str:
        """What the file system is called: ``s3``, ``gs`` or another."""
        protocol = self.files.protocol
        return str(protocol if isinstance(protocol, str) else protocol[0])

    @property
    def name(self) -> str:
        """The last part of its path."""
        return name_of(self.address).rpartition("/")[2]

    def info(self) -> dict[str, Any]:
        """What the server says of it; UnavailableError where there is nothing or it does not answer."""
        found: dict[str, Any] = with_retries(partial(self.files.info, self.path))
        return found

    def is_folder(self) -> bool:
        """Whether it holds files; raises what :meth:`info` raises."""
        return _is_folder(self.info())

    def entry(self, name: str) -> Entry:
        """It as one image."""
        info = self.info()
        return Entry(self.address, name, _size(info), _version(info))

    def head(self, count: int) -> bytes:
        """Its first bytes."""
        found: bytes = with_retries(partial(self.files.cat_file, self.path, start=0, end=count))
        return found

    def below(self) -> Iterator[Entry]:
        """All files below it, in the order of their names, which are relative to it.

        S3 and Google Cloud Storage list all of them in that order, page by page; of others one folder after
        the other is listed, and is in memory.

        Raises
        ------
        UnavailableError
            The server does not answer, or refuses.
        """
        pages = {"s3": _s3_pages, "gs": _gs_pages}.get(self.kind)
        if pages is None:
            yield from self._walked(self.path, "")
            return
        bucket, _, folder = self.path.partition("/")
        prefix = f"{folder}/" if folder else ""
        last = ""
        for key, size, version in pages(self.files, bucket, prefix):
            name = key.removeprefix(prefix)
            if name < last:
                raise UnavailableError(
                    tr("The server lists files out of order: name them in a list instead.")
                )
            last = name
            if not name.endswith("/"):
                yield Entry(f"{self.address}/{name}", name, size, version)

    def _walked(self, path: str, prefix: str) -> Iterator[Entry]:
        """Depth first; a folder's place among files is that of its name with a slash, as in whole names."""
        listed = with_retries(partial(self.files.ls, path, detail=True))
        children = [(one["name"].rstrip("/").rpartition("/")[2], one) for one in listed]
        for name, one in sorted(children, key=lambda child: child[0] + "/" * _is_folder(child[1])):
            if _is_folder(one):
                yield from self._walked(one["name"], f"{prefix}{name}/")
            else:
                address = f"{self.address}/{prefix}{name}"
                yield Entry(address, prefix + name, _size(one), _version(one))

    def fetch(self, entry: Entry, target: Path) -> None:
        """Write what it holds to ``target``, where it is still what was listed as ``entry``.

        Raises
        ------
        UnavailableError
            It is another file by now, or cannot be read.
        """
        with_retries(partial(self._fetch, entry, target))

    def _fetch(self, entry: Entry, target: Path) -> None:
        whole = {"s3": _s3_object, "gs": _gs_object}.get(self.kind)
        if whole is not None:
            target.write_bytes(whole(self.files, self.path, entry.version))
        else:
            self.files.get_file(self.path, str(target))
            if entry.version and _version(self.files.info(self.path)) != entry.version:
                raise UnavailableError(tr(CHANGED))
        if entry.size_bytes not in (UNKNOWN, target.stat().st_size):
            raise UnavailableError(tr(CHANGED))


def _options(scheme: str) -> dict[str, Any]:
    if scheme == "s3":
        return {"use_listings_cache": False, "config_kwargs": {"retries": {"total_max_attempts": 1}}}
    return {"use_listings_cache": False} if scheme in _PACKAGES else {}


def _s3_pages(files: Any, bucket: str, prefix: str) -> Iterator[tuple[str, int, str]]:
    """Key, size and ETag of each object, page by page, in the order of the keys' bytes."""
    after: dict[str, str] = {}
    while True:
        asked = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": _PAGE, **after}
        page = with_retries(partial(files.call_s3, "list_objects_v2", files.req_kw, **asked))
        for one in page.get("Contents", ()):
            yield one["Key"], one["Size"], one.get("ETag", "")
        if not page.get("IsTruncated"):
            return
        after = {"ContinuationToken": page["NextContinuationToken"]}


def _s3_object(files: Any, path: str, etag: str) -> bytes:
    """What an object holds, where it still has this ETag: one request says both."""
    asyn = needed("fsspec.asyn", extra="cloud", what=tr("Addresses"))
    bucket, key, _ = files.split_path(path)
    match = {"IfMatch": etag} if etag else {}
    answer = files.call_s3("get_object", files.req_kw, Bucket=bucket, Key=key, **match)
    found: bytes = asyn.sync(files.loop, answer["Body"].read)
    return found


def _gs_pages(files: Any, bucket: str, prefix: str) -> Iterator[tuple[str, int, str]]:
    """The same of Google Cloud Storage."""
    fields = "items(name,size,generation),nextPageToken"
    asked = {"prefix": prefix, "maxResults": _PAGE, "fields": fields}
    while True:
        page = with_retries(partial(files.call, "GET", "b/{}/o", bucket, json_out=True, **asked))
        for one in page.get("items", ()):
            yield one["name"], int(one["size"]), one.get("generation", "")
        if "nextPageToken" not in page:
            return
        asked["pageToken"] = page["nextPageToken"]


def _gs_object(files: Any, path: str, generation: str) -> bytes:
    """The same of Google Cloud Storage."""
    bucket, _, key = path.partition("/")
    match = {"ifGenerationMatch": generation} if generation else {}
    _, found = files.call("GET", "b/{}/o/{}", bucket, key, alt="media", **match)
    return bytes(found)


def _is_folder(info: Mapping[str, Any]) -> bool:
    return info.get("type") == "directory"


def _size(info: Mapping[str, Any]) -> int:
    size = info.get("size")
    return UNKNOWN if size is None else int(size)


def _version(info: Mapping[str, Any]) -> str:
    return next((str(info[key]) for key in _VERSION if info.get(key)), "")
