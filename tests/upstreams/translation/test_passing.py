"""Responses for clients of Responses."""

from __future__ import annotations

from typing import Any

import responding as upstream
from responding import Upstream, answered, asked, values_of

from pytest_llmmock.core.live import Live
from pytest_llmmock.upstreams.translation import as_asked

WHOLE = [upstream.created(), *upstream.message(0, "It ", "rains"), *upstream.call(1, "f", "{}")]


def test_events_pass_as_they_are_and_the_last_one_has_its_items() -> None:
    reply = as_asked(asked("responses", stream=True), answered(*WHOLE, upstream.ended()))
    *passed, last = [frame.data for frame in reply.arrived]
    assert passed == WHOLE
    output = values_of(last)[0]["response"]["output"]
    assert [(item["type"], item.get("call_id")) for item in output] == [("message", None), ("function_call", "call_1")]
    assert last.startswith(b"event: response.completed\ndata: ")


def test_a_last_event_that_has_items_passes_as_it_is() -> None:
    last = upstream.ended(output=[{"type": "message", "content": []}])
    assert as_asked(asked("responses", stream=True), answered(*WHOLE, last)).arrived[-1].data == last


def test_items_that_are_not_done_are_not_made_up() -> None:
    last = upstream.ended("incomplete")
    events = [upstream.created(), upstream.message(0, "It ")[0], upstream.text(0, "It "), last]
    assert as_asked(asked("responses", stream=True), answered(*events)).arrived[-1].data == last


def test_every_event_passes_at_once_and_what_nobody_knows_too() -> None:
    source = Upstream(upstream.created())
    frames = iter(as_asked(asked("responses", stream=True), source.reply).frames)
    assert next(frames).data == upstream.created()
    for event in (b": ping\n\n", upstream.event("codex.rate_limits", plan="x"), upstream.ended(), b"data: [DONE]\n\n"):
        source.release(event)
        assert next(frames).data == event
    source.end()
    assert list(frames) == []
    assert source.live.whole


def test_it_is_whole_once_the_last_event_has_come() -> None:
    source = Upstream(upstream.created(), upstream.ended())
    reply = as_asked(asked("responses", stream=True), source.reply)
    kept: list[int] = []
    assert isinstance(reply.frames, Live)
    reply.frames.then(lambda: kept.append(len(reply.arrived)))
    frames = iter(reply.frames)
    next(frames)
    assert kept == []
    next(frames)
    assert kept == [2]


def test_a_plain_response_is_put_together_from_its_items() -> None:
    found: Any = as_asked(asked("responses"), answered(*WHOLE, upstream.ended())).json()
    assert [item["type"] for item in found["output"]] == ["message", "function_call"]
    assert (found["id"], found["status"], found["usage"]) == ("resp_1", "completed", upstream.USAGE)


def test_a_plain_response_of_words_only_is_made_of_them() -> None:
    found: Any = as_asked(asked("responses"), answered(upstream.text(0, "Hi"), upstream.ended())).json()
    assert found["output"][0]["content"][0]["text"] == "Hi"


def test_an_incomplete_response_stays_one() -> None:
    details = {"reason": "max_output_tokens"}
    found = as_asked(asked("responses"), answered(*WHOLE, upstream.ended("incomplete", incomplete_details=details)))
    assert (found.json()["status"], found.json()["incomplete_details"]) == ("incomplete", details)
