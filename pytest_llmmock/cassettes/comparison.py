"""Two cassettes compared by what they mean: which requests are the same, and what was answered otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ..core.model import Exchange, Request
from ..core.prompt import Answer
from . import format
from .cassette import Interaction
from .difference import Difference, differences
from .matchers import Keys
from .meaning import details, ids, meaning, noise

Read = Callable[[Request], Exchange]

Kind = Literal["same", "noise", "answer", "request", "added", "removed"]

WORDS: dict[Kind, str] = {
    "same": "same",
    "noise": "only noise differs",
    "answer": "answer changed",
    "request": "request changed",
    "added": "added",
    "removed": "removed",
}
"""Kind of change -> what it is called."""

SILENT: tuple[Kind, ...] = ("same", "noise")
"""What means the same in both cassettes."""

_ALIKE = 0.2
"""The share of lines from which two requests may be the same one, edited."""

_MANY = 20_000
"""Pairs of requests from which on each is compared with its neighbours only."""

_NEIGHBOURS = 20


class Side:
    """An interaction in one of the cassettes; read as far as it is needed."""

    def __init__(self, number: int, interaction: Interaction, keys: Keys, read: Read) -> None:
        self.number = number
        """Its number in the cassette, from 1."""
        self.interaction = interaction
        self._keys = keys
        self._read = read

    @cached_property
    def exchange(self) -> Exchange:
        return self._read(self.interaction.request)

    @cached_property
    def answer(self) -> Answer:
        return self.exchange.dialect.read_reply(self.interaction.reply)

    @cached_property
    def key(self) -> str:
        return self.interaction.key or self._keys.key(self.exchange)

    @cached_property
    def lines(self) -> Counter[bytes]:
        return Counter(format.lines_of_request(self.interaction))

    @property
    def text(self) -> bytes:
        """The text of it without our comment, or b'' when it is not known."""
        source = self.interaction.source
        return source[source.find(b"- request:\n") :] if source else b""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one interaction."""

    kind: Kind
    old: Side | None
    new: Side | None
    differences: tuple[Difference, ...] = ()
    """Where they differ: paths begin with `request` or `answer`."""
    noise: tuple[str, ...] = ()
    """What differs and means nothing: `ids`, `created`, `usage`, `headers`, `times`, `bytes`."""

    @property
    def side(self) -> Side:
        """The interaction as it is now, or as it was last."""
        found = self.new or self.old
        assert found is not None  # no change is about nothing
        return found


def compare(old: Sequence[Interaction], new: Sequence[Interaction], keys: Keys, read: Read) -> list[Change]:
    """What became of each interaction, in the order of the new cassette. Raises `CassetteError`."""
    ours = [Side(number, each, keys, read) for number, each in enumerate(old, 1)]
    theirs = [Side(number, each, keys, read) for number, each in enumerate(new, 1)]
    partners = _partners(ours, theirs)
    renamed = _renamed((partners.get(side.number), side) for side in theirs)
    changes = [_change(partners.get(side.number), side, keys, renamed) for side in theirs]
    paired = {partner.number for partner in partners.values()}
    return list(_in_order(changes, [side for side in ours if side.number not in paired]))


def _in_order(changes: Iterable[Change], removed: list[Side]) -> Iterator[Change]:
    """What was removed stands before the next one that stayed."""
    for change in changes:
        while change.old and removed and removed[0].number < change.old.number:
            yield Change("removed", removed.pop(0), None)
        yield change
    yield from (Change("removed", side, None) for side in removed)


# --- which belong together ------------------------------------------------------------------------------


def _partners(old: list[Side], new: list[Side]) -> dict[int, Side]:
    """Number of a new interaction -> the old one: the same request first, then the one most like it."""
    found = _by_key(old, new)
    taken = {side.number for side in found.values()}
    rest = [side for side in old if side.number not in taken]
    found.update(_by_likeness(rest, [side for side in new if side.number not in found]))
    return found


def _by_key(old: list[Side], new: list[Side]) -> dict[int, Side]:
    """The same request asked twice was answered twice: in order."""
    known: dict[str, list[Side]] = {}
    for side in reversed(old):
        known.setdefault(side.key, []).append(side)
    return {side.number: known[side.key].pop() for side in new if known.get(side.key)}


