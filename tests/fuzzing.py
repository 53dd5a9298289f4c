"""Requests that no careful client sends, by number: the same number makes the same request, on every machine."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from pytest_llmmock import dialects
from pytest_llmmock.core.codings import LARGEST
from pytest_llmmock.core.model import Request

Headers = tuple[tuple[str, str], ...]

SAID: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Plan a day in Rome"}]
CALLED: list[Any] = [
    *SAID,
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "22 degrees"},
    {"role": "user", "content": [{"type": "text", "text": "And?"}, {"type": "image_url", "image_url": {"url": "x"}}]},
]
SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "array"}}}
TOOLS: list[Any] = [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}]
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "day", "schema": SCHEMA, "strict": True}}
INPUT: list[Any] = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Plan"}]},
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "22"},
]
BLOCKS: list[Any] = [
    {"role": "user", "content": "Plan"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "22"}]},
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

BODIES: dict[str, Any] = {
    "chat": {
        "model": "gpt-5",
        "messages": CALLED,
        "tools": TOOLS,
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": FORMAT,
        "n": 2,
        "temperature": 0.5,
    },
    "completions": {"model": "gpt-5", "prompt": ["a", "b"], "suffix": "c", "stream": True, "n": 1},
    "responses": {
        "model": "gpt-5",
        "input": INPUT,
        "instructions": "Be brief.",
        "previous_response_id": "resp_1",
        "tools": [{"type": "function", "name": "look", "parameters": SCHEMA}],
        "stream": True,
        "text": {"format": {"type": "json_schema", "name": "day", "schema": SCHEMA}},
        "store": True,
    },
    "responses.compact": {"model": "gpt-5", "input": INPUT},
    "responses.input_tokens": {"model": "gpt-5", "input": INPUT},
    "embeddings": {"model": "e", "input": ["a", "b"], "dimensions": 8, "encoding_format": "base64"},
    "images": {"model": "gpt-image-1", "prompt": "a cat", "n": 1, "size": "8x8", "output_format": "png"},
    "audio.speech": {"model": "tts-1", "input": "Hello", "voice": "alloy", "response_format": "wav", "speed": 1},
    "moderations": {"model": "m", "input": ["a", {"type": "text", "text": "b"}]},
    "batches.create": {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"},
    "messages": {
        "model": "claude-x",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": BLOCKS,
        "tools": [{"name": "look", "input_schema": SCHEMA}],
        "stream": True,
    },
    "messages.count_tokens": {"model": "claude-x", "messages": BLOCKS},
    "ollama.chat": {"model": "llama3", "messages": SAID, "format": SCHEMA, "options": {"seed": 1}, "stream": True},
    "ollama.generate": {"model": "llama3", "prompt": "Plan", "system": "Be brief.", "images": [PIXEL]},
    "ollama.embed": {"model": "e", "input": ["a", "b"], "truncate": True},
    "ollama.embeddings": {"model": "e", "prompt": "a"},
    "ollama.show": {"model": "llama3"},
    "opaque": {"model": "m", "contents": [{"role": "user", "parts": [{"text": "Plan"}]}], "prompt": "Plan"},
}
"""What a careful client sends."""

FORMS: dict[str, dict[str, str]] = {
    "images.edits": {"model": "gpt-image-1", "prompt": "a cat", "image": "\x89PNG", "size": "8x8"},
    "images.variations": {"image": "\x89PNG", "n": "1", "size": "8x8"},
    "audio.transcriptions": {"model": "whisper-1", "file": "RIFF", "response_format": "verbose_json"},
    "audio.translations": {"model": "whisper-1", "file": "RIFF", "response_format": "srt"},
    "files.create": {"purpose": "batch", "file": '{"custom_id": "a", "method": "POST", "url": "/v1/embeddings"}'},
}
"""The same, where it sends a form."""

UNKNOWN = [
    ("GET", "/"),
    ("POST", "/v1/nowhere"),
    ("POST", "/v1/chatgpt/vision"),
    ("HEAD", "/v1/chatgpt/files/ab/a.png"),
    ("PUT", "/v1/chat/completions"),
    ("PATCH", "/api/chat"),
    ("OPTIONS", "/v1/responses"),
    ("HEAD", "/v1/models"),
    ("BREW", "/v1/coffee"),
    ("POST", "/api/pull"),
    ("GET", "/v1/messages/batches"),
    ("POST", "/v1//chat//completions//"),
    ("POST", "/%2e%2e/v1/chat/completions"),
    ("GET", "/v1/models/" + "a/" * 500),
    ("POST", "/v1/%ff%00/\x7f"),
]

NUMBERS: list[Any] = [10**400, -(10**400), 1 << 64, 1e308, -0.0, float("nan"), float("inf"), -1, 0, 0.1]
VALUES: list[Any] = [
    None, True, False, "", [], {}, [[]], [{}], {"": ""}, "\ud800", "\x00", "x" * 5000, "wizard", "auto", *NUMBERS,
    ["a", 1, None], {"type": "wizard"}, {"role": "wizard", "content": {"a": []}}, [[[[["deep"]]]]], "data:;base64,%%%",
]  # fmt: skip
TYPES = [
    "", "text/plain", "application/json; charset=utf-16", "application/json; charset=klingon", "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=other", 'multipart/form-data; boundary="', ";",
    "application/x-www-form-urlencoded", "application/xml", "APPLICATION/JSON", "application/json, text/plain", "é",
]  # fmt: skip
QUERIES = ["", "", "", "limit=x&after=y", "stream=true", "order=asc&limit=0", "%00=%ff&&=", "a" * 3000]
BOUNDARY = "multipart/form-data; boundary=b"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request, and what it answers to."""

    number: int
    operation: str
    request: Request

    def __str__(self) -> str:
        request = self.request
        return f"#{self.number} {request.method} {request.path[:80]} {request.headers} {request.body[:200]!r}"


