"""YAML that others have written, with plain data only: a tag that would build an object is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import CassetteFormatError

if TYPE_CHECKING:
    import yaml

_STREAM_NAME = re.compile(r'"<(?:byte|unicode) string>", ')
"""What PyYAML calls a text that is not a file."""

_PLAIN_TAGS = ("unicode", "str", "bytes", "tuple", "list", "dict", "int", "float", "bool", "none", "long")

_TEXT_CLASSES = ("object/apply:multidict._multidict.istr", "object/new:multidict._multidict.istr")
"""Kinds of text that aiohttp's headers leave in a cassette: taken as the text, nothing is built."""


_DATA_CLASSES = ("object:vcr.request.Request", "object/apply:__builtin__.frozenset", "object/apply:builtins.frozenset")
"""What vcrpy before 1.0 wrote around plain mappings and lists."""


def parse_yaml(text: str | bytes, loader: type[yaml.SafeLoader] | None = None) -> Any:
    """A YAML document with plain data only: a tag that would build an object is refused."""
    import yaml

    try:
        return yaml.load(text, loader or plain_loader())  # a subclass of the safe loader
    except yaml.constructor.ConstructorError as error:
        place = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CassetteFormatError(
            f"It uses YAML that only an unsafe loader would build{place}: {error.problem}."
        ) from None
    except yaml.YAMLError as error:
        raise CassetteFormatError(f"It is not YAML: {' '.join(_STREAM_NAME.sub('', str(error)).split())}.") from None
    except (ValueError, RecursionError) as error:
        raise CassetteFormatError(f"It holds a value that cannot be read: {error}.") from None


def plain_loader() -> type[yaml.SafeLoader]:
    """The safe loader, in C where there is one, that also takes the tags Python 2 wrote for plain text."""
    global _LOADER
    if _LOADER is None:
        _LOADER = _make_loader()
    return _LOADER


_LOADER: type[yaml.SafeLoader] | None = None


def _make_loader() -> type[yaml.SafeLoader]:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Plain data only."""

    def plain(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
        if suffix in _TEXT_CLASSES and isinstance(node, yaml.SequenceNode) and len(node.value) == 1:
            return loader.construct_object(node.value[0])
        if suffix == "object/new:_io.BytesIO" and isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)["state"][0]
        if suffix == "object/apply:builtins.iter" and isinstance(node, yaml.MappingNode):
            pieces = loader.construct_mapping(node, deep=True)["args"][0]
            return b"".join(piece if isinstance(piece, bytes) else str(piece).encode() for piece in pieces)
        if suffix.partition(":")[0] not in _PLAIN_TAGS and suffix not in _DATA_CLASSES:
            raise yaml.constructor.ConstructorError(None, None, f"the tag !!python/{suffix}", node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        return loader.construct_scalar(node)  # type: ignore[arg-type]  # the only kind that is left

    Loader.add_constructor("!binary", yaml.SafeLoader.construct_yaml_binary)  # Ruby
    Loader.add_multi_constructor("tag:yaml.org,2002:python/", plain)
    return Loader
