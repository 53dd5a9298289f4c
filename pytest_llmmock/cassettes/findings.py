"""Secrets in what is written or about to be, each with its place: the last look before a file, and `llmmock scan`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.model import Headers, Reply, Request
from ..errors import CassetteError
from . import credentials
from .cassette import Interaction, Recorded
from .known import Span
from .scrubber import Scrubber
from .secrets import Secrets

SHOWN = 4
"""How many characters of a secret are told, at most."""

_INTERACTION = re.compile(rb"^- request:\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret, by what it is and where it is. Never the secret."""

    place: str
    """`request.body.messages[0].content`, `response headers: location`, `line 12`."""
    kind: str
    start: str
    """Its first characters."""

    def __str__(self) -> str:
        return f"{self.place}: {self.kind} ({self.start}…)"

    @classmethod
    def of(cls, place: str, kind: str, value: bytes | str) -> Finding:
        text = value.decode(errors="replace") if isinstance(value, bytes) else value
        return cls(place, kind, "".join(filter(str.isprintable, text[: min(SHOWN, len(text) // 2)])))


def findings(recorded: Recorded, secrets: Secrets) -> list[Finding]:
    """What an interaction holds that must not be written, place by place."""
    scrubber = Scrubber(secrets)
    found = [*_in_request(recorded.request, secrets, scrubber), *_in_reply(recorded.reply, secrets, scrubber)]
    found += _in_text("llmmock", _joined(recorded.meta), secrets)
    return list(dict.fromkeys(found))


def _in_request(request: Request, secrets: Secrets, scrubber: Scrubber) -> Iterator[Finding]:
    yield from _in_text("request.method", request.method, secrets)
    yield from _in_address(request, secrets, scrubber)
    yield from _in_headers("request", request.headers, secrets)
    yield from _in_body("request", request.body, request.header("content-type") or "", scrubber)


def _in_address(request: Request, secrets: Secrets, scrubber: Scrubber) -> list[Finding]:
    """What it holds, also percent-encoded, and what is a credential by its place in it."""
    place = "request.uri"
    named = credentials.of_request(replace(request, headers=()))
    found = [Finding.of(place, each.kind, each.value) for each in named] + _in_text(place, request.url, secrets)
    as_written = scrubber.address(request.path) == request.path and scrubber.query(request.query) == request.query
    return found if found or as_written else [Finding(place, "secret", "")]


def _in_reply(reply: Reply, secrets: Secrets, scrubber: Scrubber) -> Iterator[Finding]:
    yield from _in_text("response.status", reply.reason, secrets)
    yield from _in_text("llmmock.cut", reply.cut, secrets)
    yield from _in_headers("response", reply.headers, secrets)
    yield from _in_body("response", reply.body, reply.content_type, scrubber, pieces=True)


def _in_headers(side: str, headers: Headers, secrets: Secrets) -> Iterator[Finding]:
    """What they hold, and what they are: an `authorization` is a secret whatever it looks like."""
    for name, value in headers:
        found = [*_in_text("", f"{name}: {value}", secrets)]
        named = [Finding.of("", each.kind, each.value) for each in credentials.of_headers(((name, value),))]
        yield from (replace(each, place=f"{side} headers: {_shown(name, secrets)}") for each in found or named[:1])


def _shown(name: str, secrets: Secrets) -> str:
    return Scrubber(secrets).text(name)


def _in_body(
    side: str, body: bytes, content_type: str, scrubber: Scrubber, *, pieces: bool = False
) -> Iterator[Finding]:
    for place, span, value in scrubber.found(body, content_type, pieces=pieces):
        yield Finding.of(f"{side}.body" + (f".{place}" if place else ""), span.kind, value)


def _in_text(place: str, text: str, secrets: Secrets) -> list[Finding]:
    data = text.encode(errors="surrogatepass")
    return [Finding.of(place, span.kind, data[span.start : span.end]) for span in _changing(data, secrets)]


def _changing(data: bytes, secrets: Secrets) -> list[Span]:
    return [span for span in secrets.spans(data) if span.text != data[span.start : span.end]]


def _joined(value: object) -> str:
    """All texts of a value, a line each."""
    if isinstance(value, Mapping):
        return "\n".join(_joined(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return "\n".join(map(_joined, value))
    return str(value)


# --- files ----------------------------------------------------------------------------------------------


def in_text(data: bytes, secrets: Secrets) -> list[Finding]:
    """What any file holds, line by line."""
    found = ((data.count(b"\n", 0, span.start) + 1, span) for span in _changing(data, secrets))
    return [Finding.of(f"line {line}", span.kind, data[span.start : span.end]) for line, span in found]


def refuse(
    path: Path, interactions: Sequence[Interaction], data: bytes, blobs: Mapping[str, bytes], secrets: Secrets
) -> None:
    """The last look at what is about to be written. Raises `CassetteError` when it holds a secret."""
    found = [*_in_text("the name of the file", _below_here(path), secrets), *_in_interactions(interactions, secrets)]
    known = {(each.place.partition(",")[0], each.kind) for each in found}
    written = _in_data(data, secrets)
    found += [each for each in written if (each.place.partition(",")[0], each.kind) not in known]
    found += [replace(each, place=f"blobs/{name}") for name, blob in blobs.items() for each in in_text(blob, secrets)]
    if found:
        places = "\n".join(f"  {each}" for each in dict.fromkeys(found))
        raise CassetteError(_REFUSED.format(path=Scrubber(secrets).text(str(path)), places=places))


def _below_here(path: Path) -> str:
    """What of a path is ours to name: the folders above are not committed."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else path.name


_REFUSED = """\
{path} was not saved, because secrets would be in it:

{places}

Nothing was written, and what was there before is unchanged. Take the value out of what the test sends; if it \
is in an older recording, run `llmmock scrub {path}` first."""


def _in_interactions(interactions: Sequence[Interaction], secrets: Secrets) -> Iterator[Finding]:
    """Those that are written anew. The others' text is looked at as it is."""
    for number, interaction in enumerate(interactions, 1):
        if interaction.source and interaction.key:
            continue
        if interaction.checked != secrets.generation:
            found = findings(interaction.recorded, secrets)
            yield from (replace(each, place=f"interaction {number}, {each.place}") for each in found)
            interaction.checked = secrets.generation if not found else -1


def _in_data(data: bytes, secrets: Secrets) -> Iterable[Finding]:
    for span in _changing(data, secrets):
        line = data.rfind(b"\n", 0, span.start) + 1
        number = len(_INTERACTION.findall(data, 0, span.start)) + data.startswith(b"#", line)  # a comment stands above
        yield Finding.of(f"interaction {number}, as it is written", span.kind, data[span.start : span.end])
