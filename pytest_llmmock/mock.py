"""What a test holds: ways into a deck."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import dialects
from .assertions.requests import Requests
from .cassettes.advice import Advice
from .cassettes.cassette import Cassette
from .cassettes.secrets import Secrets
from .core.providers import is_provider, matches
from .deck import Deck
from .errors import UnmatchedError, UsageError
from .faults import Faults
from .faults.streams import count
from .gate.origins import opened_to, read_origins
from .gate.tokens import read_tokens
from .inbound.doors import Door
from .inbound.egress import Guard
from .inbound.mounts import is_mounted
from .script.scripted import Scripted
from .settings import Mode, Settings, combine
from .upstreams.addresses import is_loopback
from .upstreams.base_url import DUMMY_KEY

if TYPE_CHECKING:
    from .inbound.server import Server

_IN_PROCESS = (
    "In process the requests of httpx, httpx2 and of requests, urllib3, botocore, aiohttp and http.client are taken; "
    "this connection was made by other means."
)

_OVER_HTTP = "llm_server answers what is sent to {url}; this client goes elsewhere."


class LLMMock(Scripted):
    """In process: the requests of this process's clients are answered by rules, and from the cassette."""

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck.script)
        self._deck = deck
        self.env: dict[str, str] = {}
        """What was set for clients: nothing, in process."""

    @property
    def requests(self) -> Requests:
        """What was asked and answered, in the order of asking."""
        return self._deck.requests

    @property
    def cassette(self) -> Cassette:
        """The cassette in use."""
        return self._deck.cassette

    @property
    def faults(self) -> Faults:
        """What is to go wrong: `faults.rate_limit(times=2)`, `faults.on(call=2).cut(after_events=5)`."""
        return self._deck.faults

    @property
    def event_counts(self) -> tuple[int, ...]:
        """How many events each recording of the cassette has; what is no stream is one. For a `cut` at every event."""
        return tuple(count(interaction.reply) for interaction in self.cassette.interactions)

    @property
    def secrets(self) -> Secrets:
        """What recordings must not hold. `secrets.add("…")` adds a value that cannot be known otherwise."""
        return self._deck.keys.secrets

    @contextmanager
    def opened(self) -> Iterator[LLMMock]:
        """While this is open, model requests of this process come here."""
        deck = self._deck
        takes = lru_cache(maxsize=256)(_Takes(deck.settings))  # a client asks at the same places again and again
        engine = deck.engine(lambda: "original")
        with Door(takes, engine.handle, blocks=deck.records, begin=engine.begin), _guard(deck, _IN_PROCESS):
            yield self


@dataclass(frozen=True, slots=True)
class _Takes:
    """Whether a request in process is for us."""

    settings: Settings

    def __call__(self, method: str, host: str, path: str) -> bool:
        if matches(host, self.settings.ignore_hosts) or (is_loopback(host) and is_mounted(path)):
            return False  # what is sent to a server of ours goes over HTTP, as it was meant to
        return self.knows(host) or dialects.is_named(method, path)

    def knows(self, host: str) -> bool:
        return is_provider(host) or matches(host, self.settings.hosts)

    def guards(self, host: str) -> bool:
        """Whether a connection to this host must not be made while nothing is recorded."""
        return self.knows(host) and not (matches(host, self.settings.ignore_hosts) or is_loopback(host))


def _guard(deck: Deck, why: str) -> Guard:
    """Stops what no way in took. Where something is recorded, nobody stops what our upstream is asked."""
    return Guard(_Takes(deck.settings).guards if is_guarded(deck) else None, deck.escaped, why)


def is_guarded(deck: Deck) -> bool:
    return deck.settings.egress == "guard" and not deck.records


def late_guard(settings: Iterable[Settings]) -> Guard:
    """Stops threads that go on when the tests are over, by the settings of all tests; the rest of the process may ask.

    What begins when the main thread has ended is such a thread as well.
    """
    takes = [_Takes(each) for each in settings]
    left = set(threading.enumerate()) - {threading.main_thread()}

    def watches(host: str) -> bool:
        late = threading.current_thread() in left or not threading.main_thread().is_alive()
        return late and all(each.guards(host) for each in takes)

    return Guard(watches, _say_late, _LATE, gives_way=True)


def _say_late(text: str) -> None:
    """Nobody collects any more what a run has to tell."""
    print(f"llmmock: {text}", file=sys.stderr)


_LATE = "The last test is over and a thread goes on. Let the test that starts it wait for its end, and it is answered."


@contextmanager
def use_cassette(path: str | os.PathLike[str], *, mode: Mode = "none", **settings: Any) -> Iterator[LLMMock]:
    """Replay a cassette in this process, or record to it, without pytest.

    `settings` are those of `llm_config`. What was recorded is saved when the block ends without an exception.
    Raises `UsageError`, `CassetteError`, and at the end `UnmatchedError` when a request had no answer.
    """
    chosen = combine([("use_cassette", {"mode": mode, **settings})])
    deck = Deck.open(Path(path), chosen, advice=_IN_CODE)
    with _finished(deck), LLMMock(deck).opened() as mock:
        yield mock


