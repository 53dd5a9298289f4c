"""Pictures that are made up: they can be decoded, and are what was asked for."""

from __future__ import annotations

import pytest
from decoding import decoded
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.dialects import pictures


@given(width=st.integers(1, 70), height=st.integers(1, 70), transparent=st.booleans(), words=st.text(max_size=9))
def test_a_picture_can_be_decoded_and_has_its_size(width: int, height: int, transparent: bool, words: str) -> None:
    png = pictures.make(words, width, height, transparent=transparent)
    found_width, found_height, pixel, rows = decoded(png)
    assert (found_width, found_height, pixel, len(rows)) == (width, height, 4 if transparent else 3, height)
    assert pictures.format_of(png) == "png"


def test_the_same_words_make_the_same_picture_and_others_another() -> None:
    cat = pictures.make("a cat", 64, 64)
    assert pictures.make("a cat", 64, 64) is cat
    pictures.make.cache_clear()
    assert pictures.make("a cat", 64, 64) == cat
    assert len({pictures.make(f"a cat {number}", 64, 64) for number in range(20)}) == 20


def test_a_transparent_picture_has_pixels_that_cannot_be_seen() -> None:
    *_, rows = decoded(pictures.make("a cat", 64, 64, transparent=True))
    assert {row[at] for row in rows for at in range(3, len(row), 4)} == {0, 255}


@pytest.mark.parametrize(
    ("asked", "size"),
    [(None, (1024, 1024)), ("auto", (1024, 1024)), ("256x512", (256, 512)), ("1536x864", (1536, 864))],
)
def test_sizes_are_read(asked: object, size: tuple[int, int]) -> None:
    assert pictures.size_of(asked) == size


@pytest.mark.parametrize("asked", ["big", "0x5", "5x0", "99999x1", "8000x8000", "10 x 10", 5, "-1x5", "1024"])
def test_an_impossible_size_is_refused_and_named(asked: object) -> None:
    with pytest.raises(pictures.Impossible, match=r"size=.* is not possible") as caught:
        pictures.size_of(asked)
    assert (caught.value.problem.status, caught.value.problem.param) == (400, "size")


def test_an_unknown_format_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(pictures.Impossible, match=r"'bmp' cannot be made\. Known are: png, jpeg, webp, gif\."):
        pictures.make("", 1, 1, "bmp")


@pytest.mark.parametrize("kind", ["jpeg", "webp", "gif"])
def test_other_formats_are_made_by_pillow(kind: str) -> None:
    pytest.importorskip("PIL", reason="Pillow is not installed")
    assert pictures.format_of(pictures.make("a cat", 30, 20, kind, transparent=True)) == kind


def test_without_pillow_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(pictures.Impossible, match=r"jpeg is made by Pillow, which is not installed. Install it"):
        pictures.make("never asked for before", 1, 1, "jpeg")


def test_what_is_no_picture_has_no_format() -> None:
    assert pictures.format_of(b"") == pictures.format_of(b"words") == ""
    assert [pictures.format_of(sign) for sign in (b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF....WEBP")] == [
        "jpeg",
        "gif",
        "webp",
    ]
