"""What fixtures of aimock answer: words, calls of tools, errors, vectors, media."""

from __future__ import annotations

import binascii
import math
from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import Field

from ..errors import UsageError
from .checking import Part, checked, read_part
from .documents import Place
from .problems import Failing, error
from .replies import Said, reply


class _Response(Part):
    content: Any = None
    toolCalls: list[Any] = Field(default_factory=list)
    blocks: list[Any] = Field(default_factory=list)
    reasoning: str | None = None
    usage: dict[str, Any] | None = None
    finishReason: str | None = None
    error: Any = None
    status: int | None = None
    retryAfter: float | None = None
    embedding: list[Any] | None = None
    image: Any = None
    images: list[Any] = Field(default_factory=list)
    audio: Any = None
    transcription: Any = None
    json_: Any = Field(None, alias="json")
    # Known, and without effect here.
    id: Any = None
    created: Any = None
    model: Any = None
    role: Any = None
    format: Any = None
    provider: Any = None
    systemFingerprint: Any = None
    nativeFinishReason: Any = None
    reasoningSignature: Any = None
    redactedThinking: Any = None
    webSearches: Any = None
    fallthrough: Any = None
    billableUnits: Any = None


class _Error(Part):
    message: str
    type: str | None = None
    code: str | None = None
    param: Any = None
    metadata: Any = None


class _Call(Part):
    name: str
    arguments: str | dict[str, Any] = ""
    id: str | None = None
    type: str | None = None


def action_of(value: Any, chunk_size: int | None, place: Place) -> Said | Failing:
    """What a fixture's `response` says; `chunk_size` is in characters. Raises `UsageError`."""
    response = read_part(_Response, value, place)
    if response.error is not None:
        failing = read_part(_Error, response.error, place / "error")
        status = response.status or 500
        return checked(
            partial(error, status, failing.code, failing.message, response.retryAfter, type=failing.type), place
        )
    arguments = {**_words(response, place), **_others(response, place)}
    if not arguments:
        raise UsageError(f"{place}: it says nothing that rules know: words, calls, an error, a vector, media or JSON.")
    more = {
        "usage": _usage(response.usage, place / "usage"),
        "finish_reason": response.finishReason or "",
        "chunks": chunk_size,
    }
    return checked(partial(reply, **{**arguments, **more, "status": response.status or 200}), place)


def _words(response: _Response, place: Place) -> dict[str, Any]:
    blocks = [_block(each, place / "blocks" / n) for n, each in enumerate(response.blocks)]
    content = "".join(each for each in blocks if isinstance(each, str)) if blocks else response.content
    calls = [each for each in blocks if isinstance(each, dict)]
    calls = calls or [_call(each, place / "toolCalls" / n) for n, each in enumerate(response.toolCalls)]
    words = {"json": content} if isinstance(content, dict | list) else {"text": content}
    found = {**words, "tool_calls": calls, "reasoning": response.reasoning}
    return {name: value for name, value in found.items() if value or (name == "text" and value == "" and not calls)}


def _block(value: Any, place: Place) -> str | dict[str, Any]:
    if isinstance(value, dict) and value.get("type") == "text":
        return str(value.get("text", ""))
    return _call(value, place)


def _call(value: Any, place: Place) -> dict[str, Any]:
    call = read_part(_Call, value, place)
    return {"name": call.name, "arguments": call.arguments, **({"id": call.id} if call.id else {})}


def _others(response: _Response, place: Place) -> dict[str, Any]:
    images = [*([response.image] if response.image is not None else []), *response.images]
    found = {
        "embedding": response.embedding,
        "image": [_picture(each, place / "image") for each in images] or None,
        "audio": None if response.audio is None else _sound(response.audio, place / "audio"),
        "json": response.json_,
    }
    if isinstance(response.transcription, dict):
        found["text"] = str(response.transcription.get("text", ""))
    return {name: value for name, value in found.items() if value is not None}


def _picture(value: Any, place: Place) -> str | bytes:
    data = value if isinstance(value, dict) else {}
    if data.get("b64Json"):
        return _bytes(data["b64Json"], place)
    if data.get("url"):
        return str(data["url"])
    raise UsageError(f"{place}: a picture has a `url` or `b64Json`.")


def _sound(value: Any, place: Place) -> bytes:
    return _bytes(value.get("b64Json") if isinstance(value, dict) else value, place)


def _bytes(value: Any, place: Place) -> bytes:
    try:
        return b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"{place}: this is not Base64.") from None


_COUNTS = {
    "prompt_tokens": "input",
    "input_tokens": "input",
    "promptTokenCount": "input",
    "completion_tokens": "output",
    "output_tokens": "output",
    "candidatesTokenCount": "output",
    "total_tokens": "total",
    "totalTokenCount": "total",
}


def _usage(given: Mapping[str, Any] | None, place: Place) -> dict[str, int] | None:
    """What is counted, in any provider's names; costs are left out."""
    counted = {name: count for name, count in (given or {}).items() if name in _COUNTS and count is not None}
    for name, count in counted.items():
        if isinstance(count, bool) or not isinstance(count, int | float) or not 0 <= count < math.inf:
            raise UsageError(f"{place / name}: {count!r} is no count of tokens.")
    return {_COUNTS[name]: int(count) for name, count in counted.items()} or None
