"""What an API may take and an application should know: models that do not take what others do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .finding import Finding

REASONING = re.compile(r"(?:o\d|gpt-[5-9])(?!.*chat)")
"""Models that think before they answer, by the beginning of their names."""

ALWAYS = re.compile(r"(?:o\d|gpt-5(?!\.))(?!.*chat)")
"""Those of them that cannot be told not to think."""

SAMPLING = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""What a model that thinks takes with its default only."""

ABSENT = ("logprobs", "top_logprobs", "logit_bias")


def check(body: dict[str, Any], operation: str) -> Iterator[Finding]:
    model = body.get("model")
    if operation not in ("chat", "responses") or not isinstance(model, str) or not REASONING.match(model):
        return
    if operation == "chat" and body.get("max_tokens") is not None:
        words = f"is not taken by models that reason, such as {model}: use 'max_completion_tokens'."
        yield _hint("max_tokens", words)
    if not ALWAYS.match(model):
        return
    for name, default in SAMPLING.items():
        if body.get(name) not in (None, default):
            yield _hint(name, f"may be refused: models that reason, such as {model}, take {default} only.")
    for name in ABSENT:
        if body.get(name):
            yield _hint(name, f"may be refused by models that reason, such as {model}.")


def _hint(name: str, words: str) -> Finding:
    return Finding((name,), words, "unsupported_parameter", refused=False)
