"""Names as other systems and tools write them, against the images that are known."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.names import KnownNames, inside, without_ending

KNOWN = ("IMG_0000.JPG", "site1/a.png", "site2/a.png", "Mäuse Zoë.JPG", "50% off.png", "2021.05.03 fox.png")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("IMG_0000.JPG", "IMG_0000.JPG"),
        ("/home/someone/images/IMG_0000.JPG", "IMG_0000.JPG"),
        ("images\\IMG_0000.JPG", "IMG_0000.JPG"),
        ("C:\\Users\\me\\IMG_0000.JPG", "IMG_0000.JPG"),
        ("\\\\nas\\photos\\IMG_0000.JPG", "IMG_0000.JPG"),
        ("../site1/a.png", "site1/a.png"),
        ("site9/../site2/./a.png", "site2/a.png"),
        ("file:///home/me/IMG_0000.JPG", "IMG_0000.JPG"),
        ("https://host/x/site1/a.png", "site1/a.png"),
        (unicodedata.normalize("NFD", "Mäuse Zoë.JPG"), "Mäuse Zoë.JPG"),
        ("M%C3%A4use%20Zo%C3%AB.JPG", "Mäuse Zoë.JPG"),
        ("50%25%20off.png", "50% off.png"),
        ("img_0000.jpg", "IMG_0000.JPG"),
        ("SITE1/A.PNG", "site1/a.png"),
        ("IMG_0000", "IMG_0000.JPG"),
        ("site2/a", "site2/a.png"),
        ("2021.05.03 fox", "2021.05.03 fox.png"),
        (" IMG_0000.JPG ", "IMG_0000.JPG"),
        ("https://host/IMG_0000.jpeg?width=9", "IMG_0000.JPG"),
        ("0a1b2c3d-IMG_0000.JPG", "IMG_0000.JPG"),  # an upload of Label Studio's
        ("IMG_0000_JPG.rf.0123456789abcdef0123456789abcdef.jpg", "IMG_0000.JPG"),  # Roboflow's
    ],
)
def test_a_name_finds_the_one_image_that_fits(given: str, found: str) -> None:
    assert KnownNames(KNOWN).find(given).name == found


@pytest.mark.parametrize(
    "given", ["a.png", "A", "x.png", "site3/a.png", "MG_0000.JPG", "IMG_0000.PNG", "", ".."]
)
def test_where_none_or_two_fit_nothing_is_found(given: str) -> None:
    fit = KnownNames(KNOWN).find(given)
    assert fit.name is None
    assert (fit.names == ("site1/a.png", "site2/a.png")) is (given in ("a.png", "A"))


def test_the_stricter_way_counts_before_the_looser_one() -> None:
    known = KnownNames(["a.png", "A.png", "a%20b.png", "a b.png", "c", "c.png"])
    for name in ("a.png", "A.png", "a%20b.png", "a b.png", "c", "c.png"):
        assert known.find(name).name == name
    assert known.find("x/A.png").name == "A.png"
    assert known.find("a.PNG").names == ("a.png", "A.png")
    assert KnownNames(["a.png", "sub/a.png"]).find("A.png").name == "a.png"


def test_a_name_without_an_ending_is_known_too() -> None:
    """The other way round: a truth that knows no endings."""
    assert KnownNames(["IMG_1", "IMG_2"]).find("day/IMG_2.jpeg").name == "IMG_2"


@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=12))
def test_whatever_is_found_is_known(names: list[str], given: str) -> None:
    found = KnownNames(names).find(given).names
    assert set(found) <= set(names)
    assert given not in names or found == (given,)


@given(st.text())
def test_a_name_that_is_inside_never_leads_out(name: str) -> None:
    path = inside(name)
    assert not path.startswith("/")
    assert ".." not in path.split("/")
    assert inside(path) == path or ":" in path


def test_an_ending_is_that_of_a_file() -> None:
    assert [without_ending(name) for name in ("a.jpg", "a.b.JPEG", ".jpg", "2021.05.03 fox", "a.")] == [
        *("a", "a.b", ".jpg", "2021.05.03 fox", "a.")
    ]
