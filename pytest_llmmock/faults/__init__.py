"""Faults: what goes wrong on purpose, on top of recorded and scripted replies alike."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from secrets import randbelow

from ..core.model import Exchange, Problem, Reply
from ..errors import UsageError
from . import answers, streams
from .chance import DRAWN, KINDS, Kind, by_chance
from .fault import Fault, changed, rate_limit, server_error
from .meeting import SetFault, Store, When, met_by

_SEEDS = 1_000_000


class Faults:
    """What goes wrong in a test: `llm_mock.faults.on(call=2).cut(after_events=5)`.

    Each method sets one fault and returns the same object, so that others can follow. A fault is met by each request
    that `on` leaves, or by the first `times` of them; requests are counted from the moment at which it is set. An
    answer that was changed does not use up its recording: asked again, the request gets it as it was.
    """

    def __init__(self, store: Store | None = None, when: When | None = None) -> None:
        self._store = store or Store()
        self._when = when or When()

    def on(self, *, call: int | Collection[int] | None = None, model: str = "", operation: str = "") -> Faults:
        """For some requests only.

        `call` is the number of a request, from 1, or several, counted among those that `model` and `operation` (names,
        or patterns with `*`) leave. Raises `UsageError`.
        """
        calls = () if call is None else (call,) if isinstance(call, int) else tuple(call)
        if (call is not None and not calls) or not all(isinstance(number, int) and number >= 1 for number in calls):
            raise UsageError(f"faults.on(call={call!r}): a call is a number from 1, or several of them.")
        outer = self._when
        return Faults(self._store, When(calls or outer.calls, model or outer.model, operation or outer.operation))

    def clear(self) -> Faults:
        """Take back every fault that was set."""
        with self._store.lock:
            self._store.faults.clear()
        return self

    # --- what can go wrong: instead of an answer ---

    def rate_limit(self, times: int | None = 1, retry_after: float = 1.0) -> Faults:
        """Status 429. SDKs that know `retry-after-ms` do not wait; `retry_after` (seconds) is told beside it."""
        _check("rate_limit", retry_after=retry_after)
        return self._set(rate_limit(retry_after), times)

    def server_error(self, times: int | None = 1, status: int = 503) -> Faults:
        """An error of the server, in the protocol's own shape. Raises `UsageError`."""
        if not 400 <= status <= 599:
            raise UsageError(f"faults.server_error(status={status!r}): an error has a status from 400 to 599.")
        return self._set(server_error(status), times)

    # --- what can go wrong: with the answer ---

    def latency(self, ttft: float = 0.0, per_event: float = 0.0, *, times: int | None = None) -> Faults:
        """So many seconds later: the first event, and each one after it once more."""
        _check("latency", ttft=ttft, per_event=per_event)
        alter = changed(streams.late, ttft, per_event)
        return self._set(Fault(f"latency(ttft={ttft}, per_event={per_event})", alter=alter), times)

    def stall(self, seconds: float, after_events: int = 0, *, times: int | None = None) -> Faults:
        """Nothing for so many seconds behind so many events."""
        _check("stall", seconds=seconds, after_events=after_events)
        alter = changed(streams.stalled, seconds, after_events)
        return self._set(Fault(f"stall({seconds}, after_events={after_events})", alter=alter), times)

    def cut(self, after_events: int | None = None, *, times: int | None = None) -> Faults:
        """The connection breaks behind so many events, or in the middle. Of a plain answer half has come."""
        _check("cut", after_events=after_events)
        return self._set(Fault(_name("cut", after_events), alter=changed(streams.cut, after_events)), times)

    def truncate(self, after_events: int | None = None, *, times: int | None = None) -> Faults:
        """The stream ends well, but behind so many events, or before its last. Of a plain answer half has come."""
        _check("truncate", after_events=after_events)
        return self._set(Fault(_name("truncate", after_events), alter=changed(streams.truncated, after_events)), times)

    def garble(self, after_events: int | None = None, *, times: int | None = None) -> Faults:
        """The event behind so many, or in the middle, cannot be read: its second half is overwritten."""
        _check("garble", after_events=after_events)
        return self._set(Fault(_name("garble", after_events), alter=changed(streams.garbled, after_events)), times)

    def mid_stream_error(
        self,
        after_events: int | None = None,
        *,
        message: str = streams.MESSAGE,
        code: str = "server_error",
        times: int | None = None,
    ) -> Faults:
        """Behind so many events, or in the middle, comes one that tells of an error, in the protocol's own shape.

        It is the last. A plain answer is an error of status 500.
        """
        _check("mid_stream_error", after_events=after_events)
        problem = Problem(500, message, code, "server_error")

        def alter(exchange: Exchange, reply: Reply) -> Reply:
            return streams.failed(exchange, reply, after_events, problem)

        return self._set(Fault(_name("mid_stream_error", after_events), alter=alter), times)

    def bad_tool_json(self, *, times: int | None = None) -> Faults:
        """The arguments of each tool call lose their last character: they are no JSON any more.

        Where a protocol sends them as an object (Ollama, Anthropic's plain answers) there is nothing to break.
        """
        return self._set(Fault("bad_tool_json()", alter=changed(answers.with_bad_tool_json)), times)

    def finish(self, reason: str, *, times: int | None = None) -> Faults:
        """The answer gives this reason for its end, in the words of Chat Completions: `length`, `content_filter` …

        Raises `UsageError`.
        """
        if not reason or not isinstance(reason, str):
            raise UsageError(
                f"faults.finish({reason!r}): a reason is a word such as 'length', 'content_filter' or 'stop'."
            )
        return self._set(Fault(f"finish({reason!r})", alter=changed(answers.with_finish, reason)), times)

    def random(
        self,
        rate: float = 0.1,
        seed: int | None = None,
        *,
        kinds: Kind | Sequence[Kind] = KINDS,
        times: int | None = None,
    ) -> Faults:
        """Each request meets, with this probability, one of these faults.

        The same seed chooses the same for the n-th request. A seed that is not given is drawn, and told when the test
        fails. Raises `UsageError`.
        """
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        unknown = [kind for kind in kinds if kind not in DRAWN]
        if unknown or not kinds or not 0 <= rate <= 1:
            known = ", ".join(DRAWN)
            raise UsageError(
                f"faults.random(rate={rate!r}, kinds={[*kinds]!r}): rate is 0 to 1, kinds are of: {known}."
            )
        seed = randbelow(_SEEDS) if seed is None else seed
        self._store.seeds.append(f"faults.random(rate={rate}, seed={seed})")
        return self._set(by_chance(rate, seed, kinds), times)

    def _set(self, fault: Fault, times: int | None) -> Faults:
        if times is not None and times < 1:
            raise UsageError(f"faults.{fault.name}: times={times!r} is below 1.")
        with self._store.lock:
            self._store.faults.append(SetFault(fault, self._when, times))
        return self

    # --- what comes of it ---

    @property
    def seeds(self) -> Sequence[str]:
        """How chance can be made to fall the same way again."""
        return tuple(self._store.seeds)

    def answer(self, exchange: Exchange) -> Reply | None:
        """The first source: the error that a fault answers with. What else the request meets waits for its answer."""
        if not self._store.faults:
            return None
        with self._store.lock:
            met = met_by(self._store.faults, exchange)
        if not met or met[0].refusal is None:
            exchange.faults = met
            return None
        exchange.notes.append(f"fault: {met[0].name}")
        reply = exchange.dialect.write_error(met[0].refusal)
        reply.source = "script"
        return reply


def _name(name: str, after_events: int | None) -> str:
    return f"{name}()" if after_events is None else f"{name}(after_events={after_events})"


def _check(name: str, **amounts: float | None) -> None:
    """Raises `UsageError` for what is no amount: seconds, or a number of events."""
    for amount, value in amounts.items():
        kind = "a whole number" if amount == "after_events" else "a number of seconds"
        wanted = int if amount == "after_events" else (int, float)
        if value is not None and not (isinstance(value, wanted) and 0 <= value < math.inf):
            raise UsageError(f"faults.{name}({amount}={value!r}): this is {kind}, 0 or more.")
