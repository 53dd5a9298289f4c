"""What several workers of one server tell about themselves, as one answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_COUNTS = ("forgotten", "removed", "answered")
"""Figures that are those of all workers together; any other value is the same for each."""


def merged(told: Mapping[str, Any], last: int | None = None) -> Any:
    """JSON that control routes answered, by worker; the first one is who was asked.

    Of a journal only so many entries, the latest of all, where that was asked for.
    """
    values = list(told.values())
    if all("entries" in each for each in values):
        entries = _entries(told)
        return {"entries": entries if last is None else entries[len(entries) - min(last, len(entries)) :]}
    return _together(values)


def _entries(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """In the order of asking, each with the worker that answered. Numbers are those of the worker."""
    entries = [{**entry, "worker": worker} for worker, value in told.items() for entry in value["entries"]]
    return sorted(entries, key=lambda entry: str(entry["started"]))


def _together(values: Sequence[Any], name: str = "") -> Any:
    first = values[0]
    if isinstance(first, dict):
        return {key: _together([each[key] for each in values if key in each], key) for key in first}
    if isinstance(first, list):
        alike = all(len(each) == len(first) for each in values)
        return [_together(each) for each in zip(*values, strict=True)] if alike else first
    return sum(values) if name in _COUNTS else first


def summed(texts: Iterable[str]) -> str:
    """Figures in Prometheus' text format, added up."""
    families: dict[str, dict[str, float]] = {}
    for text in texts:
        for head, samples in _families(text):
            family = families.setdefault(head, {})
            for name, value in samples:
                family[name] = round(family.get(name, 0) + value, 6)
    return "".join(f"{line}\n" for head, family in families.items() for line in _lines(head, family))


def _families(text: str) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """The two lines that tell what a family is, and its samples."""
    for part in text.split("# HELP ")[1:]:
        about, kind, *samples = part.splitlines()
        yield f"# HELP {about}\n{kind}", [_sample(line) for line in samples]


def _sample(line: str) -> tuple[str, float]:
    name, _, value = line.rpartition(" ")
    return name, float(value) if "." in value or "e" in value else int(value)


def _lines(head: str, family: Mapping[str, float]) -> Iterator[str]:
    yield head
    yield from (f"{name} {value}" for name, value in family.items())
