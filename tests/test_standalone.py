"""The shelf of `llmmock replay`: all cassettes at once, or the one that a request picks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.library import save
from pytest_llmmock.core.journal import Journal
from pytest_llmmock.core.model import Exchange, Reply, Request, json_reply
from pytest_llmmock.errors import CassetteError
from pytest_llmmock.settings import combine
from pytest_llmmock.standalone import Shelf, named


def chat(words: str = "hello", path: str = "/v1/chat/completions", **headers: str) -> Request:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": words}]}).encode()
    pairs = (("content-type", "application/json"), *((name.replace("_", "-"), v) for name, v in headers.items()))
    return Request("POST", "http://localhost", path, "", pairs, body)


def get(path: str, method: str = "GET") -> Request:
    return Request(method, "http://localhost", path)


def write(path: Path, *recorded: tuple[Request, Any]) -> None:
    """A cassette in which each request is answered with this JSON value."""
    save(path, [Interaction.of(Recorded(request, json_reply(value))) for request, value in recorded])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three cassettes, two of which answer the same request."""
    write(tmp_path / "a.yaml", (chat("hello"), "from a"))
    write(tmp_path / "deep/er/b.yaml", (chat("hello"), "from b"), (chat("only b"), "first"), (chat("only b"), "second"))
    write(tmp_path / "deep/er.yaml", (chat("hello"), "from er"))
    return tmp_path


class Troubles(list[str]):
    """What was told to whoever started the server."""


@pytest.fixture
def troubles() -> Troubles:
    return Troubles()


@pytest.fixture
def shelf(folder: Path, troubles: Troubles) -> Callable[..., Shelf]:
    def shelf(*places: Path, **given: Any) -> Shelf:
        settings = combine([("test", {"repeat": True, **given})])
        return Shelf(named(places or [folder], settings), settings, troubles.append)

    return shelf


def said(reply: Reply) -> Any:
    assert reply.status == 200
    return reply.json()


# --- names ----------------------------------------------------------------------------------------------


def test_cassettes_are_named_by_their_place_below_the_folder(folder):
    settings = combine([])
    assert sorted(named([folder], settings)) == ["a", "deep/er", "deep/er/b"]
    assert sorted(named([folder / "deep"], settings)) == ["er", "er/b"]
    assert sorted(named([folder / "a.yaml", folder / "deep"], settings)) == ["a", "er", "er/b"]


def test_of_two_with_one_name_the_first_one_named_is_taken(folder, tmp_path):
    write(tmp_path / "other/a.yaml", (chat("hello"), "from the other a"))
    found = named([tmp_path / "other", folder / "a.yaml"], combine([]))
    assert found["a"].path == tmp_path / "other/a.yaml"


@pytest.mark.parametrize("name", ["missing.yaml", "missing"])
def test_a_place_that_does_not_exist_is_told(folder, name):
    with pytest.raises(CassetteError, match="There is no cassette and no folder at"):
        named([folder / name], combine([]))


# --- which cassette answers -------------------------------------------------------------------------------


def test_without_a_choice_all_cassettes_answer(shelf):
    everything = shelf()
    assert said(everything.handle(chat("hello"))) == "from a"
    assert said(everything.handle(chat("only b"))) == "first"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("a", "from a"),
        ("deep/er", "from er"),
        ("deep/er/b", "from b"),
        ("a.yaml", "from a"),
        ("deep/er/b.yml", "from b"),
    ],
)
def test_a_header_picks_one(shelf, name, answer):
    assert said(shelf().handle(chat("hello", x_llmmock_cassette=name))) == answer


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/cassette/a/v1/chat/completions", "from a"),
        ("/cassette/a.yaml/v1/chat/completions", "from a"),
        ("/cassette/deep/er/v1/chat/completions", "from er"),
        ("/cassette/deep/er/b/v1/chat/completions", "from b"),
        ("/cassette/deep%2Fer%2Fb/v1/chat/completions", "from b"),
        ("/cassette/a/openai/v1/chat/completions", "from a"),
    ],
)
def test_an_address_picks_one_by_the_longest_name_that_fits(shelf, path, answer):
    assert said(shelf().handle(chat("hello", path))) == answer


