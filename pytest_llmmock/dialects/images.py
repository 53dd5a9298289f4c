"""Pictures that a model makes: from words, from other pictures, plain and as they become clear.

The shapes are `openai.types.ImagesResponse`, `ImageGenStreamEvent` and `ImageEditStreamEvent`.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterator
from typing import Any

from ..core.model import Reply, Request
from ..core.prompt import Answer, Delta, Message, Part, Prompt
from . import conversion, forms, pictures
from . import openai_shapes as shapes
from .counting import of_text
from .fields import mapping, objects, read_values, text, whole, write_event, write_events, write_json

write_error = shapes.write_error
write_failure = shapes.write_failure

Value = dict[str, Any]

_READ = ("model", "prompt", "stream", "images", "mask")
_ACTION = re.compile(r"/images/(generations|edits|variations)/?$")
_MOST = 10
"""Pictures that are made at once."""

# --- requests -------------------------------------------------------------------------------------------


def read_request(request: Request) -> Prompt:
    """`ImageGenerateParams` or `ImageEditParams`: what is to be seen, and the pictures that are given."""
    form = forms.read_form(request)
    body, found = form.fields, _ACTION.search(request.path)
    parts = (*form.files, *_given(body))
    words = text(body.get("prompt"))
    return Prompt(
        model=text(body.get("model")),
        messages=(Message("user", words, parts),) if words or parts else (),
        stream=forms.is_set(body.get("stream")),
        options={key: value for key, value in body.items() if key not in _READ},
        action=found[1] if found else "",
    )


def _given(body: Value) -> Iterator[Part]:
    """Pictures that are named in JSON."""
    for image in objects(body.get("images")):
        yield Part("image", text(image.get("image_url")), image)
    if isinstance(body.get("mask"), dict):
        yield Part("mask", text(body["mask"].get("image_url")), body["mask"])


def write_request(prompt: Prompt) -> bytes:
    body: Value = {"model": prompt.model} if prompt.model else {}
    parts = tuple(part for message in prompt.messages for part in message.parts)
    words = "\n".join(message.text for message in prompt.messages if message.text)
    named = [part.data for part in parts if part.kind == "image" and "name" not in mapping(part.data)]
    body |= {"prompt": words} if words else {}
    body |= {"images": named} if named else {}
    body.update(("mask", part.data) for part in parts if part.kind == "mask")
    body |= {"stream": True} if prompt.stream else {}
    return forms.write_form({**body, **prompt.options}, tuple(p for p in parts if "name" in mapping(p.data)))


# --- replies, in ----------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """`ImagesResponse`, or the events that lead to a picture."""
    values = objects(read_values(reply))
    if trouble := shapes.read_trouble(reply, values):
        return Answer((trouble,))
    deltas: list[Delta] = []
    for value in values:
        shown = objects(value.get("data")) or ([value] if _is_last(value) else [])
        deltas += [_picture(number, image) for number, image in enumerate(shown)]
        deltas += shapes.usage_deltas(value.get("usage"))
    created = next((seconds for value in values if (seconds := whole(value.get("created")))), None)
    return Answer(tuple(deltas), created=created)


def _is_last(event: Value) -> bool:
    return text(event.get("type")).endswith(".completed")


def _picture(number: int, image: Value) -> Delta:
    """A picture by its content, or where it is."""
    packed = text(image.get("b64_json"))
    try:
        content = b64decode(packed) if packed else None
    except (Error, ValueError):
        content = None
    return Delta("image", text(image.get("url")), index=number, data=content)


# --- replies, out ---------------------------------------------------------------------------------------


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`ImagesResponse`, or when the prompt asks for a stream the events that lead to a picture."""
    if error := shapes.error_of(answer):
        failure = {"error": shapes.error_object(error)}
        return write_events([write_event(failure)]) if prompt.stream else write_json(failure, 500)
    try:
        return _written(prompt, answer)
    except pictures.Impossible as impossible:
        return write_error(impossible.problem)


def _written(prompt: Prompt, answer: Answer) -> Reply:
    """Raises `pictures.Impossible`."""
    shown = [_content(prompt, answer, number) for number in range(_count(prompt))]
    if prompt.stream:
        return write_events(list(_events(prompt, answer, shown[0])))
    data = [_shown(prompt, delta) for delta in shown]
    about = _about(prompt, answer, shown[0]) if _is_gpt(prompt) else {}
    return write_json({"created": answer.created or 0, "data": data, **about})


def _count(prompt: Prompt) -> int:
    return min(max(forms.number(prompt.options.get("n")) or 1, 1), _MOST)


def _content(prompt: Prompt, answer: Answer, number: int) -> Delta:
    """The picture of this number: what was told, of which the last one stays, or one that is made up."""
    told = [delta for delta in answer.deltas if delta.kind == "image"]
    delta = told[min(number, len(told) - 1)] if told else Delta("image", index=number)
    return delta if delta.data or delta.text else Delta("image", data=_made(prompt, number))