def hostile(number: int) -> Hostile:
    """The request of this number."""
    random = Random(number)
    method, path, operation = _address(random)
    body, kind = _body(operation, random)
    body, packed = _packed(body, random)
    named = (("content-type", kind),) if kind else ()
    version: Headers = (("anthropic-version", "2023-06-01"),) if operation.startswith("messages") else ()
    request = Request(method, "http://x", path, random.choice(QUERIES), (*named, *packed, *version), body)
    return Hostile(number, operation, request)


def _address(random: Random) -> tuple[str, str, str]:
    if random.random() < 0.1:
        method, path = random.choice(UNKNOWN)
        return method, path, "opaque"
    route, operation = random.choice([pair for pair in dialects.ROUTES.items() if pair[1] != "opaque"])
    method, _, path = route.partition(" ")
    id = random.choice(["file-1", "resp_1", "%00", "..", "%ff", "a%2Fb", "x" * 900])
    path = path.replace("{id...}", id).replace("{id}", id)
    return method, path.replace("*/v1", "/v1").replace("*/api", "/api").replace("*", "/v1"), operation


def _body(operation: str, random: Random) -> tuple[bytes, str]:
    """A body and its content type: one that is wrong in one place most of the time."""
    if operation in FORMS and random.random() < 0.7:
        return _form_body(FORMS[operation], random)
    make = random.choice(_WAYS)
    return make(BODIES.get(operation, BODIES["opaque"]), random)


def _mutated(valid: Any, random: Random) -> tuple[bytes, str]:
    value = valid
    for _ in range(random.randint(1, 3)):
        value = _changed(value, random)
    return json.dumps(value).encode(), JSON


def _changed(value: Any, random: Random) -> Any:
    """The same value, and something else in one place of it, anywhere."""
    if not value or not isinstance(value, dict | list) or random.random() < 0.15:
        return random.choice(VALUES)
    if isinstance(value, dict):
        name = random.choice(list(value))
        rest = {key: each for key, each in value.items() if key != name}
        return rest if random.random() < 0.1 else {**rest, name: _changed(value[name], random)}
    index = random.randrange(len(value))
    more = [value[index]] * random.choice([0, 0, 0, 1, 40])
    return [*value[:index], _changed(value[index], random), *more, *value[index + 1 :]]


