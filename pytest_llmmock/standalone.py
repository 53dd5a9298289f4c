"""A server by itself: all cassettes at once, or the one that a request picks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote

from . import dialects
from .cassettes import library
from .cassettes.advice import Advice
from .cassettes.cassette import Cassette
from .control.front import PATHS, Front, Health
from .core.engine import Engine
from .core.model import Problem, Reply, Request
from .deck import Deck
from .gate.origins import Handle, opened_to, read_origins
from .gate.tokens import wrong_key
from .settings import Settings, keys_of

HEALTH = (*PATHS, "/")
"""Answered by ourselves, unless a cassette has recordings of them: Ollama's root is one that people record."""

PICK_HEADER = "x-llmmock-cassette"
PICK_PATH = "/cassette/"

JOURNAL_LIMIT = 10_000
"""Entries: what a server keeps of the past."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """Cassettes that are played together."""

    deck: Deck
    front: Front

    def holds(self, request: Request) -> bool:
        return self.deck.player.recorded(dialects.read(request)) > 0


class Shelf:
    """Answers from many cassettes. A client picks one by `/cassette/NAME/v1` or by a header."""

    def __init__(
        self, cassettes: Mapping[str, Cassette], settings: Settings, on_trouble: Callable[[str], None]
    ) -> None:
        self._cassettes = dict(cassettes)
        self._settings = settings
        self._on_trouble = on_trouble
        self._lock = threading.Lock()
        self._keys = keys_of(settings)
        self._health = Health(self._told)
        self.handle: Handle = opened_to(read_origins(settings.cors_origin), self._handle)
        """The reply to a request of any client."""
        self._slots: dict[str, _Slot] = {}
        self._all = self._slot(list(self._cassettes.values()))

    def _slot(self, cassettes: Sequence[Cassette]) -> _Slot:
        deck = Deck(cassettes, self._settings, self._keys, advice=_ADVICE, journal_limit=JOURNAL_LIMIT)
        deck.on_reply = self._health.note
        return _Slot(deck, Front(deck, deck.engine(str, self._on_trouble)))

    def _handle(self, request: Request) -> Reply:
        slot, asked = self._picked(request)
        if slot is None:
            return self._unknown(asked) if self._all.deck.gate.tokens.fits(asked.headers) else _locked(asked)
        paths = () if asked.path in HEALTH and slot.holds(asked) else HEALTH
        return self._health.answer(asked, paths) or slot.front.handle(asked)

    def _told(self) -> dict[str, int]:
        interactions = sum(len(cassette) for cassette in self._cassettes.values())
        return {"cassettes": len(self._cassettes), "interactions": interactions}

    def _picked(self, request: Request) -> tuple[_Slot | None, Request]:
        """The slot of the cassette that the request picks, and the request as the cassette knows it."""
        name = request.header(PICK_HEADER)
        if name is None and request.path.startswith(PICK_PATH):
            name, request = self._cut(request)
        if name is None:
            return self._all, request
        return self._slot_for(library.name_of(Path(name), Path())), request

    def _cut(self, request: Request) -> tuple[str, Request]:
        """The name in the path, the longest that fits, and the request without it."""
        rest = request.path.removeprefix(PICK_PATH)
        steps = rest.split("/")
        for count in range(len(steps), 0, -1):
            name = unquote("/".join(steps[:count]))
            if library.name_of(Path(name), Path()) in self._cassettes:
                base = request.base + PICK_PATH + "/".join(steps[:count])
                return name, replace(request, path="/" + "/".join(steps[count:]), base=base)
        return rest, request

    def _slot_for(self, name: str) -> _Slot | None:
        cassette = self._cassettes.get(name)
        if cassette is None:
            return None
        with self._lock:
            if name not in self._slots:
                self._slots[name] = self._slot([cassette])
            return self._slots[name]

    def _unknown(self, request: Request) -> Reply:
        asked = request.header(PICK_HEADER) or unquote(request.path.removeprefix(PICK_PATH))
        near = get_close_matches(asked, self._cassettes, n=3, cutoff=0.3) or sorted(self._cassettes)[:3]
        why = f"There is no cassette {asked!r} among those that are served. Near are: {', '.join(near)}."
        problem = Problem(404, why, "no_cassette", "llmmock_error", headers=(("x-should-retry", "false"),))
        return dialects.read(request).dialect.write_error(problem)


def standing(deck: Deck, engine: Engine) -> Handle:
    """What one deck answers behind a server by itself."""
    health = Health(lambda: {"cassettes": 1, "interactions": len(deck.cassette) + len(deck.recorded)})
    front = Front(deck, engine)
    deck.on_reply = health.note

    def handle(request: Request) -> Reply:
        taken = request.path in PATHS and deck.player.recorded(dialects.read(request))
        return health.answer(request, () if taken else PATHS) or front.handle(request)

    return opened_to(read_origins(deck.settings.cors_origin), handle)


def _locked(request: Request) -> Reply:
    """Who has no key is not told which cassettes there are."""
    return dialects.read(request).dialect.write_error(wrong_key(request.headers))


def named(places: Sequence[Path], settings: Settings) -> dict[str, Cassette]:
    """The cassettes among files and below folders, by name. Raises `CassetteError`."""
    signature = keys_of(settings).signature
    found: dict[str, Cassette] = {}
    for place in places:
        root = place if place.is_dir() else place.parent
        for cassette in library.open_all([place], signature):
            found[_free_name(cassette, root, found)] = cassette
    return found


def _free_name(cassette: Cassette, root: Path, taken: Mapping[str, Cassette]) -> str:
    """Its path below the folder; where two would have the same, with the folder, and at last with its ending."""
    names = (library.name_of(cassette.path, root), library.name_of(cassette.path, root.parent), str(cassette.path))
    return next((name for name in names if name not in taken), str(cassette.path.absolute()))


_ADVICE = Advice(
    record="llmmock record --cassette FILE",
    ignore="--ignore, for each of {paths}",
    normalise="--normaliser, for each of {names}",
)
