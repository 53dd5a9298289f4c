"""A cassette deck: the parts of the package put together around one set of cassettes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import dialects
from .assertions.requests import Requests
from .cassettes import library
from .cassettes.advice import Advice
from .cassettes.cassette import Cassette, Interaction
from .cassettes.credentials import is_credential
from .cassettes.matchers import Keys
from .cassettes.player import Player
from .cassettes.scrubber import Scrubber
from .contract.source import Contract
from .core.engine import Engine
from .core.journal import Entry
from .core.json_text import writable
from .core.model import Exchange, Reply, Source
from .core.prompt import Prompt
from .errors import CassetteError
from .faults import Faults
from .gate import gate_of
from .gate.tokens import read_tokens
from .script.gallery import Gallery
from .script.source import Script
from .settings import Settings, delivery_of, keys_of
from .upstreams.base_url import DUMMY_KEY

if TYPE_CHECKING:
    from .asking import Asking
    from .cassettes.recorder import Witness
    from .keeper import Keeper
    from .script.batches import Ask
    from .script.simulation import Simulation


class Deck:
    """A cassette deck: plays what was recorded, records what is to be, and keeps a journal."""

    def __init__(
        self,
        cassettes: Sequence[Cassette],
        settings: Settings,
        keys: Keys,
        *,
        advice: Advice,
        journal_limit: int | None = None,
        keeper: Keeper | None = None,
        asking: Asking | None = None,
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.clean = _for_people(Scrubber(keys.secrets))
        """A text that people read, without secrets. No method: what is given it would keep the deck alive."""
        self.requests = Requests(journal_limit, self.clean)
        self.escapes: list[str] = []
        """Connections to model providers that no way in took, each explained."""
        self.faults = Faults()
        self.contract = Contract(settings.validate, _destination(settings), self.clean)
        self.gate = gate_of(
            settings.auth_token,
            settings.lock_out,
            settings.limits,
            dummy=DUMMY_KEY,
            count=_tokens_of,
        )
        for token in filter(is_credential, read_tokens(settings.auth_token)):
            keys.secrets.add(token, asked=False)
        self.on_reply: Callable[[Exchange, Reply, Reply], object] = lambda exchange, reply, made: None
        """Called with each reply on its way out, and with what it was before it was delivered."""
        self.script, self.behind = self._scripts(cassettes[0].path.stem if cassettes else "")
        self.delivery = delivery_of(settings)
        self.player = Player(cassettes, keys, dialects.read, repeat=settings.repeat)
        self._advice = advice
        self._keeper = keeper
        self._gallery = Gallery()
        self._ask: Ask
        self._simulation = self._simulated() if settings.simulate else None
        self._asking = asking
        """Who only replays asks nobody."""
        if asking is not None:
            asking.earlier = self._before

    @classmethod
    def open(
        cls,
        path: Path,
        settings: Settings,
        *,
        advice: Advice,
        home: Path | None = None,
        since: str = "",
        at_once: bool = False,
    ) -> Deck:
        """The deck with this cassette in it.

        `home` is the folder of the cassettes (the cassette's own unless told), where large bodies and what has no place
        yet are kept. `since` is when the run began that this is a part of: what another part of it has recorded to the
        same cassette is not replaced, whatever the mode. `at_once` says that the cassette is saved after each
        recording. Raises `CassetteError`.
        """
        keys = keys_of(settings)
        cassette = library.open_cassette(path, keys.signature)
        if settings.mode == "all":
            cassette = Cassette(path, exists=cassette.exists)
        if settings.mode == "none":
            return cls([cassette], settings, keys, advice=advice)
        from .asking import Asking  # most decks only replay: recording is loaded with the first that does not
        from .keeper import Keeper

        _check_writable(path)
        keeper = Keeper(cassette, settings.mode, keys, home or path.parent, since=since, at_once=at_once)
        asking = Asking(settings, home=home, run=since)
        deck = cls([cassette], settings, keys, advice=advice, keeper=keeper, asking=asking)
        return deck if settings.mode == "all" or not deck.records else deck._with(keeper.recover())

    def _with(self, recovered: list[Interaction]) -> Deck:
        """The same deck, which also plays what was recovered."""
        if recovered:
            found = Cassette(self.cassette.path, recovered, exists=True)
            self.player = Player([self.cassette, found], self.keys, dialects.read, repeat=self.settings.repeat)
        return self

    def _scripts(self, seed: str) -> tuple[Script, Script]:
        """The rules that come before the recordings, and those behind them. Raises `UsageError`."""
        before, behind = Script(seed), Script(seed)
        if self.settings.rules:
            from .script.files import load  # reads what a person has written: pydantic, YAML

            rules, default = load(self.settings.rules, os.environ)
            (behind if self.settings.on_miss == "rules" else before).extend(rules)
            behind.extend(default)
        return before, behind

    @property
    def cassette(self) -> Cassette:
        return self.player.cassettes[0]

    @property
    def records(self) -> bool:
        """Whether an upstream may be asked."""
        if self._keeper is None:
            return False
        return self.settings.mode != "once" or not self.cassette.exists or self._began_here(self._keeper)

    def _began_here(self, keeper: Keeper) -> bool:
        """Whether the cassette was made by the run that this is a part of."""
        return bool(self.cassette) and all(map(keeper.is_of_this_run, self.cassette.interactions))

    @property
    def recorded(self) -> Sequence[Interaction]:
        """What was recorded and is not in the cassette."""
        return self._keeper.recordings.interactions if self._keeper else []

    def engine(
        self, default_upstream: Callable[[], str], on_trouble: Callable[[str], object] = lambda trouble: None
    ) -> Engine:
        """The engine of one way in. A record mode is a list of sources."""
        replays = self.settings.mode != "all"
        played = self._simulation
        self.contract.tell = on_trouble
        sources: list[Source] = [
            *([self.contract] if self.settings.validate != "off" else []),
            self.faults,
            *([played.first] if played else []),
            self._gallery,
            self.script,
            *([played.second] if played else []),
            *([self.player] if replays else []),
            *([self.behind] if self._falls_back else []),
            *([played.last] if played and not self.records else []),
        ]
        if self._asking is not None and self._keeper is not None and self.records:
            sources.append(self._asking.recorder(default_upstream, self.keys, self._keeper.recordings))
        engine = self._engine(sources, on_trouble)
        if played:
            self._ask = engine.handle  # what a batch asks has come through the gate with it
        return self._engine([self.gate, *sources], on_trouble) if self.gate.stands else engine

    def _engine(self, sources: Sequence[Source], on_trouble: Callable[[str], object]) -> Engine:
        return Engine(
            dialects.read,
            sources,
            self._explain,
            self.requests,
            on_trouble,
            deliver=self._deliver,
            waits=self.records,
            clean=self.clean,
        )

    def _deliver(self, exchange: Exchange, reply: Reply) -> Reply:
        """A reply on its way out: what it shows hangs somewhere, and a played provider keeps it."""
        if reply.source == "script":
            reply = self._gallery.hang(exchange, reply)
        if self._simulation is not None:
            self._simulation.keep(exchange, reply)
        passes = self.gate.stands
        out = self.gate.pass_out(exchange, reply, self.delivery) if passes else self.delivery(exchange, reply)
        self.on_reply(exchange, out, reply)
        return out

    def reset(self) -> None:
        """Answer as in the beginning. What was asked so far is still in the journal, and told at the end."""
        self.faults.clear()
        self.player.reset()
        self.gate.reset()
        self.script.reset()
        self.behind.reset()
        if self._simulation is not None:
            self._simulation.reset()

    def _simulated(self) -> Simulation:
        """A provider that is played around the recordings."""
        from .script.simulation import Around, Simulation

        ask, named = (lambda request: self._ask(request)), (lambda: [*self.script.models, *self.behind.models])
        around = Around(self._interactions, dialects.read, dialects.methods_of, ask, named)
        return Simulation(self.settings.model_list, around, efforts=self.settings.expose_reasoning_models)

    def _interactions(self) -> Iterator[Interaction]:
        return (interaction for cassette in self.player.cassettes for interaction in cassette.interactions)

    @property
    def _falls_back(self) -> bool:
        """Whether there are rules for what nothing else answers; an upstream answers everything."""
        return not self.records and self.settings.on_miss != "error"

    def _before(self) -> Iterator[tuple[Exchange, Reply]]:
        """What was asked and answered before, by this run or another one."""
        for each in [*self._interactions(), *self.recorded]:
            yield dialects.read(each.request), each.reply

    def _explain(self, exchange: Exchange) -> str:
        from .cassettes.mismatch import explain

        rules = self.script.explain(exchange, self.behind.rules if self._falls_back else [])
        return explain(exchange, self.player, dialects.read, self.settings.mode, self._advice, beside=rules)

    @property
    def troubles(self) -> list[Entry]:
        """The entries that could not be answered."""
        return [entry for entry in self.requests if entry.trouble]

    @property
    def scripted(self) -> int:
        """How many requests were answered by hand."""
        return self.script.answered + self.behind.answered

    @property
    def refused(self) -> list[Entry]:
        """The upstream's own errors, which were passed on and not recorded."""
        if self.settings.record_errors:
            return []
        asked = (entry for entry in self.requests if entry.source == "upstream" and not entry.trouble)
        return [entry for entry in asked if entry.upstream and entry.status >= 400]

    @property
    def warnings(self) -> list[str]:
        """What whoever runs the tests should know, each once."""
        return self.warnings_of(self.requests)

    def warnings_of(self, entries: Iterable[Entry]) -> list[str]:
        """The same of some requests."""
        told = (warning for entry in entries for warning in entry.warnings)
        return [self.clean(warning) for warning in dict.fromkeys(told)]

    @property
    def abandoned(self) -> int:
        """How many of the upstream's streams the client left before their end, so that they are not recorded."""
        unanswered = self._asking.underway.unanswered if self._asking else 0
        return len([entry for entry in self.requests if entry.left and entry.status < 400]) + unanswered

    def escaped(self, text: str) -> None:
        """Note a connection that was stopped. Clients try again: the same one is told once."""
        if text not in self.escapes:
            self.escapes.append(text)

    @property
    def failed(self) -> bool:
        """Whether something could not be answered, or would have gone where nothing of ours answers."""
        return bool(self.troubles or self.escapes)

    def report(self) -> str:
        """Everything that could not be answered, explained; '' when all was."""
        told = [*(entry.trouble for entry in self.troubles), *self.escapes]
        return self.clean("\n\n".join(dict.fromkeys(told))) if told else ""

    def follow(self, witness: Witness) -> None:
        """Let somebody see what upstreams are asked and answer. To be said before `engine`."""
        if self._asking is not None:
            self._asking.witnesses.append(witness)

    def on_keep(self, callback: Callable[[], object]) -> None:
        """Call this after each recording."""
        if self._keeper is not None:
            self._keeper.recordings.on_keep = callback

    def save(self, *, alone: bool = True) -> int:
        """Write the cassette; the number of new interactions.

        `alone` says that nobody else uses it: in mode `changed` what was not played is dropped. Raises `CassetteError`.
        """
        return self._keeper.save(alone=alone) if self._keeper else 0

    def put_aside(self) -> Path | None:
        """Keep what was recorded out of the cassette, because what made it failed. Raises `CassetteError`."""
        return self._keeper.put_aside() if self._keeper else None

    @property
    def writes_later(self) -> bool:
        """Whether the cassette is so large that a recording, which is safe, need not be in it at once."""
        return self._keeper is not None and self._keeper.writes_later

    @property
    def unfinished(self) -> int:
        """How many streams `finish` would wait for."""
        return self._asking.underway.unfinished if self._asking else 0

    def finish(self) -> None:
        """With `record_abandoned`, wait for the end of streams that clients have left. Ctrl-C ends the waiting."""
        if self._asking is not None:
            self._asking.underway.finish()

    def close(self) -> None:
        """Hang up on what is still coming."""
        if self._asking is not None:
            self._asking.underway.let_go(self.cassette.path)
            self._asking.close()
        if self._keeper is not None:
            self._keeper.close()


def _for_people(scrubber: Scrubber) -> Callable[[str], str]:
    """What makes a text that can be shown and written anywhere; JSON may hold halves of characters."""
    return lambda text: writable(scrubber.text(text))


def _tokens_of(prompt: Prompt) -> int:
    """How many tokens a limit counts for a request."""
    from .script import estimate

    return estimate.usage(prompt, ()).input or 0


def _check_writable(path: Path) -> None:
    if path.suffix not in (".yaml", ".yml"):
        raise CassetteError(
            f"{path} can be replayed but not recorded to: recordings are written as .yaml. "
            f"Take it over with `llmmock import {path} --out DIR`, or name a .yaml file."
        )


def _destination(settings: Settings) -> Callable[[Exchange], str]:
    """Which upstream a request would be sent to; who checks no requests needs nothing that asks."""

    def named(exchange: Exchange) -> str:
        from .asking import destination

        return destination(settings)(exchange)

    return named
