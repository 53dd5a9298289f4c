"""What `doctor` looks at: Python, clients, plugins, variables, logins, and one round trip over loopback."""

from __future__ import annotations

import platform
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from .. import __version__
from ..errors import LLMMockError
from ..mock import LLMServer
from ..upstreams.choice import chosen
from ..upstreams.home import is_open_to_others
from ..upstreams.sign_in.session import Session
from .logins import Found, default, found

State = Literal["ok", "note", "broken"]

TRANSPORTS = ("httpx", "httpx2", "aiohttp", "requests", "urllib3", "httplib2")
"""What our ways in take, beside http.client."""

CLIENTS = (
    "openai",
    "anthropic",
    "ollama",
    "litellm",
    "google-genai",
    "mistralai",
    "groq",
    "cohere",
    "boto3",
    "langchain-openai",
    "langchain-anthropic",
    "langchain-ollama",
    "pydantic-ai",
    "pydantic-ai-slim",
    "openai-agents",
    "instructor",
    "llm",
)

NOT_TAKEN = ("grpcio", "websockets", "pycurl", "tornado")
"""Libraries whose connections no way in takes."""

PLUGINS = {
    "pytest-mockllm": "shares --llm-record and --llm-cassette-dir with us; -p no:mockllm leaves it out",
    "pytest-recording": "its --record-mode and vcr marker are left alone; with both in one test vcrpy is asked first",
    "pytest-vcr": "its vcr marker is left alone; with both in one test vcrpy is asked first",
    "respx": "of several mocks in one test the innermost is asked first; it gets what is not for a model",
    "pytest-httpx": "of several mocks in one test the innermost is asked first",
    "pytest-socket": "llm_mock works under --disable-socket; llm_server needs --allow-hosts=127.0.0.1",
}
"""pytest plugins that meet the same requests as we do, and what comes of it."""

VARIABLES = re.compile(
    r"LLMMOCK_\w+|(OPENAI|ANTHROPIC|OLLAMA|AZURE_OPENAI)_\w+|\w+_API_KEY|CODEX_HOME|CHATGPT_LOCAL_HOME|GPTMOCK_HOME"
    r"|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|CI",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    topic: str
    what: str
    state: State
    words: str


def examine(environ: Mapping[str, str]) -> list[Finding]:
    """All of it, in the order in which a person reads it."""
    looks = (_python(), _clients(), _not_taken(), _plugins(), _logins(environ), _variables(environ), _round_trip())
    return [finding for look in looks for finding in look]


def _python() -> Iterator[Finding]:
    words = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}, {sys.executable}"
    yield Finding("python", "python", "ok", words)
    yield Finding("python", "pytest-llmmock", "ok", __version__)
    yield Finding("python", "pytest", "ok", _version("pytest"))


def _version(package: str) -> str:
    """'' when it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _clients() -> Iterator[Finding]:
    for package in (*TRANSPORTS, *CLIENTS):
        if version := _version(package):
            beneath = ", ".join(_transports_of(package)) if package in CLIENTS else ""
            yield Finding("clients", package, "ok", f"{version}, by {beneath}" if beneath else version)


def _transports_of(package: str) -> list[str]:
    """Which transports a client is built on, as its own metadata say."""
    needed = (re.match(r"[\w.-]+", each) for each in metadata.requires(package) or () if "extra ==" not in each)
    names = {match[0].lower() for match in needed if match}
    names |= {"urllib3"} if "botocore" in names else set()
    return [name for name in TRANSPORTS if name in names]


def _not_taken() -> Iterator[Finding]:
    for package in NOT_TAKEN:
        if version := _version(package):
            words = f"{version}: in process its connections are not taken, and stopped when they go to a provider"
            yield Finding("clients", package, "note", words)


def _plugins() -> Iterator[Finding]:
    for package, words in PLUGINS.items():
        if version := _version(package):
            yield Finding("plugins", package, "note", f"{version}: {words}")


def _logins(environ: Mapping[str, str]) -> Iterator[Finding]:
    for what, look in (("default upstream", _default), ("tokens", _keeping)):
        try:
            yield from look(environ)
        except LLMMockError as error:
            yield Finding("logins", what, "broken", str(error))
    for each in found(environ):
        yield Finding("logins", each.upstream, "ok", _told(each))


def _default(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Raises `UsageError` when the configuration cannot be read."""
    now = default(environ)
    words = f"{now.upstream or '-'} ({now.why})"
    ways = [each for each in found(environ) if each.upstream == now.upstream]
    if not ways or any(each.usable for each in ways):
        yield Finding("logins", "default upstream", "ok", words)
    else:
        why = "; ".join(map(_told, ways))
        yield Finding("logins", "default upstream", "broken", f"{words}, and it cannot be asked: {why}")


def _told(login: Found) -> str:
    return f"{login.whose}: {login.state}" if login.whose != "-" else login.state


def _keeping(environ: Mapping[str, str]) -> Iterator[Finding]:
    """How our own login is kept. Raises `LoginError` when it cannot be read, and `UsageError`."""
    store = Session.of(environ).store
    store.read()
    if chosen(environ).keyring:
        yield Finding("logins", "tokens", "ok", store.location)
    for place in (store.path.parent, store.path):
        if place.exists() and is_open_to_others(place):
            yield Finding("logins", "tokens", "broken", f"{place} can be read by other users: chmod go= {place}")


def _variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    names = sorted(name for name in environ if VARIABLES.fullmatch(name) and environ[name])
    yield Finding("variables", "set", "ok", ", ".join(names) or "none")


# --- round trip -------------------------------------------------------------------------------------------


def _round_trip() -> Iterator[Finding]:
    """As a test with `llm_server` does it: a client that knows nothing but its environment."""
    client, ask = ("openai", _ask_openai) if _version("openai") else ("httpx", _ask_httpx)
    try:
        with tempfile.TemporaryDirectory() as folder, LLMServer(Path(folder, "doctor.yaml"), egress="allow") as server:
            server.reply("pong")
            said = ask(server.base_url)
    except Exception as error:
        yield Finding("round trip", client, "broken", f"{type(error).__name__}: {error}")
        return
    works = said == "pong"
    words = "asked over loopback, and was answered" if works else f"got {said!r} where 'pong' is due"
    yield Finding("round trip", client, "ok" if works else "broken", words)


def _ask_openai(base_url: str) -> Any:
    import openai  # type: ignore[import-not-found,unused-ignore]

    with closing(openai.OpenAI(timeout=10, max_retries=0)) as client:
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "ping"}])
    return answer.choices[0].message.content


def _ask_httpx(base_url: str) -> Any:
    import httpx

    body = {"model": "m", "messages": [{"role": "user", "content": "ping"}]}
    answer = httpx.post(f"{base_url}/chat/completions", json=body, timeout=10)
    return answer.json()["choices"][0]["message"]["content"]
