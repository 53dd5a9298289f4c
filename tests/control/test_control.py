"""The routes by which a server is controlled."""

from __future__ import annotations

import pytest
from controlled import Controlled, chat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_llmmock.core.model import Request

RECORDED = (
    (chat("a"), {"choices": [{"message": {"content": "first"}}]}),
    (chat("a"), {"choices": [{"message": {"content": "second"}}]}),
)


def test_a_rule_is_put_and_answers_and_is_taken_back() -> None:
    server = Controlled(*RECORDED)
    told = server.told("POST", "rules", {"when": {"contains": "a"}, "reply": "by rule"})
    assert told["added"] == 1
    assert told["rules"] == [
        {"rule": "when(contains='a')", "place": "rules.json:1", "priority": 0, "answered": 0, "put": True}
    ]
    assert server.words("a") == "by rule"
    assert server.told("GET", "rules")["rules"][0]["answered"] == 1
    assert server.told("DELETE", "rules") == {"removed": 1}
    assert server.words("a") == "first"


def test_a_reset_begins_everything_anew_but_the_cassette_is_still_played() -> None:
    server = Controlled(*RECORDED)
    server.deck.script.when(contains="sequence").reply("one").reply("two")
    server.told("POST", "rules", {"when": {"contains": "put"}, "reply": "was put"})
    assert [server.words(words) for words in ("a", "sequence", "put")] == ["first", "one", "was put"]
    server.told("POST", "faults", {"fault": "server_error"})
    assert server.told("POST", "reset") == {"forgotten": 3}
    assert [server.words(words) for words in ("a", "a", "sequence", "put")] == ["first", "second", "one", 404]
    assert len(server.told("GET", "journal")["entries"]) == 4
    assert len(server.deck.requests) == 7
    assert server.deck.cassette.played_numbers == [1, 2]


def test_a_miss_is_not_undone_by_a_reset() -> None:
    server = Controlled()
    assert server.words("nobody knows") == 404
    server.told("POST", "reset")
    assert server.told("DELETE", "journal") == {"forgotten": 0}
    assert server.deck.failed


def test_files_of_a_played_provider_and_limits_begin_anew() -> None:
    server = Controlled(simulate=True, limits="rpm=1")
    server.deck.script.when(operation="chat").reply("hi")
    assert [server.words("1"), server.words("2")] == ["hi", 429]
    server.told("POST", "reset")
    assert server.words("3") == "hi"


def test_the_routes_are_there_below_v1_too_and_nothing_of_them_is_noted() -> None:
    server = Controlled()
    assert server.handle(Request("GET", "http://localhost", "/v1/__llmmock__/journal")).json() == {"entries": []}
    assert server.send("HEAD", "rules").status == 200
    assert not server.deck.requests


def test_what_there_is_not_is_told_with_what_there_is() -> None:
    server = Controlled()
    assert server.refused("GET", "jurnal", status=404) == (
        "There is nothing at /__llmmock__/jurnal. Did you mean /__llmmock__/journal?"
    )
    assert server.refused("GET", "", status=404).endswith(
        "There are: /__llmmock__/journal, /__llmmock__/rules, /__llmmock__/faults, /__llmmock__/reset."
    )
    refused = server.send("GET", "reset")
    assert (refused.status, dict(refused.headers)["allow"]) == (405, "POST")
    assert refused.json()["error"]["message"] == "/__llmmock__/reset cannot be asked by GET. It can by: POST."


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_server_with_a_key_asks_for_it_here_too(method: str) -> None:
    server = Controlled(auth_token="sk-1", lock_out="1/60s")
    for _ in range(3):
        assert server.send(method, "journal").status == 401
    assert server.send(method, "journal", x_api_key="sk-2").status == 401
    assert server.send("GET", "journal", x_api_key="sk-1").status == 200
    assert server.handle(chat("x")).status == 401  # what was wrong here has locked nobody out
    assert server.send("GET", "journal", authorization="Bearer sk-1").status == 200


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["rules", "default", "when", "reply", "error", "text", "model", "fault", "on", "cut", "times"]
            )
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    st.sampled_from(["rules", "faults", "journal", "reset", "x"]),
    values | st.binary(max_size=20),
    st.sampled_from(["", "?last=1", "?last=x", "?x=1", "?model=[", "?status="]),
)
def test_whatever_is_sent_is_answered_in_order(method: str, path: str, body: object, query: str) -> None:
    server = Controlled()
    reply = server.send(method, path + query, body)
    assert reply.status in (200, 400, 404, 405)
    assert ("error" in reply.json()) is (reply.status != 200)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"", b'{"reply": "\x7f\xc2\x85"}'])
def test_bodies_that_break_readers_are_refused_or_read(body: bytes) -> None:
    assert Controlled().send("POST", "rules", body).status in (200, 400)
    assert Controlled().send("POST", "faults", body).status == 400
