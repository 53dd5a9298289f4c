"""Reasoning models once for each effort, as ChatMock and GPTMock list them: `gpt-5-high`."""

from __future__ import annotations

import re
from collections.abc import Iterable

EFFORTS = ("minimal", "low", "medium", "high")

_REASONS = re.compile(r"gpt-(?:[5-9]|\d\d)(?:[.-].*)?|o\d+(?:-.*)?|codex-.*")
"""Names of models that reason: OpenAI's since o1."""
_NAMES_ONE = re.compile(r".*-(?:none|minimal|low|medium|high|xhigh|max|ultra|chat|chat-latest)")
"""Names that tell an effort already, and those of models that have none."""


def with_efforts(models: Iterable[str]) -> list[str]:
    """The models, and behind each that reasons its names with an effort; none twice."""
    return list(dict.fromkeys(name for model in models for name in (model, *_variants(model))))


def _variants(model: str) -> list[str]:
    if "*" in model or not _REASONS.fullmatch(model) or _NAMES_ONE.fullmatch(model):
        return []
    return [f"{model}-{effort}" for effort in EFFORTS]
