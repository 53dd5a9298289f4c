"""From a sign-in to a cassette and back: recorded through the upstream chatgpt, replayed without a login."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from public_api import PublicAPI
from sign_in_server import SignInServer
from signing_in import Clock, User

from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.upstreams.choice import choose
from pytest_llmmock.upstreams.http import Network

# Loaded here, these stay: pytester forgets what a run inside has imported, and cryptography cannot be loaded twice.
for package in ("authlib.oauth2", "joserfc.jwt", "cryptography.hazmat.primitives.hashes"):
    pytest.importorskip(package, reason="the extra chatgpt is not installed")

TESTS = """
import pytest
from openai import OpenAI

@pytest.fixture
def client():
    with OpenAI(api_key="sk-client", max_retries=0) as client:
        yield client

def test_it(llm_mock, client):
    first = client.responses.create(model="gpt-5.6-sol", input="hello", temperature=0.3)
    assert first.output_text == "hello #1 of gpt-5.6-sol"
    stream = client.responses.create(
        model="gpt-5.6-sol", input="and now?", previous_response_id=first.id, stream=True)
    assert [event for event in stream][-1].response.output_text == "and now? #2 of gpt-5.6-sol"
"""

ASK = """
from openai import OpenAI
with OpenAI() as client:
    print(client.responses.create(model="gpt-5.6-sol", input="hi").output_text)
"""


@pytest.fixture
def server() -> Iterator[SignInServer]:
    with SignInServer(time.time) as running:
        yield running


@pytest.fixture
def api(server) -> Iterator[PublicAPI]:
    with PublicAPI(lambda: server.access) as running:
        yield running


@pytest.fixture
def environ(project, server, api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables of somebody who has signed in, and whose token has just ended."""
    environ = {
        "LLMMOCK_HOME": str(tmp_path / "home"),
        "LLMMOCK_ISSUER": server.url,
        "LLMMOCK_CHATGPT_URL": api.base_url,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for name in ("CI", "LLMMOCK_CHATGPT_IN_CI"):
        monkeypatch.delenv(name, raising=False)
    network = Network()
    server.answer = {"expires_in": 1, "earliest_refresh_at": int(time.time()) - 1}
    with User(environ, Clock(), network.send) as user:
        user.signs_in()
    network.close()
    server.answer = {}
    server.access.clear()
    for token in server.refresh:
        server.refresh[token] = 0.0
    return environ


def run(project, *arguments: str):
    return project.runpytest_subprocess("-p", "no:cacheprovider", "-q", *arguments)


def test_what_the_plan_has_answered_is_replayed_without_a_login(project, server, api, environ, monkeypatch):
    project.makepyfile(test_app=TESTS)
    recording = run(project, "--llm-record", "--llm-upstream=chatgpt")
    recording.assert_outcomes(passed=1)
    recording.stdout.fnmatch_lines(
        [
            "llmmock: 0 replayed, 2 recorded, 0 unmatched",
            "llmmock: chatgpt does not take temperature: sent without",
            "llmmock: recorded through chatgpt with the ChatGPT plan that is signed in",
        ],
        consecutive=True,
    )
    kinds = [form["grant_type"] for name, form in server.asked if name == "token"]
    assert kinds == ["authorization_code", "refresh_token"]
    cassette = project.path / "cassettes" / "test_app" / "test_it.yaml"
    identifying = [
        *server.secrets,
        "ada@example.org",
        "user-1",
        next(iter(server.registered)),
        next(iter(server.hosts)),
    ]
    assert not [each for each in identifying if each in cassette.read_text() + recording.stdout.str()]
    assert [each.meta["upstream"] for each in open_cassette(cassette).interactions] == ["chatgpt", "chatgpt"]

    for name in environ:
        monkeypatch.delenv(name)
    run(project).assert_outcomes(passed=1)
    assert len(api.requests) == 2


def test_what_was_chosen_with_login_is_asked_when_nothing_else_is_said(project, api, environ):
    choose(environ, upstream="chatgpt")
    (project.path / "ask.py").write_text(ASK)
    command = [sys.executable, "-m", "pytest_llmmock", "run", "--cassette", "c.yaml", "--mode=once"]
    done = subprocess.run(
        [*command, "--", sys.executable, "ask.py"],
        cwd=project.path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "hi #1 of gpt-5.6-sol\n"
    (interaction,) = open_cassette(project.path / "c.yaml").interactions
    assert interaction.meta["upstream"] == "chatgpt"


def test_in_ci_the_test_fails_before_anything_is_asked(project, server, api, environ, monkeypatch):
    monkeypatch.setenv("CI", "true")
    project.makepyfile(test_app=TESTS)
    result = run(project, "--llm-record", "--llm-upstream=chatgpt")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'chatgpt' answers with the ChatGPT plan of a person*not used in CI (CI is set)*"])
    assert api.requests == []


def test_a_login_that_is_over_fails_the_test_with_what_to_do(project, server, api, environ):
    server.refresh.clear()
    project.makepyfile(test_app=TESTS)
    result = run(project, "--llm-record", "--llm-upstream=chatgpt")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*The login is over*Sign in: llmmock login --use chatgpt*"])
    assert api.requests == []
