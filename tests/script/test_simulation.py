"""The sources of a played provider, and what it has around it."""

from __future__ import annotations

import json

from simulating import chat

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Recorded
from pytest_llmmock.core.model import Exchange, Reply, Request, json_reply
from pytest_llmmock.script.simulation import Around, Simulation


def nobody(request: Request) -> Reply:
    raise AssertionError(f"nobody is to be asked: {request}")


AROUND = Around(
    lambda: [Recorded(chat("gpt-5"), json_reply({"id": "resp_1"})), Recorded(chat(""), json_reply({}))],
    dialects.read,
    dialects.methods_of,
    nobody,
)


def asked(method: str, path: str, **body: object) -> Exchange:
    return dialects.read(Request(method, "http://x", path, body=json.dumps(body).encode() if body else b""))


def test_models_are_known_from_recordings_and_rules() -> None:
    assert AROUND.models() == ["gpt-5"]
    assert Around(AROUND.recordings, AROUND.read, AROUND.methods, nobody, lambda: ["o3", "gpt-5"]).models() == [
        "gpt-5",
        "o3",
    ]


def test_an_id_is_known_from_recordings() -> None:
    assert AROUND.is_recorded("resp_1")
    assert not AROUND.is_recorded("resp_2")
    assert not AROUND.is_recorded("\ud800")


def test_each_source_has_its_own_part() -> None:
    played = Simulation((), AROUND)
    parts = (played.first, played.second, played.last)
    listing, nowhere, talk = (
        asked("GET", "/v1/files"),
        asked("GET", "/v1/x"),
        asked("POST", "/v1/chat/completions", n=1),
    )
    gone = asked("POST", "/v1/responses", previous_response_id="resp_2")
    recorded = asked("POST", "/v1/responses", previous_response_id="resp_1")
    for exchange, answers in (
        (listing, [False, True, False]),
        (nowhere, [False, False, True]),
        (talk, [False, False, False]),
        (gone, [True, False, False]),
        (recorded, [False, False, False]),
    ):
        replies = [part.answer(exchange) for part in parts]
        assert [reply is not None for reply in replies] == answers, exchange.target
        assert {reply.source for reply in replies if reply} <= {"script"}
