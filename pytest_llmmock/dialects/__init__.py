"""Wire protocols: which route asks for what, and which module reads and writes it."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from ..core.codings import unpacked
from ..core.model import Dialect, Exchange, Problem, Reply, Request, header

ROUTES = {
    "POST */chat/completions": "chat",
    "POST */completions": "completions",
    "POST */responses": "responses",
    "POST */responses/compact": "responses.compact",
    "POST */responses/input_tokens": "responses.input_tokens",
    "GET */responses/{id}": "responses.retrieve",
    "DELETE */responses/{id}": "responses.delete",
    "POST */responses/{id}/cancel": "responses.cancel",
    "GET */responses/{id}/input_items": "responses.input_items",
    "POST */embeddings": "embeddings",
    "GET */models": "models",
    "GET */models/{id...}": "models.retrieve",
    "POST */images/generations": "images",
    "POST */images/edits": "images.edits",
    "POST */images/variations": "images.variations",
    "POST */audio/speech": "audio.speech",
    "POST */audio/transcriptions": "audio.transcriptions",
    "POST */audio/translations": "audio.translations",
    "POST */moderations": "moderations",
    # With their `v1`: `/v1/vector_stores/{id}/files` and `/v1/threads/{id}/messages` are something else.
    "POST */v1/files": "files.create",
    "GET */v1/files": "files",
    "GET */v1/files/{id}": "files.retrieve",
    "DELETE */v1/files/{id}": "files.delete",
    "GET */v1/files/{id}/content": "files.content",
    "POST */v1/batches": "batches.create",
    "GET */v1/batches": "batches",
    "GET */v1/batches/{id}": "batches.retrieve",
    "POST */v1/batches/{id}/cancel": "batches.cancel",
    "POST */v1/messages": "messages",
    "POST */v1/messages/count_tokens": "messages.count_tokens",
    "POST */api/chat": "ollama.chat",
    "POST */api/generate": "ollama.generate",
    "POST */api/embed": "ollama.embed",
    "POST */api/embeddings": "ollama.embeddings",
    "GET */api/tags": "ollama.tags",
    "POST */api/show": "ollama.show",
    "GET */api/ps": "ollama.ps",
    "GET */api/version": "ollama.version",
    # Ours: pictures that scripted answers tell the address of.
    "GET */v1/generated/{id}": "generated",
    "HEAD */v1/generated/{id}": "generated",
    "* *": "opaque",
}
"""Method and path -> operation. `*` is any prefix, `{id}` one segment, `{id...}` the rest of the path.

Where several routes fit, the one with the shortest prefix is taken, and of those the first.
"""

MODULES = {
    "chat": "chat",
    "completions": "completions",
    "responses": "responses",
    "responses.retrieve": "responses_stored",
    "responses.delete": "responses_stored",
    "responses.cancel": "responses_stored",
    "responses.input_items": "responses_stored",
    "responses.input_tokens": "responses_stored",
    "responses.compact": "responses_stored",
    "embeddings": "embeddings",
    "models": "models",
    "images": "images",
    "audio.speech": "speech",
    "audio.transcriptions": "transcriptions",
    "audio.translations": "transcriptions",
    "moderations": "moderations",
    "files": "files",
    "batches": "batches",
    "messages": "anthropic",
    "messages.count_tokens": "anthropic_count",
    "ollama": "ollama_models",
    "ollama.chat": "ollama",
    "ollama.generate": "ollama_generate",
    "ollama.embed": "ollama_embed",
    "ollama.embeddings": "ollama_embed",
    "ollama.others": "ollama_opaque",
    "messages.others": "anthropic_opaque",
    "messages.files": "anthropic_files",
    "messages.models": "anthropic_models",
}
"""Operation, or what stands before its first dot -> module. What is not here is `opaque`."""

OTHERS = {
    "ollama.others": re.compile(
        "/api/(?:blobs|chat|copy|create|delete|embed|embeddings|generate|ps|pull|push|show|tags|version)(?:/|$)"
    ),
    "messages.others": re.compile("/v1/messages(?:/|$)"),
}
"""Where other endpoints of a provider are, which are opaque but for the shape of their errors."""

if TYPE_CHECKING:
    from . import (
        anthropic,
        anthropic_count,
        anthropic_files,
        anthropic_models,
        anthropic_opaque,
        batches,
        chat,
        completions,
        embeddings,
        files,
        images,
        models,
        moderations,
        ollama,
        ollama_embed,
        ollama_generate,
        ollama_models,
        ollama_opaque,
        opaque,
        responses,
        responses_stored,
        speech,
        transcriptions,
    )

    _CHECKED: tuple[Dialect, ...] = (chat, completions, embeddings, models, opaque, responses, responses_stored)
    _OPENAI: tuple[Dialect, ...] = (batches, files, images, moderations, speech, transcriptions)
    _OTHERS: tuple[Dialect, ...] = (anthropic, anthropic_count, anthropic_opaque)
    _ANTHROPICS: tuple[Dialect, ...] = (anthropic_files, anthropic_models)
    _OLLAMA: tuple[Dialect, ...] = (ollama, ollama_embed, ollama_generate, ollama_models, ollama_opaque)


def read(request: Request) -> Exchange:
    """What this request is: its operation, what matching calls it, and who reads it."""
    operation, target, _ = _route(request.method, request.path)
    if operation == "opaque":
        dialect = _opaque(request)
    else:
        dialect = dialect_of(_anthropic(operation) if header(request.headers, "anthropic-version") else operation)
    return Exchange(unpacked(request), operation, target, dialect, sent=request)


def _anthropic(operation: str) -> str:
    """Where Anthropic has another thing at the same path, its own; a header of all its clients tells them apart."""
    name = f"messages.{operation.partition('.')[0]}"
    return name if name in MODULES else operation


def write_error(request: Request, problem: Problem) -> Reply:
    """An error in the shape of the protocol that the request speaks."""
    return read(request).dialect.write_error(problem)


def _opaque(request: Request) -> Dialect:
    """Who reads and writes what has no name: by its path, or by a header that all of Anthropic's clients send."""
    if request.header("anthropic-version"):
        return dialect_of("messages.others")
    return dialect_of(next((name for name, path in OTHERS.items() if path.search(request.path)), "opaque"))


