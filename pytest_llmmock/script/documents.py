"""YAML and JSON as people write them, with the line of each value: so an error can say where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ..errors import UsageError

Steps = tuple[str | int, ...]
"""The way to a value: keys and numbers."""


@dataclass(frozen=True)
class Document:
    """A file that was read."""

    path: Path
    value: Any
    lines: dict[Steps, int]

    @property
    def root(self) -> Place:
        return Place(self, ())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is in its file."""

    document: Document
    steps: Steps

    def __truediv__(self, step: str | int) -> Place:
        return Place(self.document, (*self.steps, step))

    @property
    def line(self) -> int:
        """Of what is not there itself, the line of what it would be in."""
        known = (self.steps[:count] for count in range(len(self.steps), -1, -1))
        return next((self.document.lines[steps] for steps in known if steps in self.document.lines), 1)

    @property
    def key(self) -> str:
        """`rules[0].when.model`"""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)
        return "".join(steps).removeprefix(".")

    @property
    def short(self) -> str:
        return f"{self.document.path.name}:{self.line}"

    def __str__(self) -> str:
        return f"{self.document.path}, line {self.line}" + (f", {self.key}" if self.steps else "")


def read(path: Path) -> Document:
    """The file. Raises `UsageError` when it cannot be read."""
    try:
        return parse(path, path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"The rules {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"The rules {path} are not text in UTF-8: {error.reason} at byte {error.start}.") from None


@lru_cache(maxsize=16)
def parse(path: Path, text: str) -> Document:
    """What stands in a file, whose name tells what it is. Each test of a run reads the same. Raises `UsageError`."""
    try:
        if path.suffix == ".json":
            return Document(path, _json(path, text), _lines_of_json(text))
        return Document(path, yaml.load(text, _Loader), _lines(text))
    except yaml.YAMLError as error:
        raise UsageError(_broken(path, error)) from None
    except RecursionError:
        raise UsageError(f"{path}: it is nested too deeply to be read.") from None


class _Loader(yaml.SafeLoader):
    """Dates stay the texts that they are in JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A key that stands there twice is an error: one of them would be lost."""
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise UsageError(f"{path}{line}: this is not JSON: {said}.") from None


def _broken(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f", line {mark.line + 1}" if mark else ""
    return f"{path}{line}: this is not YAML: {getattr(error, 'problem', None) or error}."


def _lines_of_json(text: str) -> dict[Steps, int]:
    """YAML knows JSON, but no tabs, and not every character; what it cannot read has no lines."""
    try:
        return _lines(text.replace("\t", " "))
    except yaml.YAMLError:
        return {}


def _lines(text: str) -> dict[Steps, int]:
    """Where each value begins, counted from 1."""
    node = yaml.compose(text, yaml.SafeLoader)
    return {} if node is None else dict(_walked(node, (), set()))


def _walked(node: Any, steps: Steps, seen: set[int]) -> Iterator[tuple[Steps, int]]:
    """What aliases lead to is walked once: it may hold itself, or a thousand times the same."""
    yield steps, node.start_mark.line + 1
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            for place, line in _walked(value, (*steps, str(key.value)), seen):
                yield place, (key.start_mark.line + 1 if len(place) == len(steps) + 1 else line)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walked(value, (*steps, number), seen)
