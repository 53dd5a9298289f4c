"""A value that is known to be secret, in all the forms in which it may stand."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from .credentials import Credential
from .key_formats import SHORTEST, format_of
from .wrapped import Wrapped, rewrapped


class Span(NamedTuple):
    """A secret found, and what stands in its place."""

    start: int
    end: int
    kind: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A value in all the forms in which it may stand: as it is, escaped, percent-encoded, in Base64."""

    kind: str
    placeholder: bytes
    asked: bool
    fragment: bytes
    """Characters that stand there in every form, to look for first."""
    pattern: bytes
    cores: tuple[tuple[int, bytes], ...]
    """What all Base64 has in common that holds the value, for each of three ways to stand in it."""
    value: bytes
    is_short: bool
    """Whether it can stand where there is no row of characters of the length that the formats have."""

    @classmethod
    @lru_cache(maxsize=1000)
    def of(cls, credential: Credential, asked: bool) -> Known:
        value = credential.value.encode(errors="surrogatepass")
        found = format_of(value)
        placeholder = found.placeholder if found else credential.placeholder.encode()
        if value.isdigit():
            placeholder = _NUMBER
        pattern = b"".join(_forms(character) for character in credential.value)
        fragment = max(re.findall(rb"[A-Za-z0-9]*", value), key=len)
        kind = found.kind if found else credential.kind
        cores = tuple(_cores(value))
        shortest = min(map(len, [fragment, *(core for _, core in cores)]))
        return cls(kind, placeholder, asked, fragment, pattern, cores, value, shortest < SHORTEST)

    def spans(self, data: bytes, wrapped: Sequence[Wrapped] = ()) -> Iterator[Span]:
        """`wrapped`: the Base64 of several lines that there is in the data."""
        if self.fragment in data:
            for found in re.finditer(self.pattern, data):
                yield Span(*found.span(), self.kind, self.placeholder)
        for shift, core in self.cores:
            if core in data:
                yield from self._in_base64(data, shift, core)
        for block in wrapped:
            yield from self._in_lines(data, block)

    def _in_lines(self, data: bytes, block: Wrapped) -> Iterator[Span]:
        for shift, core in self.cores:
            for span in self._in_base64(block.joined, shift, core):
                start, end = block.place(span.start), block.place(span.end - 1) + 1
                yield Span(start, end, self.kind, rewrapped(data[start:end], span.text, block))

    def _in_base64(self, data: bytes, shift: int, core: bytes) -> Iterator[Span]:
        at = data.find(core)
        while at >= 0:
            span = self._of_core(data, at, shift, core)
            yield span
            at = data.find(core, span.end)

    def _of_core(self, data: bytes, at: int, shift: int, core: bytes) -> Span:
        """Base64 stays Base64 where it can be read, so that what decodes it still does."""
        start = at - _LEAD[shift]
        found = _BASE64.match(data, start) if start >= 0 else None
        try:
            run = found.group() if found else b"?"
            content = base64.b64decode(run.translate(_STANDARD) + b"=" * (-len(run) % 4), validate=True)
        except (binascii.Error, ValueError):
            return Span(at, at + len(core), self.kind, self.placeholder)
        again = base64.b64encode(content.replace(self.value, self.placeholder), _alphabet(run))
        again = again if run.endswith(b"=") or len(run) % 4 == 0 else again.rstrip(b"=")
        return Span(start, start + len(run), self.kind, again)


_NUMBER = b"999999999999"
"""Stands for a value that is all digits: what was a number stays one."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_LEAD = (0, 2, 3)
"""The characters of Base64 before the first that depends on nothing in front of the value."""


def _alphabet(run: bytes) -> bytes:
    return b"-_" if b"-" in run or b"_" in run else b"+/"


def _cores(value: bytes) -> Iterator[tuple[int, bytes]]:
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + value)
        core = encoded[_LEAD[shift] : (shift + len(value)) * 8 // 6]
        if len(core) >= 10:
            yield from ((shift, each) for each in {core, core.replace(b"+", b"-").replace(b"/", b"_")})


def _forms(character: str) -> bytes:
    """A pattern for one character in every form."""
    if character.isascii() and character.isalnum():
        return character.encode()
    raw = character.encode(errors="surrogatepass")
    percent = b"".join(b"%%(?:25)*(?i:%02x)" % byte for byte in raw)
    units = character.encode("utf-16-be", errors="surrogatepass")
    unicode = b"".join(rb"\\+u(?i:%s)" % units[at : at + 2].hex().encode() for at in range(0, len(units), 2))
    short = {"\n": rb"\\+n", "\r": rb"\\+r", "\t": rb"\\+t", " ": rb"\+"}.get(character)
    forms = [rb"\\*" + re.escape(raw), percent, unicode, *([short] if short else [])]
    return b"(?:" + b"|".join(forms) + b")"
