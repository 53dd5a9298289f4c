"""What must not be written: values that are known to be secret, and what looks like one."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping

from ..core.environ import CHANGING, OfEnvironment
from ..core.model import Headers, Reply, Request
from . import credentials
from .credentials import Credential, is_harmless, is_likely
from .key_formats import IN_A_ROW, SECRET, SHORTEST, formats_in, may_hold_format
from .known import Known, Span
from .wrapped import wrapped

COOKIES = 200
"""How many values of cookies are remembered: each reply may bring a new one."""


_TOLD = 100


# --- what looks like one --------------------------------------------------------------------------------

_BEFORE = re.compile(rb"[\"']([A-Za-z_-]{6,24})\\*[\"']\s*:\s*\\*[\"'](?:[A-Za-z]{5,6} )?\Z")
"""A name in front of a value: a member of JSON, also of JSON in a text."""
_NAMES = re.compile(
    rb"x?apikey|(?:access|refresh|id|session|auth|api|bearer|security)token|(?:client|api|access)secret|"
    rb"(?:secret|secretaccess|private|account|subscription)key|password|passwd|(?:proxy)?authorization|"
    rb"chatgpt(?:account|user)id"
)
"""Names whose values are secret, in lower case, without what joins words."""
_MEMBER = re.compile(rb"[^\"'\\\s]+")
_PARAMETER = re.compile(
    rb"((?i:(?:[\w.-]*[-_.])?(?:api_?key|key|token|secret|signature|sig|password|credential)))=([\w%.~+/=-]{8,})"
)
_USER = re.compile(rb"://[^\s\"'/@:<>\\]{0,64}:([^\s\"'/@<>\\]{8,128})@")
_PEM = re.compile(
    rb"-----BEGIN[A-Z ]* PRIVATE KEY-----(?:[A-Za-z0-9+/=\s\\:,]|-(?!----)){40,}(?:-----END[A-Z ]* PRIVATE KEY-----)?"
)
_PEM_HEAD = b"PRIVATE KEY-----"
_ROW = b"x" * SHORTEST


def look_alikes(data: bytes, flat: bytes) -> Iterator[Span]:
    """Keys, tokens and ids in the formats of their providers, and what is secret by the name before it.

    `flat` is the data with its rows made flat.
    """
    at = flat.find(_ROW)
    while at >= 0:
        end = flat.find(b" ", at) % (len(data) + 1)  # where none follows: to the end
        yield from _in_row(data, at, end)
        at = flat.find(_ROW, end)
    if _PEM_HEAD in data:
        yield from (Span(*found.span(), "private key", b"redacted-private-key") for found in _PEM.finditer(data))
    if b"@" in data and b"://" in data:
        yield from (_secret(found) for found in _USER.finditer(data) if _counts(found[1]))


def _in_row(data: bytes, start: int, end: int) -> Iterator[Span]:
    row = data[start:end]
    if may_hold_format(row):
        for at, stop, known in formats_in(data, start, end):
            yield Span(at, stop, known.kind, known.placeholder)
    if b"=" in row and data[start - 1 : start] in (b"?", b"&", b";"):
        parameter = _PARAMETER.match(data, start, end)
        if parameter and not is_harmless(parameter[1].decode()) and _counts(parameter[2]):
            yield _secret(parameter, 2)
    if data[start - 1 : start] in (b'"', b"'", b" ") and _is_named(data[max(start - 48, 0) : start]):
        member = _MEMBER.match(data, start)
        if member and _counts(member[0]):
            yield _secret(member, 0)


def _is_named(before: bytes) -> bool:
    """Whether what stands before a value says that it is secret."""
    if before[-7:].lower() == b"bearer ":
        return True
    name = _BEFORE.search(before)
    return name is not None and bool(_NAMES.fullmatch(name[1].translate(None, b"-_").lower()))


def _secret(found: re.Match[bytes], group: int = 1) -> Span:
    return Span(*found.span(group), "secret", SECRET.encode())


def _counts(value: bytes) -> bool:
    return is_likely(value.decode(errors="replace"))


# --- both -----------------------------------------------------------------------------------------------


_OF_PROCESS = OfEnvironment(lambda environ: tuple(credentials.of_environment(environ)))


class Secrets:
    """All that must not be written. Values are added while requests are made; what is added stays."""

    def __init__(self, known: Iterable[Credential | str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, bool], Known] = {}
        self._since: dict[tuple[str, bool], int] = {}
        """The generation that each came with."""
        self._cookies: list[tuple[str, bool]] = []
        self._told: set[tuple[object, ...]] = set()
        self._last: tuple[Headers, tuple[bool, str, str]] = ((), (False, "", ""))
        self.generation = 0
        """Changes with each value that is added: what was clean before may not be clean now."""
        self._clean: dict[object, int] = {}
        """What was looked through, and at which generation nothing was in it."""
        for credential in known:
            self.add(credential)

    @classmethod
    def of(cls, environ: Mapping[str, str] | None = None) -> Secrets:
        """Those of an environment: that of this process unless told."""
        if environ is not None:
            return cls(credentials.of_environment(environ))
        return cls([*_OF_PROCESS(), *credentials.of_variable(CHANGING, os.environ.get(CHANGING, ""))])

    def add(self, credential: Credential | str, *, asked: bool = True) -> None:
        """A value that is not to be written.

        `asked` values are those that replay knows of too: they count when requests are compared.
        """
        credential = Credential(credential) if isinstance(credential, str) else credential
        place = credential.value, asked
        if not credential.value or place in self._known or (credential.value, True) in self._known:
            return
        known = Known.of(credential, asked)
        with self._lock:
            self._known = {**self._known, place: known}
            self.generation += 1
            self._since[place] = self.generation
            if credential.kind == "cookie":
                self._cookies.append(place)
                self._forget()

    def _forget(self) -> None:
        while len(self._cookies) > COOKIES:
            oldest = self._cookies.pop(0)
            self._known = {place: known for place, known in self._known.items() if place != oldest}
            self._since.pop(oldest, None)

    def is_clean(self, mark: object) -> bool:
        """Whether what bears this mark was looked through, and there was nothing in it of all that is known by now."""
        return self._clean.get(mark) == self.generation

    def note_clean(self, mark: object, generation: int) -> None:
        """`generation`: that from before the look."""
        self._clean = {mark: generation} if len(self._clean) > _TOLD else {**self._clean, mark: generation}

    def has_come(self, generation: int, data: bytes) -> bool:
        """Whether something in the data has become known as a secret only since a generation."""
        values = [known for place, known in self._known.items() if self._since.get(place, generation + 1) > generation]
        blocks = list(wrapped(data)) if values else []
        found = (span for known in values for span in known.spans(data, blocks))
        return any(span.text != data[span.start : span.end] for span in found)

    def learn(self, *messages: Request | Reply, asked: bool = False) -> None:
        """Take over the credentials and accounts with which a request is made, or which a reply tells."""
        for message in messages:
            place = (asked, message.origin, message.query) if isinstance(message, Request) else (asked, "", "")
            last, where = self._last
            if message.headers is last and place == where:
                continue  # the very headers that were looked through last: a client sends the same again and again
            told = (asked, *credentials.telling(message))
            if told not in self._told:
                for credential in credentials.of_message(message):
                    self.add(credential, asked=asked)
                self._told = {told} if len(self._told) > _TOLD else {*self._told, told}
            self._last = message.headers, place

    def spans(self, data: bytes, *, asked: bool = False) -> list[Span]:
        """Where secrets stand, in order and apart from each other. `asked`: only those that replay knows of.

        Ordinary words have no row of characters as long as nearly all secrets have: then only the short ones are
        looked for.
        """
        flat = data.translate(IN_A_ROW)
        has_rows = _ROW in flat
        values = [
            known for known in self._known.values() if (known.asked or not asked) and (has_rows or known.is_short)
        ]
        blocks = list(wrapped(data)) if values and has_rows else []
        found = [span for known in values for span in known.spans(data, blocks)]
        if has_rows or b"@" in data or _PEM_HEAD in data:
            found += look_alikes(data, flat)
        return apart(found)


def apart(spans: list[Span]) -> list[Span]:
    """Where two overlap, the longer one's name stands for both."""
    if len(spans) < 2:
        return spans
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if merged and span.start < merged[-1].end:
            before = merged.pop()
            longer = max(before, span, key=lambda each: each.end - each.start)
            span = longer._replace(start=before.start, end=max(before.end, span.end))
        merged.append(span)
    return merged
