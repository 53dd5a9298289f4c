"""A deck behind its front, as a server shows it: what `pytest_llmmock.control` is tested with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_llmmock.cassettes.advice import Advice
from pytest_llmmock.cassettes.cassette import Cassette, Interaction, Recorded
from pytest_llmmock.control.front import Front
from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.deck import Deck
from pytest_llmmock.settings import combine, keys_of

JSON = (("content-type", "application/json"),)
ADVICE = Advice(record="record", ignore="{paths}", normalise="{names}")


def chat(words: str, **fields: Any) -> Request:
    body = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": words}], **fields}).encode()
    return Request(
        "POST", "http://localhost", "/v1/chat/completions", "", (("content-type", "application/json"),), body
    )


class Controlled:
    """One deck, without files, and what is asked of it."""

    def __init__(self, *recorded: tuple[Request, Any], **given: Any) -> None:
        settings = combine([("test", given)])
        interactions = [Interaction.of(Recorded(request, json_reply(value))) for request, value in recorded]
        cassette = Cassette(Path("test.yaml"), interactions, exists=True)
        self.deck = Deck([cassette], settings, keys_of(settings), advice=ADVICE)
        self.handle = Front(self.deck, self.deck.engine(str)).handle

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Ask the control routes."""
        path, _, query = path.partition("?")
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return self.handle(Request(method, "http://localhost", "/__llmmock__/" + path, query, pairs, content))

    def told(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        reply = self.send(method, path, body, **headers)
        assert reply.status == 200, reply.json()
        return reply.json()

    def refused(self, method: str, path: str, body: Any = None, status: int = 400) -> str:
        reply = self.send(method, path, body)
        assert (reply.status, reply.json()["error"]["type"]) == (status, "llmmock_error")
        return str(reply.json()["error"]["message"])

    def words(self, words: str, **fields: Any) -> str | int:
        """What the model says, or the status when it says nothing."""
        reply = self.handle(chat(words, **fields))
        return str(reply.json()["choices"][0]["message"]["content"]) if reply.status == 200 else reply.status
