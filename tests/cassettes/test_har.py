from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import foreign, har
from pytest_llmmock.errors import CassetteFormatError

ASKED = '{"model": "gpt-5"}'
ANSWERED = '{"id": "1"}'


def entry(request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    asked = {
        "method": "POST",
        "url": "https://api.openai.com/v1/chat/completions?a=b#c",
        "headers": [{"name": ":authority", "value": "api.openai.com"}, {"name": "Content-Type", "value": "text/x"}],
        "postData": {"mimeType": "application/json", "text": ASKED},
    }
    answered = {
        "status": 200,
        "statusText": "OK",
        "headers": [{"name": "Content-Encoding", "value": "br"}, {"name": "X-Request-Id", "value": "r1"}],
        "content": {"size": len(ANSWERED), "mimeType": "application/json", "text": ANSWERED},
    }
    return {"request": {**asked, **(request or {})}, "response": {**answered, **(response or {})}, **more}


def read(*entries: Any) -> list[Any]:
    return foreign.read(json.dumps({"log": {"version": "1.2", "entries": entries}}).encode())


def test_what_was_asked_and_answered_is_read():
    (found,) = read(entry())
    request, reply = found.request, found.reply
    assert (request.method, request.url, request.body) == (
        "POST",
        "https://api.openai.com/v1/chat/completions?a=b",
        ASKED.encode(),
    )
    assert request.headers == (("content-type", "text/x"),)
    assert (reply.status, reply.reason, reply.body) == (200, "OK", ANSWERED.encode())
    assert reply.headers == (("x-request-id", "r1"),), "the text is no longer encoded"
    assert found.meta == {"imported": "HAR"}


def test_the_order_is_that_of_asking():
    """Which the format asks of its readers: it may stand there in any."""
    late, early = "2026-11-20T10:00:02Z", "2026-11-20T11:00:01+01:00"
    second, first = entry({"method": "PUT"}, startedDateTime=late), entry(startedDateTime=early)
    assert [each.request.method for each in read(second, first)] == ["POST", "PUT"]
    assert [each.request.method for each in read(second, first, entry({"method": "GET"}))] == ["PUT", "POST", "GET"]


def test_what_a_browser_asks_for_itself_is_left_out():
    socket = entry({"method": "GET", "url": "wss://api.openai.com/v1/realtime"}, {"status": 101})
    assert [each.request.method for each in read(entry({"method": "OPTIONS"}), socket, entry())] == ["POST"]


def test_what_is_not_wanted_is_not_looked_at():
    picture = entry({"method": "GET", "url": "https://example.com/a.png"}, {"content": {"size": 9}})
    data = json.dumps({"log": {"entries": [picture, 5, entry()]}}).encode()
    seen = []
    found = foreign.read(data, wanted=lambda *asked: seen.append(asked) or "openai" in asked[1])  # type: ignore[func-returns-value]
    assert len(found) == 1
    assert seen[:2] == [("GET", "https://example.com/a.png"), ("GET", "")]


def test_when_it_was_and_how_long_it_took_are_kept():
    (found,) = read(entry(startedDateTime="2026-11-20T10:00:00.5+01:00", timings={"wait": 250}))
    assert found.meta["recorded"] == "2026-11-20T09:00:00.500Z"
    assert [frame.at for frame in found.reply.frames] == [0.25]


@pytest.mark.parametrize("when", ["yesterday", "", None, 5, {}, "0001-01-01T00:00:00+14:00"])
def test_a_time_that_cannot_be_read_is_left_out(when):
    assert "recorded" not in read(entry(startedDateTime=when, timings={"wait": -1}))[0].meta


def test_bytes_come_back_from_base64():
    (found,) = read(entry(response={"content": {"size": 3, "text": "AP+A", "encoding": "base64"}}))
    assert found.reply.body == b"\x00\xff\x80"


def test_a_form_is_written_again_from_its_fields():
    form = {"mimeType": "application/x-www-form-urlencoded; charset=utf-8", "params": [{"name": "a", "value": "b c"}]}
    assert read(entry({"postData": form}))[0].request.body == b"a=b+c"


def test_requests_that_were_never_answered_are_passed_over():
    assert read(entry(response={"status": 0})) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (entry({"url": ""}), "no `url`"),
        (entry(response={"status": "200"}), "no `status` between 100 and 599, but '200'"),
        (entry(response={"content": {"size": 12}}), "the 12 bytes of its response are not in the file"),
        (entry(response={"content": {"text": "A", "encoding": "base64"}}), "is not Base64"),
        (entry({"postData": {"mimeType": "multipart/form-data", "params": [{"name": "a"}]}}), "has a form in parts"),
        ({"request": {}}, "it has no `response`"),
        (5, "it has no `request`"),
    ],
)
def test_what_cannot_be_taken_over_is_told_with_its_number(broken, told):
    with pytest.raises(CassetteFormatError, match=told) as caught:
        read(entry(), broken)
    assert str(caught.value).startswith("Interaction 2: ")


NAMES = ("log", "entries", "request", "response", "url", "headers", "postData", "params", "content", "status", "text")
PLAIN = st.none() | st.booleans() | st.integers() | st.text()
ANYTHING = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner))


@given(ANYTHING)
def test_whatever_stands_there_is_read_or_refused(value):
    try:
        found = read(value, entry())
    except CassetteFormatError:
        return
    assert found[-1].request.body == ASKED.encode()


@pytest.mark.parametrize("value", [None, [], {}, {"log": []}, {"log": {"entries": {}}}])
def test_other_documents_are_no_har(value):
    assert not har.is_one(value)