def _by_likeness(old: list[Side], new: list[Side]) -> dict[int, Side]:
    candidates = sorted(_candidates(old, new), key=lambda found: found[:2])
    found: dict[int, Side] = {}
    taken: set[int] = set()
    for _, _, one, other in candidates:
        if one.number not in taken and other.number not in found:
            taken.add(one.number)
            found[other.number] = one
    return found


def _candidates(old: list[Side], new: list[Side]) -> Iterator[tuple[float, int, Side, Side]]:
    """Pairs that ask the same operation: how unlike they are, how far apart, and the two."""
    for target in dict.fromkeys(side.exchange.target for side in new):
        ours = [side for side in old if side.exchange.target == target]
        theirs = [side for side in new if side.exchange.target == target]
        reach = _NEIGHBOURS if len(ours) * len(theirs) > _MANY else len(ours) + len(theirs)
        for place, other in enumerate(theirs):
            start = max(0, place - reach)
            for at, one in enumerate(ours[start : place + reach + 1], start):
                likeness = _likeness(one.lines, other.lines)
                if likeness >= _ALIKE:
                    yield -likeness, abs(at - place), one, other


def _likeness(one: Counter[bytes], other: Counter[bytes]) -> float:
    shared = sum(min(count, other[line]) for line, count in one.items() if line in other)
    return shared / max(one.total(), other.total(), 1)


# --- how two differ -------------------------------------------------------------------------------------


def _renamed(pairs: Iterable[tuple[Side | None, Side]]) -> dict[str, str]:
    """Ids that the model made up in the old recordings -> those in the new ones.

    The next request of a conversation says them back, so it differs in every recording of it.
    """
    changed = [(old, new) for old, new in pairs if old is not None and not (old.text and old.text == new.text)]
    if all(old.key == new.key for old, new in changed):
        return {}
    return {one: other for old, new in changed for one, other in zip(ids(old.answer), ids(new.answer), strict=False)}


def _change(old: Side | None, new: Side, keys: Keys, renamed: dict[str, str]) -> Change:
    if old is None:
        return Change("added", None, new)
    if old.text and old.text == new.text:
        return Change("same", old, new)
    asked, ids = _asked_otherwise(old, new, keys, renamed)
    answered = _answered_otherwise(old, new)
    kind: Kind = "request" if asked else "answer" if answered else "same"
    found = dict.fromkeys([*(["ids"] if ids else []), *_noise(old, new)])
    return Change("noise" if kind == "same" and found else kind, old, new, (*asked, *answered), tuple(found))


def _asked_otherwise(old: Side, new: Side, keys: Keys, renamed: dict[str, str]) -> tuple[list[Difference], bool]:
    """The places at which the requests differ, and whether there are others in which only an id does."""
    if old.key == new.key:
        return [], False
    ours, theirs = keys.values(old.exchange), keys.values(new.exchange)
    places = [
        each
        for name, value in ours.items()
        for each in differences(value, theirs[name], "request" if name == "body" else f"request.{name}")
    ]
    real = [each for each in places if not _is_renamed(each, renamed)]
    return real, len(real) < len(places)


def _is_renamed(place: Difference, renamed: dict[str, str]) -> bool:
    return isinstance(place.recorded, str) and renamed.get(place.recorded) == place.asked


def _answered_otherwise(old: Side, new: Side) -> list[Difference]:
    ours, theirs = (meaning(side.exchange, side.interaction.reply, side.answer) for side in (old, new))
    told = list(differences(ours, theirs, "answer"))
    return told or list(details(old.interaction.reply, new.interaction.reply, "answer"))


def _noise(old: Side, new: Side) -> list[str]:
    """What differs beside the meaning; the bytes are named only when nothing else explains them."""
    ours, theirs = noise(old.interaction.reply, old.answer), noise(new.interaction.reply, new.answer)
    found = [name for name, value in ours.items() if theirs[name] != value]
    explained = {"ids", "created", "usage"} & set(found)
    return [name for name in found if name != "bytes" or not explained]
