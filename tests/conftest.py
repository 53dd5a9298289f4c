"""What all tests share: hypothesis without deadlines, and a protocol that is small enough to know by heart."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from importlib import import_module

import pytest
from hypothesis import HealthCheck, settings

from pytest_llmmock.core.model import Exchange, Problem, Reply, Request, frames_of, json_reply
from pytest_llmmock.core.prompt import Answer, Delta, Message, Prompt, Tool, Usage

settings.register_profile(
    "llmmock",
    deadline=None,
    max_examples=60,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # says how busy the machine is, not how good the test
)
settings.load_profile("llmmock")

_LOADED_LATER = ("asking", "keeper", "cassettes.mismatch", "cassettes.unplayed", "control.front", "inbound.server")
for (
    _name
) in _LOADED_LATER:  # pytester forgets what a run in this process was the first to load: it would be there twice
    import_module(f"pytest_llmmock.{_name}")


def _hear_signals() -> None:
    """A run in the background ignores Ctrl-C, and so would the programs that tests start and send it to."""
    for name, handler in (
        ("SIGINT", signal.default_int_handler),
        ("SIGQUIT", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
    ):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


if threading.current_thread() is threading.main_thread():
    _hear_signals()

Read = Callable[[Request], Exchange]


class PlainDialect:
    """A wire protocol for tests: Chat Completions without its corners. A reply is text, or `{"text", "tokens"}`."""

    def read_request(self, request: Request) -> Prompt:
        asked = request.json()
        if not isinstance(asked, dict):
            return Prompt()
        return Prompt(
            model=asked.get("model", ""),
            messages=tuple(Message(each["role"], each["content"]) for each in asked.get("messages", ())),
            tools=tuple(Tool(each["name"]) for each in asked.get("tools", ())),
            inputs=tuple(asked.get("input", ())),
            stream=bool(asked.get("stream")),
        )

    def write_request(self, prompt: Prompt) -> bytes:
        messages = [{"role": each.role, "content": each.text} for each in prompt.messages]
        return json.dumps({"model": prompt.model, "messages": messages}).encode()

    def read_reply(self, reply: Reply) -> Answer:
        said = reply.json()
        if not isinstance(said, dict):
            return Answer((Delta("text", reply.body.decode(errors="replace")),))
        usage = [Delta("usage", usage=Usage(total=said["tokens"]))] if "tokens" in said else []
        return Answer((Delta("text", said.get("text", "")), *usage))

    def write_reply(self, prompt: Prompt, answer: Answer) -> Reply:
        return Reply(200, (("content-type", "text/plain"),), frames_of(answer.text.encode()))

    def write_error(self, problem: Problem) -> Reply:
        return json_reply(
            {"error": {"message": problem.message, "code": problem.code}}, problem.status, problem.headers
        )

    def write_failure(self, problem: Problem) -> bytes:
        return f"error: {problem.message}\n\n".encode()

    def convert(self, prompt: Prompt, reply: Reply) -> Reply | None:
        return None


@pytest.fixture(scope="session", autouse=True)
def nothing_chosen(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What whoever runs these tests has chosen with `llmmock login` is not ours."""
    os.environ["LLMMOCK_HOME"] = str(tmp_path_factory.mktemp("llmmock-home"))


_OPERATIONS = {"/chat/completions": "chat", "/embeddings": "embeddings", "/api/chat": "ollama.chat"}


@pytest.fixture(scope="session")
def dialect() -> PlainDialect:
    return PlainDialect()


@pytest.fixture(scope="session")
def read(dialect: PlainDialect) -> Read:
    """Stands in for `dialects.read`: `/v1` is the prefix, the paths above are the named routes."""

    def read(request: Request) -> Exchange:
        target = request.path.removeprefix("/v1")
        return Exchange(request, _OPERATIONS.get(target, "opaque"), f"{request.method} {target}", dialect)

    return read
