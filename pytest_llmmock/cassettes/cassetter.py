"""What is cassetter's own in its cassettes: bodies with a type, YAML 1.2, and TOML."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from ..errors import CassetteFormatError
from .bodies import COMPACT, in_style

if TYPE_CHECKING:
    import yaml

_TOML = re.compile(r"\s*(?:version = \d|\[\[?interactions\]\]?)")

_YAML = re.compile(r"\n +body:\s+type: (?:json|text|binary|none)\b")


def is_yaml(text: str) -> bool:
    """Whether a cassette's YAML is cassetter's."""
    return _YAML.search(text) is not None


def loader(base: type[yaml.SafeLoader]) -> type[yaml.SafeLoader]:
    """A loader for YAML 1.2: there dates, `12:30:45`, `=` and `<<` are texts, and stand without quotes."""
    import yaml

    class Loader(base):  # type: ignore[misc, valid-type]
        """Numbers as JSON has them, true, false and null; all else is text."""

    texts = [f"tag:yaml.org,2002:{name}" for name in ("timestamp", "value", "merge", "int", "float", "bool", "null")]
    known = yaml.SafeLoader.yaml_implicit_resolvers.items()
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in texts] for first, resolvers in known
    }
    for tag, pattern, first in _PLAIN:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))
    return Loader


_PLAIN = (
    ("int", r"[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$|[-+]?[0-9]+[eE][-+]?[0-9]+$", "-+.0123456789"),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"(?:~|null|Null|NULL)?$", ["~", "n", "N", ""]),
)
"""YAML 1.2.2, section 10.3.2, as far as JSON needs it: tag, how it is written, with what it begins."""


def is_toml(text: str) -> bool:
    """Whether a cassette's text is TOML and not YAML or JSON."""
    return _TOML.match(text) is not None


def parse_toml(text: str) -> Any:
    """Raises `CassetteFormatError`."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CassetteFormatError(f"It begins like TOML and is not: {error}.") from None


def is_typed(data: dict[str, Any]) -> bool:
    """Whether a request or a response says of which type its body is."""
    body = data.get("body")
    return "body_type" in data or (isinstance(body, dict) and "type" in body)


def body_of(data: dict[str, Any]) -> bytes:
    """The body of a request or a response. Raises `CassetteFormatError`.

    YAML holds JSON as a structure, TOML as its text; bytes are in hexadecimal digits.
    """
    if "body_type" in data:
        kind, content = data["body_type"], data.get("body_content", "")
        as_it_is = kind == "json"
    else:
        kind, content, as_it_is = data["body"]["type"], data["body"].get("content"), False
    if kind == "json" and not as_it_is:
        return _json(content)
    if kind in ("json", "text"):
        return str(content).encode(errors="surrogateescape")
    if kind == "binary":
        return _bytes(content)
    if kind == "none":
        return b""
    raise CassetteFormatError(f"its body is of the type {kind!r}; known are json, text, binary and none.")


def _json(content: Any) -> bytes:
    try:
        return in_style(content, COMPACT)
    except (TypeError, ValueError) as error:
        raise CassetteFormatError(f"its body is not a JSON value: {error}.") from None


def _bytes(content: Any) -> bytes:
    try:
        return bytes.fromhex(str(content))
    except ValueError as error:
        raise CassetteFormatError(f"its body is not a run of hexadecimal digits: {error}.") from None
