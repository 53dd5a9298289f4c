"""The source that asks the upstream, and keeps what passed once it has passed whole."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from ..core.answered import answer_of
from ..core.json_text import is_json
from ..core.live import Live
from ..core.model import Exchange, Problem, Reply, Request, Send, Upstream
from ..errors import BusyError, CassetteError, UpstreamError
from .cassette import Interaction, Recorded
from .dates import written
from .matchers import Keys
from .recordings import Recordings
from .scrub import scrub
from .scrubber import Scrubber
from .secrets import Secrets
from .underway import Underway


def now() -> str:
    return written(time.time())


class Witness(Protocol):
    """Sees what upstreams are asked and answer: somebody counts, somebody tells."""

    def asks(self, exchange: Exchange) -> None:
        """It is about to be asked. Raises `UpstreamError` where it is not to be."""

    def begins(self, exchange: Exchange, reply: Reply) -> None:
        """The answer has begun to come."""

    def fails(self, exchange: Exchange) -> None:
        """There is no answer."""

    def keeps(self, exchange: Exchange, reply: Reply) -> None:
        """The answer is whole, and recorded."""


class Recorder:
    """Asks, and hands the reply on as it comes. A reply that is left early is not kept, nor one that breaks off.

    With `errors` that one is kept as well, as far as it came. What is left early is kept all the same where `underway`
    has it read to its end.
    """

    def __init__(
        self,
        upstream: Callable[[Exchange], Upstream],
        send: Send,
        keys: Keys,
        recordings: Recordings,
        *,
        errors: bool = False,
        underway: Underway | None = None,
        witnesses: Sequence[Witness] = (),
    ) -> None:
        self._upstream = upstream
        self._send = send
        self._keys = keys
        self._recordings = recordings
        self._errors = errors
        self._underway = underway or Underway()
        self._witnesses = witnesses
        self._spoilt: dict[str, deque[Reply]] = {}
        """What was recorded whole and reached no client so: who asks again gets it, and no upstream is asked."""

    def answer(self, exchange: Exchange) -> Reply:
        again = self._recorded_before(exchange)
        if again is not None:
            return again
        try:
            with self._underway.asking():
                return self._asked(exchange, self._upstream(exchange))
        except BusyError as busy:
            return _busy(exchange, busy)

    def _recorded_before(self, exchange: Exchange) -> Reply | None:
        if not self._spoilt:
            return None
        key = self._keys.key(exchange)
        try:
            reply = self._spoilt.get(key, _NOTHING).popleft()
        except IndexError:
            return None
        exchange.give_back = partial(self.give_back, key, reply)
        return replace(reply)  # a copy, to be marked

    def give_back(self, key: str, reply: Reply) -> None:
        """Let what was recorded answer the same request again, because no client had it as it is."""
        self._spoilt.setdefault(key, deque()).append(reply)

    def _asked(self, exchange: Exchange, upstream: Upstream) -> Reply:
        place = self._recordings.reserve(exchange.clock)
        exchange.upstream = upstream.NAME
        meta: dict[str, Any] = {
            "operation": exchange.operation,
            "upstream": upstream.NAME,
            "recorded": now(),
        }
        key = self._keys.key(exchange)  # now, as replay will: what is learned later it will not know either
        exchange.noted = len(exchange.notes)
        reply = self._forwarded(exchange, upstream)
        reply.source = "upstream"
        self._keys.secrets.learn(reply, replace(exchange.request, headers=exchange.credentials))
        exchange.credentials = ()
        refuse_html(exchange, reply, self._keys.secrets)
        if reply.status < 400 or self._errors:
            self._keep_when_whole(place, exchange, reply, meta, key)
        else:
            exchange.notes.append(f"status {reply.status} was passed on and not recorded")
        return reply

    def _forwarded(self, exchange: Exchange, upstream: Upstream) -> Reply:
        try:
            for witness in self._witnesses:
                witness.asks(exchange)
            reply = upstream.forward(exchange, self._sent)
        except BaseException:
            for witness in self._witnesses:
                witness.fails(exchange)
            raise
        for witness in self._witnesses:
            witness.begins(exchange, reply)
        return reply

    def _sent(self, request: Request) -> Reply:
        """Ask, and remember with which credentials: the upstream's may be others than the client's."""
        self._keys.secrets.learn(request)
        return self._send(request)

    def _keep_when_whole(self, place: int, exchange: Exchange, reply: Reply, meta: dict[str, Any], key: str) -> None:
        if isinstance(reply.frames, Live):
            reply.frames.then(lambda: self._keep_whole(place, exchange, reply, meta, key))
            reply.frames.or_else(partial(self._keep_broken, place, exchange, reply, meta, key, reply.frames))
            self._underway.follow(key, reply.frames)
        else:
            self._keep_whole(place, exchange, reply, meta, key)

    def _keep_broken(
        self, place: int, exchange: Exchange, reply: Reply, meta: dict[str, Any], key: str, frames: Live
    ) -> None:
        """An answer that breaks off, or tells that it has failed in the middle, is an error like others."""
        if not self._errors:
            exchange.trouble = f"{frames.failure.rstrip('.')}. {_NOT_KEPT}"
            return
        if not exchange.is_kept_broken:
            exchange.notes.append(f"recorded as it broke off: {frames.cut or frames.failure}")
        exchange.is_kept_broken = True
        self._keep(place, exchange, replace(reply, cut=frames.cut), meta, key)

    def _keep_whole(self, place: int, exchange: Exchange, reply: Reply, meta: dict[str, Any], key: str) -> None:
        if _is_broken_json(reply):
            exchange.trouble = _NOT_JSON.format(
                request=exchange.request, reply=reply, start=_beginning(reply, self._keys.secrets)
            )
            return
        self._keep(place, exchange, reply, meta, key)

    def _keep(self, place: int, exchange: Exchange, reply: Reply, meta: dict[str, Any], key: str) -> None:
        kept = replace(reply, frames=list(reply.arrived), live=False, source="cassette")
        for witness in self._witnesses:
            witness.keeps(exchange, kept)
        notes = exchange.notes[exchange.noted :]  # some are known at the end of a stream only
        meta = {**meta, **({"notes": notes} if notes else {}), **_named_model(exchange, kept)}
        whole = Recorded(exchange.request, kept, meta)
        exchange.give_back = partial(self.give_back, key, kept)
        try:
            self._recordings.keep(place, Interaction.of(scrub(whole, self._keys.secrets), key))
        except CassetteError as error:  # the answer is the client's all the same
            exchange.trouble = str(error)


_NOTHING: deque[Reply] = deque()


def _busy(exchange: Exchange, busy: BusyError) -> Reply:
    """No trouble of the test: clients come again."""
    exchange.upstream = ""
    exchange.notes.append(str(busy))
    headers = (("retry-after", str(busy.retry_after)),)
    problem = Problem(429, str(busy), "queue_full", "rate_limit_error", headers=headers)
    reply = exchange.dialect.write_error(problem)
    reply.source = "upstream"
    return reply


_NOT_KEPT = "It was not recorded. With record_errors it is, as far as it came, and breaks off there in replay too."
_NOT_JSON = (
    "The upstream answered {request.method} {request.path} with {reply.content_type} that is not JSON. "
    "It was passed on and not recorded. It begins: {start}"
)


def _named_model(exchange: Exchange, reply: Reply) -> dict[str, str]:
    """The model that has answered, as the provider calls it: a dated name where an alias was asked."""
    model = answer_of(exchange, reply).model
    return {"model": model} if model else {}


def _is_broken_json(reply: Reply) -> bool:
    media_type = reply.content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" and bool(reply.body.strip()) and not is_json(reply.body)


def refuse_html(exchange: Exchange, reply: Reply, secrets: Secrets) -> None:
    """A web page where a model's answer is due comes from something else: a proxy, a login, a wrong port.

    Raises `UpstreamError`.
    """
    is_page = reply.content_type.lower().startswith("text/html")
    if exchange.operation == "opaque" or not is_page or reply.status >= 400:
        return
    if isinstance(reply.frames, Live):
        next(iter(reply.frames), None)
        reply.frames.close()
    page = _beginning(reply, secrets)
    raise UpstreamError(
        f"The upstream answered {exchange.request.method} {exchange.request.path} with a web page "
        f"(status {reply.status}, {reply.content_type}) where JSON is due; nothing was recorded. "
        f"Is its address right? The page begins: {page}"
    )


def _beginning(reply: Reply, secrets: Secrets) -> str:
    """Clean before it is cut: half a key is no secret that anybody would find."""
    text = Scrubber(secrets).text(reply.body[:20_000].decode(errors="replace"))
    return " ".join(text.split())[:200]