@contextmanager
def _finished(deck: Deck) -> Iterator[None]:
    """At the end of a block: keep what was recorded, and tell what had no answer."""
    try:
        yield
        deck.finish()
    except Exception:
        deck.finish()
        deck.put_aside()
        raise
    except BaseException:  # Ctrl-C waits for no upstream
        deck.put_aside()
        raise
    else:
        if not deck.failed:
            deck.save()
        else:
            deck.put_aside()
            raise UnmatchedError(deck.report())
    finally:
        deck.close()


_IN_CODE = Advice(
    record='mode="new_episodes"', ignore="ignore=[{paths}]", normalise="normalisers=[{names}]", repeat="repeat=True"
)


class LLMServer(LLMMock):
    """Over HTTP: whoever is given the address is answered from the cassette.

    In a test it comes as the fixture `llm_server`. By itself it is a context manager:
    `with LLMServer("cassettes/plan.yaml") as server: …`. `settings` are those of `llm_config`.
    """

    def __init__(
        self, cassette: str | os.PathLike[str] | Deck, *, server: Server | None = None, **settings: Any
    ) -> None:
        if not isinstance(cassette, Deck):
            chosen = combine([("LLMServer", settings)])
            cassette = Deck.open(Path(cassette), chosen, advice=_IN_CODE)
        super().__init__(cassette)
        self._server = server
        self._running = ExitStack()
        self.url = ""
        """The server's root for this test, without a slash at the end."""

    @property
    def base_url(self) -> str:
        """What OpenAI clients take as their base URL: ends in `/v1`."""
        return self.url + "/v1"

    @contextmanager
    def opened(self) -> Iterator[LLMServer]:
        """While this is open, requests below `url` come here, and clients of this process know of it."""
        from .control.front import Front

        environ = dict(os.environ)
        engine = self._deck.engine(lambda: default_upstream(environ))
        with _running(self._server) as server:
            settings = self._deck.settings
            front = Front(self._deck, engine)
            prefix = server.mount(opened_to(read_origins(settings.cors_origin), front.handle))
            self.url = server.url + prefix
            self.env = client_environment(self.url, os.environ, read_tokens(settings.auth_token))
            try:
                with environment(self.env), _guard(self._deck, _OVER_HTTP.format(url=self.url)):
                    yield self
            finally:
                server.unmount(prefix)

    def __enter__(self) -> LLMServer:
        self._running.enter_context(_finished(self._deck))
        return self._running.enter_context(self.opened())

    def __exit__(self, *exc_info: Any) -> None:
        self._running.__exit__(*exc_info)


@contextmanager
def _running(server: Server | None) -> Iterator[Server]:
    """A server that runs already, or one for the time of the block."""
    if server is not None:
        yield server
        return
    with new_server() as own:
        yield own


def new_server(host: str = "127.0.0.1", port: int = 0) -> Server:
    """A server that knows in which shape to refuse what it cannot read. Port 0 takes any free one."""
    from .inbound.server import Server  # and werkzeug with it, which who replays in process never needs

    return Server(host=host, port=port, write_error=dialects.write_error)


def default_upstream(environ: Mapping[str, str]) -> str:
    """Where a server's recordings come from when nothing was said. Raises `UsageError`."""
    from .upstreams import choice

    name = choice.default_upstream(environ)
    if name:
        return name
    raise UsageError(
        "An upstream is needed, and none was chosen. "
        "Name one with --llm-upstream (pytest), --upstream (llmmock) or LLMMOCK_UPSTREAM: "
        "a base URL such as http://127.0.0.1:8000/v1, or 'openai', which is the default when OPENAI_API_KEY is set. "
        "`llmmock login` shows what there is, and chooses one from now on."
    )


_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")


def client_environment(url: str, environ: Mapping[str, str], tokens: Sequence[str] = ()) -> dict[str, str]:
    """The variables that send clients to a server of ours.

    Keys are given only where there are none; where the server asks for one of its own, that one everywhere.
    """
    addresses = {
        "OPENAI_BASE_URL": url + "/v1",
        "OPENAI_API_BASE": url + "/v1",
        "OLLAMA_HOST": url,
        "OLLAMA_API_BASE": url,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_BASE": url,
    }
    keys = {name: DUMMY_KEY for name in _KEYS if not environ.get(name)}
    keys |= dict.fromkeys((*_KEYS, "OLLAMA_API_KEY"), tokens[0]) if tokens else {}
    return {**addresses, **keys, **dict.fromkeys(("NO_PROXY", "no_proxy"), _without_proxy(environ))}


def _without_proxy(environ: Mapping[str, str]) -> str:
    """A proxy of the environment must not get between a client and our server. Clients read either spelling."""
    given = ",".join(environ.get(name, "") for name in ("no_proxy", "NO_PROXY"))
    hosts = dict.fromkeys(host.strip() for host in given.split(",") if host.strip())
    return "*" if "*" in hosts else ",".join(hosts | dict.fromkeys(("127.0.0.1", "localhost")))


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for this process and its children, and put back what was there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
