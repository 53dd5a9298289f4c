from __future__ import annotations

import pytest
from asserting import chat, journal

from pytest_llmmock.assertions.wanted import Seen, cleaned, wanted_of
from pytest_llmmock.core.journal import Entry
from pytest_llmmock.script import conditions


def entry(words: str = "Plan a day in Rome", said: str = "Start early.") -> Entry:
    return journal((chat(words, temperature=0), said))[0]


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"status": 200}, ""),
        ({"status": 404}, "status is 200"),
        ({"stream": True}, "stream is False"),
        ({"text": "Start late."}, "text is 'Start early.'"),
        ({"model": "gpt-5*"}, ""),
        ({"model": "gpt-6"}, "model is 'gpt-5'"),
        ({"json": {"model": "gpt-5"}}, "json.messages is [{'role': 'user', 'content': 'Plan a day in Rome'}]"),
        ({"json": {"model": "gpt-5", "top_p": 1}}, "json.top_p is not there"),
        ({"messages": []}, "messages is (Message(role='user', text='Plan a day in Rome', parts=…"),
        ({"interaction": None}, ""),
    ],
)
def test_why_a_request_is_not_what_is_wanted(named: dict[str, object], why: str) -> None:
    [wanted] = wanted_of("where", (), named)
    found = wanted.why(entry(), str)
    assert found == why if not why.endswith("…") else found.startswith(why[:-1])
    assert wanted.fits(entry()) == (not why)


def test_the_names_of_rules_are_those_that_rules_have() -> None:
    from pytest_llmmock.assertions import wanted

    assert wanted._OF_RULES == conditions.NAMES


def test_long_values_are_shortened_where_they_are_named() -> None:
    [wanted] = wanted_of("where", (), {"contains": "word " * 40})
    assert wanted.told(str).startswith("contains='word word")
    assert len(wanted.told(str)) <= 60
    assert len(wanted.name) > 200


def test_what_fits_only_without_its_secrets_has_a_reason_too() -> None:
    [wanted] = wanted_of("where", (), {"contains": "XXX"})
    assert wanted.why(entry("the key is abc"), lambda text: text.replace("abc", "XXX")) == "contains='XXX' does not fit"


def test_a_request_without_secrets_is_the_same_one() -> None:
    asked = entry("the key is abc").exchange
    assert cleaned(asked, str) is asked
    told = Seen(entry("the key is abc"), lambda text: text.replace("abc", "XXX"))
    assert (told.text, told.operation, told.model) == ("the key is XXX", "chat", "gpt-5")
    assert told.entry.messages[0].text == "the key is abc"
