"""What a provider's API would not take in a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing in a request that its API refuses, or that does not do what it seems to."""

    path: str
    """Where it is: `messages[2].tool_calls[0].function.arguments`."""
    message: str
    """What is wrong, and what would be right."""
    param: str | None = None
    """The parameter, as the provider's error names it."""
    code: str | None = None
    """What kind of mistake it is, in OpenAI's words: `unknown_parameter`, `invalid_type` …"""
    refused: bool = True
    """Whether the API refuses it; else it is a hint."""
