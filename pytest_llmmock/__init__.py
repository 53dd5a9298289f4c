"""Record and replay the traffic of software that talks to language models.

The public names are loaded on first use, because pytest imports this package in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import (
        CassetteError,
        CassetteFormatError,
        LLMMockError,
        ScriptError,
        ServerError,
        UnmatchedError,
        UpstreamError,
        UsageError,
    )
    from .mock import LLMMock, LLMServer, use_cassette
    from .script.problems import error
    from .script.replies import reply

__version__ = "0.1.0"

__all__ = [
    "CassetteError",
    "CassetteFormatError",
    "LLMMock",
    "LLMMockError",
    "LLMServer",
    "ScriptError",
    "ServerError",
    "UnmatchedError",
    "UpstreamError",
    "UsageError",
    "__version__",
    "error",
    "reply",
    "use_cassette",
]

_HOME = {
    "LLMMock": "mock",
    "LLMServer": "mock",
    "use_cassette": "mock",
    "reply": "script.replies",
    "error": "script.problems",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("." + _HOME.get(name, "errors"), __name__), name)
