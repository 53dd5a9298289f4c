"""`llmmock doctor`: what is here, and what is in the way."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from pytest_llmmock.cli import surroundings


def findings(llmmock, **more):
    return json.loads(llmmock("doctor", "--json", **more).stdout)


def about(llmmock, topic, what, **more):
    return next(each for each in findings(llmmock, **more) if (each["topic"], each["what"]) == (topic, what))


def test_where_nothing_is_broken_it_says_so_and_a_request_comes_through(llmmock):
    done = llmmock("doctor")
    assert done.stdout.endswith("nothing broken\n")
    assert "asked over loopback, and was answered" in done.stdout


def test_clients_are_told_with_their_transports(llmmock):
    assert about(llmmock, "clients", "openai")["words"].endswith(", by httpx2")
    assert about(llmmock, "clients", "ollama")["words"].endswith(", by httpx")
    assert about(llmmock, "clients", "boto3")["words"].endswith(", by urllib3")


def test_plugins_that_meet_the_same_requests_are_told(llmmock):
    assert about(llmmock, "plugins", "respx")["state"] == "note"


def test_variables_are_named_and_their_values_are_not_shown(llmmock):
    llmmock.environment |= {"OPENAI_API_KEY": "sk-very-secret", "XAI_API_KEY": "xai-secret", "UNRELATED": "unrelated"}
    text = llmmock("doctor").stdout
    assert "OPENAI_API_KEY" in text
    assert "XAI_API_KEY" in text
    assert "secret" not in text
    assert "UNRELATED" not in text


def test_an_empty_variable_is_none(llmmock):
    llmmock.environment["OPENAI_API_KEY"] = ""
    assert "OPENAI_API_KEY" not in about(llmmock, "variables", "set")["words"]


def test_a_round_trip_that_fails_is_broken(llmmock, tmp_path):
    """What is imported as `openai` need not be the SDK."""
    (tmp_path / "openai.py").write_text("raise RuntimeError('not the SDK')")
    llmmock.environment["PYTHONPATH"] = f"{tmp_path}:{llmmock.environment.get('PYTHONPATH', '')}"
    found = about(llmmock, "round trip", "openai", status=1)
    assert (found["state"], found["words"]) == ("broken", "RuntimeError: not the SDK")


def test_without_the_sdk_the_round_trip_takes_httpx(monkeypatch):
    real = surroundings._version
    monkeypatch.setattr(surroundings, "_version", lambda package: "" if package == "openai" else real(package))
    (found,) = surroundings._round_trip()
    assert (found.what, found.state) == ("httpx", "ok")


def test_a_proxy_of_the_environment_is_not_in_the_way(llmmock):
    llmmock.environment |= {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    assert about(llmmock, "round trip", "openai")["state"] == "ok"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_login_that_others_can_read_is_broken(llmmock):
    folder = Path(llmmock.environment["LLMMOCK_HOME"], "logins")
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    found = about(llmmock, "logins", "tokens", status=1)
    assert "can be read by other users: chmod go= " in found["words"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755  # it only looks


@pytest.mark.parametrize(
    ("upstream", "why"),
    [
        ("codex", "no login of the Codex CLI, ChatMock or GPTMock"),
        ("chatgpt", "not signed in"),
        ("openai", "OPENAI_API_KEY: not set"),
    ],
)
def test_a_default_upstream_that_cannot_be_asked_is_broken(llmmock, upstream, why):
    llmmock.environment["LLMMOCK_UPSTREAM"] = upstream
    words = about(llmmock, "logins", "default upstream", status=1)["words"]
    assert words == f"{upstream} (LLMMOCK_UPSTREAM), and it cannot be asked: {why}"


def test_a_default_upstream_that_needs_no_login_is_not_broken(llmmock):
    llmmock.environment["LLMMOCK_UPSTREAM"] = "ollama"
    assert about(llmmock, "logins", "default upstream")["state"] == "ok"


def test_a_spoilt_login_is_broken(llmmock):
    folder = Path(llmmock.environment["LLMMOCK_HOME"], "logins")
    folder.mkdir(parents=True, mode=0o700)
    (folder / "chatgpt.json").write_text("{")
    (folder / "chatgpt.json").chmod(0o600)
    assert "is spoilt" in about(llmmock, "logins", "tokens", status=1)["words"]
