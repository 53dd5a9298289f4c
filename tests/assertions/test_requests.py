from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from asserting import call, chat, failed, journal, tool

from pytest_llmmock import LLMMock, LLMServer, UsageError, use_cassette
from pytest_llmmock.assertions.requests import Requests, Selection
from pytest_llmmock.core.model import json_reply


def three() -> Requests:
    return journal(
        (chat("Rome", tools=[tool("weather")]), call("weather", {"city": "Rome"})),
        (chat("Paris", model="gpt-5-mini"), "Start early."),
        (chat("Rome"), 429),
    )


def test_where_takes_conditions_of_rules_and_values_of_entries() -> None:
    requests = three()
    assert requests.where(model="gpt-*", status=200) == list(requests[:2])
    assert requests.where(contains="Rome", tool="weather") == [requests[0]]
    assert requests.where(lambda request: request.text == "Paris", stream=False) == [requests[1]]
    assert requests.where(text="Start early.", source="script") == [requests[1]]
    assert requests.where(json__model="gpt-5-mini") == [requests[1]]
    assert requests.where(status=500) == []
    assert requests.where() == list(requests)


def test_a_function_can_look_at_the_entry_too() -> None:
    found = three().where(lambda request: request.entry.status == 429)
    assert [entry.status for entry in found] == [429]


def test_what_where_finds_has_the_same_assertions_and_can_be_narrowed() -> None:
    found = three().where(contains="Rome")
    assert isinstance(found, Selection)
    found.assert_called(2)
    found.assert_called(times=1, status=429)
    found.assert_not_called(model="gpt-5-mini")
    found.assert_tool_called("weather", city="Rome")
    found.assert_tool_arguments_valid()
    found.assert_prompt_cache_stable()
    assert [entry.status for entry in found.where(status=429)] == [429]
    assert len(found.where(status=429).where(model="other")) == 0
    assert (found.last.status, found.where(status=200).last.status) == (429, 200)
    with pytest.raises(IndexError, match="There is no last request"):
        _ = found.where(model="other").last


def test_what_is_asserted_of_a_selection_is_not_asserted_of_the_rest() -> None:
    found = three().where(model="gpt-5-mini")
    found.assert_not_called(contains="Rome")
    assert "was not called" in failed(lambda: found.assert_tool_called("weather"))


def test_an_unknown_condition_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UsageError, match=r"^where\(modle=…\): there is no such condition\. Did you mean 'model'\?$"):
        three().where(modle="gpt-5")
    with pytest.raises(UsageError, match=r"^assert_called\(statsu=…\): .* Did you mean 'status'\?$"):
        three().assert_called(statsu=200)
    with pytest.raises(
        UsageError, match=r"^assert_not_called\(xyzzy=…\): there is no such condition\. Known are: model,"
    ):
        three().assert_not_called(xyzzy=1)
    with pytest.raises(
        UsageError, match=r"^where\(model=None\): a value was expected\. For any request leave model out"
    ):
        three().where(model=None)
    with pytest.raises(UsageError, match=r"^where\('Rome'\): a function, a respx pattern, or named"):
        three().where("Rome")


def test_later_requests_are_not_in_what_was_found_before() -> None:
    requests = three()
    found = requests.where(contains="Rome")
    requests.note(chat("Rome"), json_reply({}))
    assert (len(found), len(requests.where(contains="Rome"))) == (2, 3)
    found.assert_called(2)


ASSERTIONS: dict[str, Callable[[Requests], None]] = {
    "called": lambda requests: requests.assert_called(model="other"),
    "not called": lambda requests: requests.assert_not_called(),
    "tool called": lambda requests: requests.assert_tool_called("other"),
    "arguments": lambda requests: requests.where(status=200).assert_tool_arguments_valid(),
    "cache": lambda requests: requests.assert_prompt_cache_stable(),
}


def failing() -> Requests:
    first, second = chat("Plan a day", tools=[tool("a")]), chat("Plan a day", "Start early.", "And then?")
    return journal((first, "Start early."), (second, call("b")))


@pytest.mark.parametrize("name", ASSERTIONS)
def test_every_frame_of_ours_is_hidden_in_tracebacks(name: str) -> None:
    with pytest.raises(AssertionError) as caught:
        ASSERTIONS[name](failing())
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if "pytest_llmmock" in Path(frame.f_code.co_filename).parts]
    assert ours
    assert all(frame.f_locals.get("__tracebackhide__") for frame in ours)


SECRET = "sk-hidden-" + "0123456789abcdef" * 8


def clean(text: str) -> str:
    return text.replace(SECRET, "<secret>")


@pytest.mark.parametrize(
    "assertion",
    [
        lambda requests: requests.assert_called(contains="Rome"),
        lambda requests: requests.assert_called(text="Rome"),
        lambda requests: requests.assert_called(json={"model": "gpt-5"}),
        lambda requests: requests.assert_called(body=b""),
        lambda requests: requests.assert_called(contains=SECRET, times=3),
        lambda requests: requests.assert_not_called(),
        lambda requests: requests.assert_tool_called("weather", city="Rome"),
        lambda requests: requests.assert_tool_called("other"),
        lambda requests: requests.assert_tool_arguments_valid(),
        lambda requests: requests.assert_prompt_cache_stable(),
    ],
)
def test_no_secret_is_told_not_even_its_beginning(assertion: Callable[[Requests], None]) -> None:
    words = f"My key is {SECRET}, is it not"
    more = {"role": "assistant", "content": f"Never say {SECRET}"}
    requests = journal(
        (chat(words, tools=[tool("weather")]), f"Never say {SECRET}"),
        (chat(f"{words} 1?", more, "And then?", tools=[tool("weather")]), call("weather", {"city": [SECRET]})),
        clean=clean,
    )
    assert "sk-hidden" not in failed(lambda: assertion(requests))


def test_a_mock_a_server_and_a_cassette_in_use_have_them(tmp_path: Path) -> None:
    with use_cassette(tmp_path / "none.yaml") as mock, LLMServer(tmp_path / "other.yaml") as server:
        for each in (mock, server):
            assert isinstance(each, LLMMock)
            each.requests.assert_not_called()
            with pytest.raises(AssertionError, match=r"^No request was made, and at least one was expected\."):
                each.requests.assert_called()
