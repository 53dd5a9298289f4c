from __future__ import annotations

from asserting import call, chat, journal

from pytest_llmmock.assertions.listing import COLUMNS, asked_line, cut, listed, whole_line, without_secrets
from pytest_llmmock.cassettes.difference import MISSING, Difference
from pytest_llmmock.core.prompt import Delta


def test_few_are_listed_and_the_rest_is_counted() -> None:
    assert listed(["  #1 why", "  #2"], lambda line: line.split(" ")[2:]) == "#1\n      why\n#2"
    told = []
    assert listed(range(7), lambda number: told.append(number) or [f"  #{number}"]).splitlines()[-2:] == [
        "  #4",
        "  and 2 more",
    ]
    assert told == [0, 1, 2, 3, 4]


def test_lines_are_no_longer_than_a_screen() -> None:
    assert cut("x" * COLUMNS) == "x" * COLUMNS
    assert cut("x" * (COLUMNS + 1)) == "x" * (COLUMNS - 2) + " …"


def test_a_request_and_its_answer_have_a_line_without_secrets() -> None:
    def clean(text: str) -> str:
        return text.replace("abc-" + "x" * 90, "<secret>")

    secret = "abc-" + "x" * 90
    said = (Delta("text", "It is "), Delta("text", secret), call("f"))
    entry = journal((chat(f"My key is {secret}"), said))[0]
    assert asked_line(3, entry, clean) == '  #3  chat gpt-5  "My key is <secret>"'
    assert whole_line(3, entry, clean).endswith('->  "It is <secret>"')


def test_the_texts_of_a_difference_are_without_secrets_at_any_depth() -> None:
    found = without_secrets(Difference("a.key", {"a": ["key", 1]}, MISSING), lambda text: text.replace("key", "***"))
    assert found == Difference("a.***", {"a": ["***", 1]}, MISSING)
