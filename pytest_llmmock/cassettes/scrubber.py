"""Takes secrets out of texts, addresses and bodies, also where they come piece by piece.

What is scrubbed twice is what is scrubbed once, and what holds no secret stays the very same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode

from .credentials import is_secret
from .draft import Draft, Edit, edited
from .leaves import Leaf, leaves
from .secrets import Secrets, Span

_PASSES = 5
"""A placeholder can make a secret of what stands beside it; then it is looked at again, but not for ever."""


_STEP = re.compile("(/)")
_PAIR = re.compile("([&=])")


class Scrubber:
    """Takes out what a set of secrets finds; `asked` only what replay knows of too."""

    def __init__(self, secrets: Secrets, *, asked: bool = False) -> None:
        self._secrets = secrets
        self._asked = asked

    def _spans(self, data: bytes) -> list[Span]:
        return self._secrets.spans(data, asked=self._asked)

    # --- texts ---

    def content(self, data: bytes) -> bytes:
        """Any bytes. The same object when there is nothing in them."""
        for _ in range(_PASSES):
            edits = _edits(self._spans(data))
            if not edits:
                return data
            data = edited(data, edits)
        return data

    def text(self, text: str) -> str:
        clean = self.content(data := text.encode(errors="surrogatepass"))
        return text if clean is data else clean.decode(errors="surrogatepass")

    def address(self, path: str) -> str:
        """A path, or a part of one, also when what is secret in it is percent-encoded."""
        return self._unquoted(path, unquote, lambda text: quote(text, safe="/:@!$&'()*+,;=~ "), _STEP)

    def query(self, query: str) -> str:
        """A query without the parameters that carry credentials, and without secrets in the others."""
        if not query:
            return query
        pairs = parse_qsl(query, keep_blank_values=True)
        harmless = [pair for pair in pairs if not is_secret(pair[0])]
        query = query if len(harmless) == len(pairs) else urlencode(harmless)
        return self._unquoted(query, unquote_plus, quote_plus, _PAIR)

    def _unquoted(
        self, text: str, read: Callable[[str], str], write: Callable[[str], str], cut: re.Pattern[str]
    ) -> str:
        """Piece by piece as it is meant, and then as it stands."""
        if "%" in text:
            pieces = ((piece, read(piece)) for piece in cut.split(text))
            text = "".join(piece if (clean := self.text(plain)) is plain else write(clean) for piece, plain in pieces)
        return self.text(text)

    def values(self, value: Any) -> Any:
        """All texts in a value such as `meta`."""
        if isinstance(value, dict):
            return {self.values(name): self.values(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.values(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    # --- bodies ---

    def body(self, body: bytes) -> bytes:
        """The body of a request. The same object when there is nothing in it."""
        clean = self.content(body)
        return self._without_escaped(clean) if _ESCAPED.search(clean) else clean

    def _without_escaped(self, body: bytes) -> bytes:
        """Letters that are written as escapes hide a secret from all who do not read JSON."""
        found = [match for match in _TEXT.finditer(body) if _ESCAPED.search(match.group())]
        return edited(body, [edit for match in found for edit in self._rewritten(body, Leaf(*match.span(), ()))])

    def _rewritten(self, body: bytes, leaf: Leaf) -> Iterator[Edit]:
        try:
            text = leaf.read(body)
        except ValueError:
            return
        clean = self.text(text)
        if clean is not text:
            yield leaf.start, leaf.end, leaf.written(clean, body)

    def draft(self, draft: Draft, content_type: str) -> None:
        """The body of a reply: as it lies there, and what a model said piece by piece."""
        for _ in range(_PASSES):
            changed = draft.apply(_edits(self._spans(draft.body)))
            if _ESCAPED.search(draft.body):
                texts = (leaf for event in leaves(draft.body, content_type) for leaf in event)
                changed |= draft.apply(edit for leaf in texts for edit in self._rewritten(draft.body, leaf))
            for named in (False, True):
                changed |= draft.apply(self._in_pieces(draft.body, content_type, named=named))
            if not changed:
                return

    def _in_pieces(self, body: bytes, content_type: str, *, named: bool) -> list[Edit]:
        """What is a secret only when the pieces of one text are put together."""
        edits = [edit for joined in self._joined(body, content_type, named=named) for edit in _spread(body, *joined)]
        return sorted(edits)

    def _joined(
        self, body: bytes, content_type: str, *, named: bool
    ) -> Iterator[tuple[Sequence[Leaf], Sequence[bytes], Sequence[Span]]]:
        """The channels in which there is something: their pieces, the texts of these, and what was found."""
        for channel in channels(body, content_type, named=named):
            texts = [_content(leaf, body) for leaf in channel]
            if len(set(texts)) > 1:  # else an id or a name that each event repeats
                spans = self._spans(b"".join(texts))
                if spans:
                    yield channel, texts, spans

    # --- places ---

    def found(self, body: bytes, content_type: str, *, pieces: bool) -> Iterator[tuple[str, Span, bytes]]:
        """What would be taken out of a body: where it is, and what. `pieces`: also what comes piece by piece."""
        texts = [leaf for event in leaves(body, content_type) for leaf in event]
        for span in self._spans(body):
            place = next((leaf.place for leaf in texts if leaf.start <= span.start < leaf.end), "")
            yield place, span, body[span.start : span.end]
        for leaf in texts:
            if _ESCAPED.search(body, leaf.start, leaf.end):
                content = _content(leaf, body)
                yield from ((leaf.place, span, content[span.start : span.end]) for span in self._spans(content))
        for named in (False, True) if pieces else ():
            for channel, parts, spans in self._joined(body, content_type, named=named):
                joined = b"".join(parts)
                yield from ((channel[0].place, span, joined[span.start : span.end]) for span in spans)


def channels(body: bytes, content_type: str, *, named: bool) -> list[list[Leaf]]:
    """The texts of a body, the pieces of each streamed one together."""
    found: dict[object, list[Leaf]] = {}
    for event in leaves(body, content_type):
        for leaf in event:
            found.setdefault(leaf.channel(named=named), []).append(leaf)
    return list(found.values())


def _content(leaf: Leaf, body: bytes) -> bytes:
    """What a leaf says; nothing where that cannot be read."""
    try:
        return leaf.read(body).encode(errors="surrogatepass")
    except ValueError:
        return b""


def _spread(body: bytes, channel: Sequence[Leaf], texts: Sequence[bytes], spans: Sequence[Span]) -> Iterator[Edit]:
    """Changes of the joined text, as changes of the pieces: the first one touched gets what stands instead."""
    start = 0
    for leaf, text in zip(channel, texts, strict=True):
        end = start + len(text)
        own = [
            (max(span.start - start, 0), min(span.end, end) - start, span.text if span.start >= start else b"")
            for span in spans
            if span.start < end and span.end > start
        ]
        if own:
            yield leaf.start, leaf.end, leaf.written(edited(text, own).decode(errors="surrogatepass"), body)
        start = end


_ESCAPED = re.compile(rb"\\u00(?:2[bdefBDEF]|3[0-9dD]|[4-7])")
"""A character, written as an escape, that could stand in a secret."""
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')


def _edits(spans: Sequence[Span]) -> list[Edit]:
    return [(span.start, span.end, span.text) for span in spans]
