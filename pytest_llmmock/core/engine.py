"""The whole decision: a request comes in, the first source that knows an answer wins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import LLMMockError, ScriptError, TranslationError, UpstreamError
from .codings import LARGEST
from .journal import Journal
from .json_text import json_error
from .model import Exchange, Later, Problem, Reply, Request, Source, SourceName


class Engine:
    """Reads a request, offers it to the sources in turn, notes what came of it."""

    def __init__(
        self,
        read: Callable[[Request], Exchange],
        sources: Sequence[Source],
        explain: Callable[[Exchange], str],
        journal: Journal,
        on_trouble: Callable[[str], object] = lambda trouble: None,
        *,
        deliver: Callable[[Exchange, Reply], Reply] = lambda exchange, reply: reply,
        waits: bool = False,
        clean: Callable[[str], str] = str,
    ) -> None:
        self.read = read
        self.sources = sources
        self.explain = explain
        self.journal = journal
        self.on_trouble = on_trouble
        """Told, in words, of each request that could not be answered."""
        self.deliver = deliver
        """What becomes of a reply on its way out."""
        self.waits = waits
        """Whether the last source may take time."""
        self.clean = clean
        """Takes secrets out of what is told: it goes to terminals, to reports, to the logs of CI."""

    def handle(self, request: Request) -> Reply:
        """The reply to this request; an unmatched one is answered too, with an explanation."""
        begun = self.begin(request)
        return begun if isinstance(begun, Reply) else begun()

    def begin(self, request: Request) -> Reply | Callable[[], Reply]:
        """The reply, or what gives it where it may take time.

        Who may not wait begins here, so that requests made at once are answered in the order of asking.
        """
        exchange = self.read(request)
        found = self._first(exchange, self.sources[:-1] if self.waits else self.sources)
        if isinstance(found, Later):
            return lambda: self._handed_out(exchange, self._safely(exchange, found.reply))
        if found is None and self.waits:
            return lambda: self._handed_out(exchange, self._last(exchange))
        return self._handed_out(exchange, found or self._unmatched(exchange))

    def _last(self, exchange: Exchange) -> Reply:
        """What the last source says, which may take time anyhow."""
        found = self._first(exchange, self.sources[-1:])
        if isinstance(found, Later):
            return self._safely(exchange, found.reply)
        return found or self._unmatched(exchange)

    def _handed_out(self, exchange: Exchange, reply: Reply) -> Reply:
        return self.journal.note(exchange, self.deliver(exchange, reply))

    def _first(self, exchange: Exchange, sources: Sequence[Source]) -> Reply | Later | None:
        """The reply of the first source that has one."""
        try:
            for source in sources:
                found = source.answer(exchange)
                if found is not None:
                    return found
        except LLMMockError as error:
            return self._failed(exchange, error)
        return None

    def _safely(self, exchange: Exchange, answer: Callable[[], Reply]) -> Reply:
        """The answer, or the reply that says what went wrong with it."""
        try:
            return answer()
        except LLMMockError as error:
            return self._failed(exchange, error)

    def _failed(self, exchange: Exchange, error: LLMMockError) -> Reply:
        """The reply that says what went wrong."""
        if isinstance(error, TranslationError):
            return self.refuse(exchange, "upstream", 400, str(error), error.code)
        if isinstance(error, UpstreamError):
            return self.refuse(exchange, "upstream", 502, str(error), "upstream_error")
        if isinstance(error, ScriptError):
            return self.refuse(exchange, "script", 500, str(error), "script_error")
        return self.refuse(exchange, "unmatched", 500, str(error), "llmmock_error")

    def _unmatched(self, exchange: Exchange) -> Reply:
        broken = unreadable(exchange)
        if broken:
            return self.refuse(exchange, "unmatched", 400, broken, "invalid_json")
        return self.refuse(exchange, "unmatched", 404, self.explain(exchange), "no_recording")

    def refuse(self, exchange: Exchange, source: SourceName, status: int, why: str, code: str) -> Reply:
        """An answer, not an exception: client libraries retry or rewrap exceptions and hide their text."""
        exchange.trouble = why = self.clean(why)
        self.on_trouble(why)
        problem = Problem(status, why, code, "llmmock_error", headers=(("x-should-retry", "false"),))
        reply = exchange.dialect.write_error(problem)
        reply.source = source
        return reply


def unreadable(exchange: Exchange) -> str:
    """Why nobody could answer this request: it says that it is JSON and is not. '' when that is not so."""
    request, coding = exchange.request, exchange.sent.header("content-encoding")
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data" and not request.body.rstrip().endswith(b"--"):
        return f"The form that is the body of {request.method} {request.path} has no end: it was cut off."
    if media_type != "application/json" or not request.body:
        return ""
    error = json_error(request.body)
    if not error:
        return ""
    start = ascii(request.body[:60].decode(errors="replace"))
    packed = f" Its header says content-encoding: {coding}.{_left_packed(exchange)}" if coding else ""
    return f"The body of {request.method} {request.path} is not JSON: {error}.{packed} It begins: {start}"


def _left_packed(exchange: Exchange) -> str:
    """Why a body stands as it came."""
    if exchange.request.body != exchange.sent.body:
        return ""
    return f" It is none that can be unpacked, to {LARGEST >> 20} MiB at most."
