"""Lists in pages."""

from __future__ import annotations

import pytest

from pytest_llmmock.core.paging import page

VALUES = [{"id": name} for name in "abcde"]


@pytest.mark.parametrize(
    ("asked", "ids", "more"),
    [
        ({}, "edc", True),
        ({"limit": ["10"]}, "edcba", False),
        ({"order": ["asc"], "limit": ["2"]}, "ab", True),
        ({"order": ["asc"], "after": ["c"]}, "de", False),
        ({"after": ["c"], "limit": ["1"]}, "b", True),
        ({"after": ["nobody"], "limit": ["many"]}, "edc", True),
        ({"limit": ["0"]}, "", True),
    ],
)
def test_a_page_is_what_was_asked_for(asked: dict[str, list[str]], ids: str, more: bool) -> None:
    found, has_more = page(VALUES, asked, 3)
    assert ("".join(value["id"] for value in found), has_more) == (ids, more)
