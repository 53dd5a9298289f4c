"""Which type of which SDK tells the shape of a request. They are loaded with the first request that needs them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..core.model import Exchange

TYPES = {
    "chat": "openai.types.chat.completion_create_params:CompletionCreateParams",
    "completions": "openai.types.completion_create_params:CompletionCreateParams",
    "responses": "openai.types.responses.response_create_params:ResponseCreateParams",
    "responses.compact": "openai.types.responses.response_compact_params:ResponseCompactParams",
    "responses.input_tokens": "openai.types.responses.input_token_count_params:InputTokenCountParams",
    "embeddings": "openai.types.embedding_create_params:EmbeddingCreateParams",
    "moderations": "openai.types.moderation_create_params:ModerationCreateParams",
    "images": "openai.types.image_generate_params:ImageGenerateParams",
    "images.edits": "openai.types.image_edit_params:ImageEditParams",
    "images.variations": "openai.types.image_create_variation_params:ImageCreateVariationParams",
    "audio.speech": "openai.types.audio.speech_create_params:SpeechCreateParams",
    "audio.transcriptions": "openai.types.audio.transcription_create_params:TranscriptionCreateParams",
    "audio.translations": "openai.types.audio.translation_create_params:TranslationCreateParams",
    "files.create": "openai.types.file_create_params:FileCreateParams",
    "batches.create": "openai.types.batch_create_params:BatchCreateParams",
    "messages": "anthropic.types.message_create_params:MessageCreateParams",
    "messages.count_tokens": "anthropic.types.message_count_tokens_params:MessageCountTokensParams",
    "ollama.chat": "ollama._types:ChatRequest",
    "ollama.generate": "ollama._types:GenerateRequest",
    "ollama.embed": "ollama._types:EmbedRequest",
    "ollama.embeddings": "ollama._types:EmbeddingsRequest",
}
"""Operation -> module and name of the type of its body."""

BETA = {
    "messages": "anthropic.types.beta.message_create_params:MessageCreateParams",
    "messages.count_tokens": "anthropic.types.beta.message_count_tokens_params:MessageCountTokensParams",
}
"""The same where a client asks for a beta of Anthropic's."""


def type_of(exchange: Exchange) -> str:
    """Where the type of a request's body is; '' when there is none."""
    beta = exchange.request.header("anthropic-beta") or "beta=true" in exchange.request.query
    return (BETA.get(exchange.operation, "") if beta else "") or TYPES.get(exchange.operation, "")


def package_of(place: str) -> str:
    return place.partition(".")[0]


@cache
def load(place: str) -> Any:
    """The type, or why it cannot be had, as a text."""
    package, (module, _, name) = package_of(place), place.partition(":")
    if not installed(package):
        return f"the package {package} is not installed"
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        return f"{installed(package)} does not have it as we know it ({error})"


@cache
def installed(package: str) -> str:
    """`openai 3.52.0`, or '' when it is not installed."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""
