"""Chat Completions as a run of chunks, written while the answer is still being said.

The shape is `openai.types.chat.ChatCompletionChunk`. `chat_answers.py` has the whole answer, and reads both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core.prompt import Answer, Delta, Prompt
from .fields import mapping, objects, text
from .writing import Chunks

Fields = dict[str, Any]

_EXTRAS = ("annotations", "images", "reasoning_details", "reasoning", "reasoning_summary")
"""Fields beside the words of an answer, as an item that only this protocol knows holds them."""

_WORDS = {"text": "content", "reasoning": "reasoning_content", "refusal": "refusal"}


def extras_of(delta: Delta) -> Fields:
    """What an item says in fields of a message."""
    return {name: value for name, value in mapping(delta.data).items() if name in _EXTRAS and value}


def write_call(id: str, name: str, arguments: str, kind: str = "function") -> Fields:
    return {"id": id, "type": kind, kind: {"name": name, _ARGUMENTS[kind]: arguments}}


_ARGUMENTS = {"function": "arguments", "custom": "input"}
"""The kinds of tools that are called, and the field of what they are given."""


def kind_of(prompt: Prompt, name: str) -> str:
    """Which kind of tool is called by this name."""
    return "custom" if any(tool.kind == "custom" and tool.name == name for tool in prompt.tools) else "function"


def call_id(named: str, index: int, number: int) -> str:
    """The id of a call that nobody gave one."""
    return f"call_{named}{index}{number}"


def write_head(prompt: Prompt, answer: Answer, named: str, kind: str) -> Fields:
    """What an answer, or each of its chunks, says of itself."""
    return {
        "id": answer.id or f"chatcmpl-{named}",
        "object": kind,
        "created": answer.created or 0,
        "model": answer.model or prompt.model,
    }


def write_logprobs(deltas: Iterable[Delta]) -> Fields | None:
    """`openai.types.chat.chat_completion.ChoiceLogprobs` of the tokens that tell how likely they were."""
    tokens = [_token(each) for delta in deltas if delta.kind == "text" for each in objects(delta.data)]
    return {"content": tokens, "refusal": None} if tokens else None


def _token(entry: Fields) -> Fields:
    """A token, as Chat Completions tells of it: with its bytes."""
    named = {"bytes": list(text(entry.get("token")).encode(errors="replace")), **entry}
    others = [_token(each) for each in objects(entry.get("top_logprobs"))]
    return named | ({"top_logprobs": others} if "top_logprobs" in entry else {})


def stream_writer(prompt: Prompt, head: Answer, named: str, choices: Sequence[int] = (0,)) -> Chunks:
    """Writes an answer of which `head` is known before anything was said."""
    written = write_head(prompt, head, named, "chat.completion.chunk")
    return Chunks(prompt, written, _Choices(prompt, named), choices)


class _Choices:
    """The first chunk of a choice names the role."""

    def __init__(self, prompt: Prompt, named: str) -> None:
        self._prompt = prompt
        self._named = named
        self._begun: dict[tuple[int, int], tuple[int, str]] = {}
        """The number of each call in its choice, and its kind."""

    def begin(self, index: int) -> Fields:
        return _choice(index, {"role": "assistant", "content": ""})

    def take(self, delta: Delta) -> Fields | None:
        said = self._said(delta)
        return _choice(delta.index, said, logprobs=write_logprobs([delta])) if said else None

    def end(self, index: int, finish: str) -> Fields:
        usual = "tool_calls" if any(choice == index for choice, _ in self._begun) else "stop"
        return _choice(index, {}, finish or usual)

    def _said(self, delta: Delta) -> Fields:
        """One delta as a chunk holds it; nothing when a chunk has no place for it."""
        if delta.kind in _WORDS:
            return {_WORDS[delta.kind]: delta.text}
        if delta.kind == "item":
            return extras_of(delta)
        return {"tool_calls": [self._piece(delta)]} if delta.kind == "tool_call" else {}

    def _piece(self, delta: Delta) -> Fields:
        """A piece of a call: the first one says whose it is."""
        place = (delta.index, delta.call)
        if place in self._begun:
            number, kind = self._begun[place]
            return {"index": number, kind: {_ARGUMENTS[kind]: delta.text}}
        number, kind = sum(index == delta.index for index, _ in self._begun), kind_of(self._prompt, delta.name)
        self._begun[place] = (number, kind)
        id = delta.id or call_id(self._named, delta.index, number)
        return {"index": number, **write_call(id, delta.name, delta.text, kind)}


def _choice(index: int, said: Fields, finish: str | None = None, logprobs: Fields | None = None) -> Fields:
    return {"index": index, "delta": said, "logprobs": logprobs, "finish_reason": finish}
