from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from checking import GONE, told

NAME = f"ollama {version('ollama')}"
CALL = {"function": {"name": "look", "arguments": {"a": 1}}}


def message(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "hello", **more}]}


RIGHT: list[dict[str, Any]] = [
    {},
    {"stream": False, "options": {"temperature": 0.1, "num_ctx": 4096}, "keep_alive": "5m", "format": "json"},
    {"format": {"type": "object"}, "think": "high"},
    message(images=["iVBORw0KGgo="]),
    message(role="assistant", tool_calls=[CALL]),
    message(role="tool", tool_name="look"),
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_ollama_takes_is_no_violation(body):
    assert told("ollama.chat", **body) == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"model": GONE}, "model is required, and is missing."),
    (message(content=[{"type": "text", "text": "a"}]), "messages[0].content has to be a string, and is an array."),
    (
        message(tool_calls=[{"function": {"name": "look", "arguments": "{}"}}]),
        "messages[0].tool_calls[0].function.arguments has to be an object, and is a string.",
    ),
    ({"options": {"num_ctx": "big"}}, "options.num_ctx has to be an integer, and is a string."),
    (
        message(images=["data:image/png;base64,AA"]),
        "messages[0].images[0] has to be Base64 and nothing else, and begins 'data:image/p'.",
    ),
    (
        {"temperature": 0.5},
        "hint: temperature is ignored here: it belongs into 'options' ({'options': {'temperature': …}}).",
    ),
    (
        {"stremm": True},
        f"hint: stremm is not known here: {NAME} has no such parameter. Did you mean 'stream'? What is added by "
        "extra_body is unknown to the API too.",
    ),
    (
        {"options": {"temprature": 1}},
        f"hint: options.temprature is not known here: {NAME} has no such parameter. Did you mean 'temperature'?",
    ),
    (
        message(role="human"),
        "hint: messages[0].role is 'human'. Templates of models know 'system', 'user', 'assistant' and 'tool'.",
    ),
]


@pytest.mark.parametrize(("body", "words"), WRONG, ids=lambda value: None)
def test_what_ollama_refuses_is_told_and_what_it_ignores_is_a_hint(body, words):
    assert told("ollama.chat", **body) == [words]


def test_pictures_beside_a_prompt_are_checked_too():
    assert told("ollama.generate", images=["https://example.org/a.png"]) == [
        "images[0] has to be Base64 and nothing else, and begins 'https://exam'."
    ]