def test_the_one_that_is_picked_does_not_answer_for_others(shelf, troubles):
    reply = shelf().handle(chat("only b", x_llmmock_cassette="a"))
    assert reply.status == 404
    (trouble,) = troubles
    assert "a.yaml" in trouble
    assert "b.yaml" not in trouble


def test_each_keeps_its_own_place_in_the_order_of_recording(shelf):
    everything = shelf(repeat=False)
    assert said(everything.handle(chat("only b", x_llmmock_cassette="deep/er/b"))) == "first"
    assert said(everything.handle(chat("only b"))) == "first"
    assert said(everything.handle(chat("only b", x_llmmock_cassette="deep/er/b"))) == "second"
    assert everything.handle(chat("only b", x_llmmock_cassette="deep/er/b")).status == 404


@pytest.mark.parametrize(
    "request_for_one",
    [chat("hello", x_llmmock_cassette="deep/err"), chat("hello", "/cassette/deep/err/v1/chat/completions")],
    ids=["header", "address"],
)
def test_an_unknown_cassette_is_refused_with_names_that_are_near(shelf, troubles, request_for_one):
    reply = shelf().handle(request_for_one)
    assert reply.status == 404
    assert ("x-should-retry", "false") in reply.headers
    error = reply.json()["error"]
    assert error["code"] == "no_cassette"
    assert error["message"].startswith("There is no cassette 'deep/err")
    assert "deep/er" in error["message"].partition("Near are:")[2]
    assert troubles == []


def test_where_no_name_is_near_some_are_named(shelf):
    message = shelf().handle(chat("hello", x_llmmock_cassette="zzzzzzzzzzzzzzzz")).json()["error"]["message"]
    assert message.endswith("Near are: a, deep/er, deep/er/b.")


# --- repeating ------------------------------------------------------------------------------------------


def test_the_last_recording_is_played_again_and_again(shelf):
    everything = shelf()
    assert [said(everything.handle(chat("only b"))) for _ in range(4)] == ["first", "second", "second", "second"]


def test_without_repeat_each_is_played_once(shelf, troubles):
    everything = shelf(repeat=False)
    assert [everything.handle(chat("only b")).status for _ in range(3)] == [200, 200, 404]
    assert "has been played twice: no recording of it is left" in troubles[0]


def test_it_knows_how_many_requests_have_several_answers(shelf, folder):
    assert shelf().repeated == 2
    assert shelf(folder / "a.yaml").repeated == 0


# --- health ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_told_and_is_no_trouble(shelf, troubles, path, method):
    reply = shelf().handle(get(path, method))
    assert (reply.status, reply.content_type) == (200, "application/json")
    assert reply.json() == {"status": "ok", "cassettes": 3, "interactions": 5}
    assert troubles == []


@pytest.mark.parametrize("asked", [get("/health", "POST"), get("/healthy"), get("/v1/health")])
def test_what_only_looks_like_it_is_a_miss(shelf, troubles, asked):
    assert shelf().handle(asked).status == 404
    assert len(troubles) == 1


def test_a_recording_of_the_root_goes_before_our_own_answer(shelf, folder, tmp_path):
    """Ollama's root says "Ollama is running", and people record it."""
    write(folder / "ollama.yaml", (get("/"), "Ollama is running"), (get("/", "HEAD"), "the head"))
    everything = shelf()
    assert said(everything.handle(get("/"))) == "Ollama is running"
    assert said(everything.handle(get("/", "HEAD"))) == "the head"


def test_a_head_request_is_answered_from_its_own_recording_only(shelf, folder):
    write(folder / "files.yaml", (get("/v1/chatgpt/files/1", "HEAD"), {}))
    everything = shelf()
    assert everything.handle(get("/v1/chatgpt/files/1", "HEAD")).status == 200
    assert everything.handle(get("/v1/chatgpt/files/1")).status == 404


# --- misses ---------------------------------------------------------------------------------------------


def test_a_miss_is_an_explained_answer_and_is_told_to_whoever_started_the_server(shelf, troubles):
    reply = shelf().handle(chat("unknown"))
    assert reply.status == 404
    assert ("x-should-retry", "false") in reply.headers
    assert [reply.json()["error"]["message"]] == troubles
    assert troubles[0].startswith("No recording matches this request, and record mode 'none' does not record new ones.")
    assert "record it:  llmmock record --cassette FILE" in troubles[0]


