"""Where the words of a reply are from, as a test writes it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ..core.json_text import compact
from ..errors import UsageError

Annotation = Mapping[str, Any]
"""As Chat Completions writes it."""

_CITES = ("type", "url", "title", "start_index", "end_index", "text")


def annotations_of(given: Any) -> tuple[Annotation, ...]:
    """Where words are from: addresses, dicts of `url`, `title`, `text`, or as a protocol writes it.

    Raises `UsageError`.
    """
    if given is None:
        return ()
    return tuple(_annotation(one) for one in (given if isinstance(given, list | tuple) else [given]))


def _annotation(given: Any) -> Annotation:
    if isinstance(given, str):
        return {"type": "url_citation", "url_citation": {"url": given}}
    if not isinstance(given, Mapping):
        raise _wrong(given)
    _check_json(given)
    if given.get("type", "url_citation") != "url_citation":
        return given
    inner = given.get("url_citation", given)
    if not isinstance(inner, Mapping) or not isinstance(inner.get("url"), str):
        raise _wrong(given)
    odd = next((name for name in inner if name not in _CITES), None)
    if odd is not None:
        near = get_close_matches(str(odd), _CITES, n=1)
        raise _wrong(given, f" There is no {odd!r}" + (f"; did you mean {near[0]!r}?" if near else "."))
    return {"type": "url_citation", "url_citation": {name: inner[name] for name in inner if name != "type"}}


def _check_json(given: Mapping[str, Any]) -> None:
    try:
        compact(dict(given))
    except (TypeError, ValueError) as error:
        raise _wrong(given, f" It is not JSON: {error}.") from None


def _wrong(given: Any, why: str = "") -> UsageError:
    forms = "an address, or {'url': …, 'title': …, 'text': what of the reply is from there}"
    return UsageError(f"annotations: {given!r} is none.{why} An annotation is {forms}.")


def placed(annotation: Annotation, words: str) -> Annotation:
    """An annotation that says which part of the words it is about: all of them, unless it tells."""
    cited = annotation.get("url_citation")
    if not isinstance(cited, Mapping):
        return annotation
    part = str(cited.get("text") or words)
    start = max(0, words.find(part))
    spots = {"start_index": start, "end_index": start + len(part)}
    told = {name: value for name, value in cited.items() if name != "text"}
    return {**annotation, "url_citation": {"title": "", **spots, **told}}
