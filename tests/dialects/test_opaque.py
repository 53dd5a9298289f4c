"""Endpoints that have no dialect of their own: read as far as it goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_llmmock.core.model import Exchange, Frame, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Message, Prompt
from pytest_llmmock.dialects import opaque


def asked(body: object, path: str = "/x") -> Prompt:
    return opaque.read_request(Request("POST", "", path, body=json.dumps(body).encode()))


def heard(body: bytes, content_type: str = "", status: int = 200) -> Answer:
    return opaque.read_reply(Reply(status, (("content-type", content_type),), [Frame(body)]))


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "u"}]}]}, "u"),
        ({"prompt": "p"}, "p"),
        ({"prompt": ["p", "q", 5]}, "p q"),
        ({"contents": [{"role": "user", "parts": [{"text": "g"}]}]}, "g"),
        ({"contents": 5, "messages": None, "prompt": {}}, ""),
    ],
)
def test_what_is_asked_is_found_in_the_commonest_places(body: Any, messages: str) -> None:
    assert " ".join(message.text for message in asked(body).messages) == messages


def test_everything_else_is_an_option() -> None:
    prompt = asked({"model": "m", "prompt": "p", "input": "i", "stream": True, "size": "1x1"})
    assert prompt == Prompt("m", (Message("user", "p"),), inputs=("i",), stream=True, options={"size": "1x1"})


def test_a_model_is_found_in_a_form_and_in_googles_path() -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'
    assert opaque.read_request(Request("POST", "", "/v1/audio/transcriptions", body=form)).model == "whisper-1"
    assert asked({}, "/v1beta/models/gemini-3:generateContent").model == "gemini-3"


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def stream(*values: object) -> bytes:
    return b"".join(b"event: e\ndata: " + json.dumps(value).encode() + b"\n\n" for value in values)


@pytest.mark.parametrize(
    "body",
    [
        lines({"text": "Hello"}),
        lines({"candidates": [{"content": {"parts": [{"text": "Hel"}, {"text": "lo"}]}}, {}]}),
        stream({"candidates": [{"content": {"parts": [{"text": "Hello"}]}}]}),
    ],
)
def test_words_are_found_in_the_commonest_places(body: bytes) -> None:
    assert heard(body).text == "Hello"


def test_plain_text_is_the_words_and_anything_else_is_nothing() -> None:
    assert heard(b"Hello", "text/plain; charset=utf-8").text == "Hello"
    assert heard(b"\x89PNG\r\n", "image/png").deltas == ()


@pytest.mark.parametrize(
    "body", [b'{"type":"error","error":{"type":"t","message":"gone"}}', b'{"error":"gone"}', b"gone"]
)
def test_errors_are_read(body: bytes) -> None:
    assert heard(body, status=500).joined("error") == "gone"


def test_an_item_is_written_as_json_and_words_as_text() -> None:
    item = Delta("item", data={"flagged": False})
    reply = opaque.write_reply(Prompt(), Answer((Delta("text", "Hi"), item)))
    assert (reply.content_type, reply.json()) == ("application/json", {"flagged": False})
    words = opaque.write_reply(Prompt(), Answer((Delta("text", "Hé"),)))
    assert (words.content_type, words.body) == ("text/plain; charset=utf-8", "Hé".encode())
    assert opaque.read_reply(words).text == "Hé"


def test_words_of_shared_recordings_are_found(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    talk = ("messages", "ollama.chat", "ollama.generate")
    recordings = [item for item in recorded if item[1].operation in talk]
    assert len(recordings) > 10
    for file, exchange, reply in recordings:
        assert exchange.prompt.messages, file
        answer = exchange.dialect.read_reply(reply)
        called = b"tool_use" in reply.body or b"tool_calls" in reply.body
        assert answer.text or called or answer.joined("error"), file
