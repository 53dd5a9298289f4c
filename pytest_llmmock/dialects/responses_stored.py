"""What is asked about responses that are kept, and about what one would take.

The shapes are `openai.types.responses.Response`, `ResponseItemList`, `InputTokenCountResponse` and `CompactedResponse`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from ..core.model import Reply, Request
from ..core.prompt import Answer, Delta, Prompt, Usage
from . import conversion, resources, responses, responses_conversion
from . import openai_shapes as shapes
from . import responses_events as events
from . import responses_items as items
from .counting import counted
from .fields import objects, read_values, whole, write_events, write_json

write_request = responses.write_request
write_error = shapes.write_error
write_failure = events.write_failure

_NAMED = ("compact", "input_tokens")
"""What stands where else there is an id."""


def read_request(request: Request) -> Prompt:
    """What is to be done with which response; a kept one can be asked for as a stream."""
    action, id = resources.asked(request, "responses")
    if id in _NAMED and request.method == "POST":
        action, id = id, ""
    streamed = ("stream", "true") in parse_qsl(request.query)
    prompt = responses.read_request(request)
    return replace(prompt, stream=prompt.stream or streamed, action=action, id=id)


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """A kept response is one like any other."""
    whole_ones = ("", "retrieve", "cancel")
    return (
        responses_conversion.convert(prompt, reply) if prompt.action in whole_ones else conversion.never(prompt, reply)
    )


# --- in -------------------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """A response, a number of tokens, or whatever is told as it is."""
    values = objects(read_values(reply))
    value = values[0] if len(values) == 1 else {}
    count = whole(value.get("input_tokens"))
    if count is not None:
        return Answer((Delta("usage", usage=Usage(input=count)),))
    if reply.status < 400 and (isinstance(value.get("data"), list) or value.get("deleted") is not None):
        return resources.read_reply(reply)
    return responses.read_reply(reply)


# --- out ------------------------------------------------------------------------------------------------


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    if failed := resources.write_failed(answer):
        return failed
    if prompt.action == "delete":
        return resources.write_deleted("response", prompt.id, resources.told(answer))
    if prompt.action == "input_items":
        return resources.write_list(_items(prompt, answer), more=resources.has_more(resources.told(answer)))
    if prompt.action == "input_tokens":
        return write_json({"object": "response.input_tokens", "input_tokens": counted(prompt, answer)})
    return write_json(_compacted(prompt, answer)) if prompt.action == "compact" else _response(prompt, answer)


def _items(prompt: Prompt, answer: Answer) -> list[dict[str, Any]]:
    """`ResponseItemList`; each item has an id."""
    named = shapes.digest(prompt, answer)
    found = resources.held(resources.told(answer))
    return [{"id": f"msg_{named}{number}", **item} for number, item in enumerate(found)]


def _response(prompt: Prompt, answer: Answer) -> Reply:
    """`Response`: the one that was told whole, or one that says what was told."""
    response = next((value for value in resources.told(answer) if value.get("object") == "response"), None)
    if response is None:
        output = [group.item() for group in items.output_of(prompt, answer)]
        response = items.write_response(prompt, replace(answer, id=answer.id or prompt.id), output)
    if prompt.action == "cancel":
        response = {**response, "status": "cancelled"}
    if prompt.stream and f"response.{response.get('status')}" in events.ENDS:
        return write_events(list(events.write_events(response)))
    return write_json(response)


def _compacted(prompt: Prompt, answer: Answer) -> dict[str, Any]:
    """`CompactedResponse`: what the user said, then what stands for all the rest."""
    named = shapes.digest(prompt, answer)
    said = [message for message in prompt.messages if message.role == "user"]
    asked = responses.write_items(said)
    turns = [{"id": f"msg_{named}{number}", "status": "completed", **item} for number, item in enumerate(asked)]
    sealed = urlsafe_b64encode((answer.text or named).encode(errors="replace")).decode()
    usage = answer.usage or Usage(input=counted(prompt, answer), output=0)
    return {
        "id": answer.id or f"resp_{named}",
        "object": "response.compaction",
        "created_at": answer.created or 0,
        "output": [*turns, {"id": f"cmp_{named}", "type": "compaction", "encrypted_content": sealed}],
        "usage": items.write_usage(usage),
    }
