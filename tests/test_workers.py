"""One worker among others. The other one is a server of its own here, and has told its place by hand."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from controlled import chat

from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.library import save
from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.settings import combine
from pytest_llmmock.standalone import Shelf, named
from pytest_llmmock.workers import Together, joined

OTHER = "999999999"
"""No process has such a number."""


def shelf_of(place: Path, **given: Any) -> Shelf:
    settings = combine([("test", {"repeat": True, **given})])
    return Shelf(named([place], settings), settings, on_trouble=lambda trouble: None)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    recorded = [(chat("hello"), "answer"), (Request("GET", "http://localhost", "/metrics"), "recorded figures")]
    save(tmp_path / "a.yaml", [Interaction.of(Recorded(request, json_reply(value))) for request, value in recorded])
    return tmp_path / "a.yaml"


class Two:
    """This process's worker, and the other one."""

    def __init__(self, folder: Path, own: Shelf, other: Shelf) -> None:
        self.folder = folder
        self.own = Together(folder, own.handle)
        self.other = other.handle

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        path, _, query = path.partition("?")
        content = b"" if body is None else json.dumps(body).encode()
        return self.own.handle(Request(method, "http://localhost", path, query, pairs, content))

    def told(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.ask(method, path, body)
        assert reply.status == 200, reply.body
        return reply.json()


@contextmanager
def together(folder: Path, own: Shelf, other: Shelf) -> Iterator[Two]:
    with Server(other.handle) as server:
        two = Two(folder, own, other)
        (folder / OTHER).write_text(str(server.port))
        yield two


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    save(tmp_path / "none.yaml", [Interaction.of(Recorded(chat("never asked"), json_reply("x")))])
    with together(tmp_path / "together", shelf_of(tmp_path / "none.yaml"), shelf_of(tmp_path / "none.yaml")) as both:
        yield both


RULE = {"when": {"contains": "hi"}, "reply": {"text": "hello"}}


def test_a_worker_tells_where_it_is(two):
    assert joined(two.folder) == 2


def test_a_rule_is_put_in_all_of_them_and_its_answers_are_counted_together(two):
    assert two.told("POST", "/__llmmock__/rules", RULE)["added"] == 1
    assert two.own.handle(chat("hi")).status == two.other(chat("hi")).status == 200
    (rule,) = two.told("GET", "/v1/__llmmock__/rules")["rules"]
    assert (rule["rule"], rule["answered"]) == ("when(contains='hi')", 2)
    assert two.told("DELETE", "/__llmmock__/rules") == {"removed": 2}
    assert two.own.handle(chat("hi")).status == two.other(chat("hi")).status == 404


def test_the_journal_is_that_of_all_and_each_entry_names_its_worker(two):
    two.told("POST", "/__llmmock__/rules", RULE)
    two.other(chat("hi"))
    two.own.handle(chat("hi"))
    entries = two.told("GET", "/__llmmock__/journal")["entries"]
    assert sorted(entry["worker"] == OTHER for entry in entries) == [False, True]
    assert len(two.told("GET", "/__llmmock__/journal?last=1")["entries"]) == 1
    assert two.told("DELETE", "/__llmmock__/journal") == {"forgotten": 2}
    assert two.told("GET", "/__llmmock__/journal") == {"entries": []}


def test_faults_and_a_new_beginning_are_for_all(two):
    two.told("POST", "/__llmmock__/rules", RULE)
    two.told("POST", "/__llmmock__/faults", {"fault": "rate_limit"})
    assert two.own.handle(chat("hi")).status == two.other(chat("hi")).status == 429
    assert two.told("POST", "/__llmmock__/reset") == {"forgotten": 2}
    assert two.own.handle(chat("hi")).status == two.other(chat("hi")).status == 404


def test_figures_are_those_of_all(two):
    two.own.handle(chat("miss"))
    two.other(chat("miss"))
    assert b"llmmock_unmatched_total 2\n" in two.ask("GET", "/metrics").body
    assert b"llmmock_unmatched_total 2\n" in two.ask("HEAD", "/metrics").body


def test_figures_that_were_recorded_are_played(tmp_path, cassette):
    with together(tmp_path / "together", shelf_of(cassette), shelf_of(cassette)) as two:
        assert two.told("GET", "/metrics") == "recorded figures"


@pytest.mark.parametrize("path", ["/v1/metrics", "/x/__llmmock__/y"])
def test_a_rule_at_such_a_path_answers_once(two, path):
    two.told("POST", "/__llmmock__/rules", {"when": {"path": path}, "reply": "by rule"})
    assert two.ask("GET", path).body == b"by rule"
    assert len(two.told("GET", "/__llmmock__/journal")["entries"]) == 1


def test_the_key_that_is_asked_for_goes_along(tmp_path, cassette):
    locked = [shelf_of(cassette, auth_token="sk-1") for _ in range(2)]
    with together(tmp_path / "together", *locked) as two:
        assert two.ask("GET", "/__llmmock__/journal").status == 401
        assert two.ask("GET", "/__llmmock__/journal", x_api_key="sk-1").json() == {"entries": []}


def test_a_request_that_one_refuses_is_refused(two):
    reply = two.ask("POST", "/__llmmock__/faults", {"fault": "nonsense"})
    assert (reply.status, reply.json()["error"]["code"]) == (400, "bad_request")


def test_a_worker_that_ended_without_a_word_is_forgotten(two):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (two.folder / "999999998").write_text(str(port))
    assert two.told("GET", "/__llmmock__/journal") == {"entries": []}
    assert not (two.folder / "999999998").exists()


def test_a_worker_that_says_nothing_sensible_is_told(two):
    with Server(lambda request: json_reply({}, 500)) as broken:
        (two.folder / "999999998").write_text(str(broken.port))
        reply = two.ask("GET", "/__llmmock__/journal")
    assert reply.status == 502
    assert "Worker 999999998 of this server did not answer: status 500" in reply.json()["error"]["message"]


def test_other_workers_are_answered_about_the_server_only(tmp_path, cassette):
    folder = tmp_path / "together"
    Together(folder, shelf_of(cassette).handle)
    (place,) = folder.iterdir()
    url = f"http://127.0.0.1:{int(place.read_text())}"
    assert httpx.get(f"{url}/__llmmock__/journal").json() == {"entries": []}
    refused = httpx.post(f"{url}/v1/chat/completions", content=chat("hello").body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_address")


def test_a_worker_that_was_forked_joins_with_its_first_request(tmp_path, cassette, monkeypatch):
    """gunicorn --preload loads the application before there are workers."""
    folder = tmp_path / "together"
    worker = Together(folder, shelf_of(cassette).handle)
    monkeypatch.setattr("os.getpid", lambda: int(OTHER))
    worker.handle(Request("GET", "http://localhost", "/health"))
    assert (folder / OTHER).exists()
    assert joined(folder) == 2
