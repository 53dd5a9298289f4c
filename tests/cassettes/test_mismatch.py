from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmmock.cassettes.advice import Advice
from pytest_llmmock.cassettes.cassette import Cassette, Interaction
from pytest_llmmock.cassettes.format import dumps, loads
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.mismatch import explain
from pytest_llmmock.cassettes.player import Player
from pytest_llmmock.core.engine import Engine
from pytest_llmmock.core.journal import Journal
from pytest_llmmock.core.model import Exchange, Request

Chat = Callable[..., Request]
Tape = Callable[..., Interaction]
Read = Callable[[Request], Exchange]

ADVICE = Advice(record="pytest --llm-record", ignore="ignore=[{paths}]", normalise="normalisers=[{names}]")


@pytest.fixture
def told(read: Read) -> Callable[..., str]:
    """The explanation of why this request has no answer from these cassettes."""

    def told(request: Request, *cassettes: Cassette, played: int = 0, mode: str = "none") -> str:
        player = Player(cassettes, Keys(), read)
        for _ in range(played):
            assert player.answer(read(request)) is not None
        return explain(read(request), player, read, mode, ADVICE)

    return told


Told = Callable[..., str]


def test_a_miss_is_explained_in_full(told: Told, chat: Chat, tape: Tape) -> None:
    cassette = Cassette(Path("a.yaml"), [tape("Rome?"), tape("Paris?")], exists=True)
    cassette.note_played(cassette.interactions[1])
    assert told(chat("Oslo?", tools=[{"name": "look"}], stream=True), cassette) == "\n".join(
        [
            "No recording matches this request, and record mode 'none' does not record new ones.",
            "",
            "  POST /v1/chat/completions   gpt-5, 1 message, 1 tool, streamed",
            '  chat gpt-5, streamed  "Oslo?"',
            "",
            "Cassette: a.yaml",
            "  2 interactions, 1 played      matched on: operation, query, stream, body",
            '  #1  chat gpt-5  "Rome?"',
            '  #2  chat gpt-5  "Paris?"   (played)',
            "",
            "Closest recording (#1) differs in stream, messages, tools:",
            "  stream",
            "  - false",
            "  + true",
            "  messages[0].content",
            "  - Rome?",
            "  + Oslo?",
            "  tools",
            "  - (nothing)",
            '  + [{"name": "look"}]',
            "",
            "To fix it:",
            "  * If the request is new or changed on purpose, record it:  pytest --llm-record",
        ]
    )


@pytest.mark.parametrize(("times", "words"), [(1, "once"), (2, "twice"), (3, "3 times")])
def test_a_request_asked_more_often_than_it_was_recorded_is_told_so(
    told: Told, chat: Chat, tape: Tape, times: int, words: str
) -> None:
    cassette = Cassette(Path("a.yaml"), [tape("Rome?") for _ in range(times)], exists=True)
    assert told(chat("Rome?"), cassette, played=times).startswith(
        f"This request was recorded {words} and has been played {words}: no recording of it is left.\n"
    )


def test_a_cassette_that_does_not_exist_is_told(told: Told, chat: Chat) -> None:
    text = told(chat(), Cassette(Path("a.yaml")))
    assert text.startswith(
        "There are no recordings to answer this request from: the cassette does not exist.\n"
        "Record mode 'none' does not record new ones.\n"
    )
    assert "\n\nCassette: a.yaml   (does not exist)\n\nTo fix it:\n" in text


def test_an_empty_cassette_is_not_one_that_does_not_exist(told: Told, chat: Chat) -> None:
    text = told(chat(), Cassette(Path("a.yaml"), exists=True))
    assert "Cassette: a.yaml\n  0 interactions, 0 played      matched on: " in text


def test_of_many_interactions_the_first_are_shown_and_the_rest_counted(told: Told, chat: Chat, tape: Tape) -> None:
    cassette = Cassette(Path("a.yaml"), [tape(f"words {number}") for number in range(1, 12)], exists=True)
    text = told(chat(), cassette)
    assert '  #5  chat gpt-5  "words 5"\n  and 6 more\n' in text
    assert "  #6  " not in text
    cassette.interactions = cassette.interactions[:5]
    assert "more\n" not in told(chat(), cassette)


def test_every_cassette_is_shown(told: Told, chat: Chat, tape: Tape) -> None:
    text = told(chat("x"), *(Cassette(Path(f"{name}.yaml"), [tape(name)], exists=True) for name in "ab"))
    assert "Cassette: a.yaml\n  1 interaction, 0 played      matched on: operation, query, stream, body\n  #1" in text
    assert "\n\nCassette: b.yaml\n  1 interaction, 0 played" in text


def test_a_recording_that_cannot_be_read_does_not_stand_in_the_way_of_an_answer(
    read: Read, chat: Chat, tape: Tape
) -> None:
    keys = Keys()
    made = tape("Rome?")
    made.key = keys.key(read(made.request))
    broken = loads(dumps([made], keys.signature).replace(b"{code: 200, ", b"{code: ["), keys.signature)
    player = Player([Cassette(Path("a.yaml"), broken, exists=True)], keys, read)
    engine = Engine(read, [player], lambda exchange: explain(exchange, player, read, "none", ADVICE), Journal())
    reply = engine.handle(chat("Oslo?"))
    assert reply.status >= 400
    assert engine.journal.last.trouble


def test_the_nearest_of_many_is_compared(told: Told, chat: Chat, tape: Tape) -> None:
    talks = [
        tape(chat("Rome?", system=f"You are guide number {number} of this town", user=f"u{number}"))
        for number in range(40)
    ]
    text = told(chat("Oslo?", system="You are guide number 23 of this town", user="u23"), Cassette(Path("a"), talks))
    assert "Closest recording (#24) differs in messages:\n  messages[0].content\n  - Rome?\n  + Oslo?\n" in text


def test_a_recording_of_another_operation_is_not_compared(told: Told, chat: Chat, tape: Tape) -> None:
    text = told(chat("Rome?"), Cassette(Path("a"), [tape(chat("Rome?", path="/v1/responses"))]))
    assert "Closest" not in text


def test_what_changes_on_every_run_is_advised_to_be_left_out(told: Told, chat: Chat, tape: Tape) -> None:
    recorded = tape(chat("Rome?", metadata={"trace": "3f2b8c1e-0b1d-4c7e-9f3a-2d1e5a6b7c8d", "day": "2026-11-20"}))
    asked = chat("Rome?", metadata={"trace": "00000000-1111-2222-3333-444444444444", "day": "2026-11-21"})
    assert told(asked, Cassette(Path("a"), [recorded])).endswith(
        "\n  * This looks like a UUID and a time, which changes on every run; "
        'leave it out:  ignore=["metadata.trace", "metadata.day"]'
    )


def test_a_changed_model_is_not_advised_to_be_left_out(told: Told, chat: Chat, tape: Tape) -> None:
    text = told(chat("Rome?", model="gpt-6"), Cassette(Path("a"), [tape("Rome?")]))
    assert "differs in model:\n  model\n  - gpt-5\n  + gpt-6\n" in text
    assert "leave it out" not in text


def test_a_placeholder_is_explained_where_the_request_has_something_else_and_only_there(told, chat, tape):
    words = "The recording has redacted-secret here"
    cassette = Cassette(Path("a.yaml"), [tape("Log in with redacted-secret to Rome")], exists=True)
    assert words in told(chat("Log in with hunter2hunter2 to Rome"), cassette)
    assert words not in told(chat("Log in with redacted-secret to Paris"), cassette)
