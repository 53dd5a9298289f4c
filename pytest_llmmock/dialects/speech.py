"""Words that are said aloud: a sound, or the events in which it comes.

The shape of requests is `openai.types.audio.SpeechCreateParams`; the events are `speech.audio.delta` and
`speech.audio.done` of https://platform.openai.com/docs/api-reference/audio
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterator
from typing import Any

from ..core.json_text import compact
from ..core.model import Frame, Problem, Reply, Request
from ..core.prompt import Answer, Delta, Message, Prompt
from . import conversion, sounds
from . import openai_shapes as shapes
from .counting import of_text
from .fields import mapping, objects, read_values, text, write_event, write_events, write_json

write_error = shapes.write_error
write_failure = shapes.write_failure
convert = conversion.never

_READ = ("model", "input", "stream_format")
_PIECE = 4096
_TOKENS_A_SECOND = 20

# --- requests -------------------------------------------------------------------------------------------


def read_request(request: Request) -> Prompt:
    """`SpeechCreateParams`; what is to be said is a message of the user's."""
    body = mapping(request.json())
    words = text(body.get("input"))
    return Prompt(
        model=text(body.get("model")),
        messages=(Message("user", words),) if words else (),
        stream=body.get("stream_format") == "sse",
        options={key: value for key, value in body.items() if key not in _READ},
    )


def write_request(prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": prompt.model} if prompt.model else {}
    body |= {"input": _words(prompt)} if prompt.messages else {}
    body |= {"stream_format": "sse"} if prompt.stream else {}
    return compact({**body, **prompt.options}).encode()


def _words(prompt: Prompt) -> str:
    return "\n".join(message.text for message in prompt.messages)


# --- replies, in ----------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    values = objects(read_values(reply))
    if trouble := shapes.read_trouble(reply, values):
        return Answer((trouble,))
    pieces = [_unpacked(value.get("audio")) for value in values if value.get("type") == "speech.audio.delta"]
    sound = b"".join(pieces) if values else _sound(reply)
    usage = [delta for value in values for delta in shapes.usage_deltas(value.get("usage"))]
    return Answer((*([Delta("audio", data=sound)] if sound else []), *usage))


def _unpacked(packed: object) -> bytes:
    try:
        return b64decode(text(packed))
    except (Error, ValueError):
        return b""


def _sound(reply: Reply) -> bytes:
    is_sound = reply.content_type.lower().startswith(("audio/", "application/octet-stream"))
    return reply.body if is_sound else b""


# --- replies, out ---------------------------------------------------------------------------------------


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """The sound that was told, or one as long as the words take; in pieces, or as events."""
    if error := shapes.error_of(answer):
        failure = {"error": shapes.error_object(error)}
        return write_events([write_event(failure)]) if prompt.stream else write_json(failure, 500)
    kind = text(prompt.options.get("response_format")) or "mp3"
    if kind not in sounds.TYPES:
        return write_error(_unknown(kind))
    sound = _told(answer) or sounds.make(_seconds(prompt), kind)
    pieces = [sound[at : at + _PIECE] for at in range(0, len(sound), _PIECE)]
    if prompt.stream:
        return write_events(list(_events(prompt, answer, pieces)))
    return Reply(200, (("content-type", sounds.TYPES[kind]),), [Frame(piece) for piece in pieces], source="script")


def _unknown(kind: str) -> Problem:
    why = f"response_format={kind!r} cannot be made. Known are: {', '.join(sounds.TYPES)}."
    return Problem(400, why, "invalid_value", param="response_format", headers=(("x-should-retry", "false"),))


def _told(answer: Answer) -> bytes:
    return b"".join(d.data for d in answer.deltas if d.kind == "audio" and isinstance(d.data, bytes))


def _seconds(prompt: Prompt) -> float:
    speed = prompt.options.get("speed")
    return sounds.seconds_of(_words(prompt), speed if isinstance(speed, int | float) else 1.0)


def _events(prompt: Prompt, answer: Answer, pieces: list[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield write_event({"type": "speech.audio.delta", "audio": b64encode(piece).decode()})
    yield write_event({"type": "speech.audio.done", "usage": _usage(prompt, answer)})


def _usage(prompt: Prompt, answer: Answer) -> dict[str, int]:
    """As it was told, or an estimate."""
    told = answer.usage
    asked = (told.input if told else 0) or of_text(_words(prompt))
    said = (told.output if told else 0) or int(_seconds(prompt) * _TOKENS_A_SECOND)
    return {"input_tokens": asked, "output_tokens": said, "total_tokens": asked + said}
