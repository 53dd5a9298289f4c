from __future__ import annotations

import re

import pytest

from pytest_llmmock import UsageError, reply
from pytest_llmmock.script.annotations import annotations_of, placed

NESTED = {"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, ()),
        ("u", ({"type": "url_citation", "url_citation": {"url": "u"}},)),
        ({"url": "u", "title": "t"}, (NESTED,)),
        ({"type": "url_citation", "url": "u", "title": "t"}, (NESTED,)),
        (NESTED, (NESTED,)),
        ([NESTED, NESTED], (NESTED, NESTED)),
        ({"type": "file_citation", "file_id": "f"}, ({"type": "file_citation", "file_id": "f"},)),
    ],
    ids=str,
)
def test_annotations_are_written_as_anybody_would(given, found):
    assert annotations_of(given) == found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (5, "annotations: 5 is none. An annotation is an address, or {'url': …"),
        ({"title": "t"}, "annotations: {'title': 't'} is none."),
        ({"url": "u", "titel": "t"}, "There is no 'titel'; did you mean 'title'?"),
        ({"url": "u", "title": {1}}, "It is not JSON: "),
    ],
    ids=str,
)
def test_what_is_no_annotation_is_refused(given, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        reply("x", annotations=given)


@pytest.mark.parametrize(
    ("cited", "start", "end"),
    [({}, 0, 11), ({"text": "Rome"}, 6, 10), ({"text": "not there"}, 0, 9), ({"start_index": 2, "end_index": 3}, 2, 3)],
    ids=str,
)
def test_an_annotation_has_its_place_in_the_words(cited, start, end):
    found = placed(annotations_of({"url": "u", **cited})[0], "Hello Rome.")["url_citation"]
    assert found == {"url": "u", "title": "", "start_index": start, "end_index": end}
    assert placed({"type": "file_citation"}, "x") == {"type": "file_citation"}
