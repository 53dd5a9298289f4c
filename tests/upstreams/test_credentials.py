"""What of a request tells who asks."""

from __future__ import annotations

import pytest

from pytest_llmmock.upstreams.credentials import without_choice, without_foreign, without_keys


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", ""),
        ("provider=xai", ""),
        ("a=%20x&provider=xai&b", "a=%20x&b"),
        ("providers=xai&a=provider", "providers=xai&a=provider"),
        ("pro%76ider=xai&a=1", "a=1"),
    ],
)
def test_what_is_for_us_is_taken_from_the_query_and_the_rest_stays_as_it_was_written(query, left):
    assert without_choice(query) == left


def test_credentials_are_taken_from_the_query():
    assert without_keys("key=a&api_key=b&api-key=c&access_token=d&page_token=e&alt=sse") == "page_token=e&alt=sse"


def test_headers_that_tell_nothing_stay():
    headers = (("accept", "a"), ("anthropic-beta", "b"), ("x-title", "t"))
    assert without_foreign((*headers, ("cookie", "c")), "openai") == headers
