"""How probable each token of a reply was, as a test writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from ..errors import UsageError

Token = Mapping[str, Any]
"""`openai.types.chat.ChatCompletionTokenLogprob`, which Responses has too."""


def logprobs_of(given: Any) -> tuple[Token, ...] | bool:
    """How probable each token was: True for made up, tokens with their values, or as a provider has them.

    Raises `UsageError`.
    """
    if given is None or isinstance(given, bool):
        return bool(given)
    if not isinstance(given, list | tuple) or not given:
        raise _no_logprobs(given)
    return tuple(_token(one) for one in given)


def _token(given: Any) -> Token:
    """A token; others that were likely in its place stand behind it."""
    if isinstance(given, Mapping):
        others = given.get("top_logprobs", [])
        word, value = given.get("token"), given.get("logprob")
    elif isinstance(given, list | tuple) and len(given) in (2, 3):
        word, value, others = given[0], given[1], given[2] if len(given) == 3 else {}
    else:
        raise _no_logprobs(given)
    if isinstance(others, Mapping):
        others = [{"token": other, "logprob": likely} for other, likely in others.items()]
    if not isinstance(others, list | tuple) or not all(isinstance(other, Mapping) for other in others):
        raise _no_logprobs(given)
    return {
        **_entry(word, value, given),
        "top_logprobs": [_entry(o.get("token"), o.get("logprob"), given) for o in others],
    }


def _entry(word: Any, value: Any, given: Any) -> dict[str, Any]:
    if not isinstance(word, str) or not word or not isinstance(value, int | float) or isinstance(value, bool):
        raise _no_logprobs(given)
    return {"token": word, "logprob": float(value), "bytes": list(word.encode(errors="replace"))}


def _no_logprobs(given: Any) -> UsageError:
    forms = "[('Hello', -0.1), (' you', -2.5, {' there': -2.7})], or True for ones that are made up"
    return UsageError(f"logprobs: {given!r} is none. They are {forms}.")


def invented(pieces: Sequence[str], others: int = 0) -> Iterator[Token]:
    """Log probabilities of these pieces: of the same piece always the same."""
    for piece in pieces:
        likely = _entry(piece, _drawn(piece), piece)
        rest = [_entry(f"{piece}{number}", likely["logprob"] - number, piece) for number in range(1, others)]
        yield {**likely, "top_logprobs": [likely, *rest] if others else []}


def _drawn(piece: str) -> float:
    """Between -1 and 0."""
    return -blake2b(piece.encode(errors="replace"), digest_size=2).digest()[0] / 256 - 0.001


def tokens(logprobs: Sequence[Token]) -> str:
    """The text that they are of."""
    return "".join(str(each["token"]) for each in logprobs)
