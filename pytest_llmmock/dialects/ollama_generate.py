"""Ollama's answers to a single prompt.

The shape of requests is `ollama._types.GenerateRequest`; the prompt is a message of the user.
"""

from __future__ import annotations

from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Answer, Message, Prompt
from . import ollama
from . import ollama_answers as answers
from .fields import mapping, text
from .ollama_lines import GENERATE

read_reply = answers.read_reply
write_error = answers.write_error
write_failure = answers.write_failure
convert = answers.convert

_READ = ("model", "prompt", "system", "images", "stream")


def read_request(request: Request) -> Prompt:
    """`GenerateRequest`"""
    body = mapping(request.json())
    asked = (
        Message("system", text(body.get("system"))),
        Message("user", text(body.get("prompt")), tuple(ollama.read_images(body))),
    )
    return Prompt(
        model=text(body.get("model")),
        messages=tuple(message for message in asked if message.text or message.parts),
        stream=ollama.asks_for_stream(body),
        options={key: value for key, value in body.items() if key not in _READ},
    )


def write_request(prompt: Prompt) -> bytes:
    """A conversation becomes one prompt, a paragraph for each message."""
    system = [message.text for message in prompt.messages if message.role == "system"]
    others = [message for message in prompt.messages if message.role != "system"]
    said = {
        "model": prompt.model,
        "system": "\n\n".join(system),
        "prompt": "\n\n".join(message.text for message in others),
        "images": [image for message in others for image in ollama.write_images(message)],
    }
    body: dict[str, Any] = {name: value for name, value in said.items() if value}
    return compact({**body, "stream": prompt.stream, **prompt.options}).encode()


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`GenerateResponse`, or a run of them."""
    return answers.write_reply(GENERATE, prompt, answer)
