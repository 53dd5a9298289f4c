"""OpenAI's own endpoint, with the key of the environment."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UsageError
from .base_url import DUMMY_KEY, BaseURL

NAME = "openai"
BASE_URL = "https://api.openai.com/v1"


def upstream(environ: Mapping[str, str]) -> BaseURL:
    """Raises `UsageError` when there is no key."""
    key = environ.get("OPENAI_API_KEY", "")
    if key in ("", DUMMY_KEY):
        raise UsageError("The upstream 'openai' needs a key, and OPENAI_API_KEY is not set.")
    return BaseURL(NAME, environ.get("LLMMOCK_OPENAI_URL") or BASE_URL, key)
