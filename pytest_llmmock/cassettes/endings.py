"""Streams that ended well, and without their last event: something in between may have cut them off."""

from __future__ import annotations

from collections.abc import Callable

from ..core import sse
from ..core.answered import answer_of
from ..core.model import Exchange, Reply
from ..core.prompt import Answer
from ..core.summary import asked

_WITH_AN_END = ("chat", "completions", "responses", "messages", "ollama.chat", "ollama.generate")
"""Operations whose streams have a last event."""


def has_no_end(operation: str, reply: Reply, read: Callable[[], Answer]) -> bool:
    """Whether a stream has neither its last event nor a reason for its end. `read` is called where only that tells."""
    if reply.cut or not reply.is_stream or reply.status >= 400 or operation not in _WITH_AN_END:
        return False
    if sse.is_whole(reply.body, reply.content_type):
        return False
    return not any(delta.kind in ("finish", "error") for delta in read().deltas)


class Endings:
    """Sees what is recorded, and tells of what may not be whole: some proxies end a stream so when theirs is cut."""

    def asks(self, exchange: Exchange) -> None:
        """Nothing has come."""

    def begins(self, exchange: Exchange, reply: Reply) -> None:
        """Its end is to come."""

    def fails(self, exchange: Exchange) -> None:
        """It is told as what it is."""

    def keeps(self, exchange: Exchange, reply: Reply) -> None:
        if has_no_end(exchange.operation, reply, lambda: answer_of(exchange, reply)):
            exchange.notes.append("the stream ended without its last event: the answer may have been cut off")
            exchange.warnings.append(
                f"{exchange.upstream} ended a stream without its last event, and what was recorded may be cut off: "
                f"{asked(exchange)}"
            )
