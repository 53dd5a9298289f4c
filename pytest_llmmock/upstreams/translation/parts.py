"""What messages of Chat Completions consist of, as parts of a Responses item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from ...dialects.fields import mapping, objects, text
from .notes import Notes

Value = dict[str, Any]

_FOR_URLS = str.maketrans("-_", "+/")
_SPACE = re.compile(r"\s+")


def read_input(content: object, notes: Notes) -> list[Value]:
    """What a user says, or a tool: words, pictures, sounds, files."""
    return [part for each in _parts(content) if (part := _input(each, notes))]


def read_output(content: object, notes: Notes) -> list[Value]:
    """What the model said before: words and refusals. All else has no place in an answer that is told again."""
    return [part for each in _parts(content) if (part := _output(each, notes))]


def read_words(content: object) -> str:
    """The words of a message, those of several parts on lines of their own."""
    return "\n".join(words for each in _parts(content) if (words := text(each.get("text"))))


def read_result(content: object, notes: Notes) -> str | list[Value]:
    """What a tool has found: a text, or parts where there is more than words."""
    if all(_is_text(part) for part in _parts(content)):
        return read_words(content)
    return read_input(content, notes)


def _parts(content: object) -> Iterator[Value]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, dict):
        yield content
    elif isinstance(content, list):
        yield from objects([{"type": "text", "text": part} if isinstance(part, str) else part for part in content])


def _is_text(part: Value) -> bool:
    return part.get("type", "text") in ("text", "input_text", "output_text")


def _input(part: Value, notes: Notes) -> Value | None:
    if _is_text(part):
        return {"type": "input_text", "text": part["text"]} if text(part.get("text")) else None
    kind = text(part.get("type"))
    if kind == "image_url":
        image = part.get("image_url")
        url = image if isinstance(image, str) else text(mapping(image).get("url"))
        return write_image(url, text(mapping(image).get("detail")))
    if kind == "file":
        known = {name: value for name, value in mapping(part.get("file")).items() if name in _FILE and value}
        return {"type": "input_file", **known}
    if kind not in ("input_image", "input_audio", "input_file"):
        notes.say(f"a part of the type {kind!r} was handed on as it is")
    return part


_FILE = ("file_id", "filename", "file_data", "file_url")


def _output(part: Value, notes: Notes) -> Value | None:
    if _is_text(part):
        return {"type": "output_text", "text": part["text"]} if text(part.get("text")) else None
    if part.get("type") == "refusal":
        return {"type": "refusal", "refusal": text(part.get("refusal"))}
    notes.leave_out(f"{text(part.get('type'))} in a message of the assistant")
    return None


def write_image(url: str, detail: str = "") -> Value:
    return {"type": "input_image", "image_url": straight(url), "detail": detail or "auto"}


def straight(url: str) -> str:
    """A data URL in the one spelling that is taken everywhere: standard Base64 in a row, with its padding."""
    head, comma, packed = url.partition(",")
    if not (url.startswith("data:") and comma and head.endswith(";base64")):
        return url
    packed = _SPACE.sub("", unquote(packed)).translate(_FOR_URLS).rstrip("=")
    return f"{head},{packed}{'=' * (-len(packed) % 4)}"
