"""Recordings behind any WSGI server: `gunicorn pytest_llmmock.wsgi:app`.

`app` is configured by the environment; `make_app()` by what it is given as well. docs/deployment.md
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import dialects
from .core.chunking import read_chunking
from .inbound.wsgi import Application
from .ini import read_ini
from .settings import Layer, Settings, combine, from_environment
from .standalone import Shelf, named
from .workers import Together

CASSETTES = "LLMMOCK_CASSETTES"
"""Cassettes and folders, with spaces between; one with a space in it in quotes."""

TOGETHER = "LLMMOCK_WORKERS_DIR"
"""A folder in which the workers of one server find each other."""

_OF_FILES = ("cassette_dir", "speed", "chunking", "validate")
"""Settings that the ini file of pytest has, and that are of use to a server which only replays."""

_ONE = {
    "LLMMOCK_LOCK_OUT": "lock_out",
    "LLMMOCK_LIMITS": "limits",
    "LLMMOCK_ON_MISS": "on_miss",
    "LLMMOCK_REPEAT": "repeat",
    "LLMMOCK_SIMULATE": "simulate",
    "LLMMOCK_EXPOSE_REASONING_MODELS": "expose_reasoning_models",
}
_SEVERAL = {
    "LLMMOCK_AUTH_TOKEN": "auth_token",
    "LLMMOCK_CORS_ORIGIN": "cors_origin",
    "LLMMOCK_MODEL": "model_list",
    "LLMMOCK_MATCH_ON": "match_on",
    "LLMMOCK_IGNORE": "ignore",
    "LLMMOCK_NORMALISERS": "normalisers",
}
"""Variable -> setting: what the options of `llmmock replay` say. Pytest does not read these."""


def make_app(*cassettes: str | os.PathLike[str], **settings: Any) -> Application:
    """A WSGI application that serves cassettes and folders, as `llmmock replay` does.

    What is not given is what the environment says, and then the ini file of pytest.
    Raises `UsageError`, `CassetteError`.
    """
    chosen = _settings(os.environ, settings)
    places: Sequence[Path | str] = [os.fspath(each) for each in cassettes] or places_wanted(chosen, os.environ)
    return application(places, chosen, os.environ.get(TOGETHER, ""))


def application(places: Sequence[Path | str], settings: Settings, together: str = "") -> Application:
    """The application of these settings. `together` is the folder of its fellow workers, where it has any."""
    shelf = Shelf(named(places, settings), settings, on_trouble=_say)
    handle = Together(Path(together), shelf.handle).handle if together else shelf.handle
    coalesces = read_chunking(settings.chunking).kind == "recorded"
    return Application(handle, dialects.write_error, coalesces=coalesces)


def places_wanted(settings: Settings, environ: Mapping[str, str]) -> list[Path | str]:
    """What the environment says; else the folder of the cassettes, unless rules answer, or a played provider."""
    told: list[Path | str] = [*_split(environ.get(CASSETTES, ""))]
    return told or ([] if settings.rules or settings.simulate else [Path(settings.cassette_dir)])


def _settings(environ: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    file, found = read_ini(Path(), _OF_FILES)
    place, shared = from_environment(environ)
    served = {name: shared[name] for name in (*_OF_FILES, "rules") if name in shared}
    return combine(
        [
            ("a server", {"repeat": True}),
            (file, found),
            (place, served),
            _of_servers(environ),
            ("make_app", given),
        ]
    )


def _of_servers(environ: Mapping[str, str]) -> Layer:
    """What only servers are told by the environment; an empty variable says nothing."""
    one = {name: environ[variable] for variable, name in _ONE.items() if environ.get(variable)}
    several = {name: tuple(_split(environ[each])) for each, name in _SEVERAL.items() if environ.get(each)}
    return f"environment ({', '.join((*_ONE, *_SEVERAL))})", {**one, **several}


def _split(text: str) -> list[str]:
    """Words, in quotes where they hold spaces. A backslash is itself: paths of Windows have it."""
    words = shlex.shlex(text, posix=True, punctuation_chars=False)
    words.whitespace_split, words.escape, words.commenters = True, "", ""
    return list(words)


def _say(trouble: str) -> None:
    print(f"{trouble}\n", file=sys.stderr, flush=True)


app: Application
"""Made when it is first asked for: who imports this module for `make_app` may have no cassettes here."""


def __getattr__(name: str) -> Application:
    global app
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = make_app()
    return app
