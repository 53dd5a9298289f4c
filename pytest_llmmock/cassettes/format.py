"""The text of a cassette: vcrpy's version 1 envelope in YAML, with a line of our own per interaction.

A file in the layout that `dumps` writes is cut into its interactions by its text, at markers that content
cannot forge because content is indented, and each is parsed when it is played. Any other layout of vcrpy's
is parsed whole, by `foreign`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from ..core.model import Frame, Headers, Reply, Request
from . import vcr_pieces, yaml_text
from .bodies import COMPACT, as_text, structure
from .cassette import Interaction, Recorded
from .pieces import HEAD as HEAD
from .pieces import Blob as Blob
from .pieces import cut as cut
from .pieces import marked as marked
from .pieces import marks as marks
from .pieces import pieces_of, place
from .pieces import stamp as stamp

Wanted = Callable[[str, str], bool]
"""Whether what was asked by this method, at this address, is to be read."""

EMPTY = "version: 1\ninteractions: []\n"

LARGE = 32 * 1024
"""Bytes from which a body that is not text is kept as a file of its own."""

_UNFIT = "[^\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
"""What may not stand in YAML, not even in a comment."""
_PAIR = re.compile(r"(-?\d+\.\d+):(\d+)(?!\S)")
_NUMBER = re.compile(rb"\A# \d+")


def loads(
    data: bytes,
    signature: bytes | None = b"",
    blob: Blob | None = None,
    called: str = "",
    wanted: Wanted | None = None,
) -> list[Interaction]:
    """The interactions of a cassette. `signature` names the way of computing keys that is in force.

    With None the stored keys are taken as they stand, whatever the way: for who moves interactions and plays none.
    `called` is what the cassette is called when something is wrong with it. Of a HAR what is `wanted` is read.
    Raises `CassetteFormatError`.
    """
    if data == EMPTY.encode():
        return []
    pieces = pieces_of(data, signature, blob, called) or vcr_pieces.pieces_of(data, blob, called)
    if pieces is not None:
        return pieces.interactions()
    from .foreign import read

    interactions = [Interaction.of(recorded) for recorded in read(data, blob, wanted)]
    for number, interaction in enumerate(interactions, 1):
        interaction.place = place(called, number)
    return interactions


def request_lines(request: Request) -> list[bytes]:
    """The lines of a request as they stand in a cassette."""
    return _request_text(request, None)[0].encode(errors="replace").split(b"\n")


def lines_of_request(interaction: Interaction) -> list[bytes]:
    """The same of a recorded one; of one in our layout without parsing it."""
    lines = interaction.lines
    return lines.split(b"\n") if lines else request_lines(interaction.request)


def split_uri(uri: str) -> tuple[str, str, str]:
    """Origin, path and query of an address."""
    parts = urlsplit(uri)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.scheme or parts.netloc else ""
    return origin, parts.path or "/", parts.query


def sizes_of(timing: str) -> list[int]:
    """The bytes of each frame, from a line of `delay:bytes` pairs."""
    return [int(size) for _, size in _PAIR.findall(timing)]


def read_timing(timing: str, body: bytes) -> list[Frame]:
    """Frames from a line of `delay:bytes` pairs; one frame when it does not fit the body."""
    frames, at, start = [], 0.0, 0
    for delay, size in _PAIR.findall(timing):
        at, end = at + float(delay), start + int(size)
        frames.append(Frame(body[start:end], at))
        start = end
    if start == len(body) and frames:
        return frames
    return [Frame(body)] if body else []


# --- writing --------------------------------------------------------------------------------------------


def dumps(
    interactions: Sequence[Interaction],
    signature: bytes = b"",
    describe: Callable[[Recorded], str] = lambda recorded: "",
    blobs: dict[str, bytes] | None = None,
) -> bytes:
    """The text of a cassette. Large bodies are put into `blobs` by their SHA-256, if it is given."""
    return HEAD + more(interactions, 1, signature, describe, blobs) if interactions else EMPTY.encode()


def more(
    interactions: Sequence[Interaction],
    first: int,
    signature: bytes,
    describe: Callable[[Recorded], str],
    blobs: dict[str, bytes] | None = None,
) -> bytes:
    """What stands behind the others in a cassette, numbered from `first`."""
    return b"".join(_dump(number, each, signature, describe, blobs) for number, each in enumerate(interactions, first))


def _dump(
    number: int,
    interaction: Interaction,
    signature: bytes,
    describe: Callable[[Recorded], str],
    blobs: dict[str, bytes] | None,
) -> bytes:
    if interaction.source and interaction.key:
        return _NUMBER.sub(b"# %d" % number, interaction.source)
    recorded = interaction.recorded
    request, styles = _request_text(recorded.request, blobs)
    reply, more_styles = _reply_text(recorded.reply, blobs)
    body = f"- request:\n{request}\n  response:\n{reply}\n"
    line = {
        "key": interaction.key,
        "stamp": stamp(body.encode(), signature),
        **{name: value for name, value in recorded.meta.items() if name not in _COMPUTED},
        **_line(recorded.reply, styles | more_styles),
    }
    return comment(number, describe(recorded)) + f"{body}  llmmock: {yaml_text.flow(line)}\n".encode()


def comment(number: int, words: str) -> bytes:
    """The line above an interaction."""
    words = " ".join(re.sub(_UNFIT, " ", words).splitlines())
    return (f"# {number}  {words}".rstrip() + "\n").encode()


_COMPUTED = ("key", "stamp", "style", "cut", "timing")


def _line(reply: Reply, styles: dict[str, str]) -> dict[str, Any]:
    timing = write_timing(reply.frames) if isinstance(reply.frames, Sequence) else ""
    told = {"style": styles, "cut": reply.cut, "timing": timing}
    return {name: value for name, value in told.items() if value}


def write_timing(frames: Sequence[Frame]) -> str:
    """Frames as a line of `delay:bytes` pairs; '' when there is nothing to say."""
    if not any(frame.at for frame in frames) and len(frames) < 2:
        return ""
    times = [0, *(round(frame.at * 1000) for frame in frames)]  # rounded before the difference: no drift
    delays = [(after - before) / 1000 for before, after in pairwise(times)]
    return " ".join(f"{delay:.3f}:{len(frame.data)}" for delay, frame in zip(delays, frames, strict=True))


def _request_text(request: Request, blobs: dict[str, bytes] | None) -> tuple[str, dict[str, str]]:
    content_type = request.header("content-type") or ""
    body, styles = _body_text(request.body, content_type, "request", blobs)
    lines = [
        f"    method: {yaml_text.text(request.method, '    ')}",
        f"    uri: {yaml_text.text(request.url, '    ')}",
        f"    headers: {yaml_text.flow(headers_by_name(request.headers))}",
        body,
    ]
    return "\n".join(lines), styles


def _reply_text(reply: Reply, blobs: dict[str, bytes] | None) -> tuple[str, dict[str, str]]:
    body, styles = _body_text(reply.body, reply.content_type, "response", blobs)
    lines = [
        f"    status: {yaml_text.flow({'code': reply.status, 'message': reply.reason})}",
        f"    headers: {yaml_text.flow(headers_by_name(reply.headers))}",
        body,
    ]
    return "\n".join(lines), styles


def headers_by_name(headers: Headers) -> dict[str, list[str]]:
    return {name: [value for other, value in headers if other == name] for name, _ in headers}


def _body_text(body: bytes, content_type: str, side: str, blobs: dict[str, bytes] | None) -> tuple[str, dict[str, str]]:
    """The lines of a body, and the style of its JSON where that is not the usual one."""
    found = structure(body, content_type)
    if found is not None:
        value, style = found
        try:
            return f"    parsed_body:{yaml_text.block(value, '    ')}", {} if style == COMPACT else {side: style}
        except (yaml_text.UnwritableError, RecursionError):
            pass  # no faithful form as structure: its text follows
    return f"    body:{yaml_text.block(_unparsed(body, side, blobs), '    ')}", {}


def _unparsed(body: bytes, side: str, blobs: dict[str, bytes] | None) -> Any:
    """Text or bytes, in the places where vcrpy looks for them."""
    if not body and side == "request":
        return None
    content = as_text(body)
    if isinstance(content, bytes) and len(content) >= LARGE and blobs is not None:
        from hashlib import sha256

        name = sha256(content).hexdigest()
        blobs[name] = content
        return {"blob": name, "bytes": len(content)}
    return content if side == "request" else {"string": content}
