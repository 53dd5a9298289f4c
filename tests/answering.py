"""Clients of the SDKs that are answered by a dialect, without a server: what its replies are, only an SDK can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anthropic
import httpx
import httpx2
import ollama
import openai

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Exchange, Request
from pytest_llmmock.core.prompt import Answer

Answers = Answer | Callable[[Exchange], Answer]


def exchange_of(http: httpx2.Request | httpx.Request) -> Exchange:
    headers = tuple((name.lower(), value) for name, value in http.headers.items())
    query = http.url.query.decode() if isinstance(http.url.query, bytes) else http.url.query
    return dialects.read(Request(http.method, "http://x", http.url.path, query, headers, http.read()))


class Answering:
    """Answers each request by its own dialect, and keeps what was asked."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[Exchange] = []

    def reply(self, http: httpx2.Request | httpx.Request) -> tuple[int, list[tuple[str, str]], bytes]:
        exchange = exchange_of(http)
        self.asked.append(exchange)
        answer = self.answers if isinstance(self.answers, Answer) else self.answers(exchange)
        reply = exchange.dialect.write_reply(exchange.prompt, answer)
        return reply.status, list(reply.headers), reply.body

    def newer(self, http: httpx2.Request) -> httpx2.Response:
        status, headers, body = self.reply(http)
        return httpx2.Response(status, headers=headers, content=body)

    def older(self, http: httpx.Request) -> httpx.Response:
        status, headers, body = self.reply(http)
        return httpx.Response(status, headers=headers, content=body)


@contextmanager
def openai_client(answering: Answering) -> Iterator[openai.OpenAI]:
    http_client = httpx2.Client(transport=httpx2.MockTransport(answering.newer))
    with openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http_client, max_retries=0) as client:
        yield client


@contextmanager
def anthropic_client(answering: Answering) -> Iterator[anthropic.Anthropic]:
    http_client = httpx2.Client(transport=httpx2.MockTransport(answering.newer))
    with anthropic.Anthropic(api_key="k", base_url="http://x", http_client=http_client, max_retries=0) as client:
        yield client


@contextmanager
def ollama_client(answering: Answering) -> Iterator[ollama.Client]:
    client = ollama.Client("http://x")
    client._client.close()
    client._client = httpx.Client(transport=httpx.MockTransport(answering.older), base_url="http://x")
    with client._client:
        yield client
