"""What was asked, as tests look at it: in the journal, and in the rules by which they answer."""

from __future__ import annotations

from typing import Any

from .model import Exchange
from .prompt import Message, Prompt, Tool


class Asked:
    """One request. What it means is read when it is asked for."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    @property
    def operation(self) -> str:
        """What was asked for: `chat`, `responses`, `embeddings`, `models`, `opaque` …"""
        return self.exchange.operation

    @property
    def method(self) -> str:
        return self.exchange.request.method

    @property
    def path(self) -> str:
        return self.exchange.request.path

    @property
    def url(self) -> str:
        return self.exchange.request.url

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers by lower-case name; of a repeated one the last value."""
        return dict(self.exchange.request.headers)

    @property
    def json(self) -> Any:
        """The request's body as a JSON value, or None when it is not JSON."""
        return self.exchange.json

    @property
    def body(self) -> bytes:
        """The request's body, as it was before its client compressed it."""
        return self.exchange.request.body

    @property
    def _prompt(self) -> Prompt:
        return self.exchange.prompt

    @property
    def model(self) -> str:
        """The model that was asked for; '' when the request names none."""
        return self._prompt.model

    @property
    def messages(self) -> tuple[Message, ...]:
        return self._prompt.messages

    @property
    def tools(self) -> tuple[Tool, ...]:
        return self._prompt.tools

    @property
    def stream(self) -> bool:
        return self._prompt.stream
