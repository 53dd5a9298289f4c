"""Ollama: what its types do not tell. What it does not know it passes over without a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..dialects.fields import listing, mapping
from .finding import Finding, Steps

Body = dict[str, Any]

ROLES = ("system", "user", "assistant", "tool")


def check(body: Body) -> Iterator[Finding]:
    yield from _pictures(body.get("images"), ("images",))
    for at, message in enumerate(listing(body.get("messages"))):
        yield from _pictures(mapping(message).get("images"), ("messages", at, "images"))
        role = mapping(message).get("role")
        if isinstance(role, str) and role.lower() not in ROLES:
            words = f"is {role!r}. Templates of models know 'system', 'user', 'assistant' and 'tool'."
            yield Finding(("messages", at, "role"), words, refused=False)


def _pictures(value: Any, steps: Steps) -> Iterator[Finding]:
    for at, image in enumerate(listing(value)):
        if isinstance(image, str) and image.startswith(("data:", "http:", "https:")):
            yield Finding((*steps, at), f"has to be Base64 and nothing else, and begins {image[:12]!r}.")


def softened(finding: Finding, options: list[str]) -> Finding:
    """What Ollama ignores is a hint, and tells when the name belongs among the options."""
    if finding.code not in ("unknown_parameter", "missing_required_parameter") or finding.steps == ("model",):
        return finding
    name = finding.steps[-1]
    if len(finding.steps) == 1 and name in options:
        words = f"is ignored here: it belongs into 'options' ({{'options': {{{name!r}: …}}}})."
        return replace(finding, words=words, refused=False)
    return replace(finding, refused=False)
