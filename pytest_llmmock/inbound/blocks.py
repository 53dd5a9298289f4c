"""The body of a reply in blocks to be sent, with its head before it.

A small one is one block. The readers of a large one may be slow, and many: each holds a block of it, not a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

LARGE = 1 << 17
"""Bytes from which a body is not sent as one block: another call of `send` is then a small part of what it takes."""

_LAST_CHUNK = b"0\r\n\r\n"


def as_it_is(head: bytes, bodies: list[bytes], size: int) -> Iterable[bytes]:
    """A body of so many bytes."""
    return [b"".join([head, *bodies])] if size < LARGE else _gathered([head, *bodies])


def in_chunks(head: bytes, bodies: list[bytes], size: int) -> Iterable[bytes]:
    """The same as HTTP's chunks, each piece one."""
    if size >= LARGE:
        return _gathered(chain([head], _uncopied(bodies)))
    return [b"".join([head, _as_chunks(bodies), _LAST_CHUNK])]


def chunks(coming: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """Each piece as a chunk, those that come together as one block; and the chunk that is the last."""
    for bodies in coming:
        if block := _as_chunks(bodies):
            yield block
    yield _LAST_CHUNK


def _as_chunks(bodies: Iterable[bytes]) -> bytes:
    """An empty chunk would be the last."""
    return b"".join([b"%x\r\n%b\r\n" % (len(body), body) for body in bodies if body])


def _uncopied(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Each piece as a chunk, and the last one, with what is large by itself."""
    for body in bodies:
        if len(body) >= LARGE:
            yield from (b"%x\r\n" % len(body), body, b"\r\n")
        elif body:
            yield b"%x\r\n%b\r\n" % (len(body), body)
    yield _LAST_CHUNK


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces together, large ones as they are."""
    block: list[bytes] = []
    size = 0
    for piece in pieces:
        if block and size + len(piece) > LARGE:
            yield b"".join(block)
            block, size = [], 0
        if len(piece) >= LARGE:
            yield piece
        elif piece:
            block.append(piece)
            size += len(piece)
    if block:
        yield b"".join(block)
