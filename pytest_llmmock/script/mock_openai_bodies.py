"""Whole answers of OpenAI's in files, as mock-openai-server has them.

Unlike there, Completions are streamed too, and `$model` is the model that was asked for. Delays are kept, and take time
only at the speed `recorded`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from string import Template

from pydantic import AliasChoices, BaseModel, Field

from ..core.json_text import parse_json
from ..core.model import Frame, Reply, json_reply
from ..core.prompt import Answer, Delta
from ..errors import UsageError
from .documents import Place
from .view import View


class Streaming(BaseModel):
    """How bodies are streamed."""

    enabled: bool = True
    chunk_delay_ms: float = 50
    words_per_chunk: int = Field(5, validation_alias=AliasChoices("words_per_chunk", "tokens_per_chunk"), ge=1)


@dataclass(frozen=True, slots=True)
class Bodies:
    """Files of whole answers."""

    folder: Path
    streaming: Streaming
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    """Of the answers of all files: no two have the same id."""

    def of(self, name: str, place: Place) -> Callable[[View], Reply]:
        """What answers from a file, which is read once. Raises `UsageError`."""
        path = self.folder / name
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise UsageError(f"{place}: {path} cannot be read: {error.strerror}.") from None
        if parse_json(_filled(text, "gpt-4", Random(0), 0).encode()) is None:
            raise UsageError(f"{place}: {path} does not hold JSON.")
        return partial(self._answer, text, lambda: Random(f"{name}:{next(self.numbers)}"))

    def _answer(self, text: str, chance: Callable[[], Random], view: View) -> Reply:
        body = json.loads(_filled(text, view.model, chance(), int(view.exchange.started)))
        whole = json_reply(body)
        dialect = view.exchange.dialect
        if view.operation == "embeddings":
            return dialect.write_reply(view.prompt, _spread(dialect.read_reply(whole), len(view.prompt.inputs)))
        if not view.stream or not self.streaming.enabled:
            return whole
        streamed = dialect.write_reply(view.prompt, _cut(dialect.read_reply(whole), self.streaming.words_per_chunk))
        return self._in_time(streamed)

    def _in_time(self, streamed: Reply) -> Reply:
        delay = self.streaming.chunk_delay_ms / 1000
        return replace(streamed, frames=[Frame(frame.data, n * delay) for n, frame in enumerate(streamed.arrived)])


def _filled(text: str, model: str, chance: Random, now: int) -> str:
    """The text of a file with its variables; what is none of them stays."""
    number = f"{chance.getrandbits(48):012x}"
    values = {"chat_id": f"chatcmpl-{number}", "request_id": f"req-{number}", "timestamp": str(now)}
    return Template(text).safe_substitute(values, model=json.dumps(model)[1:-1])


def _spread(answer: Answer, inputs: int) -> Answer:
    """A vector for each input; the last one is that of all further ones."""
    given = [delta for delta in answer.deltas if delta.kind == "vector"]
    others = [delta for delta in answer.deltas if delta.kind != "vector"]
    made = [replace(given[min(n, len(given) - 1)], index=n) for n in range(inputs)] if given else []
    return replace(answer, deltas=(*made, *others))


def _cut(answer: Answer, words: int) -> Answer:
    """So many words a piece."""
    piece = re.compile(rf"(?:\s*\S+){{1,{words}}}\s?|\s+")

    def pieces(delta: Delta) -> list[Delta]:
        if delta.kind != "text":
            return [delta]
        return [replace(delta, text=text) for text in piece.findall(delta.text)]

    return replace(answer, deltas=tuple(each for delta in answer.deltas for each in pieces(delta)))
