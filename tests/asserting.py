"""Requests with their answers, in every protocol, as a test's journal holds them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pytest_llmmock import dialects
from pytest_llmmock.assertions.requests import Requests
from pytest_llmmock.core.model import Exchange, Problem, Request
from pytest_llmmock.core.prompt import Answer, Delta

JSON = (("content-type", "application/json"),)
PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "ollama.chat": "/api/chat",
}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def exchange(operation: str, body: dict[str, Any]) -> Exchange:
    content = json.dumps({"model": "gpt-5", **body}).encode()
    return dialects.read(Request("POST", "https://api.openai.com", PATHS[operation], "", JSON, content))


def chat(*said: Any, **fields: Any) -> Exchange:
    """Texts are the user's and the assistant's in turn; anything else is a message as it stands."""
    return exchange("chat", {"messages": turns(said), **fields})


def turns(said: Sequence[Any]) -> list[Any]:
    roles = ("user", "assistant")
    texts = [isinstance(each, str) for each in said]
    counted = [sum(texts[:at]) for at in range(len(said))]
    return [
        {"role": roles[count % 2], "content": each} if isinstance(each, str) else each
        for count, each in zip(counted, said, strict=True)
    ]


def system(words: str) -> dict[str, str]:
    return {"role": "system", "content": words}


def tool(name: str, schema: Any = WEATHER) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def call(name: str, arguments: Any = None, *, number: int = 0, custom: bool = False, id: str = "") -> Delta:
    written = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return Delta("tool_call", written, call=number, id=id, name=name, custom=custom)


Said = str | Delta | tuple[Delta, ...] | int
"""An answer: its words, its call or calls, or the status of an error."""


def journal(*asked: tuple[Exchange, Said], clean: Callable[[str], str] = str) -> Requests:
    requests = Requests(clean=clean)
    for exchange, said in asked:
        requests.note(exchange, _reply(exchange, said))
    return requests


def _reply(exchange: Exchange, said: Said) -> Any:
    if isinstance(said, int):
        return exchange.dialect.write_error(Problem(said, "Too many requests"))
    deltas = (Delta("text", said),) if isinstance(said, str) else said if isinstance(said, tuple) else (said,)
    return exchange.dialect.write_reply(exchange.prompt, Answer(deltas))


def failed(assertion: Callable[[], None]) -> str:
    """The text of the failure; there has to be one."""
    try:
        assertion()
    except AssertionError as error:
        return str(error)
    raise LookupError("The assertion holds, and was to fail.")
