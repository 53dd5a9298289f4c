"""Anthropic's files, which are at the paths of OpenAI's. The shapes are `anthropic.types.beta.BetaFileMetadata`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..core.model import Reply, frames_of
from ..core.prompt import Answer, Prompt
from . import anthropic_errors as errors
from . import conversion, files, resources
from . import openai_shapes as shapes
from .fields import mapping, write_json

read_request = files.read_request
write_request = files.write_request
read_reply = files.read_reply
write_error = errors.write_error
write_failure = errors.write_failure
convert = conversion.never


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """One file, a page of them, what was deleted, or the content of one."""
    if error := shapes.error_of(answer):
        return errors.write_trouble(error)
    if prompt.action == "content":
        return Reply(200, (("content-type", files.BYTES),), frames_of(files.content(answer)), source="script")
    told = resources.told(answer)
    if prompt.action == "delete":
        return write_json({"id": prompt.id, "type": "file_deleted", **_known(told, ("id", "type"))})
    make = partial(_file, prompt, answer)
    if prompt.action == "list":
        return resources.write_page([make(value) for value in resources.held(told)], more=resources.has_more(told))
    return write_json(make(told[0] if told else {}))


def _known(told: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: told[0][name] for name in names if name in told[0]} if told else {}


def _file(prompt: Prompt, answer: Answer, told: dict[str, Any]) -> dict[str, Any]:
    """`BetaFileMetadata`; what was not told is known from the upload, or made up."""
    uploaded = files.uploaded(prompt)
    named = mapping(uploaded[0].data) if uploaded else {}
    kind = uploaded[0].url.partition(";")[0].removeprefix("data:") if uploaded else files.BYTES
    made = {
        "type": "file",
        "id": prompt.id or f"file_{shapes.digest(prompt, answer)}",
        "filename": named.get("filename") or "file",
        "mime_type": kind,
        "size_bytes": len(uploaded[0].content) if uploaded else 0,
        "created_at": _time(answer.created or 0),
        "downloadable": False,
    }
    return {**made, **_translated(told)}


_OPENAIS = {"object", "purpose", "status", "status_details", "expires_at", "bytes"}


def _translated(told: dict[str, Any]) -> dict[str, Any]:
    """What is told in OpenAI's words, in Anthropic's."""
    mine = {name: value for name, value in told.items() if name not in _OPENAIS}
    if isinstance(mine.get("created_at"), int):
        mine["created_at"] = _time(mine["created_at"])
    return mine | ({"size_bytes": told["bytes"]} if "bytes" in told else {})


def _time(seconds: int) -> str:
    """RFC 3339, as Anthropic writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
