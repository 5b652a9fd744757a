"""Trying again what fails for a moment, and the reason in words where it goes on failing.

Waits double and are drawn at random up to that (exponential backoff with full jitter), so that a thousand
workers whose server was away do not all come back at the same time.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from core.base.errors import ImageError
from core.base.language import tr
from core.images.decoding import GONE, UnavailableError, unavailable
from core.images.parallel import CHANGED

T = TypeVar("T")

_MISSING, _DENIED, _OTHER_VERSION = {404, 410}, {401, 403}, 412
_FOR_A_MOMENT = {408, 425, 429, *range(500, 600)} - {501, 505}
_OF_CONNECTIONS: tuple[type[BaseException], ...] = (
    ConnectionError,
    TimeoutError,
    asyncio.TimeoutError,
    socket.gaierror,
)
# Those of packages that need not be there: what is not imported has raised nothing.
_OF_PACKAGES = (
    ("aiohttp", "ClientConnectionError"),
    ("aiohttp", "ClientPayloadError"),
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "ConnectionError"),
    ("requests.exceptions", "ConnectionError"),
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often something is tried, and the longest waits in seconds: after the first time, and at all."""

    tries: int = 6
    first_s: float = 0.5
    most_s: float = 20.0

    def wait_s(self, tried: int) -> float:
        """How long to wait after so many tries: 0 to ``first_s * 2 ** (tried - 1)``, at most ``most_s``."""
        return random.uniform(0, min(self.first_s * 2 ** (tried - 1), self.most_s))


PATIENCE = Patience()


def with_retries(
    call: Callable[[], T], *, patience: Patience = PATIENCE, sleep: Callable[[float], None] = time.sleep
) -> T:
    """What ``call`` gives; again where it fails for a moment: timeouts, lost connections, errors of a server.

    Raises
    ------
    UnavailableError
        It goes on failing, or the server refuses. The text is the reason, in our own words: what packages say
        may hold addresses and headers.
    """
    for tried in range(1, patience.tries + 1):
        try:
            return call()
        except ImageError:
            raise
        except Exception as error:
            if not is_for_a_moment(error):
                raise UnavailableError(reason_of(error)) from error
            if tried == patience.tries:
                text = tr("The server did not answer after {tries} tries: {reason}")
                raise UnavailableError(text.format(tries=tried, reason=reason_of(error))) from error
        sleep(patience.wait_s(tried))
    raise AssertionError("tries are at least one")


def is_for_a_moment(error: BaseException) -> bool:
    """Whether the same may work a moment later."""
    status = status_of(error)
    if status is not None:
        return status in _FOR_A_MOMENT
    kinds = (*_OF_CONNECTIONS, *_of_packages())
    return any(isinstance(one, kinds) for one in _causes(error))


def reason_of(error: BaseException) -> str:
    """Why something far away could not be read, as a sentence without an address."""
    status = status_of(error)
    # gcsfs tells two of its refusals by a type and a word.
    if status in _MISSING or isinstance(error, FileNotFoundError):
        return tr(GONE)
    if status in _DENIED or isinstance(error, PermissionError) or str(error).startswith("Forbidden"):
        return tr("It may not be read with these credentials.")
    if status == _OTHER_VERSION or isinstance(error, FileExistsError):
        return tr(CHANGED)
    if status is not None:
        return tr("The server answers with error {status}.").format(status=status)
    if "Credential" in type(error).__name__:
        return tr("No credentials were found in the environment or your profile.")
    if is_for_a_moment(error):
        return tr("The connection failed ({kind}).").format(kind=type(error).__name__)
    if isinstance(error, OSError):
        return unavailable(error)
    return tr("It cannot be read ({kind}).").format(kind=type(error).__name__)


def status_of(error: BaseException) -> int | None:
    """The status of HTTP that ``error`` or one of its causes tells."""
    for one in _causes(error):
        response: Any = getattr(one, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        elif (status := getattr(one, "status", None)) is None:
            status = getattr(one, "code", None)
        if isinstance(status, int):
            return status
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _of_packages() -> Iterator[type[BaseException]]:
    for module, name in _OF_PACKAGES:
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            yield kind
