"""The public methods of the SDKs, read from the SDKs: which of them we answer, and why not the others."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property
from typing import Any

USER = [{"role": "user", "content": "Plan a day in Rome"}]
PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDAT"
    b"x\x9cc\xf8\xcfP\x0f\x00\x03\x86\x01\x80Z4}k\x00\x00\x00\x00IEND\xaeB`\x82"
)
PICTURE = ("a.png", PIXEL, "image/png")
SOUND = ("a.wav", b"RIFF\x24\x00\x00\x00WAVE", "audio/wav")
LINES = ("a.jsonl", b'{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"e","input":"a"}}\n')
CHAT = {"model": "m", "messages": USER}
SAID = {"model": "m", "input": "Plan a day in Rome"}
CLAUDE = {"model": "claude-x", "max_tokens": 9, "messages": USER}
BATCH = {"input_file_id": "{file}", "endpoint": "/v1/embeddings", "completion_window": "24h"}

OPENAI: dict[str, dict[str, Any]] = {
    "chat.completions.create": CHAT,
    "chat.completions.parse": CHAT,
    "chat.completions.stream": CHAT,
    "completions.create": {"model": "m", "prompt": "Plan"},
    "responses.create": SAID,
    "responses.parse": SAID,
    "responses.stream": SAID,
    "responses.compact": SAID,
    "responses.retrieve": {"response_id": "{response}"},
    "responses.delete": {"response_id": "{response}"},
    "responses.cancel": {"response_id": "{response}"},
    "responses.input_items.list": {"response_id": "{response}"},
    "responses.input_tokens.count": SAID,
    "embeddings.create": {"model": "e", "input": ["a", "b"]},
    "models.list": {},
    "models.retrieve": {"model": "m"},
    "moderations.create": {"input": "a"},
    "images.generate": {"prompt": "a cat", "size": "256x256"},
    "images.edit": {"prompt": "a cat", "image": PICTURE, "size": "256x256"},
    "images.create_variation": {"image": PICTURE, "size": "256x256"},
    "audio.speech.create": {"model": "tts-1", "input": "Hello", "voice": "alloy"},
    "audio.transcriptions.create": {"model": "whisper-1", "file": SOUND},
    "audio.translations.create": {"model": "whisper-1", "file": SOUND},
    "files.create": {"file": LINES, "purpose": "batch"},
    "files.list": {},
    "files.retrieve": {"file_id": "{file}"},
    "files.content": {"file_id": "{file}"},
    "files.delete": {"file_id": "{file}"},
    "files.wait_for_processing": {"id": "{file}"},
    "batches.create": BATCH,
    "batches.list": {},
    "batches.retrieve": {"batch_id": "{batch}"},
    "batches.cancel": {"batch_id": "{batch}"},
}
"""Method -> what it is asked with; `{file}`, `{batch}` and `{response}` are there already."""

ANTHROPIC: dict[str, dict[str, Any]] = {
    "messages.create": CLAUDE,
    "messages.parse": CLAUDE,
    "messages.stream": CLAUDE,
    "messages.count_tokens": {"model": "claude-x", "messages": USER},
}

OLLAMA: dict[str, dict[str, Any]] = {
    "chat": CHAT,
    "generate": {"model": "m", "prompt": "Plan"},
    "embed": {"model": "e", "input": ["a", "b"]},
    "embeddings": {"model": "e", "prompt": "a"},
    "list": {},
    "ps": {},
    "show": {"model": "m"},
}

_CLIENT = "of the client itself, and asks nothing of its own"
_OPAQUE = "has no dialect: it is recorded and replayed as it is"
_SOCKET = "asks over a WebSocket"

ELSEWHERE: dict[str, dict[str, str]] = {
    "openai": {
        **dict.fromkeys(
            [
                "close", "copy", "get_api_list", "is_closed", "platform_headers", "with_options",
                "get", "post", "put", "patch", "delete", "request",
            ],
            _CLIENT,
        ),
        **dict.fromkeys(
            [
                "admin.*", "audio.voice_consents.*", "audio.voices.*", "beta.agents.*", "beta.assistants.*",
                "beta.chatkit.*", "beta.threads.*", "chat.completions.delete", "chat.completions.list",
                "chat.completions.messages.*", "chat.completions.retrieve", "chat.completions.update", "containers.*",
                "content_provenance_checks.*", "conversations.*", "decisions.*", "evals.*", "fine_tuning.*",
                "live.create", "live.sessions.*", "models.delete", "realtime.calls.*", "realtime.client_secrets.*",
                "realtime.translations.client_secrets.*", "safety.*", "skills.*", "uploads.*", "vector_stores.*",
                "videos.*", "webhooks.*", "beta.realtime.sessions.*", "beta.realtime.transcription_sessions.*",
            ],
            _OPAQUE,
        ),
        **dict.fromkeys(
            [
                "responses.connect", "beta.responses.connect", "realtime.connect", "beta.realtime.connect",
                "realtime.translations.connect", "live.connect", "live.forks.*", "live.sideband.*",
            ],
            _SOCKET,
        ),
        "beta.chat.completions.*": "is the same as without beta",
        "beta.responses.*": "is the same as without beta",
        "files.retrieve_content": "is the old name of files.content",
    },
    "anthropic": {
        **dict.fromkeys(
            [
                "close", "copy", "get_api_list", "is_closed", "platform_headers", "with_options", "with_middleware",
                "get", "post", "put", "patch", "delete", "request",
            ],
            _CLIENT,
        ),
        "beta.messages.*": "is the same as without beta",
        **dict.fromkeys(
            [
                "beta.*", "files.*", "messages.batches.*", "models.*", "organization.*", "skills.*", "user_profiles.*",
            ],
            _OPAQUE,
        ),
    },
    "ollama": {
        "close": _CLIENT,
        **dict.fromkeys(["copy", "create", "create_blob", "delete", "pull", "push", "systemone"], _OPAQUE),
        **dict.fromkeys(["web_fetch", "web_search"], "asks ollama.com, and not a server of models"),
    },
}  # fmt: skip
"""Method, or a pattern of methods -> why it is not in the tables above."""


def methods(client: object, prefix: str = "") -> Iterator[str]:
    """Every public method of a client and of its resources, as one writes it."""
    for name in dir(type(client)):
        found = inspect.getattr_static(type(client), name)
        if name.startswith(("_", "with_raw", "with_streaming")):
            continue
        if inspect.isfunction(found):
            yield prefix + name
        elif isinstance(found, cached_property | property) and ".resources." in type(getattr(client, name)).__module__:
            yield from methods(getattr(client, name), f"{prefix}{name}.")
