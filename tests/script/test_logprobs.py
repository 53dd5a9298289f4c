from __future__ import annotations

import re

import pytest

from pytest_llmmock import UsageError, reply
from pytest_llmmock.script.logprobs import invented, logprobs_of, tokens

ENTRY = {"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169], "top_logprobs": []}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, False),
        (False, False),
        (True, True),
        ([("Hé", -0.5)], (ENTRY,)),
        ([{"token": "Hé", "logprob": -0.5}], (ENTRY,)),
        ([ENTRY], (ENTRY,)),
        ([("Hé", -0.5, {"A": -1})], ({**ENTRY, "top_logprobs": [{"token": "A", "logprob": -1.0, "bytes": [65]}]},)),
    ],
    ids=str,
)
def test_probabilities_are_written_as_anybody_would(given, found):
    assert logprobs_of(given) == found


@pytest.mark.parametrize(
    "given", [5, [], ["a"], [("a",)], [("a", "b")], [("", 1)], [("a", 1, 5)], [("a", 1, [5])], [("a", True)]], ids=str
)
def test_what_is_no_probability_is_refused(given):
    with pytest.raises(UsageError, match=r"^logprobs: .* is none\. They are \[\('Hello', -0\.1\)"):
        reply("x", logprobs=given)


def test_the_tokens_are_the_text():
    assert reply(logprobs=[("Hel", -1), ("lo", -1)]).text == "Hello"
    assert reply("Hello", logprobs=[("Hel", -1), ("lo", -1)]).text == "Hello"
    with pytest.raises(UsageError, match=re.escape("the tokens make 'Hello', which is another text")):
        reply("Hallo", logprobs=[("Hel", -1), ("lo", -1)])
    with pytest.raises(UsageError, match=re.escape("the JSON is the text, so its tokens cannot be given")):
        reply(json={}, logprobs=[("{}", -1)])


def test_what_is_made_up_is_the_same_every_time():
    first, second = list(invented(["a", "b"], 2)), list(invented(["a", "b"], 2))
    assert first == second
    assert tokens(first) == "ab"
    assert [len(each["top_logprobs"]) for each in first] == [2, 2]
    assert all(-1.1 < each["logprob"] < 0 for each in first)
    assert [each["top_logprobs"] for each in invented(["a"])] == [[]]
