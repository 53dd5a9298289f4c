"""What a request cannot do without, also where no SDK is installed that would tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .finding import Finding, missing

REQUIRED = {
    "chat": ("model", "messages"),
    "completions": ("model",),
    "responses": (),
    "embeddings": ("model", "input"),
    "moderations": ("input",),
    "images": ("prompt",),
    "images.edits": ("image", "prompt"),
    "audio.speech": ("model", "input", "voice"),
    "audio.transcriptions": ("model", "file"),
    "audio.translations": ("model", "file"),
    "files.create": ("file", "purpose"),
    "batches.create": ("input_file_id", "endpoint", "completion_window"),
    "messages": ("model", "max_tokens", "messages"),
    "messages.count_tokens": ("model", "messages"),
    "ollama.chat": ("model",),
    "ollama.generate": ("model",),
    "ollama.embed": ("model",),
    "ollama.embeddings": ("model",),
}
"""Operation -> names."""


def check(body: dict[str, Any], operation: str) -> Iterator[Finding]:
    for name in REQUIRED.get(operation, ()):
        if body.get(name) is None:
            yield missing((name,))


def stream_options(body: dict[str, Any]) -> Iterator[Finding]:
    """What goes with a stream only."""
    if body.get("stream_options") is not None and body.get("stream") is not True:
        yield Finding(("stream_options",), "is for streams only, and 'stream' is not true.")
