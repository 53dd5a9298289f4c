"""Requests for rules, made by hand: what `pytest_llmmock.script` is tested with."""

from __future__ import annotations

from typing import Any

from pytest_llmmock import dialects
from pytest_llmmock.core.json_text import compact
from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.script.source import Script
from pytest_llmmock.script.view import View

JSON = (("content-type", "application/json"),)


def asked(path: str, body: Any, *, headers: dict[str, str] | None = None, method: str = "POST") -> Exchange:
    pairs = (*JSON, *(headers or {}).items())
    return dialects.read(Request(method, "http://localhost", path, "", pairs, compact(body).encode()))


def chat(words: str = "hi", *, before: tuple[tuple[str, str], ...] = (), **fields: Any) -> Exchange:
    """A request of Chat Completions that ends with these words of the user."""
    headers = fields.pop("headers", None)
    said = [{"role": role, "content": text} for role, text in (*before, ("user", words))]
    return asked("/v1/chat/completions", {"model": "gpt-5", "messages": said, **fields}, headers=headers)


def embeddings(*texts: str, **fields: Any) -> Exchange:
    return asked("/v1/embeddings", {"model": "e", "input": list(texts), **fields})


def view(words: str = "hi", **fields: Any) -> View:
    return View(chat(words, **fields))


def replied(script: Script, exchange: Exchange) -> Reply | None:
    """What the script answers; a function is called here."""
    found = script.answer(exchange)
    return found if found is None or isinstance(found, Reply) else found.reply()


def said(script: Script, exchange: Exchange) -> str | None:
    """The words of the answer, or None when there is none."""
    reply = replied(script, exchange)
    return None if reply is None else exchange.dialect.read_reply(reply).text
