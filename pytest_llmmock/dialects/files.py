"""Files that a provider keeps. The shapes are `openai.types.FileObject` and `FileCreateParams`."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..core.model import Reply, Request, frames_of
from ..core.prompt import Answer, Delta, Message, Part, Prompt
from . import conversion, forms, resources
from . import openai_shapes as shapes
from .fields import mapping, text

write_error = shapes.write_error
write_failure = shapes.write_failure
convert = conversion.never

BYTES = "application/octet-stream"


def read_request(request: Request) -> Prompt:
    """What is to be done; what is uploaded is a part of a message of the user's."""
    form = forms.read_form(request)
    action, id = resources.asked(request, "files")
    messages = (Message("user", parts=form.files),) if form.files else ()
    return Prompt(messages=messages, options=form.fields, action=action, id=id)


def write_request(prompt: Prompt) -> bytes:
    return forms.write_form(dict(prompt.options), uploaded(prompt))


def uploaded(prompt: Prompt) -> tuple[Part, ...]:
    return tuple(part for message in prompt.messages for part in message.parts if mapping(part.data).get("name"))


def read_reply(reply: Reply) -> Answer:
    """What is told of files, or the content of one."""
    if reply.content_type.lower().startswith(BYTES) and reply.status < 400 and reply.body:
        return Answer((Delta("file", data=reply.body),))
    return resources.read_reply(reply)


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`FileObject`, a list of them, `FileDeleted`, or the content of a file."""
    if failed := resources.write_failed(answer):
        return failed
    if prompt.action == "content":
        return Reply(200, (("content-type", BYTES),), frames_of(content(answer)), source="script")
    make = partial(_file, prompt, answer)
    return resources.write(prompt.action, "file", prompt.id, resources.told(answer), make)


def content(answer: Answer) -> bytes:
    """What an answer says that a file holds."""
    contents = [delta.data for delta in answer.deltas if delta.kind == "file" and isinstance(delta.data, bytes)]
    return contents[0] if contents else answer.text.encode(errors="replace")


def _file(prompt: Prompt, answer: Answer, told: dict[str, Any]) -> dict[str, Any]:
    """`FileObject`; what was not told is known from the upload, or made up."""
    files = uploaded(prompt)
    named = mapping(files[0].data) if files else {}
    return {
        "object": "file",
        "id": prompt.id or f"file-{shapes.digest(prompt, answer)}",
        "purpose": text(prompt.options.get("purpose")) or "user_data",
        "filename": text(named.get("filename")) or "file",
        "bytes": len(files[0].content) if files else 0,
        "created_at": answer.created or 0,
        "expires_at": None,
        "status": "processed",
        "status_details": None,
        **told,
    }
