"""Takes secrets out of texts, addresses and bodies, also where they come piece by piece.

What is scrubbed twice is what is scrubbed once, and what holds no secret stays the very same bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode

from ..core.model import without_user
from .credentials import is_secret
from .draft import Draft, Edit, edited
from .glance import joined
from .known import Span
from .leaves import Leaf, leaves
from .secrets import Secrets, apart

_PASSES = 5
"""A placeholder can make a secret of what stands beside it; then it is looked at again, but not for ever."""


_REMEMBERED = 100
"""Places of requests."""

_STEP = re.compile("(/)")
_PAIR = re.compile("([&=])")


class Scrubber:
    """Takes out what a set of secrets finds; `asked` only what replay knows of too."""

    def __init__(self, secrets: Secrets, *, asked: bool = False) -> None:
        self._secrets = secrets
        self._asked = asked
        self._places: dict[tuple[int, str, str, str], tuple[str, str, str]] = {}

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

    def place(self, origin: str, path: str, query: str) -> tuple[str, str, str]:
        """Where a request goes. A client asks at the same places again and again."""
        place = self._secrets.generation, origin, path, query
        known = self._places.get(place)
        if known is None:
            known = self.text(without_user(origin)), self.address(path), self.query(query)
            self._places = {place: known} if len(self._places) > _REMEMBERED else {**self._places, place: known}
        return known

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
        return self.content(self._without_escaped(body) if _ESCAPED.search(body) else body)

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
        """The body of a reply: what a model said piece by piece, and then as it lies there.

        In this order: what the beginning of a secret looks like would else go alone, and leave the rest of it.
        """
        for _ in range(_PASSES):
            if self._is_clean(draft.body, content_type):
                return
            changed = draft.apply(self._in_pieces(draft.body, content_type))
            if _ESCAPED.search(draft.body):
                texts = texts_of(draft.body, content_type)
                changed |= draft.apply(edit for leaf in texts for edit in self._rewritten(draft.body, leaf))
            changed |= draft.apply(_edits(self._spans(draft.body)))
            if not changed:
                return

    def _in_pieces(self, body: bytes, content_type: str) -> Iterator[Edit]:
        """What is a secret when the pieces of one text are put together, in either way."""
        texts = texts_of(body, content_type)
        touched: dict[int, list[Span]] = {}
        for named in (False, True):
            for channel, contents, spans in self._joined(body, texts, named=named):
                for leaf, own in _spread(channel, contents, spans):
                    touched.setdefault(leaf.start, []).extend(own)
        for leaf in texts:
            if leaf.start in touched:
                content = edited(_content(leaf, body), _edits(apart(touched[leaf.start])))
                yield leaf.start, leaf.end, leaf.written(content.decode(errors="surrogatepass"), body)

    def _joined(
        self, body: bytes, texts: Sequence[Leaf], *, named: bool
    ) -> Iterator[tuple[Sequence[Leaf], Sequence[bytes], Sequence[Span]]]:
        """The channels in which there is something: their pieces, what these say, and what was found."""
        channels: dict[object, list[Leaf]] = {}
        for leaf in texts:
            channels.setdefault(leaf.channel(named=named), []).append(leaf)
        for channel in channels.values():
            contents = [_content(leaf, body) for leaf in channel]
            if len(set(contents)) > 1:  # else an id or a name that each event repeats
                spans = self._spans(b"".join(contents))
                if spans:
                    yield channel, contents, spans

    # --- at a glance ---

    def _is_clean(self, body: bytes, content_type: str) -> bool:
        """Whether there is nothing in the body of a reply, in pieces or not. False may also mean that it is not clear.

        Who cleans a body looks at it, and who writes it: the same bytes are looked at once.
        """
        generation = self._secrets.generation
        mark = self._asked, content_type, blake2b(body, digest_size=16).digest()
        if not self._secrets.is_clean(mark):
            if not self._is_plainly_clean(body) or not self._is_clean_in_pieces(body, content_type):
                return False
            self._secrets.note_clean(mark, generation)
        return True

    def _is_plainly_clean(self, body: bytes) -> bool:
        return not _ESCAPED.search(body) and not self._spans(body)

    def _is_clean_in_pieces(self, body: bytes, content_type: str) -> bool:
        texts = joined(body, content_type) if _is_text(body) else ()
        return texts is not None and not any(map(self._spans, texts))

    # --- places ---

    def found(self, body: bytes, content_type: str, *, pieces: bool) -> Iterator[tuple[str, Span, bytes]]:
        """What would be taken out of a body: where it is, and what. `pieces`: also what comes piece by piece."""
        if self._is_clean(body, content_type) if pieces else self._is_plainly_clean(body):
            return
        texts = texts_of(body, content_type)
        for named in (False, True) if pieces else ():
            for channel, contents, spans in self._joined(body, texts, named=named):
                joined = b"".join(contents)
                for span in spans:
                    yield _leaf_at(channel, contents, span.start).place, span, joined[span.start : span.end]
        for leaf in texts:
            if _ESCAPED.search(body, leaf.start, leaf.end):
                content = _content(leaf, body)
                yield from ((leaf.place, span, content[span.start : span.end]) for span in self._spans(content))
        for span in self._spans(body):
            place = next((leaf.place for leaf in texts if leaf.start <= span.start < leaf.end), "")
            yield place, span, body[span.start : span.end]


def texts_of(body: bytes, content_type: str) -> list[Leaf]:
    """The texts of a body; of one that is no text there are none."""
    return [leaf for event in leaves(body, content_type) for leaf in event] if _is_text(body) else []


def _is_text(body: bytes) -> bool:
    return b"\0" not in body


def _content(leaf: Leaf, body: bytes) -> bytes:
    """What a leaf says; nothing where that cannot be read."""
    try:
        return leaf.read(body).encode(errors="surrogatepass")
    except ValueError:
        return b""


def _leaf_at(channel: Sequence[Leaf], contents: Sequence[bytes], at: int) -> Leaf:
    return channel[bisect_right(list(accumulate(map(len, contents))), at)]


def _spread(
    channel: Sequence[Leaf], contents: Sequence[bytes], spans: Sequence[Span]
) -> Iterator[tuple[Leaf, list[Span]]]:
    """What was found in the joined text, piece by piece: the first one touched gets what stands instead."""
    start = 0
    for leaf, content in zip(channel, contents, strict=True):
        end = start + len(content)
        own = [span for span in spans if span.start < end and span.end > start]
        if own:
            yield leaf, [_inside(span, start, end) for span in own]
        start = end


def _inside(span: Span, start: int, end: int) -> Span:
    text = span.text if span.start >= start else b""
    return span._replace(start=max(span.start - start, 0), end=min(span.end, end) - start, text=text)


_ESCAPED = re.compile(rb"\\u00(?:2[bdefBDEF]|3[0-9dD]|[4-7])")
"""A character, written as an escape, that could stand in a secret."""
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


def _edits(spans: Sequence[Span]) -> list[Edit]:
    return [(span.start, span.end, span.text) for span in spans]
