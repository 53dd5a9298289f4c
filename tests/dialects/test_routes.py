"""Which request is what."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Request

ROUTED = [
    ("POST", "/v1/chat/completions", "chat", "POST /chat/completions"),
    ("POST", "/chat/completions", "chat", "POST /chat/completions"),
    ("post", "/api/v1/chat/completions", "chat", "POST /chat/completions"),
    ("POST", "/cassette/a/b/v1/chat/completions", "chat", "POST /chat/completions"),
    ("POST", "/v1beta/openai/chat/completions", "chat", "POST /chat/completions"),
    ("POST", "//v1//chat/completions//", "chat", "POST /chat/completions"),
    ("POST", "/openai/deployments/my-gpt/chat/completions", "chat", "POST /deployments/my-gpt/chat/completions"),
    ("POST", "/openai/deployments/emb/embeddings", "embeddings", "POST /deployments/emb/embeddings"),
    ("POST", "/v1/engines/davinci/completions", "completions", "POST /engines/davinci/completions"),
    ("POST", "/v1/completions", "completions", "POST /completions"),
    ("POST", "/backend-api/codex/responses", "responses", "POST /responses"),
    ("GET", "/v1/responses/resp_1", "responses.retrieve", "GET /responses/resp_1"),
    ("DELETE", "/v1/responses/resp_1", "responses.delete", "DELETE /responses/resp_1"),
    ("POST", "/v1/responses/resp_1/cancel", "responses.cancel", "POST /responses/resp_1/cancel"),
    ("GET", "/v1/responses/resp_1/input_items", "responses.input_items", "GET /responses/resp_1/input_items"),
    ("POST", "/v1/responses/compact", "responses.compact", "POST /responses/compact"),
    ("POST", "/v1/embeddings", "embeddings", "POST /embeddings"),
    ("GET", "/v1/models", "models", "GET /models"),
    ("GET", "/v1/models/", "models", "GET /models"),
    ("GET", "/v1/models/gpt-4o", "models.retrieve", "GET /models/gpt-4o"),
    ("GET", "/api/v1/models/openai/gpt-4o", "models.retrieve", "GET /models/openai/gpt-4o"),
    ("GET", "/v1/models/accounts/f/models/x", "models.retrieve", "GET /models/accounts/f/models/x"),
    ("GET", "/v1/models/a%2Fb", "models.retrieve", "GET /models/a%2Fb"),
    ("POST", "/v1/images/generations", "images", "POST /images/generations"),
    ("POST", "/v1/images/edits", "images.edits", "POST /images/edits"),
    ("POST", "/v1/audio/speech", "audio.speech", "POST /audio/speech"),
    ("POST", "/v1/audio/transcriptions", "audio.transcriptions", "POST /audio/transcriptions"),
    ("POST", "/v1/audio/translations", "audio.translations", "POST /audio/translations"),
    ("POST", "/v1/moderations", "moderations", "POST /moderations"),
    ("GET", "/v1/files", "files", "GET /v1/files"),
    ("POST", "/v1/files", "files.create", "POST /v1/files"),
    ("GET", "/v1/files/file-1/content", "files.content", "GET /v1/files/file-1/content"),
    ("GET", "/v1/batches", "batches", "GET /v1/batches"),
    ("POST", "/anthropic/v1/messages", "messages", "POST /v1/messages"),
    ("POST", "/v1/messages/count_tokens", "messages.count_tokens", "POST /v1/messages/count_tokens"),
    ("POST", "/api/chat", "ollama.chat", "POST /api/chat"),
    ("POST", "/x/api/generate", "ollama.generate", "POST /api/generate"),
    ("POST", "/api/embeddings", "ollama.embeddings", "POST /api/embeddings"),
    ("GET", "/api/tags", "ollama.tags", "GET /api/tags"),
    ("GET", "/api/version", "ollama.version", "GET /api/version"),
]

OPAQUE = [
    ("GET", "/v1/chat/completions"),
    ("POST", "/v1/chat/completions/extra"),
    ("POST", "/v1/mychat/completionsx"),
    ("POST", "/v1/threads/thread_1/messages"),
    ("GET", "/v1/vector_stores/vs_1/files"),
    ("POST", "/v1/messages/batches"),
    ("POST", "/v1beta/models/gemini-3:generateContent"),
    ("PATCH", "/v1/models"),
    ("POST", "/a//b/"),
    ("GET", "/"),
    ("GET", ""),
]


@pytest.mark.parametrize(("method", "path", "operation", "target"), ROUTED)
def test_a_named_route_is_found_behind_any_prefix(method: str, path: str, operation: str, target: str) -> None:
    exchange = dialects.read(Request(method, "http://x", path))
    assert (exchange.operation, exchange.target) == (operation, target)


@pytest.mark.parametrize(("method", "path"), OPAQUE)
def test_anything_else_is_opaque_and_keeps_its_whole_path(method: str, path: str) -> None:
    exchange = dialects.read(Request(method, "http://x", path))
    assert (exchange.operation, exchange.target) == ("opaque", f"{method} {path}")
    assert not dialects.is_named(method, path)


def test_every_route_of_the_table_can_be_reached() -> None:
    for route, operation in dialects.ROUTES.items():
        method, _, path = route.partition(" ")
        found = dialects.read(Request(method, "", path.replace("*", "").replace("{id...}", "a/b").replace("{id}", "a")))
        assert found.operation == operation


def test_every_named_route_has_a_module_that_reads_and_writes_it() -> None:
    from pytest_llmmock.dialects import (
        anthropic,
        anthropic_count,
        chat,
        files,
        models,
        ollama,
        ollama_embed,
        ollama_generate,
        ollama_models,
        responses,
        responses_stored,
    )

    served = {operation: dialects.dialect_of(operation) for operation in dialects.ROUTES.values()}
    assert served["chat"] is chat
    assert served["models.retrieve"] is models
    assert (served["responses"], served["responses.cancel"]) == (responses, responses_stored)
    assert (served["messages"], served["messages.count_tokens"]) == (anthropic, anthropic_count)
    assert (served["ollama.chat"], served["ollama.generate"]) == (ollama, ollama_generate)
    assert (served["ollama.embed"], served["ollama.tags"]) == (ollama_embed, ollama_models)
    assert served["files.create"] is served["files.content"] is files


@pytest.mark.parametrize(
    ("method", "path", "headers", "name"),
    [
        ("POST", "/api/pull", (), "ollama_opaque"),
        ("HEAD", "/api/blobs/sha256:1", (), "ollama_opaque"),
        ("GET", "/api/chat", (), "ollama_opaque"),
        ("GET", "/api/v1/credits", (), "opaque"),
        ("POST", "/v1/messages/batches", (), "anthropic_opaque"),
        ("GET", "/v1/skills", (("anthropic-version", "2023-06-01"),), "anthropic_opaque"),
        ("GET", "/v1/skills", (), "opaque"),
    ],
)
def test_what_has_no_name_is_refused_as_its_provider_does(
    method: str, path: str, headers: tuple[tuple[str, str], ...], name: str
) -> None:
    exchange = dialects.read(Request(method, "http://x", path, headers=headers))
    assert exchange.operation == "opaque"
    assert exchange.dialect is dialects.dialect_of({"opaque": "opaque"}.get(name, _operation(name)))


def _operation(module: str) -> str:
    return next((operation for operation, name in dialects.MODULES.items() if name == module), "opaque")


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("POST", "/v1/chat/completions", True),
        ("POST", "/proxy/v1/chat/completions", True),
        ("POST", "/chat/completions", False),
        ("POST", "/v1beta/chat/completions", False),
        ("GET", "/v1/models/gpt-4o", True),
        ("GET", "/api/models", False),
        ("POST", "/anthropic/v1/messages", True),
        ("POST", "/messages", False),
        ("GET", "/files/v1/files", True),
        ("POST", "/api/chat", True),
        ("POST", "/ollama/api/chat", True),
        ("POST", "/api/chat/more", False),
        ("GET", "/api/chat", False),
    ],
)
def test_at_an_unknown_host_a_route_needs_its_version(method: str, path: str, named: bool) -> None:
    assert dialects.is_named(method, path) is named


@given(st.sampled_from(["GET", "POST", "X", ""]), st.text(alphabet="/v1*.{}chatmodels\n%é", max_size=40))
def test_no_path_is_too_strange(method: str, path: str) -> None:
    exchange = dialects.read(Request(method, "", path))
    assert exchange.operation in dialects.ROUTES.values()
    dialects.is_named(method, path)


def test_a_dialect_is_imported_when_it_is_first_needed() -> None:
    code = (
        "import sys; from pytest_llmmock import dialects; from pytest_llmmock.core.model import Request\n"
        "loaded = lambda: sorted(m for m in sys.modules if m.startswith('pytest_llmmock.dialects.'))\n"
        "assert not loaded(), loaded()\n"
        "dialects.read(Request('GET', '', '/v1/models'))\n"
        "assert 'pytest_llmmock.dialects.models' in loaded(), loaded()\n"
        "assert 'pytest_llmmock.dialects.chat' not in loaded(), loaded()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
