"""What a rule says: `reply("Hello")`, `reply(tool_calls=…)`, `reply(json=…)`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, TypedDict, Unpack

from ..core.json_text import compact
from ..core.model import Headers
from ..core.prompt import Usage
from ..errors import UsageError
from .annotations import Annotation, annotations_of
from .calls import Call, calls_of
from .logprobs import Token, logprobs_of, tokens

NOTHING: Any = type("Nothing", (), {"__repr__": lambda self: "…"})()
"""Stands for an argument that was not given, where None is a value."""

Embedding = Mapping[str, int] | int | Sequence[float] | Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reply as it was written. What depends on the request is worked out when it is asked."""

    text: str | None = None
    tool_calls: tuple[Call, ...] = ()
    json: Any = NOTHING
    reasoning: str = ""
    refusal: str = ""
    annotations: tuple[Annotation, ...] = ()
    logprobs: tuple[Token, ...] | bool = False
    """True for ones that are made up."""
    usage: Usage | None = None
    finish_reason: str = ""
    image: Any = None
    audio: Any = None
    vectors: tuple[tuple[float, ...], ...] = ()
    """The vector of each input; the last one is that of all further ones too."""
    dimensions: int | None = None
    """How long vectors are that are made up; 0 for as long as the request wants them."""
    chunks: tuple[str, ...] | int | None = None
    status: int = 200
    headers: Headers = ()
    template: bool = False
    """Whether the texts are templates."""
    place: str = ""
    """Where it is written, when that is a file."""

    @property
    def holds(self) -> frozenset[str]:
        """Which kinds of content there are."""
        there = {
            "words": self.text is not None or self.tool_calls or self.reasoning or self.refusal,
            "json": self.json is not NOTHING,
            "vectors": self.vectors or self.dimensions is not None,
            "image": self.image is not None,
            "audio": self.audio is not None,
            "usage": self.usage is not None,
        }
        return frozenset(name for name, value in there.items() if value)


class Arguments(TypedDict, total=False):
    """What a reply can hold beside its text."""

    tool_calls: Any
    """Calls of tools: a name, `(name, {arguments})`, a dict, or a list of these."""
    json: Any
    """What the answer is as JSON, or a model of pydantic; True for a value that satisfies the schema of the request."""
    reasoning: str
    refusal: str
    annotations: Any
    """Where the words are from: an address, `{"url": …, "title": …, "text": …}`, or a list of these."""
    logprobs: Any
    """How probable each token was, `[("Hello", -0.1), …]`, or True for values that are made up."""
    usage: Usage | Mapping[str, int] | None
    finish_reason: str
    """In the words of Chat Completions: `stop`, `length`, `tool_calls`, `content_filter`."""
    image: Any
    """The bytes of a picture, its address, or True for one that is made up; several in a list."""
    audio: Any
    """The bytes of a sound, or True for one that is made up."""
    embedding: Embedding | None
    """A vector, one for each input, or `{"dimensions": n}` for ones that are made up: of the same text the same."""
    chunks: Sequence[str] | int | None
    """The pieces of the text when it is streamed, or how many characters each has."""
    status: int
    headers: Mapping[str, str] | None
    template: bool
    """Whether texts are templates: `"You said: {{ last_message }}"`."""


ARGUMENTS = ("text", *Arguments.__annotations__)


def reply(text: str | None = None, **arguments: Unpack[Arguments]) -> Said:
    """A reply, for a function that a rule calls. Raises `UsageError`."""
    _check_names(arguments)
    json, chunks = arguments.get("json", NOTHING), arguments.get("chunks")
    if text is not None and not isinstance(text, str):
        raise UsageError(f"reply({text!r}): a text was expected. An object goes into json=.")
    if text is not None and json is not NOTHING:
        raise UsageError("reply(text, json=…): the JSON is the text, so only one of them can be given.")
    vectors, dimensions = _embedding(arguments.get("embedding"))
    logprobs = logprobs_of(arguments.get("logprobs"))
    if json is not NOTHING and not isinstance(logprobs, bool):
        raise UsageError(
            "reply(json=…, logprobs=[…]): the JSON is the text, so its tokens cannot be given: logprobs=True."
        )
    return Said(
        text=_of_tokens(_text(text, chunks), logprobs),
        tool_calls=calls_of(arguments.get("tool_calls")),
        json=_plain(json),
        reasoning=arguments.get("reasoning") or "",
        refusal=arguments.get("refusal") or "",
        annotations=annotations_of(arguments.get("annotations")),
        logprobs=logprobs,
        usage=usage_of(arguments.get("usage")),
        finish_reason=arguments.get("finish_reason") or "",
        image=_media("image", arguments.get("image"), bytes, str),
        audio=_media("audio", arguments.get("audio"), bytes),
        vectors=vectors,
        dimensions=dimensions,
        chunks=_chunks(chunks),
        status=_status(arguments.get("status", 200)),
        headers=_headers(arguments.get("headers")),
        template=arguments.get("template", False),
    )


