"""Asks again what was recorded, in its order, and says what is answered otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..cassettes.cassette import Interaction, Recorded
from ..cassettes.difference import MISSING, Difference
from ..cassettes.key_formats import PLACEHOLDER
from ..cassettes.recorder import refuse_html
from ..cassettes.scrub import scrub
from ..cassettes.secrets import Secrets
from ..core.json_text import is_json
from ..core.model import Exchange, Reply, Request
from ..errors import CassetteError, CutConnection, UpstreamError
from .classes import Class, Found, gravest
from .comparing import compare
from .references import NotMade, References

Read = Callable[[Request], Exchange]
Ask = Callable[[Exchange], Reply]
"""Sends a request to the upstream. Raises `UpstreamError`."""

PATIENCE = 3
"""Failures in a row behind which the upstream is not asked any more."""

_REFUSALS = (401, 403)
"""Statuses that no other request would change."""

_COSTLY = re.compile(r"/(?:batches|fine_tuning|fine-tunes)(?:/|$)")
_LISTS = ("/batches", "/jobs", "/fine-tunes")
_UNDOING = ("DELETE", "PUT", "PATCH")
_WHOLE = re.compile(re.escape(PLACEHOLDER) + "[a-z-]+")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded interaction, and where it stands."""

    cassette: str
    number: int
    interaction: Interaction
    exchange: Exchange


@dataclass(slots=True)
class Outcome:
    """What became of one recording."""

    recording: Recording
    found: list[Found] = field(default_factory=list)
    skipped: str = ""
    """Why it was not asked; '' when it was."""
    notes: list[str] = field(default_factory=list)
    today: Reply | None = None
    """The answer of today, without secrets."""

    @property
    def name(self) -> Class:
        """The gravest class."""
        return gravest(self.found)

    @property
    def classes(self) -> set[Class]:
        """All that it has; none when it was not asked."""
        return set() if self.skipped else {self.name, *(each.name for each in self.found)}


class Verifier:
    """Asks the recordings of one cassette after the other."""

    def __init__(self, read: Read, ask: Ask, secrets: Secrets) -> None:
        self._read = read
        self._ask = ask
        self._secrets = secrets
        self._references: dict[str, References] = {}
        self._in_vain = 0

    def verify(self, recording: Recording) -> Outcome:
        """Ask it, or say why not."""
        outcome = Outcome(recording)
        references = self._references.setdefault(recording.cassette, References())
        answer = self._answered(outcome, references)
        self._note(references, recording, answer)
        return outcome

    def _answered(self, outcome: Outcome, references: References) -> Reply | None:
        """Today's answer as it came; None where there is none."""
        recording = outcome.recording
        try:
            outcome.skipped = unaskable(recording.exchange, references)
            if outcome.skipped:
                return None
            request = references.renewed(recording.exchange.request)
            outcome.notes += _told(request)
            return self._asked(outcome, self._read(request))
        except NotMade as error:
            outcome.skipped = str(error)
        except CassetteError as error:
            outcome.found = [_failed(str(error))]
        return None

    def _asked(self, outcome: Outcome, exchange: Exchange) -> Reply | None:
        if self._in_vain >= PATIENCE:
            outcome.skipped = f"the upstream did not answer, or refused, the {PATIENCE} requests before it"
            return None
        self._in_vain += 1
        try:
            answer = self._whole(exchange)
        except (UpstreamError, CutConnection) as error:
            outcome.found = [_failed(_one_line(str(error)))]
            return None
        if answer.status not in _REFUSALS:
            self._in_vain = 0
        self._compare(outcome, exchange, answer)
        return answer

    def _whole(self, exchange: Exchange) -> Reply:
        """The answer with its last frame. Raises `UpstreamError`, `CutConnection`."""
        reply = self._ask(exchange)
        self._secrets.learn(reply)
        refuse_html(exchange, reply, self._secrets)
        return replace(reply, frames=list(reply.frames), live=False)

    def _compare(self, outcome: Outcome, exchange: Exchange, answer: Reply) -> None:
        recorded = outcome.recording.interaction.reply
        outcome.today = scrub(Recorded(exchange.request, answer, {}), self._secrets).reply
        if recorded.json() is not None and answer.status == recorded.status and not is_json(answer.body):
            outcome.found = [_failed(f"the answer is not JSON ({answer.content_type or 'without a type'})")]
            return
        outcome.found = compare(outcome.recording.exchange, recorded, outcome.today)
        if answer.status >= 400 and answer.status != recorded.status:
            outcome.notes.append(_one_line(exchange.dialect.read_reply(outcome.today).joined("error")))
        outcome.notes += _made(exchange, answer)

    def _note(self, references: References, recording: Recording, answer: Reply | None) -> None:
        try:
            references.learn(recording.number, recording.exchange, recording.interaction.reply, answer)
        except CassetteError:
            return  # `_answered` has told it

    def pass_over(self, recording: Recording) -> None:
        """Nothing is asked: what its answer made is not there today."""
        self._note(self._references.setdefault(recording.cassette, References()), recording, None)


def is_askable(recording: Recording) -> bool:
    """Whether it would be asked if it were the first."""
    try:
        return not unaskable(recording.exchange, References())
    except CassetteError:
        return False


def unaskable(exchange: Exchange, references: References) -> str:
    """Why a request is better not sent again; '' when it may be."""
    request = exchange.request
    if _COSTLY.search(request.path) and request.method != "GET":
        return "is done hours later, and costs more than one request"
    if _COSTLY.search(request.path) and not request.path.endswith(_LISTS):
        return "tells how far something is that was begun when it was recorded"
    if _undoes(request) and not references.made_today(request):
        return f"{request.method} would change what was not made by this run"
    place = next(_scrubbed(request), "")
    return f"a secret was scrubbed out of it, at {place}" if place else ""


def _undoes(request: Request) -> bool:
    return request.method in _UNDOING or request.path.endswith("/cancel")


def _scrubbed(request: Request) -> Iterator[str]:
    """Where something stands in place of a secret that the provider needs: as a whole value."""
    if PLACEHOLDER in request.path:
        yield f"the path {request.path}"
    if PLACEHOLDER in request.query:
        yield f"the query {request.query}"
    if PLACEHOLDER.encode() in request.body:
        yield from _places(request.json(), "")


def _places(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _places(item, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, f"{place}[{number}]")
    elif isinstance(value, str) and _WHOLE.fullmatch(value):
        yield place


def _told(request: Request) -> list[str]:
    held = PLACEHOLDER.encode() in request.body
    return [f"asked with {PLACEHOLDER}… where a secret stood among other words"] if held else []


def _made(exchange: Exchange, answer: Reply) -> list[str]:
    """What a run leaves behind at the upstream, unless a later recording deletes it."""
    value = answer.json() if exchange.operation == "files.create" and answer.status < 400 else None
    id = value.get("id") if isinstance(value, dict) else None
    return [f"made {id} at the upstream"] if id else []


def _failed(text: str) -> Found:
    return Found("failed", Difference("answer", MISSING, text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
