"""Other protocols in front of an upstream that speaks Responses only."""

from __future__ import annotations

from .replies import as_asked
from .requests import Translated, as_responses

__all__ = ["Translated", "as_asked", "as_responses"]
