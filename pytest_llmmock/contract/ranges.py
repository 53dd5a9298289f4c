"""How large numbers and lists may be: what types do not tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .finding import Finding, Steps

Number = int | float


@dataclass(frozen=True, slots=True)
class Within:
    """The smallest and the largest of what is allowed; of a list or a text, its length."""

    low: Number | None = None
    high: Number | None = None
    kind: str = ""
    """Only of values of this kind."""


_SAMPLING = {"temperature": Within(0, 2), "top_p": Within(0, 1)}
_PENALTIES = {"presence_penalty": Within(-2, 2), "frequency_penalty": Within(-2, 2)}

RANGES: dict[str, dict[str, Within]] = {
    "chat": {
        **_SAMPLING,
        **_PENALTIES,
        "messages": Within(1),
        "messages.*.tool_calls": Within(1),
        "n": Within(1, 128),
        "max_tokens": Within(1),
        "max_completion_tokens": Within(1),
        "top_logprobs": Within(0, 20),
        "logit_bias.*": Within(-100, 100),
        "stop": Within(None, 4, "array"),
        "tools": Within(1, 128),
        "functions": Within(1, 128),
        "metadata": Within(None, 16),
        "metadata.*": Within(None, 512),
    },
    "completions": {
        **_SAMPLING,
        **_PENALTIES,
        "n": Within(1, 128),
        "max_tokens": Within(0),
        "logprobs": Within(0, 5),
        "best_of": Within(1, 20),
        "logit_bias.*": Within(-100, 100),
        "stop": Within(None, 4, "array"),
    },
    "responses": {
        **_SAMPLING,
        "max_output_tokens": Within(16),
        "max_tool_calls": Within(1),
        "top_logprobs": Within(0, 20),
        "metadata": Within(None, 16),
        "metadata.*": Within(None, 512),
    },
    "embeddings": {"input": Within(1), "dimensions": Within(1)},
    "images": {"n": Within(1, 10), "prompt": Within(None, 32_000), "output_compression": Within(0, 100)},
    "images.edits": {"n": Within(1, 10), "prompt": Within(None, 32_000), "output_compression": Within(0, 100)},
    "audio.speech": {"input": Within(1, 4096), "speed": Within(0.25, 4)},
    "audio.transcriptions": {"temperature": Within(0, 1)},
    "audio.translations": {"temperature": Within(0, 1)},
    "messages": {
        "messages": Within(1),
        "max_tokens": Within(0),
        "temperature": Within(0, 1),
        "top_p": Within(0, 1),
        "top_k": Within(0),
        "metadata.user_id": Within(None, 512),
        "thinking.budget_tokens": Within(1024),
    },
    "messages.count_tokens": {"messages": Within(1)},
}
"""Operation -> place, where `*` is every name or number -> what is allowed there."""


def check(body: dict[str, Any], operation: str) -> Iterator[Finding]:
    for place, within in RANGES.get(operation, {}).items():
        for steps, value in _at(body, place.split(".")):
            yield from _outside(steps, value, within)


def _at(value: Any, names: list[str], steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every value at a place."""
    if not names:
        yield steps, value
    elif names[0] == "*":
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, each in pairs:
            yield from _at(each, names[1:], (*steps, step))
    elif isinstance(value, dict) and names[0] in value:
        yield from _at(value[names[0]], names[1:], (*steps, names[0]))


def _outside(steps: Steps, value: Any, within: Within) -> Iterator[Finding]:
    size, kind = _measured(value)
    if size is None or within.kind not in ("", kind):
        return
    if within.low is not None and size < within.low:
        yield _finding(steps, kind, "least", within.low, size)
    if within.high is not None and size > within.high:
        yield _finding(steps, kind, "most", within.high, size)


def _measured(value: Any) -> tuple[Number | None, str]:
    """What counts of a value, and what it is."""
    if isinstance(value, bool) or value is None:
        return None, ""
    if isinstance(value, int | float):
        return value, "integer" if isinstance(value, int) else "decimal"
    if isinstance(value, list | str | dict):
        return len(value), "array" if isinstance(value, list) else "string" if isinstance(value, str) else "object"
    return None, ""


_COUNTED = {"array": "items", "string": "characters", "object": "names"}


def _finding(steps: Steps, kind: str, end: str, limit: Number, size: Number) -> Finding:
    if kind in _COUNTED:
        counted = _COUNTED[kind].removesuffix("s") if limit == 1 else _COUNTED[kind]
        return Finding(steps, f"has to have at {end} {limit} {counted}, and has {size}.", _length_code(kind, end, size))
    side = "below_min" if end == "least" else "above_max"
    return Finding(steps, f"has to be at {end} {limit}, and is {size}.", f"{kind}_{side}_value")


def _length_code(kind: str, end: str, size: Number) -> str:
    if not size:
        return f"empty_{kind}"
    return f"{kind}_{'below_min' if end == 'least' else 'above_max'}_length"
