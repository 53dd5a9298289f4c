"""The text of a cassette: vcrpy's version 1 envelope in YAML, with a line of our own per interaction.

A file in the layout that `dumps` writes is cut into its interactions by its text, at markers that content
cannot forge because content is indented, and each is parsed when it is played. Any other layout of vcrpy's
is parsed whole, by `foreign`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..core.model import Frame, Headers, Reply, Request
from ..errors import CassetteFormatError
from . import yaml_text
from .bodies import COMPACT, as_text, structure
from .cassette import Interaction, Recorded

T = TypeVar("T")

HEAD = b"version: 1\ninteractions:\n"
EMPTY = "version: 1\ninteractions: []\n"

LARGE = 32 * 1024
"""Bytes from which a body that is not text is kept as a file of its own."""

Blob = Callable[[str], bytes]
"""Finds the bytes of a large body by their SHA-256."""

_START = b"\n- request:\n"
_REPLY = b"\n  response:\n"
_META = b"\n  llmmock: {key: "
_OUR_LINE = re.compile(rb'"?([0-9a-f]{32})"?, stamp: "?([0-9a-f]{16})"?[,}]')
_UNFIT = re.compile("[^\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]")
"""What may not stand in YAML, not even in a comment."""
_METHOD = re.compile(rb"^    method: ([A-Z]+)$", re.MULTILINE)
_PAIR = re.compile(r"(-?\d+\.\d+):(\d+)(?!\S)")
_NUMBER = re.compile(rb"\A# \d+")


def stamp(source: bytes, signature: bytes) -> str:
    """Ties a stored key to the text of its request and to the way in which it was computed."""
    start = source.find(b"- request:\n")
    request = source[start : source.find(_REPLY, start)]
    return blake2b(request, digest_size=8, key=signature[:64]).hexdigest()


# --- reading --------------------------------------------------------------------------------------------


def loads(data: bytes, signature: bytes | None = b"", blob: Blob | None = None) -> list[Interaction]:
    """The interactions of a cassette. `signature` names the way of computing keys that is in force.

    With None the stored keys are taken as they stand, whatever the way: for who moves interactions and plays none.

    Raises `CassetteFormatError`.
    """
    pieces = cut(data)
    if pieces is not None:
        return [_lazy(piece, signature, blob) for piece in pieces]
    from .foreign import read

    return [Interaction.of(recorded) for recorded in read(data, blob)]


def cut(data: bytes) -> list[bytes] | None:
    """The texts of the interactions with their comments, or None when this is not our layout."""
    if not data.startswith(HEAD):
        return None
    starts = [_with_comment(data, at + 1) for at in _find_all(data, _START, len(HEAD) - 1)]
    pieces = [data[start:end] for start, end in pairwise([*starts, len(data)])]
    whole = bool(starts) and starts[0] == len(HEAD) and all(piece.count(_META) == 1 for piece in pieces)
    return pieces if whole else None


def _find_all(data: bytes, marker: bytes, start: int) -> Iterator[int]:
    at = data.find(marker, start)
    while at >= 0:
        yield at
        at = data.find(marker, at + 1)


def _with_comment(data: bytes, start: int) -> int:
    """Where the comment lines above an interaction begin."""
    while start > len(HEAD):
        line = data.rfind(b"\n", 0, start - 1) + 1
        if not data.startswith(b"#", line):
            return start
        start = line
    return start


def marks(source: bytes) -> tuple[str, str] | None:
    """The key and the stamp that stand in an interaction's text, or None when they cannot be made out."""
    found = _OUR_LINE.match(source, source.rfind(_META) + len(_META))  # our line is the last one
    return (found[1].decode(), found[2].decode()) if found else None


def marked(source: bytes, key: str, stamp: str) -> bytes:
    """The text with another key and stamp; all else stands as it did."""
    at = source.rfind(_META) + len(_META)
    line = f"{yaml_text.flow(key)}, stamp: {yaml_text.flow(stamp)}".encode()
    return source[:at] + _OUR_LINE.sub(lambda found: line + found[0][-1:], source[at:], count=1)


def _lazy(source: bytes, signature: bytes | None, blob: Blob | None) -> Interaction:
    found = marks(source)
    known = found is not None and (signature is None or found[1] == stamp(source, signature))
    key = found[0] if found is not None and known else ""
    return Interaction(
        lambda: _parse(source, blob),
        load_reply=lambda: _parse_reply(source, blob),
        key=key,
        source=source.rstrip(b"\n") + b"\n" if key else b"",
    )


def _parse(source: bytes, blob: Blob | None) -> Recorded:
    from .foreign import recorded

    return _built(source, lambda item: recorded(item, blob))


def _parse_reply(source: bytes, blob: Blob | None) -> Reply | None:
    """The reply, without a look at the request: that is known by its key. None where the text is not ours alone."""
    from .foreign import recorded_reply

    at = source.find(_REPLY)
    method = _METHOD.search(source, 0, max(at, 0))
    if method is None or not marks(source):
        return None
    try:
        return _built(b"- " + source[at + 3 :], lambda item: recorded_reply(item, method[1].decode(), blob))
    except CassetteFormatError:
        return None  # what is wrong with it is told by who reads all of it


def _built(source: bytes, build: Callable[[Any], T]) -> T:
    from .foreign import parse_yaml

    items = parse_yaml(source)
    if not isinstance(items, list) or len(items) != 1:
        raise CassetteFormatError(
            "This interaction is not one item of a list:\n" + source[:200].decode(errors="replace")
        )
    try:
        return build(items[0])
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CassetteFormatError(f"It holds a value that cannot be read: {error}.") from None


def request_lines(request: Request) -> list[bytes]:
    """The lines of a request as they stand in a cassette."""
    return _request_text(request, None)[0].encode(errors="replace").split(b"\n")


def lines_of_request(interaction: Interaction) -> list[bytes]:
    """The same of a recorded one; of one in our layout without parsing it."""
    source = interaction.source
    start = source.find(_START[1:])
    return source[start : source.find(_REPLY, start)].split(b"\n") if source else request_lines(interaction.request)


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
    words = " ".join(_UNFIT.sub(" ", words).splitlines())
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
