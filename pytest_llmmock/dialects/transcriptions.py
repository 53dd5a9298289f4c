"""Sounds written down, in their own language or in English, plain and streamed.

The shapes are `openai.types.audio.Transcription`, `TranscriptionVerbose`, `TranscriptionDiarized`,
`TranscriptionStreamEvent` and `Translation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..core.model import Problem, Reply, Request, frames_of
from ..core.prompt import Answer, Delta, Message, Prompt, Usage
from . import conversion, forms
from . import openai_shapes as shapes
from . import transcript_times as times
from .counting import of_text
from .fields import TEXT, listing, mapping, objects, read_values, text, write_event, write_events, write_json

write_error = shapes.write_error
write_failure = shapes.write_failure

Value = dict[str, Any]

_READ = ("model", "prompt", "stream")
_ACTION = re.compile(r"/audio/(transcriptions|translations)/?$")
_TOKENS_A_SECOND = 10

# --- requests -------------------------------------------------------------------------------------------


def read_request(request: Request) -> Prompt:
    """`TranscriptionCreateParams`; the sound is a part of a message of the user's, whose words are the hint."""
    form = forms.read_form(request)
    body, found = form.fields, _ACTION.search(request.path)
    hint = text(body.get("prompt"))
    return Prompt(
        model=text(body.get("model")),
        messages=(Message("user", hint, form.files),) if hint or form.files else (),
        stream=forms.is_set(body.get("stream")),
        options={key: value for key, value in body.items() if key not in _READ},
        action=found[1] if found else "",
    )


def write_request(prompt: Prompt) -> bytes:
    body: Value = {"model": prompt.model} if prompt.model else {}
    hint = "\n".join(message.text for message in prompt.messages if message.text)
    body |= {"prompt": hint} if hint else {}
    body |= {"stream": True} if prompt.stream else {}
    files = tuple(part for message in prompt.messages for part in message.parts if "name" in mapping(part.data))
    return forms.write_form({**body, **prompt.options}, files)


# --- replies, in ----------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """A transcription in any of its forms, or the events in which it comes."""
    values = objects(read_values(reply))
    if trouble := shapes.read_trouble(reply, values):
        return Answer((trouble,))
    if not values:
        is_text = reply.content_type.lower().startswith("text/") and reply.body
        return Answer((Delta("text", reply.body.decode(errors="replace")),) if is_text else ())
    pieces = [text(value.get("delta")) for value in values if value.get("type") == "transcript.text.delta"]
    words = pieces or [text(value.get("text")) for value in values if not value.get("type")]
    usage = [delta for value in values for delta in shapes.usage_deltas(value.get("usage"))]
    return Answer((*(Delta("text", piece) for piece in words if piece), *usage))


# --- replies, out ---------------------------------------------------------------------------------------


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """A transcription in the form that was asked for. Words and usage are told; times are made up, unless told too."""
    if error := shapes.error_of(answer):
        failure = {"error": shapes.error_object(error)}
        return write_events([write_event(failure)]) if prompt.stream else write_json(failure, 500)
    kind = text(prompt.options.get("response_format")) or "json"
    if kind not in _WRITERS:
        return write_error(_unknown(kind))
    if prompt.stream and not prompt.model.startswith("whisper"):  # which ignores it
        return write_events(list(_events(prompt, answer, kind)))
    return _WRITERS[kind](prompt, answer)


def _unknown(kind: str) -> Problem:
    why = f"response_format={kind!r} is not possible. Known are: {', '.join(_WRITERS)}."
    return Problem(400, why, "invalid_value", param="response_format", headers=(("x-should-retry", "false"),))


def _plain(prompt: Prompt, answer: Answer) -> Reply:
    """`Transcription` or `Translation`"""
    usage = {"usage": _usage(prompt, answer)} if _is_transcription(prompt) else {}
    return write_json({"text": answer.text, **usage})


