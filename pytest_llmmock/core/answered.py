"""What replies answer, read once: whoever records one wants its model, its tokens and its first words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from .model import Exchange, Reply, frames_of
from .prompt import Answer

_LARGEST = 1 << 20
"""Bytes of a body that is remembered for a moment."""


def answer_of(exchange: Exchange, reply: Reply) -> Answer:
    """What a reply answers, all of which has come."""
    body = reply.body
    if len(body) > _LARGEST:
        return exchange.dialect.read_reply(reply)
    return _read(exchange.dialect.read_reply, reply.status, reply.content_type, body)


@lru_cache(maxsize=4)
def _read(read: Callable[[Reply], Answer], status: int, content_type: str, body: bytes) -> Answer:
    """All that an answer is read from."""
    headers = (("content-type", content_type),) if content_type else ()
    return read(Reply(status, headers, frames_of(body)))
