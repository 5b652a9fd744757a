"""A sentence within a sentence."""

from __future__ import annotations

import errno

import pytest

from core.base.atomic import os_errors, os_reason
from core.base.errors import BoxscoutError, ImageError, as_reason


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImageError("The file is no longer there."), "The file is no longer there"),
        (ValueError("first line.\nsecond line."), "first line"),
        (ValueError("ends in dots..."), "ends in dots"),
        (KeyError(), "KeyError"),
        ("it has 80 x 60 pixels", "it has 80 x 60 pixels"),
    ],
)
def test_what_stands_within_a_sentence_brings_no_full_stop(error: BaseException | str, said: str) -> None:
    assert as_reason(error) == said


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "x."), OSError(9999, "Odd."), OSError("No number.")])
def test_an_errors_own_full_stop_is_not_doubled(error: OSError) -> None:
    assert not os_reason(error).endswith(".")
    with (
        pytest.raises(BoxscoutError) as told,
        os_errors(BoxscoutError, "“{name}” could not be written: {reason}.", name="x"),
    ):
        raise error
    assert str(told.value).endswith(".") and not str(told.value).endswith("..")
