"""Pictures in a request: where they are, and of which type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .finding import Finding, Steps, listed

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def image(url: Any, steps: Steps) -> Iterator[Finding]:
    """A picture's address, or all of it as a data URL."""
    if not isinstance(url, str):
        return
    kind = _data_type(url)
    if kind and kind not in (*IMAGES, "image/jpg"):
        words = f"is a picture of type {kind!r}. The API reads {listed(IMAGES, 'and')}."
        yield Finding(steps, words, "invalid_image_format")
    elif not kind and not url.lower().startswith(("http://", "https://")):
        start = url[:30] + ("…" if len(url) > 30 else "")
        words = f"has to be an http address or a data URL in Base64, and begins {start!r}."
        yield Finding(steps, words, "invalid_value")


def _data_type(url: str) -> str:
    """The media type of a data URL in Base64."""
    head, comma, _ = url.partition(",")
    if not comma or not head.startswith("data:") or ";base64" not in head:
        return ""
    return head.removeprefix("data:").partition(";")[0].lower() or "text/plain"
