"""A played provider around rules that a test is made of, behind a real server and its own clients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import openai

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Recorded
from pytest_llmmock.core.engine import Engine
from pytest_llmmock.core.journal import Journal
from pytest_llmmock.core.model import Exchange, Reply, Request, json_reply
from pytest_llmmock.core.prompt import Answer
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.script.gallery import Gallery
from pytest_llmmock.script.simulation import Around, Simulation, Step

Rule = Callable[[Exchange], Answer | None]


def chat(model: str) -> Request:
    return Request("POST", "http://x", "/v1/chat/completions", body=json.dumps({"model": model}).encode())


class Playing:
    """An engine without cassettes: one rule, a gallery, and a provider that is played."""

    def __init__(
        self,
        rule: Rule = lambda exchange: None,
        models: tuple[str, ...] = (),
        recorded: str = "",
        named: tuple[str, ...] = (),
        efforts: bool = False,
    ) -> None:
        self.rule = rule
        self.gallery = Gallery()
        around = Around(
            lambda: [Recorded(chat(model), json_reply({"id": recorded})) for model in ("gpt-5", "llama3") if recorded],
            dialects.read,
            dialects.methods_of,
            lambda request: self.engine.handle(request),
            lambda: named,
        )
        self.simulation = Simulation(models, around, efforts=efforts)
        played = self.simulation
        sources = [played.first, Step(self._answer), self.gallery, played.second, played.last]
        self.engine = Engine(dialects.read, sources, lambda exchange: "no recording", Journal(), deliver=self._deliver)

    def _answer(self, exchange: Exchange) -> Reply | None:
        answer = self.rule(exchange)
        return None if answer is None else exchange.dialect.write_reply(exchange.prompt, answer)

    def _deliver(self, exchange: Exchange, reply: Reply) -> Reply:
        reply = self.gallery.hang(exchange, reply)
        self.simulation.keep(exchange, reply)
        return reply

    def handle(self, request: Request) -> Reply:
        return self.engine.handle(request)


@contextmanager
def openai_of(playing: Playing) -> Iterator[openai.OpenAI]:
    """A client of a server that plays."""
    with Server() as server:
        prefix = server.mount(playing.handle)
        with openai.OpenAI(api_key="k", base_url=f"{server.url}{prefix}/v1", max_retries=0) as client:
            yield client


@contextmanager
def url_of(playing: Playing) -> Iterator[str]:
    with Server() as server:
        yield server.url + server.mount(playing.handle)