def _valid(valid: Any, random: Random) -> tuple[bytes, str]:
    return json.dumps(valid).encode(), JSON


def _mistyped(valid: Any, random: Random) -> tuple[bytes, str]:
    charset = random.choice(["utf-8", "utf-16", "utf-32", "latin-1"])
    return json.dumps(valid).encode(charset), random.choice(TYPES)


def _cut(valid: Any, random: Random) -> tuple[bytes, str]:
    body = json.dumps(valid).encode()
    return body[: random.randrange(len(body))], JSON


def _garbled(valid: Any, random: Random) -> tuple[bytes, str]:
    body = bytearray(json.dumps(valid).encode())
    for _ in range(random.randint(1, 5)):
        body[random.randrange(len(body))] = random.randrange(256)
    return bytes(body), JSON


def _no_object(valid: Any, random: Random) -> tuple[bytes, str]:
    return json.dumps(random.choice(VALUES)).encode(), JSON


def _no_json(valid: Any, random: Random) -> tuple[bytes, str]:
    bodies = [
        b"",
        b"\xff\xfe",
        b"hello",
        b"{",
        b"\xef\xbb\xbf{}",
        b"NaN",
        b'{"a": 1' + b"0" * 5000 + b"}",
        b"\x00" * 99,
    ]
    return random.choice(bodies), JSON


def _nested(valid: Any, random: Random) -> tuple[bytes, str]:
    """A valid body with something in it that is nested deeply, or nothing else."""
    depth = random.choice([90, 300, 900, 10_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"content":', b"}]")])
    deep = opening * depth + b"1" + closing * depth
    name = random.choice(list(valid))
    rest = {key: value for key, value in valid.items() if key != name}
    inside = json.dumps(rest).encode()[:-1] + (b", " if rest else b"") + json.dumps(name).encode() + b": " + deep + b"}"
    return (inside if random.random() < 0.8 else deep), JSON


_WAYS: list[Callable[[Any, Random], tuple[bytes, str]]] = [
    *[_mutated] * 8,
    _valid,
    _mistyped,
    _cut,
    _garbled,
    _no_object,
    _no_json,
    _nested,
]


def _form_body(fields: dict[str, str], random: Random) -> tuple[bytes, str]:
    changed = {name: _field(value, random) for name, value in fields.items() if random.random() < 0.9}
    body = b"".join(_part(name, value, random) for name, value in changed.items()) + b"--b--\r\n"
    cut = random.choice([len(body), len(body), random.randrange(len(body))])
    return body[:cut], random.choice([BOUNDARY, BOUNDARY, BOUNDARY, *TYPES])


def _field(value: str, random: Random) -> bytes:
    others = [b"", b"\x00\xff", b"wizard", b"9" * 400, b"NaN", b"-1", b"{" * 2000, b"--b--\r\n", b"\r\n"]
    return random.choice(others) if random.random() < 0.3 else value.encode("latin-1")


def _part(name: str, value: bytes, random: Random) -> bytes:
    disposition = random.choice(
        [
            f'form-data; name="{name}"; filename="{name}.x"',
            f'form-data; name="{name}"',
            f"form-data; name={name}; filename*=utf-8''%ff%00",
            f'form-data; name="{name}"; filename="../../etc/passwd"',
            "form-data",
            ";;;",
        ]
    )
    more = random.choice(["", "Content-Type: image/png\r\n", "Content-Type\r\n", "Content-Transfer-Encoding: x\r\n"])
    return b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n" + more.encode() + b"\r\n" + value + b"\r\n"


BOMB = gzip.compress(bytes(LARGEST + 1), 1)
"""More of nothing than anybody unpacks, in some kilobytes."""


def _packed(body: bytes, random: Random) -> tuple[bytes, Headers]:
    """Compressed now and then, and not always as its header says."""
    if random.random() < 0.92:
        return body, ()
    coding = random.choice(["gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "klingon", ""])
    packed = random.choice([body, gzip.compress(body), gzip.compress(body)[:-9], zlib.compress(body), BOMB])
    return packed, (("content-encoding", coding),)
