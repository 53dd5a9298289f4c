"""Recorded replies for the tests of conversions, and what comes of them."""

from __future__ import annotations

import json
from typing import Any

from pytest_llmmock.core import sse
from pytest_llmmock.core.model import Dialect, Frame, Reply
from pytest_llmmock.core.prompt import Prompt

JSON = (("content-type", "application/json"), ("x-request-id", "req_1"), ("etag", "abc"))
EVENTS = (("content-type", "text/event-stream"), ("x-request-id", "req_1"))

PLAIN = Prompt("m")
STREAMED = Prompt("m", stream=True)
WITH_USAGE = Prompt("m", stream=True, options={"stream_options": {"include_usage": True}})


def plain(value: object, status: int = 200) -> Reply:
    return Reply(status, JSON, [Frame(json.dumps(value).encode(), 0.7)])


def streamed(*values: object, done: bool = True) -> Reply:
    """A recorded stream of these values, one every tenth of a second."""
    events = [sse.write_event(value) for value in (*values, *(["[DONE]"] if done else []))]
    return Reply(200, EVENTS, [Frame(event, (number + 1) / 10) for number, event in enumerate(events)])


def converted(dialect: Dialect, prompt: Prompt, reply: Reply) -> Reply:
    found = dialect.convert(prompt, reply)
    assert found is not None
    return found


def values_of(reply: Reply) -> list[Any]:
    """What the events of a stream hold; each is a frame of its own."""
    events = sse.read_events(reply.body)
    assert isinstance(reply.frames, list)
    assert [sse.read_events(frame.data) for frame in reply.frames] == [[event] for event in events]
    return [event.json() for event in events if event.data != "[DONE]"]


def there_and_back(dialect: Dialect, value: object) -> Any:
    """A whole answer, streamed and made whole again."""
    return converted(dialect, PLAIN, converted(dialect, WITH_USAGE, plain(value))).json()
