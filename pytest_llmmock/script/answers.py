"""Replies written by hand, as the protocol of the request has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, json_reply
from ..core.prompt import Answer, Delta, Usage
from ..errors import ScriptError
from . import estimate, invention, vectors
from .annotations import placed
from .calls import Call
from .logprobs import Token, invented, tokens
from .problems import Failing
from .replies import NOTHING, Said, pieces
from .structured import Wanted, parameters_of, wanted
from .templates import Values, render, render_value
from .view import View

CONVERSATIONS = ("chat", "completions", "responses", "messages", "ollama.chat", "ollama.generate")

_TAKES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(CONVERSATIONS, ("words", "json")),
    **dict.fromkeys(("embeddings", "ollama.embed", "ollama.embeddings"), ("vectors", "json")),
    **dict.fromkeys(("images", "images.edits", "images.variations"), ("image", "json")),
    "audio.speech": ("audio", "json"),
    **dict.fromkeys(("audio.transcriptions", "audio.translations"), ("words", "json")),
    **dict.fromkeys(("messages.count_tokens", "responses.input_tokens"), ("usage", "json")),
}
"""Operation -> which content answers it. Any other takes JSON, and words when the rule is for it."""

_BODIES = (
    *("embeddings", "ollama.embed", "ollama.embeddings", "models", "models.retrieve"),
    *("messages.count_tokens", "responses.input_tokens"),
)
"""Where JSON is the body as it stands; elsewhere the dialect adds to it what it knows."""

_NAMES = {
    "words": "a text",
    "json": "json=",
    "vectors": "embedding=",
    "image": "image=",
    "audio": "audio=",
    "usage": "usage=",
}


def unsuitable(said: Said, operation: str, *, meant: bool) -> str:
    """Why this reply cannot answer an operation, '' when it can. `meant` says that the rule names what it is for."""
    if operation in CONVERSATIONS and not said.holds - {"usage"}:
        return ""
    takes = _TAKES.get(operation) or (("words", "json") if meant else ("json",))
    if said.holds & {*takes}:
        return ""
    held = " and ".join(_NAMES[kind] for kind in _NAMES if kind in said.holds) or "nothing"
    return f"its reply holds {held}, and {operation} takes {' or '.join(_NAMES[kind] for kind in takes)}"


def write(action: Said | Failing, view: View, values: Values) -> Reply:
    """The reply. Raises `ScriptError` when it cannot be made."""
    if isinstance(action, Failing) or action.status >= 400:
        return _failure(action, view, values)
    said = rendered(action, values) if action.template else action
    reply = _reply(said, view)
    reply.headers = _with(reply.headers, said.headers)
    reply.status, reply.source = said.status if said.status != 200 else reply.status, "script"
    return reply


def _with(headers: tuple[tuple[str, str], ...], others: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    names = {name for name, _ in others}
    return (*(pair for pair in headers if pair[0] not in names), *others)


def _failure(action: Said | Failing, view: View, values: Values) -> Reply:
    failing = action if isinstance(action, Failing) else Failing(action.status, message=action.text)
    message = failing.message
    if message is not None and action.template:
        message = render(message, values, action.place)
    reply = view.exchange.dialect.write_error(failing.problem(view.model, message))
    reply.headers = _with(reply.headers, action.headers if isinstance(action, Said) else ())
    reply.source = "script"
    return reply


def rendered(said: Said, values: Values) -> Said:
    """The reply with its templates filled in."""

    def text(template: str) -> str:
        return render(template, values, said.place)

    return replace(
        said,
        text=None if said.text is None else text(said.text),
        reasoning=text(said.reasoning),
        refusal=text(said.refusal),
        chunks=tuple(map(text, said.chunks)) if isinstance(said.chunks, tuple) else said.chunks,
        json=said.json if said.json is NOTHING else render_value(said.json, values, said.place),
        tool_calls=tuple(_rendered_call(call, text, values, said.place) for call in said.tool_calls),
        headers=tuple((name, text(value)) for name, value in said.headers),
        template=False,
    )


def _rendered_call(call: Call, text: Callable[[str], str], values: Values, place: str) -> Call:
    arguments = call.arguments
    made = text(arguments) if isinstance(arguments, str) else render_value(arguments, values, place)
    return Call(text(call.name), made, text(call.id))


def _reply(said: Said, view: View) -> Reply:
    if said.json is not NOTHING and view.operation in _BODIES:
        return json_reply(said.json)
    deltas = tuple(_deltas(said, view))
    if said.usage is None:
        view.exchange.notes.append(estimate.NOTE)
    usage = _totalled(said.usage) if said.usage else estimate.usage(view.prompt, deltas)
    answer = Answer((*deltas, Delta("usage", usage=usage)))
    answer = replace(answer, before=view.count(repr((view.prompt, answer))))
    return view.exchange.dialect.write_reply(view.prompt, answer)


def _totalled(usage: Usage) -> Usage:
    total = (usage.input or 0) + (usage.output or 0)
    return usage if usage.total is not None else replace(usage, total=total)


def _deltas(said: Said, view: View) -> Iterator[Delta]:
    """What is said, in the order in which a model says it."""
    if view.operation not in CONVERSATIONS:
        return _made(said, view)
    once = [*_told(_in_shape(said, view), view)]
    return (replace(delta, index=index) for index in range(_choices(view) * _prompts(view)) for delta in once)


def _choices(view: View) -> int:
    """How many answers at once the request wants."""
    wanted = view.prompt.options.get("n")
    return wanted if view.operation in ("chat", "completions") and isinstance(wanted, int) and 1 < wanted < 129 else 1


def _prompts(view: View) -> int:
    """How many texts are to be continued: Completions takes a list, and answers each of them."""
    return min(len(view.prompt.messages), _MOST_PROMPTS) or 1 if view.operation == "completions" else 1


_MOST_PROMPTS = 2048
"""Texts in one request of Completions, at most."""


def _told(said: Said, view: View) -> Iterator[Delta]:
    yield from (Delta("reasoning", piece) for piece in pieces(said.reasoning, None))
    yield from _words(said, view)
    yield from (Delta("refusal", piece) for piece in pieces(said.refusal, None))
    for number, call in enumerate(said.tool_calls):
        yield from _called(call, number, view)
    if not (said.text or said.refusal or said.tool_calls):
        yield Delta("text")
    finish = said.finish_reason or ("tool_calls" if said.tool_calls else "" if said.refusal else "stop")
    yield from [Delta("finish", finish=finish)] if finish else []


def _words(said: Said, view: View) -> Iterator[Delta]:
    """The words, token by token where it is told how probable each was, and then where they are from."""
    text = said.text or ""
    if said.logprobs:
        yield from (Delta("text", each["token"], data=[each]) for each in _logprobs(said, text, view))
    else:
        yield from (Delta("text", piece) for piece in pieces(text, said.chunks))
    if said.annotations:
        yield Delta("item", data={"annotations": [placed(each, text) for each in said.annotations]})


def _logprobs(said: Said, text: str, view: View) -> Iterable[Token]:
    if isinstance(said.logprobs, tuple):
        return _checked(said.logprobs, text)
    asked = view.prompt.options.get("top_logprobs", view.prompt.options.get("logprobs"))
    others = asked if isinstance(asked, int) and not isinstance(asked, bool) else 0
    return invented(pieces(text, said.chunks), min(others, _MOST_LIKELY))


def _checked(logprobs: tuple[Token, ...], text: str) -> tuple[Token, ...]:
    if tokens(logprobs) != text:
        raise ScriptError(f"The tokens of logprobs= make {tokens(logprobs)!r}, and the text has become {text!r}.")
    return logprobs


_MOST_LIKELY = 20
"""Tokens that a provider names beside the one that it took, at most."""


def _in_shape(said: Said, view: View) -> Said:
    """JSON as this request wants it: as the text, or as the arguments of the tool that has to be called."""
    if said.json is NOTHING:
        return said
    asked = wanted(view.prompt)
    value = _invented(asked, view) if said.json is True else said.json
    if asked.tool and isinstance(value, Mapping):
        return replace(said, tool_calls=(*said.tool_calls, Call(asked.tool, value)))
    return replace(said, text=compact(value))


def _invented(asked: Wanted, view: View) -> Any:
    if asked.schema is None:
        raise ScriptError(
            f"reply(json=True) makes a value up by the JSON schema of the request, and {view.method} {view.path} "
            "names none: no response format with a schema, and no tool that has to be called. "
            "Give the value: reply(json={…})."
        )
    return invention.invent(asked.schema)


def _called(call: Call, number: int, view: View) -> Iterator[Delta]:
    """A call: its name first, then its arguments piece by piece."""
    custom = any(tool.name == call.name and tool.kind == "custom" for tool in view.tools)
    yield Delta("tool_call", call=number, id=call.id, name=call.name, custom=custom)
    yield from (Delta("tool_call", piece, call=number) for piece in pieces(_arguments(call, view), None))


def _arguments(call: Call, view: View) -> str:
    if isinstance(call.arguments, str):
        return call.arguments
    if call.arguments is not True:
        return compact(dict(call.arguments or {}))
    schema = parameters_of(view.prompt, call.name)
    if schema is None:
        names = ", ".join(tool.name for tool in view.tools) or "none"
        raise ScriptError(f"The arguments of {call.name!r} are to be made up, and no such tool is offered: {names}.")
    return compact(invention.invent(schema))


# --- what is no conversation ----------------------------------------------------------------------------


def _made(said: Said, view: View) -> Iterator[Delta]:
    if said.vectors or said.dimensions is not None:
        yield from (Delta("vector", index=n, vector=vector) for n, vector in enumerate(_vectors(said, view)))
    elif said.json is not NOTHING:
        yield Delta("item", data=said.json)
    elif said.image is not None:
        images = said.image if isinstance(said.image, list | tuple) else [said.image]
        yield from (_image(image, number) for number, image in enumerate(images))
    elif said.audio is not None:
        yield Delta("audio", data=said.audio if isinstance(said.audio, bytes) else None)
    else:
        yield Delta("text", said.text or "")


def _image(image: Any, number: int) -> Delta:
    """Its bytes, where it lies, or one that is to be made up."""
    address = image if isinstance(image, str) and "://" in image else ""
    return Delta("image", address, number, data=image if isinstance(image, bytes) else None)


def _vectors(said: Said, view: View) -> Iterator[tuple[float, ...]]:
    """One for each input, or one when the request names none that we can read."""
    inputs = view.prompt.inputs or (view.text,)
    asked = view.prompt.options.get("dimensions")
    size = asked if isinstance(asked, int) and asked > 0 else said.dimensions or vectors.DIMENSIONS
    if size > vectors.LONGEST:
        raise ScriptError(f"A vector of {size} numbers is asked for; none is longer than {vectors.LONGEST}.")
    for number, item in enumerate(inputs):
        if said.vectors:
            yield vectors.as_sent(said.vectors[min(number, len(said.vectors) - 1)])
        else:
            yield vectors.vector(item, size)