def _verbose(prompt: Prompt, answer: Answer) -> Reply:
    """`TranscriptionVerbose` or `TranslationVerbose`"""
    timeline = times.timeline(prompt, answer)
    wanted = listing(prompt.options.get("timestamp_granularities"))
    language = text(prompt.options.get("language")) or "english"
    parts: Value = {"segments": timeline.verbose()} if "segment" in wanted or not wanted else {}
    parts |= {"words": timeline.words()} if "word" in wanted else {}
    usage = {"usage": _usage(prompt, answer, of_whisper=True)} if _is_transcription(prompt) else {}
    head = {"task": "transcribe" if _is_transcription(prompt) else "translate", "language": language}
    return write_json({**head, "duration": timeline.seconds, "text": answer.text, **parts, **usage})


def _diarized(prompt: Prompt, answer: Answer) -> Reply:
    """`TranscriptionDiarized`"""
    timeline = times.timeline(prompt, answer)
    head = {"task": "transcribe", "duration": timeline.seconds, "text": answer.text}
    return write_json({**head, "segments": timeline.diarized(), "usage": _usage(prompt, answer)})


def _words(prompt: Prompt, answer: Answer) -> Reply:
    return _text(answer.text + "\n")


def _srt(prompt: Prompt, answer: Answer) -> Reply:
    return _text(times.timeline(prompt, answer).srt())


def _vtt(prompt: Prompt, answer: Answer) -> Reply:
    return _text(times.timeline(prompt, answer).vtt())


def _text(written: str) -> Reply:
    return Reply(200, TEXT, frames_of(written.encode(errors="replace")), source="script")


_WRITERS = {
    "json": _plain,
    "text": _words,
    "srt": _srt,
    "vtt": _vtt,
    "verbose_json": _verbose,
    "diarized_json": _diarized,
}


def _is_transcription(prompt: Prompt) -> bool:
    return prompt.action != "translations"


def _usage(prompt: Prompt, answer: Answer, *, of_whisper: bool = False) -> Value:
    """What it cost: Whisper counts seconds, the others tokens, which are as they were told or estimated."""
    seconds = times.timeline(prompt, answer).seconds
    if of_whisper or prompt.model.startswith("whisper"):
        return {"type": "duration", "seconds": -(-seconds // 1)}
    told = answer.usage or Usage()
    heard = int(seconds * _TOKENS_A_SECOND) if told.input is None else told.input
    written = of_text(answer.text) if told.output is None else told.output
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": written,
        "total_tokens": shapes.total_of(told) or heard + written,
    }


# --- streams --------------------------------------------------------------------------------------------


def _events(prompt: Prompt, answer: Answer, kind: str) -> Iterator[bytes]:
    """A piece of text an event; who said what; then all of it."""
    said = [delta.text for delta in answer.deltas if delta.kind == "text" and delta.text]
    yield from _pieces(said if len(said) > 1 else conversion.pieces(answer.text))
    if kind == "diarized_json":
        yield from map(write_event, times.timeline(prompt, answer).diarized())
    yield write_event({"type": "transcript.text.done", "text": answer.text, "usage": _usage(prompt, answer)})


def _pieces(said: list[str]) -> Iterator[bytes]:
    return (write_event({"type": "transcript.text.delta", "delta": piece}) for piece in said)


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """The same transcription as this prompt wants it, streamed or whole."""
    return conversion.convert(_FORM, prompt, reply)


def _gather(events: list[Value], done: bool) -> Value | None:
    last = events[-1]
    if last.get("type") != "transcript.text.done":
        return None
    return {name: value for name, value in last.items() if name != "type"}


def _spread(prompt: Prompt, value: Value) -> Iterator[bytes]:
    yield from _pieces(conversion.pieces(value["text"]))
    yield write_event({"type": "transcript.text.done", **value})


def _is_whole(value: Value) -> bool:
    """Whether it is in the one form that is streamed as well."""
    return isinstance(value.get("text"), str) and "segments" not in value and "words" not in value


_FORM = conversion.Form(_gather, _spread, _is_whole, conversion.read_failure, conversion.status_of)