def test_of_two_misses_at_once_each_is_told(shelf, troubles, monkeypatch):
    """Both are in the journal before either of them is told."""
    both_noted = threading.Barrier(2, timeout=10)
    note = Journal.note

    def note_and_wait(journal: Journal, exchange: Exchange, reply: Reply) -> Reply:
        noted = note(journal, exchange, reply)
        both_noted.wait()
        return noted

    monkeypatch.setattr(Journal, "note", note_and_wait)
    everything = shelf()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda words: everything.handle(chat(words)), ["unknown one", "unknown two"]))
    assert sorted("unknown one" in trouble for trouble in troubles) == [False, True]
    assert sorted("unknown two" in trouble for trouble in troubles) == [False, True]


def test_settings_say_what_matches(shelf):
    assert said(shelf(ignore=["messages"]).handle(chat("whatever was said"))) == "from a"


# --- beside answering -----------------------------------------------------------------------------------


def test_health_and_figures_are_told_without_a_key(shelf):
    everything = shelf(auth_token="sk-1")
    assert everything.handle(get("/health")).json() == {"status": "ok", "cassettes": 3, "interactions": 5}
    assert everything.handle(get("/healthz")).json() == {"ok": True}
    assert everything.handle(chat("hello")).status == 401
    assert said(everything.handle(chat("hello", x_api_key="sk-1"))) == "from a"
    told = everything.handle(get("/metrics"))
    assert told.content_type.startswith("text/plain; version=0.0.4")
    assert b'llmmock_requests_total{operation="chat",source="cassette",status="200"} 1\n' in told.body
    assert b'llmmock_requests_total{operation="chat",source="script",status="401"} 1\n' in told.body


def test_figures_are_those_of_all_cassettes(shelf):
    everything = shelf()
    everything.handle(chat("hello"))
    everything.handle(chat("hello", x_llmmock_cassette="deep/er"))
    for path in ("/metrics", "/cassette/a/metrics"):
        assert b"llmmock_request_seconds_count 2\n" in everything.handle(get(path)).body


def test_figures_that_were_recorded_are_played(folder, shelf):
    write(folder / "vllm.yaml", (get("/metrics"), "recorded figures"))
    assert said(shelf().handle(get("/metrics"))) == "recorded figures"


def test_each_cassette_that_is_picked_has_rules_and_a_journal_of_its_own(shelf):
    everything = shelf()
    rule = json.dumps({"reply": "by rule"}).encode()
    put = Request("POST", "http://localhost", "/cassette/deep/er/__llmmock__/rules", body=rule)
    assert everything.handle(put).status == 200
    assert everything.handle(chat("x", "/cassette/deep/er/v1/chat/completions")).status == 200
    assert said(everything.handle(chat("hello"))) == "from a"

    def asked(path: str, **headers: str) -> int:
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        reply = everything.handle(Request("GET", "http://localhost", path + "__llmmock__/journal", headers=pairs))
        return len(reply.json()["entries"])

    counts = {path: asked(path) for path in ("/", "/cassette/deep/er/", "/cassette/deep/er/v1/", "/cassette/a/")}
    assert [*counts.values()] == [1, 1, 1, 0]
    assert asked("/", x_llmmock_cassette="deep/er") == 1


def test_who_has_no_key_is_not_told_which_cassettes_there_are(shelf):
    everything = shelf(auth_token="sk-1")
    refused = everything.handle(chat("x", "/cassette/nope/v1/chat/completions"))
    assert (refused.status, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    told = everything.handle(chat("x", "/cassette/nope/v1/chat/completions", api_key="sk-1"))
    assert (told.status, told.json()["error"]["code"]) == (404, "no_cassette")


def test_pages_of_an_origin_may_read_what_is_refused_too(shelf):
    everything = shelf(cors_origin=["http://page.example"])
    for path in ("/health", "/nowhere", "/cassette/nope/v1/models", "/__llmmock__/nope"):
        request = Request("GET", "http://localhost", path, headers=(("origin", "http://page.example"),))
        assert dict(everything.handle(request).headers)["access-control-allow-origin"] == "http://page.example"
