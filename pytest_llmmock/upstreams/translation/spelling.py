"""How thoughts are told to clients of protocols that have no place for them, and what else has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ...core.model import Exchange
from ...core.prompt import Delta
from ...dialects.fields import mapping
from ...dialects.responses_stream import SUMMARY, Parts
from ...errors import UsageError
from .notes import Notes


class Thoughts(Protocol):
    """Changes the deltas of an answer, one by one."""

    def take(self, delta: Delta) -> Iterator[Delta]: ...

    def end(self) -> Iterator[Delta]: ...


class Hidden:
    """Thoughts are not told."""

    def take(self, delta: Delta) -> Iterator[Delta]:
        if delta.kind != "reasoning":
            yield delta

    def end(self) -> Iterator[Delta]:
        yield from ()


class Own:
    """The protocol has a place for thoughts."""

    def __init__(self) -> None:
        self._parts = Parts()

    def take(self, delta: Delta) -> Iterator[Delta]:
        yield self._parts.apart(delta)

    def end(self) -> Iterator[Delta]:
        yield from ()


class Tags:
    """Thoughts stand before what is said or called, between `<think>` and `</think>`."""

    def __init__(self) -> None:
        self._open = False
        self._between = Between()

    def take(self, delta: Delta) -> Iterator[Delta]:
        if delta.kind in _SAID:
            yield from self.end()
        if delta.kind != "reasoning":
            yield delta
            return
        between = self._between.take(delta)
        yield from _text(between if self._open else "<think>")
        self._open = True
        yield from _text(delta.text)

    def end(self) -> Iterator[Delta]:
        if self._open:
            self._open = False
            yield from _text("</think>")


_SAID = ("text", "refusal", "tool_call")
"""What is no thought any more. Some protocols write a refusal as words, and a call as a block behind them."""


class Field:
    """Thoughts are an object beside the words (`o3`)."""

    def __init__(self) -> None:
        self._between = Between()

    def take(self, delta: Delta) -> Iterator[Delta]:
        if delta.kind != "reasoning":
            yield delta
            return
        for words in (self._between.take(delta), delta.text):
            if words:
                yield Delta("item", data={"reasoning": {"content": [{"type": "text", "text": words}]}})

    def end(self) -> Iterator[Delta]:
        yield from ()


class Fields:
    """Thoughts are texts beside the words, their summary twice (`legacy`)."""

    def take(self, delta: Delta) -> Iterator[Delta]:
        if delta.kind != "reasoning":
            yield delta
        elif delta.part[1:2] == (SUMMARY,):
            yield Delta("item", data={"reasoning_summary": delta.text, "reasoning": delta.text})
        else:
            yield Delta("item", data={"reasoning": delta.text})

    def end(self) -> Iterator[Delta]:
        yield from ()


class Between:
    """What stands between two parts of thoughts: a line between those of a summary, else a blank one."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] = ()

    def take(self, delta: Delta) -> str:
        last, self._last = self._last, delta.part
        if not last or last == delta.part:
            return ""
        return "\n" if last[1] == delta.part[1] else "\n\n"


def _text(words: str) -> Iterator[Delta]:
    if words:
        yield Delta("text", words)


# --- which of them --------------------------------------------------------------------------------------

MODES: dict[str, Callable[[], Thoughts]] = {
    "off": Hidden,
    "think-tags": Tags,
    "o3": Field,
    "legacy": Fields,
    "current": Fields,
}
"""What `--reasoning-compat` takes. Plain Chat Completions do not tell of thoughts."""

_WITH_THOUGHTS = ("ollama.chat", "ollama.generate", "messages")
"""Protocols that have a place for thoughts."""


def find(exchange: Exchange, mode: str) -> Thoughts:
    """How this client is told of thoughts. Raises `UsageError`."""
    if mode not in MODES:
        raise UsageError(f"There is no way {mode!r} to tell of reasoning. It takes one of: {', '.join(MODES)}.")
    if exchange.operation == "completions" or mapping(exchange.json).get("think") is False:
        return Hidden()
    if mode == "think-tags" and _wants_json(mapping(exchange.json)):
        mode = "off"  # nobody could parse the words
    if exchange.operation in _WITH_THOUGHTS:
        return Tags() if mode == "think-tags" else Own()
    return MODES[mode]()


def _wants_json(body: dict[str, Any]) -> bool:
    """Whether the words are to be JSON, in whichever protocol this is asked."""
    form = mapping(body.get("response_format")).get("type")
    return bool(
        form in ("json_object", "json_schema")
        or body.get("format")
        or body.get("output_format")
        or mapping(body.get("output_config")).get("format")
    )


_WITH_CITATIONS = ("chat",)


def is_told(exchange: Exchange, delta: Delta, notes: Notes) -> bool:
    """Whether the client's protocol has a place for this. What has none is noted."""
    data = mapping(delta.data)
    if delta.kind == "item" and "type" in data:
        if data["type"] != "reasoning":
            notes.leave_out(str(data["type"]))
        return False
    if delta.kind == "item" and "annotations" in data and exchange.operation not in _WITH_CITATIONS:
        notes.leave_out("url_citation")
        return False
    if exchange.operation == "completions" and delta.kind in ("tool_call", "refusal"):
        notes.leave_out(delta.kind)
        return False
    return True