def _made(prompt: Prompt, number: int) -> bytes:
    words = "\n".join(message.text for message in prompt.messages)
    width, height = pictures.size_of(prompt.options.get("size"))
    transparent = prompt.options.get("background") == "transparent"
    kind = text(prompt.options.get("output_format")) or "png"
    return pictures.make(f"{words} {number or ''}", width, height, kind, transparent=transparent)


def _shown(prompt: Prompt, delta: Delta) -> Value:
    """`Image`. A picture that nobody serves yet is in its address."""
    if not _wants_url(prompt) and delta.data:
        return {"b64_json": _packed(delta)}
    kind = pictures.format_of(delta.data or b"") or "png"
    return {"url": delta.text or f"data:image/{kind};base64,{_packed(delta)}"}


def _packed(delta: Delta) -> str:
    return b64encode(delta.data if isinstance(delta.data, bytes) else b"").decode()


def _wants_url(prompt: Prompt) -> bool:
    """Older models say where a picture is, unless they are asked for it; newer ones never do."""
    wanted = prompt.options.get("response_format")
    return wanted == "url" or (wanted is None and prompt.model.startswith("dall-e"))


def _is_gpt(prompt: Prompt) -> bool:
    return not prompt.model.startswith("dall-e")


# --- what is told beside a picture ----------------------------------------------------------------------

_COSTS = {"low": (272, 408), "medium": (1056, 1584), "high": (4160, 6240)}
"""Tokens that a picture takes, by its quality: a square one, and one that is half as long again."""

_OF_A_PICTURE = 323
"""Tokens of a picture that is given, about."""


def _about(prompt: Prompt, answer: Answer, delta: Delta) -> Value:
    """What models say of the pictures that they make."""
    width, height = pictures.size_of(prompt.options.get("size"))
    return {
        "background": "transparent" if prompt.options.get("background") == "transparent" else "opaque",
        "output_format": pictures.format_of(delta.data or b"") or "png",
        "quality": _quality(prompt),
        "size": f"{width}x{height}",
        "usage": _usage(prompt, answer),
    }


def _quality(prompt: Prompt) -> str:
    asked = text(prompt.options.get("quality"))
    return "high" if asked in ("", "auto") else asked


def _usage(prompt: Prompt, answer: Answer) -> Value:
    """`openai.types.images_response.Usage`: as it was told, or by the table above."""
    words = sum(of_text(message.text) for message in prompt.messages)
    given = _OF_A_PICTURE * sum(len(message.parts) for message in prompt.messages)
    told = answer.usage
    spent = (told.output if told else 0) or _cost(prompt) * _count(prompt)
    asked = (told.input if told else 0) or words + given
    return {
        "input_tokens": asked,
        "input_tokens_details": {"text_tokens": max(asked - given, 0), "image_tokens": min(given, asked)},
        "output_tokens": spent,
        "total_tokens": asked + spent,
    }


def _cost(prompt: Prompt) -> int:
    width, height = pictures.size_of(prompt.options.get("size"))
    square, long = _COSTS.get(_quality(prompt), _COSTS["high"])
    return square if width == height else long


# --- streams --------------------------------------------------------------------------------------------


def _events(prompt: Prompt, answer: Answer, delta: Delta) -> Iterator[bytes]:
    """As many pictures on the way as are asked for, then the one."""
    about = _about(prompt, answer, delta)
    usage = about.pop("usage")
    head = {"created_at": answer.created or 0, **about}
    for number in range(min(forms.number(prompt.options.get("partial_images")) or 0, 3)):
        yield _event(prompt, "partial_image", {"partial_image_index": number, "b64_json": _packed(delta), **head})
    yield _event(prompt, "completed", {"b64_json": _packed(delta), **head, "usage": usage})


def _event(prompt: Prompt, name: str, fields: Value) -> bytes:
    kind = f"{'image_edit' if prompt.action == 'edits' else 'image_generation'}.{name}"
    return write_event({"type": kind, **fields}, kind)


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """The same picture as this prompt wants it: at once, or as the last event of a stream."""
    return conversion.convert(_FORM, prompt, reply)


def _gather(events: list[Value], done: bool) -> Value | None:
    last = events[-1]
    if not _is_last(last):
        return None
    more = {name: value for name, value in last.items() if name not in ("type", "b64_json", "created_at")}
    return {"created": last.get("created_at", 0), "data": [{"b64_json": last.get("b64_json")}], **more}


def _spread(prompt: Prompt, value: Value) -> Iterator[bytes]:
    more = {name: each for name, each in value.items() if name not in ("created", "data")}
    packed = value["data"][0]["b64_json"]
    yield _event(prompt, "completed", {"b64_json": packed, "created_at": value.get("created", 0), **more})


def _is_whole(value: Value) -> bool:
    """Whether this is one picture, by its content: there is no other in a stream."""
    data = objects(value.get("data"))
    return len(data) == 1 and isinstance(data[0].get("b64_json"), str)


_FORM = conversion.Form(_gather, _spread, _is_whole, conversion.read_failure, conversion.status_of)
