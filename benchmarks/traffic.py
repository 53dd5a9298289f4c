"""The calls that the benchmarks replay: a chat request of 1 KB, its answer as 2 KB of JSON or as 200 events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import Absent

from pytest_llmmock import dialects
from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.keeper import describe

MODEL = "gpt-4o-mini"
ORIGIN = "https://api.openai.com"
PATH = "/v1/chat/completions"
URL = ORIGIN + PATH
EVENTS = 200

REQUEST_HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-none"}

HEADERS = (
    ("content-type", "application/json"),
    ("date", "Thu, 20 Nov 2025 15:00:00 GMT"),
    ("server", "cloudflare"),
    ("x-request-id", "req_0123456789abcdef"),
    ("openai-processing-ms", "412"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-remaining-requests", "9999"),
)
STREAM_HEADERS = (("content-type", "text/event-stream; charset=utf-8"), *HEADERS[1:])

_SYSTEM = "You are a terse assistant. " + "The quick brown fox jumps over the lazy dog. " * 13
_WORDS = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 28
_ADD = {
    "name": "add",
    "description": "add numbers",
    "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
}
_BLANKS = str.maketrans("01", " \n")


def compact(value: object) -> bytes:
    """JSON as the SDKs send it."""
    return json.dumps(value, separators=(",", ":")).encode()


def question(number: int) -> str:
    return f"Question number {number}: what is {number} plus {number}?"


def ask(number: int, *, stream: bool = False) -> dict[str, Any]:
    """What a client asks; each number gives another question."""
    asked = {
        "messages": [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": question(number)}],
        "model": MODEL,
        "max_tokens": 256,
        "temperature": 0.2,
        "tools": [{"type": "function", "function": _ADD}],
    }
    return {**asked, "stream": True} if stream else asked


def varied(body: bytes, number: int) -> bytes:
    """The same JSON in bytes that were not seen before, with as many of them for each number."""
    return body + format(number, "016b").translate(_BLANKS).encode()


def text(number: int) -> str:
    return f"Answer {number}: it is {2 * number}. {_WORDS}"


def answer(number: int) -> bytes:
    message = {"role": "assistant", "content": text(number), "refusal": None}
    return compact(
        {
            "id": f"chatcmpl-{number:08d}",
            "object": "chat.completion",
            "created": 1760000000 + number,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 120, "completion_tokens": 340, "total_tokens": 460},
            "system_fingerprint": "fp_0123456789",
        }
    )


def events(number: int, count: int = EVENTS) -> list[bytes]:
    """The answer as a stream, in so many events and the one that ends it."""
    return [*(_event(number, f" word{step}") for step in range(count)), b"data: [DONE]\n\n"]


def _event(number: int, word: str) -> bytes:
    chunk = {
        "id": f"chatcmpl-{number:08d}",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": MODEL,
        "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
    }
    return b"data: " + compact(chunk) + b"\n\n"


# --- cassettes ------------------------------------------------------------------------------------------


def plain(number: int) -> Recorded:
    """A recorded call that was answered in one piece."""
    return Recorded(_request(compact(ask(number))), Reply(200, HEADERS, [Frame(answer(number))], "OK"))


def streamed(number: int, count: int = EVENTS) -> Recorded:
    """A recorded call that was answered as a stream, an event a frame."""
    frames = [Frame(event) for event in events(number, count)]
    return Recorded(_request(compact(ask(number, stream=True))), Reply(200, STREAM_HEADERS, frames, "OK"))


def in_time(recorded: Recorded, gap: float) -> Recorded:
    """The same, its frames so many seconds apart; the first comes after as many."""
    frames = [Frame(frame.data, (number + 1) * gap) for number, frame in enumerate(recorded.reply.arrived)]
    return replace(recorded, reply=replace(recorded.reply, frames=frames))


def _request(body: bytes) -> Request:
    return Request("POST", ORIGIN, PATH, headers=(("content-type", "application/json"),), body=body)


def write_ours(path: Path, recorded: Sequence[Recorded]) -> Path:
    """A cassette in our format, as the recorder saves it."""
    keys = Keys()
    interactions = [Interaction.of(each, keys.key(dialects.read(each.request))) for each in recorded]
    library.save(path, interactions, signature=keys.signature, describe=describe)
    return path


def write_vcrpy(path: Path, recorded: Sequence[Recorded]) -> Path:
    """The same calls as vcrpy's own serializer writes them."""
    from vcr.serializers import yamlserializer

    document = {"version": 1, "interactions": [_as_vcrpy(each) for each in recorded]}
    path.write_text(yamlserializer.serialize(document))
    return path


def _as_vcrpy(recorded: Recorded) -> dict[str, Any]:
    request, reply = recorded.request, recorded.reply
    return {
        "request": {
            "method": request.method,
            "uri": request.url,
            "headers": {name: [value] for name, value in request.headers},
            "body": request.body.decode(),
        },
        "response": {
            "status": {"code": reply.status, "message": reply.reason},
            "headers": {name: [value] for name, value in reply.headers},
            "body": {"string": reply.body.decode()},
        },
    }


def write_cassetter(path: Path, vcrpy_file: Path) -> Path:
    """The same calls as cassetter's own command takes them over from vcrpy. Raises `Absent`."""
    try:
        from cassetter.cli import convert_file
    except ImportError:
        raise Absent("cassetter") from None
    convert_file(vcrpy_file, path)
    return path
