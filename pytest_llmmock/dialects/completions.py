"""The older Completions: a text is continued. Model servers still offer it.

The shapes are `openai.types.Completion` and `openai.types.CompletionCreateParams`; a chunk has the shape of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Answer, Delta, Message, Part, Prompt
from . import chunks, conversion
from . import openai_shapes as shapes
from .conversion import Value, joined, pieces
from .fields import (
    first_text,
    listing,
    mapping,
    objects,
    read_values,
    text,
    whole,
    write_events,
    write_json,
)
from .writing import Chunks, written

write_error = shapes.write_error
write_failure = shapes.write_failure

_READ = ("model", "prompt", "stream")
_OBJECT = "text_completion"


# --- requests -------------------------------------------------------------------------------------------


def read_request(request: Request) -> Prompt:
    """`CompletionCreateParams`; each text that is to be continued is a message."""
    body = mapping(request.json())
    return Prompt(
        model=text(body.get("model")),
        messages=tuple(_messages(body.get("prompt"))),
        stream=body.get("stream") is True,
        options={key: value for key, value in body.items() if key not in _READ},
    )


def _messages(prompt: object) -> Iterator[Message]:
    """A text, the numbers of its tokens, or a list of either."""
    many = listing(prompt)
    alone = not isinstance(prompt, list) or (bool(many) and all(isinstance(each, int) for each in many))
    for each in [prompt] if alone else many:
        if isinstance(each, str):
            yield Message("user", each)
        elif isinstance(each, list):
            yield Message("user", parts=(Part("tokens", data=each),))


def write_request(prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": prompt.model} if prompt.model else {}
    asked = [_asked(message) for message in prompt.messages]
    if asked:
        body["prompt"] = asked[0] if len(asked) == 1 and _is_alone(asked[0]) else asked
    if prompt.stream:
        body["stream"] = True
    return compact({**body, **prompt.options}).encode()


def _asked(message: Message) -> Any:
    tokens = [part.data for part in message.parts if part.kind == "tokens"]
    return tokens[0] if tokens else message.text


def _is_alone(asked: object) -> bool:
    """Whether this cannot be taken for a list of several prompts."""
    return isinstance(asked, str) or (bool(asked) and all(isinstance(each, int) for each in listing(asked)))


# --- replies --------------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """`Completion`, or a run of it."""
    values = read_values(reply)
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((refused,))
    told = objects(values)
    heads = [value for value in told if "choices" in value]
    usages = [delta for value in told for delta in shapes.usage_deltas(value.get("usage"))]
    return Answer(
        deltas=(*(delta for value in told for delta in _deltas(value)), *usages[-1:]),
        model=first_text(*(head.get("model") for head in heads)),
        id=first_text(*(head.get("id") for head in heads)),
        created=next((seconds for head in heads if (seconds := whole(head.get("created")))), None),
    )


def _deltas(value: Value) -> Iterator[Delta]:
    for position, choice in enumerate(objects(value.get("choices"))):
        number = whole(choice.get("index"))
        index = position if number is None else number
        if words := text(choice.get("text")):
            yield Delta("text", words, index)
        if finish := text(choice.get("finish_reason")):
            yield Delta("finish", index=index, finish=finish)
    if error := shapes.read_error(value):
        yield error


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`Completion`, or when the prompt asks for a stream a run of it. It has a place for words only."""
    named = shapes.digest(prompt, answer)
    if prompt.stream:
        return write_events(written(stream_writer(prompt, answer, named, answer.choices), answer.deltas))
    if error := shapes.error_of(answer):
        return write_json({"error": shapes.error_object(error)}, 500)
    choices = [
        _choice(index, answer.joined("text", index), _finish(answer.finish_of(index))) for index in answer.choices
    ]
    usage = {"usage": shapes.write_usage(answer.usage)} if answer.usage else {}
    return write_json({**_head(prompt, answer, named), "choices": choices, **usage})


def _finish(said: str) -> str:
    """There are no calls of tools here."""
    return "stop" if said in ("", "tool_calls") else said


def _head(prompt: Prompt, answer: Answer, named: str) -> Value:
    return {
        "id": answer.id or f"cmpl-{named}",
        "object": _OBJECT,
        "created": answer.created or 0,
        "model": answer.model or prompt.model,
    }


def stream_writer(prompt: Prompt, head: Answer, named: str, choices: Sequence[int] = (0,)) -> Chunks:
    """Writes an answer of which `head` is known before anything was said."""
    return Chunks(prompt, _head(prompt, head, named), _Choices(), choices)


class _Choices:
    """Chunks have a place for words only."""

    def begin(self, index: int) -> None:
        return None

    def take(self, delta: Delta) -> Value | None:
        return _choice(delta.index, delta.text) if delta.kind == "text" else None

    def end(self, index: int, finish: str) -> Value:
        return _choice(index, "", _finish(finish))


def _choice(index: int, words: str, finish: str | None = None) -> Value:
    return {"text": words, "index": index, "logprobs": None, "finish_reason": finish}


# --- streamed and whole ---------------------------------------------------------------------------------


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """A whole `Completion` from a run of it, and the other way round."""
    return conversion.convert(_FORM, prompt, reply)


def _split(number: int, choice: Value) -> Iterator[Value]:
    """The text piece by piece, then why it ended."""
    logprobs, more = choice.get("logprobs"), chunks.rest_of(choice, "text", "logprobs")
    steps = _tokens(text(choice.get("text")), mapping(logprobs))
    left = None if any(said for _, said in steps) else logprobs
    blank = {"logprobs": None} if "logprobs" in choice else {}
    for position, (words, said) in enumerate(steps):
        told = {**({} if position else more), **({"logprobs": said} if said else blank)}
        yield {"text": words, "index": number, **told, "finish_reason": None}
    last = {**({} if steps else more), **({"logprobs": left} if blank else {})}
    yield {"text": "", "index": number, **last, "finish_reason": choice.get("finish_reason")}


def _tokens(words: str, logprobs: Value) -> list[tuple[str, Value]]:
    """The text by the tokens that are known with their probabilities, else by words."""
    tokens = listing(logprobs.get("tokens"))
    alike = all(value is None or len(listing(value)) == len(tokens) for value in logprobs.values())
    if not (tokens and alike and "".join(map(text, tokens)) == words):
        return [(piece, {}) for piece in pieces(words)]
    return [
        (text(token), {name: value and value[at : at + 1] for name, value in logprobs.items()})
        for at, token in enumerate(tokens)
    ]


def _join(found: list[Value]) -> Value:
    choice: Value = {}
    for piece in found:
        choice = joined(choice, {name: value for name, value in piece.items() if name not in ("text", "logprobs")})
    words = "".join(text(piece.get("text")) for piece in found)
    return {"text": words, **choice, **_logprobs([piece["logprobs"] for piece in found if "logprobs" in piece])}


def _logprobs(told: list[Any]) -> Value:
    """The lists of all pieces, put together."""
    if not told:
        return {}
    said = None
    for each in told:
        said = _longer(mapping(said), each) if isinstance(each, dict) else said
    return {"logprobs": said}


def _longer(so_far: Value, more: Value) -> Value:
    return {
        name: [*listing(so_far.get(name)), *value] if isinstance(value, list) else value for name, value in more.items()
    }


_FORM = chunks.form_of(chunks.Chunked(_OBJECT, _OBJECT, "text", _split, _join))
