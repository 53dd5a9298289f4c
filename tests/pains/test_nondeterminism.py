"""Requests that are another in every run, though nothing was changed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def in_any_order(body: Any) -> Any:
    body["tools"].sort(key=lambda each: each["function"]["name"])
    return body


def test_what_is_declared_later_finds_what_was_recorded_before(run, path):
    """Where what was recorded before is not normalised as requests are, it is lost when a normaliser is added."""
    with run("once") as app:
        recorded = app.say(f"plan {uuid.uuid4()} in /tmp/pytest-of-me/pytest-1/x on 2026-11-20T10:00:00Z")
    before = path.read_bytes()
    with run(normalisers=["uuid", "tmp_path", "timestamp"]) as app:
        assert app.say(f"plan {uuid.uuid4()} in /tmp/pytest-of-me/pytest-7/x on 2027-01-02T11:12:13Z") == recorded
    with run("new_episodes", ignore=["messages[*].content"]) as app:
        assert app.say("anything else") == recorded
    assert path.read_bytes() == before


def test_tools_may_come_in_any_order_where_that_is_said(run):
    """Tools that are gathered in a set come in another order in every run, and no option of a mock helps."""
    with run("once") as app:
        recorded = app.say(tools=[tool("add"), tool("find"), tool("stop")])
    with run(normalisers=[in_any_order]) as app:
        assert app.say(tools=[tool("stop"), tool("add"), tool("find")]) == recorded


@pytest.mark.parametrize("name", ["traceparent", "x-session-id", "x-request-id", "idempotency-key", "baggage"])
def test_headers_of_tracing_make_no_difference(run, path, name):
    """Ids in headers are another in every run: they make requests differ, or differences in the file."""
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    with run("once") as app:
        recorded = app.say(extra_headers={name: first})
    assert first not in path.read_text()
    with run() as app:
        assert app.say(extra_headers={name: second}) == recorded
