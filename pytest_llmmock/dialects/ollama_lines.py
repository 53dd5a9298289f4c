"""What Ollama answers, as lines that are written while it is still being said, and the last of which is the whole.

The shapes are `ollama.ChatResponse` and `ollama.GenerateResponse`. `ollama_answers.py` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..core.json_text import compact
from ..core.prompt import Answer, Delta, Prompt, Usage
from .fields import argument_object, mapping

Fields = dict[str, Any]

CHAT, GENERATE = "content", "response"
"""The field that holds the words, by which the two are told apart."""

MADE = ("image", "images")
"""Pictures that a model made."""


_WORDS = {"text": "", "refusal": "", "reasoning": "thinking"}
"""Where words go; '' is the field of the answer. Refusals have no field of their own."""


def write_line(value: Fields) -> bytes:
    return compact(value).encode() + b"\n"


def no_words(said: Fields) -> Fields:
    return {name: "" for name in (CHAT, GENERATE) if isinstance(said.get(name), str)}


def held(value: Fields, piece: Fields) -> Fields:
    """A piece in the place where such an answer holds it. Every line has words, if only none."""
    message = value.get("message")
    if not isinstance(message, dict):
        return {**no_words(value), **piece}
    role = {name: item for name, item in message.items() if name == "role"}
    said = {name: item for name, item in piece.items() if name != "logprobs"}
    beside = {name: item for name, item in piece.items() if name == "logprobs"}
    return {"message": {**role, **no_words(message), **said}, **beside}


def names_of(value: Fields) -> Fields:
    """What every line says of itself."""
    return {name: value[name] for name in ("model", "created_at") if name in value}


def is_call(delta: Delta) -> bool:
    return delta.kind == "tool_call" and delta.index == 0


def write_piece(words: str, delta: Delta, number: int, named: str) -> Fields:
    """What one delta says, nothing when there is no place for it. `number` is of the calls before it."""
    if delta.kind == "item":
        return {name: item for name, item in mapping(delta.data).items() if name in MADE}
    if delta.index != 0 or (delta.kind in _WORDS and not delta.text):
        return {}
    if delta.kind == "tool_call":
        function = {"name": delta.name, "arguments": argument_object(delta.text)}
        return {"tool_calls": [{"id": delta.id or f"call_{named}{number}", "function": function}]}
    return {_WORDS[delta.kind] or words: delta.text} if delta.kind in _WORDS else {}


class Lines:
    """A line for each delta, of which a call has to be whole, then one that says why the answer ended."""

    def __init__(self, words: str, prompt: Prompt, head: Answer, named: str) -> None:
        self._words, self._prompt, self._head, self._named = words, prompt, head, named
        self._empty = write_whole(words, prompt, Answer(model=head.model, created=head.created), {words: ""})
        self._kept: list[Delta] = []
        """What the last line is made of."""
        self._calls = 0
        self._failed = False

    def begin(self) -> Iterator[bytes]:
        yield from ()

    def take(self, delta: Delta) -> Iterator[bytes]:
        if self._failed:
            return
        if delta.kind == "error":
            self._failed = True
            yield write_line({"error": delta.text})
        elif delta.kind in ("finish", "usage"):
            self._kept.append(delta)
        elif piece := write_piece(self._words, delta, self._calls, self._named):
            self._calls += is_call(delta)
            yield write_line({**names_of(self._empty), **held(self._empty, piece), "done": False})

    def end(self) -> Iterator[bytes]:
        if not self._failed:
            answer = Answer(tuple(self._kept), self._head.model, created=self._head.created)
            yield write_line(write_whole(self._words, self._prompt, answer, {self._words: ""}))


def write_whole(words: str, prompt: Prompt, answer: Answer, said: Fields) -> Fields:
    """What was said, why it ended and what it cost. What is not known is left out, as Ollama does."""
    finish = answer.finish_reason or "stop"
    usage = answer.usage or Usage()
    counts = {"prompt_eval_count": usage.input, "eval_count": usage.output}
    return {
        "model": answer.model or prompt.model,
        "created_at": _time(answer.created or 0),
        **({"message": {"role": "assistant", **said}} if words == CHAT else said),
        "done": True,
        "done_reason": "stop" if finish == "tool_calls" else finish,
        **{name: count for name, count in counts.items() if count is not None},
    }


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return _time(0)
