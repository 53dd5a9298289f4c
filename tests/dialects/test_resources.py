"""What is common to all that a provider keeps."""

from __future__ import annotations

import pytest

from pytest_llmmock.core.model import Request
from pytest_llmmock.core.prompt import Answer, Delta
from pytest_llmmock.dialects import resources


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("POST", "/v1/files", ("create", "")),
        ("GET", "/x/v1/files/", ("list", "")),
        ("GET", "/v1/files/file-1", ("retrieve", "file-1")),
        ("DELETE", "/v1/files/file%2F1", ("delete", "file/1")),
        ("GET", "/v1/files/file-1/content", ("content", "file-1")),
        ("PUT", "/v1/files/file-1", ("", "file-1")),
        ("POST", "/", ("", "")),
    ],
)
def test_the_address_tells_what_is_to_be_done(method: str, path: str, asked: tuple[str, str]) -> None:
    assert resources.asked(Request(method, "", path), "files") == asked


@pytest.mark.parametrize(
    ("deltas", "told"),
    [
        ([Delta("item", data={"a": 1}), Delta("item", data=5)], [{"a": 1}]),
        ([Delta("text", '{"a"'), Delta("text", ": 1}")], [{"a": 1}]),
        ([Delta("text", '[{"a": 1}, {"b": 2}, {}]')], [{"a": 1}, {"b": 2}]),
        ([Delta("text", "words")], []),
        ([], []),
    ],
)
def test_things_are_told_as_items_or_as_json(deltas: list[Delta], told: list[object]) -> None:
    assert resources.told(Answer(tuple(deltas))) == told


def test_a_list_says_where_it_begins_and_ends() -> None:
    written = resources.write_list([{"id": "a"}, {"id": "b"}]).json()
    assert (written["first_id"], written["last_id"], written["has_more"]) == ("a", "b", False)
    assert resources.write_list([]).json()["first_id"] is None
