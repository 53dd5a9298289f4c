"""What differs between an answer that was recorded and the one of today."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..cassettes.difference import MISSING, Difference, differences
from ..cassettes.meaning import details, meaning
from ..core import sse
from ..core.model import Exchange, Reply
from ..core.prompt import Answer
from . import shapes, streams
from .classes import Class, Found

_SAID = (
    *("content", "text", "refusal", "reasoning", "reasoning_content", "reasoning_details", "thinking"),
    *("tool_calls", "function_call", "audio", "images", "parts", "parsed", "output_text"),
)
"""Fields that an answer has only if it says something of their kind."""

_TEXTS = ("text", "reasoning", "refusal")
_WORDS = (*_TEXTS, "image", "audio", "tool_call")
"""What an answer consists of, in whatever protocol."""

_ALIKE = 0.99
"""The cosine from which two vectors are the same: no provider computes one twice to the last digit."""

_CALLS = re.compile(r"\.tool_calls(?:\[\d+\])?(?:\.name)?$")
_ARGUMENT = re.compile(r"\.tool_calls\[\d+\]\.arguments\..*[^\]]$")
_ITEM = re.compile(r"\.items(?:\[\d+\](?:\.type)?)?$")
_PASSING = re.compile(r"(?:[._](?:id|ids|at)|\.arguments)(?:\[\d+\])?$")
"""Fields of which other values say nothing: ids that are said back, times, how JSON in a text is laid out."""
_TOOL = re.compile(r"call|tool")


def compare(exchange: Exchange, old: Reply, new: Reply) -> list[Found]:
    """Every way in which the new reply differs. Both are read whole, and without secrets."""
    if old.status != new.status:
        return [Found("status-differs", Difference("status", old.status, new.status))]
    ours, theirs = exchange.dialect.read_reply(old), exchange.dialect.read_reply(new)
    failure = _failure(old, new, ours, theirs)
    if failure:
        return [Found("failed", Difference("answer", MISSING, failure))]
    if _media_type(old) != _media_type(new):
        return [Found("type-changed", Difference("content-type", _media_type(old), _media_type(new)))]
    alike = _kinds(ours) == _kinds(theirs) and ours.finish_reason == theirs.finish_reason
    return [*_in_shape(old, new, alike=alike), *_vectors(ours, theirs), *_said(exchange, old, new, ours, theirs)]


def _failure(old: Reply, new: Reply, ours: Answer, theirs: Answer) -> str:
    """What a stream says that went wrong, or that it ends before its end; '' when all is well."""
    if theirs.joined("error") and not ours.joined("error"):
        return theirs.joined("error")
    cut = old.is_stream and new.is_stream and _is_whole(old) and not _is_whole(new)
    return "the stream ends without its last event" if cut else ""


def _is_whole(reply: Reply) -> bool:
    return sse.is_whole(reply.body, reply.content_type)


def _media_type(reply: Reply) -> str:
    return reply.content_type.partition(";")[0].strip().lower()


def _kinds(answer: Answer) -> set[object]:
    """What is said at all: words, calls, and what only this protocol knows by its type."""
    items = (str(d.data.get("type")) for d in answer.deltas if d.kind == "item" and isinstance(d.data, dict))
    words = (d.kind for d in answer.deltas if d.kind in _WORDS and (d.text or d.kind not in _TEXTS))
    return {*words, *items}


# --- shape ----------------------------------------------------------------------------------------------


def _in_shape(old: Reply, new: Reply, *, alike: bool) -> Iterator[Found]:
    excused = () if alike else _SAID
    if old.is_stream:
        yield from streams.compared(old, new, said_alike=alike)
        ours, theirs = streams.values(old), streams.values(new)
        yield from shapes.compared(shapes.shape_of(ours), shapes.shape_of(theirs), "events", excused)
    elif old.json() is not None and new.json() is not None:
        yield from shapes.compared(shapes.shape_of(old.json()), shapes.shape_of(new.json()), "", excused)


def _vectors(old: Answer, new: Answer) -> Iterator[Found]:
    """Vectors of another length break what they are stored in; other numbers are another answer."""
    ours, theirs = ([d.vector for d in answer.deltas if d.kind == "vector"] for answer in (old, new))
    for place, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        path = f"answer.vectors[{place}]"
        if len(one) != len(other):
            yield Found("type-changed", Difference(path, f"{len(one)} numbers", f"{len(other)} numbers"))
        elif _cosine(one, other) < _ALIKE:
            yield Found("text-differs", Difference(path, _beginning(one), _beginning(other)))


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / length if length else float(one == other)


def _beginning(vector: Sequence[float]) -> str:
    return ", ".join(f"{number:.6g}" for number in vector[:3]) + (" …" if len(vector) > 3 else "")


# --- meaning --------------------------------------------------------------------------------------------


def _said(exchange: Exchange, old: Reply, new: Reply, ours: Answer, theirs: Answer) -> Iterator[Found]:
    """What the answers say, without what their shapes tell already."""
    one, other = meaning(exchange, old, ours), meaning(exchange, new, theirs)
    both = (one.pop("vectors", None), other.pop("vectors", None))
    places = [each for each in differences(one, other, "answer") if "body" not in one or not _is_alone(each)]
    beside = () if places or any(both) else details(old, new, "answer")
    for place in places or (each for each in beside if not (_is_alone(each) or _PASSING.search(each.path))):
        yield Found(_class(place), place)


def _is_alone(place: Difference) -> bool:
    """Whether a field is on one side only, or of another type there."""
    types = [None if side is MISSING else shapes.type_of(side) for side in (place.recorded, place.asked)]
    return types[0] != types[1] and not place.path.endswith("]")


def _class(place: Difference) -> Class:
    if place.path.endswith(".finish"):
        return "finish-differs"
    if place.path == "answer.model":
        return "model-differs"
    return "tools-changed" if _is_of_tools(place) else "text-differs"


def _is_of_tools(place: Difference) -> bool:
    """Whether another tool was called, or one with arguments of other names."""
    if _CALLS.search(place.path):
        return True
    alone = MISSING in (place.recorded, place.asked)
    if _ARGUMENT.search(place.path):
        return alone
    return bool(_ITEM.search(place.path)) and any(map(_names_tool, (place.recorded, place.asked)))


def _names_tool(value: Any) -> bool:
    """Whether this is a search, a program or another tool of the provider's own."""
    if isinstance(value, list):
        return any(map(_names_tool, value))
    kind = value.get("type") if isinstance(value, dict) else value
    return isinstance(kind, str) and _TOOL.search(kind) is not None
