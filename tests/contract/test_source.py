from __future__ import annotations

import json
from typing import Any

import pytest
from checking import LEAST, sent

from pytest_llmmock.contract.source import Contract, broken, report
from pytest_llmmock.core.journal import Journal
from pytest_llmmock.core.model import Reply


def contract(mode: str, said: list[str] | None = None) -> Contract:
    made = Contract(mode, lambda exchange: "", lambda text: text.replace("sk-secret", "REDACTED"))
    if said is not None:
        made.tell = said.append
    return made


def answered(mode: str, operation: str, **body: Any) -> tuple[Reply | None, Any]:
    exchange = sent(operation, {**LEAST[operation], **body})
    return contract(mode).answer(exchange), exchange


@pytest.mark.parametrize("mode", ["warn", "error"])
def test_a_request_that_holds_goes_on(mode):
    reply, exchange = answered(mode, "chat")
    assert reply is None
    assert (exchange.violations, exchange.notes) == ([], [])


def test_openais_error_names_parameter_and_code():
    reply, _ = answered("error", "chat", temperature=3)
    assert reply is not None
    assert (reply.status, reply.source) == (400, "script")
    assert reply.json() == {
        "error": {
            "message": "'temperature' has to be at most 2, and is 3.",
            "type": "invalid_request_error",
            "param": "temperature",
            "code": "integer_above_max_value",
        }
    }


def test_anthropics_error_has_its_own_shape():
    reply, _ = answered("error", "messages", max_tokens="5")
    assert reply is not None
    assert reply.json() == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "max_tokens: has to be an integer, and is a string."},
        "request_id": None,
    }


def test_ollamas_error_is_a_sentence():
    reply, _ = answered("error", "ollama.chat", messages="hello")
    assert reply is not None
    assert reply.json() == {"error": "messages has to be an array, and is a string."}


def test_a_warning_lets_the_request_pass_and_notes_it():
    reply, exchange = answered("warn", "chat", temperature=3)
    assert reply is None
    assert exchange.notes == ["contract: 'temperature' has to be at most 2, and is 3."]


def test_a_hint_refuses_nothing():
    reply, exchange = answered("error", "chat", model="gpt-5", max_tokens=5)
    assert reply is None
    assert [each.refused for each in exchange.violations] == [False]


def test_it_is_told_in_words_without_secrets():
    said: list[str] = []
    contract("error", said).answer(sent("chat", {**LEAST["chat"], "temperature": 3, "sk-secret": 1}))
    assert said == [
        "The API would refuse POST /v1/chat/completions:\n"
        "  'REDACTED' is not known here: "
        + said[0].partition("is not known here: ")[2].partition("\n")[0]
        + "\n  'temperature' has to be at most 2, and is 3."
    ]


def test_what_cannot_be_checked_is_said_once(monkeypatch):
    from pytest_llmmock.contract import sdk

    monkeypatch.setattr(sdk, "load", lambda place: "the package openai is not installed")
    said: list[str] = []
    made = contract("warn", said)
    for _ in range(3):
        made.answer(sent("chat", LEAST["chat"]))
    assert said == [*made.unchecked]
    assert len(said) == 1


def test_a_journal_is_reported_request_by_request_and_equal_ones_once():
    journal, made = Journal(), contract("warn")
    for more in ({"temperature": 3}, {}, {"temperature": 3}, {"model": "gpt-5", "max_tokens": 5}):
        exchange = sent("chat", {**LEAST["chat"], **more})
        made.answer(exchange)
        journal.note(exchange, Reply(200, (), []))
    assert [len(entry.violations) for entry in journal] == [1, 0, 1, 1]
    assert len(broken(journal)) == 3
    assert report(journal) == [
        "The API would refuse POST /v1/chat/completions:\n  'temperature' has to be at most 2, and is 3.",
        "About POST /v1/chat/completions:\n  hint: 'max_tokens' is not taken by models that reason, such as gpt-5: "
        "use 'max_completion_tokens'.",
    ]


def test_an_entry_tells_what_was_wrong_with_it():
    journal, exchange = Journal(), sent("chat", {**LEAST["chat"], "temperature": 3})
    contract("warn").answer(exchange)
    journal.note(exchange, Reply(200, (), []))
    first = journal.last.violations[0]
    assert (first.path, first.param, first.code) == ("temperature", "temperature", "integer_above_max_value")
    assert json.dumps(journal.last.notes)
