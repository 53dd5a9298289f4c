"""Responses, streamed or whole, turned into each other."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.model import Reply
from ..core.prompt import Prompt
from . import conversion
from .conversion import Value
from .fields import listing, mapping, text
from .responses_events import ENDS, write_events
from .responses_stream import place_of


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """`Response` from a run of `ResponseStreamEvent`, and the other way round."""
    return conversion.convert(_FORM, prompt, reply)


def _spread(prompt: Prompt, response: Value) -> Iterator[bytes]:
    return write_events(response)


def _gather(events: list[Value], done: bool) -> Value | None:
    """What the last event carries. Some servers leave its output empty, Codex's backend among them."""
    last = next((event for event in reversed(events) if text(event.get("type")) in ENDS), None)
    if last is None:
        return None
    response = {"status": ENDS[text(last["type"])], **mapping(last.get("response"))}
    if "output" not in response:
        response = {**_begun(events), **response}
    output = _output(events, listing(response.get("output")))
    return None if output is None else {**response, "output": output}


def _begun(events: list[Value]) -> Value:
    return next((event["response"] for event in events if isinstance(event.get("response"), dict)), {})


def _output(events: list[Value], told: list[object]) -> list[object] | None:
    """The items that the last event tells of, or those that were done before it; None when some are not known whole."""
    found: dict[object, object] = {}
    for event in events:
        if event.get("type") == "response.output_item.added":
            found.setdefault(place_of(event))
        elif event.get("type") == "response.output_item.done":
            found[place_of(event)] = event.get("item")
    if told and len(told) >= len(found):
        return told
    said = found or any(text(event.get("type")).endswith(".delta") for event in events)
    return None if not all(found.values()) or (said and not found) else list(found.values())


def _is_whole(response: Value) -> bool:
    return isinstance(response.get("output"), list) and response.get("status") in ENDS.values()


def _read_failure(event: Value) -> Value | None:
    """An event of its own, with the error in a field or spread over the event."""
    if failure := conversion.read_failure(event):
        return failure
    if event.get("type") != "error":
        return None
    kind = "server_error" if conversion.status_named(event) >= 500 else "invalid_request_error"
    error = {"message": event.get("message"), "type": kind, "param": event.get("param"), "code": event.get("code")}
    return {"error": error}


_FORM = conversion.Form(_gather, _spread, _is_whole, _read_failure, conversion.status_of)