def is_named(method: str, path: str) -> bool:
    """Whether this is a model request by its path alone, at a host that is not a known provider."""
    operation, _, prefix = _route(method, path)
    if operation == "opaque":
        return False
    return operation.startswith("ollama.") or prefix.endswith("/v1")


def methods_of(path: str) -> list[str]:
    """The methods by which there is something with a name at this path."""
    return [method for method in _routes() if _route(method, path)[0] != "opaque"]


@cache
def dialect_of(operation: str) -> Dialect:
    """The module that reads and writes an operation, imported on first use."""
    name = MODULES.get(operation) or MODULES.get(operation.partition(".")[0], "opaque")
    return cast(Dialect, import_module(f".{name}", __name__))


@lru_cache(maxsize=4096)
def _route(method: str, path: str) -> tuple[str, str, str]:
    """Operation, target and, up to and with a `v1`, what stands before the route."""
    method = method.upper()
    pattern, operations = _routes().get(method, _NOTHING)
    found = pattern.fullmatch(_SLASHES.sub("/", path).rstrip("/"))
    if found is None:
        return "opaque", f"{method} {path}", ""
    operation, prefix, route = operations[(found.lastindex or 2) - 2], found[1], found[found.lastindex or 0]
    if route.startswith("/v1/"):
        prefix += "/v1"
    deployment = _DEPLOYMENT.search(prefix)
    return operation, f"{method} {deployment[0] if deployment else ''}{route}", prefix


_SLASHES = re.compile("//+")
_DEPLOYMENT = re.compile("/(?:deployments|engines)/[^/]+$")
"""Azure's deployments, and engines before them, name the model in the path."""

_Routes = tuple[re.Pattern[str], list[str]]
_NOTHING: _Routes = (re.compile("(?!)"), [])


@cache
def _routes() -> dict[str, _Routes]:
    """For each method one pattern, in which each route is a group, and the operations of the groups."""
    routes: dict[str, dict[str, str]] = {}
    for route, operation in ROUTES.items():
        method, _, path = route.partition(" ")
        if path.startswith("*/"):
            routes.setdefault(method, {})[_pattern(path.removeprefix("*"))] = operation
    return {method: _compiled(paths) for method, paths in routes.items()}


def _compiled(paths: dict[str, str]) -> _Routes:
    choices = "|".join(f"({path})" for path in paths)
    return re.compile(f"((?:/[^/]++)*?)(?:{choices})", re.DOTALL), list(paths.values())


def _pattern(path: str) -> str:
    """A route's path as a regular expression."""
    return re.escape(path).replace(r"\{id\.\.\.\}", ".+").replace(r"\{id\}", "[^/]+")