def _check_names(arguments: Mapping[str, Any]) -> None:
    for name in arguments:
        if name not in ARGUMENTS:
            near = get_close_matches(str(name), ARGUMENTS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(ARGUMENTS)}."
            raise UsageError(f"A reply has no {name!r}. {hint} An object that is to be the answer goes into 'json'.")


def _plain(value: Any) -> Any:
    """JSON as such; a model of pydantic says itself what it is."""
    value = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    try:
        compact(None if value is NOTHING else value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"reply(json={value!r:.200}): this is not JSON: {error}.") from None
    return value


def _text(text: str | None, chunks: Sequence[str] | int | None) -> str | None:
    if chunks is None or isinstance(chunks, int):
        return text
    joined = "".join(chunks)
    if text not in (None, joined):
        raise UsageError(f"reply({text!r}, chunks=…): the pieces make {joined!r}, which is another text.")
    return joined


def _of_tokens(text: str | None, logprobs: tuple[Token, ...] | bool) -> str | None:
    """The text, which the tokens make when there are any."""
    if isinstance(logprobs, bool):
        return text
    if text not in (None, tokens(logprobs)):
        raise UsageError(f"reply({text!r}, logprobs=…): the tokens make {tokens(logprobs)!r}, which is another text.")
    return tokens(logprobs)


def _chunks(chunks: Sequence[str] | int | None) -> tuple[str, ...] | int | None:
    if isinstance(chunks, int):
        if chunks < 1:
            raise UsageError(f"chunks={chunks!r}: a piece has one character at least.")
        return chunks
    return None if chunks is None else tuple(chunks)


def _status(status: int) -> int:
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise UsageError(f"status={status!r}: a reply has a status from 200 to 599.")
    return status


def _media(name: str, given: Any, *kinds: type) -> Any:
    """What stands for pictures or for a sound; several pictures in a list."""
    each = given if name == "image" and isinstance(given, list | tuple) else [given]
    if not all(one is None or one is True or isinstance(one, kinds) for one in each):
        address = "its address, " if str in kinds else ""
        raise UsageError(f"{name}={given!r:.200}: bytes, {address}or True for one that is made up.")
    return given


def _headers(headers: Mapping[str, str] | None) -> Headers:
    if headers is not None and not isinstance(headers, Mapping):
        raise UsageError(f"headers={headers!r}: a dict of names and values was expected.")
    return tuple((name.lower(), str(value)) for name, value in (headers or {}).items())


_TOKENS = {
    "input_tokens": "input",
    "prompt_tokens": "input",
    "output_tokens": "output",
    "completion_tokens": "output",
    "total_tokens": "total",
    "cached_tokens": "cached",
    "reasoning_tokens": "reasoning",
}
"""What providers call tokens."""


def usage_of(given: Usage | Mapping[str, int] | None) -> Usage | None:
    """Usage, by our names or by those of OpenAI and Anthropic. Raises `UsageError`."""
    if given is None or isinstance(given, Usage):
        return given
    if not isinstance(given, Mapping):
        raise UsageError(f"usage={given!r}: a dict of counts was expected, such as {{'input': 3, 'output': 4}}.")
    known = tuple(field.name for field in fields(Usage))
    found = {_TOKENS.get(name, name): count for name, count in given.items()}
    wrong = [name for name, count in found.items() if name not in known or not isinstance(count, int)]
    if wrong:
        raise UsageError(f"usage={dict(given)!r}: {wrong[0]!r} is no count of tokens. Known are: {', '.join(known)}.")
    return Usage(**found)


def _embedding(given: Embedding | None) -> tuple[tuple[tuple[float, ...], ...], int | None]:
    """Vectors, or how many numbers those have that are to be made up."""
    if given is None:
        return (), None
    if isinstance(given, Mapping):
        if set(given) - {"dimensions"}:
            raise UsageError(f"embedding={dict(given)!r}: of these only 'dimensions' is known.")
        given = given.get("dimensions", 0)
    if isinstance(given, int):
        if given < 0:
            raise UsageError(f"embedding={given!r}: a vector has one number at least.")
        return (), given
    many = given if given and isinstance(given[0], Sequence) else [given]
    try:
        return tuple(tuple(map(float, vector)) for vector in many), None  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UsageError(
            f"embedding={given!r}: a list of numbers, a list of those, or {{'dimensions': 1536}}."
        ) from None


_WORD = re.compile(r"\s*\S+\s?|\s+")


def pieces(text: str, chunks: tuple[str, ...] | int | None) -> list[str]:
    """The pieces in which a text is streamed: as given, of this size, or else a word each."""
    if isinstance(chunks, tuple):
        return list(chunks)
    if chunks is not None:
        return [text[start : start + chunks] for start in range(0, len(text), chunks)]
    return _WORD.findall(text)
