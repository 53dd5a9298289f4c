from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.comparison import Change, compare
from pytest_llmmock.cassettes.format import dumps, loads
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.core.model import Request, json_reply

Chat = Callable[..., Request]
Play = Callable[..., Interaction]


@pytest.fixture
def play(chat: Chat) -> Play:
    """A recording of a chat: what was asked, what was answered, and fields of the answer."""

    def play(asked: str | Request = "Hello", said: str = "Hi", *, call: str = "", **fields: Any) -> Interaction:
        calls = [{"id": call, "function": {"name": "f", "arguments": "{}"}}] if call else []
        message = {"content": said, **({"tool_calls": calls} if calls else {})}
        body = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **fields}
        request = chat(asked) if isinstance(asked, str) else asked
        return Interaction.of(Recorded(request, json_reply(body), {}))

    return play


def changes(old: list[Interaction], new: list[Interaction], **keys: Any) -> list[Change]:
    return compare(old, new, Keys(**keys), dialects.read)


def told(found: list[Change]) -> list[tuple[str, int | None, int | None]]:
    return [(each.kind, each.old and each.old.number, each.new and each.new.number) for each in found]


def paths(change: Change) -> list[str]:
    return [each.path for each in change.differences]


def test_what_did_not_change_is_the_same(play: Play) -> None:
    assert told(changes([play()], [play()])) == [("same", 1, 1)]


def test_what_stands_in_the_file_as_it_stood_is_not_even_parsed(play: Play) -> None:
    keys = Keys()
    recording = play()
    recording.key = keys.key(dialects.read(recording.request))
    data = dumps([recording], keys.signature)

    def never(request: Request) -> Any:
        raise AssertionError("read")

    assert told(compare(loads(data, keys.signature), loads(data, keys.signature), keys, never)) == [("same", 1, 1)]


def test_ids_times_and_usage_are_noise(play: Play) -> None:
    [change] = changes([play()], [play(id="c2", created=3, usage={"total_tokens": 9})])
    assert (change.kind, change.noise, change.differences) == ("noise", ("ids", "created", "usage"), ())


def test_another_answer_to_the_same_request(play: Play) -> None:
    [change] = changes([play(said="Hi")], [play(said="Ho", id="c2")])
    assert (change.kind, paths(change), change.noise) == ("answer", ["answer.text"], ("ids",))


def test_an_edited_request_is_told_by_its_fields(play: Play, chat: Chat) -> None:
    [change] = changes([play(chat("Rome", temperature=0))], [play(chat("Oslo", temperature=1))])
    assert change.kind == "request"
    assert paths(change) == ["request.messages[0].content", "request.temperature"]


def test_what_does_not_count_when_matching_is_no_change(play: Play, chat: Chat) -> None:
    old, new = [play(chat(user="a"))], [play(chat(user="b"))]
    assert told(changes(old, new)) == [("request", 1, 1)]
    assert told(changes(old, new, ignore=["user"])) == [("same", 1, 1)]


def test_the_same_request_is_found_wherever_it_stands(play: Play) -> None:
    found = changes([play("a"), play("b"), play("c")], [play("c"), play("a"), play("b")])
    assert told(found) == [("same", 3, 1), ("same", 1, 2), ("same", 2, 3)]


def test_the_same_request_asked_twice_is_paired_in_order(play: Play) -> None:
    found = changes([play(said="1"), play(said="2")], [play(said="1"), play(said="2"), play(said="3")])
    assert told(found) == [("same", 1, 1), ("same", 2, 2), ("added", None, 3)]


def test_an_edited_request_is_paired_with_the_one_most_like_it(play: Play, chat: Chat) -> None:
    talk = [{"role": "user", "content": f"line {number}"} for number in range(8)]
    old = [play(chat(messages=talk)), play("Hello")]
    new = [play("Hallo"), play(chat(messages=[*talk[:7], {"role": "user", "content": "last"}]))]
    assert told(changes(old, new)) == [("request", 2, 1), ("request", 1, 2)]


def test_requests_of_other_operations_are_never_the_same_one(play: Play, chat: Chat) -> None:
    found = changes([play("Hello")], [play(chat("Hello", path="/v1/responses"))])
    assert told(found) == [("added", None, 1), ("removed", 1, None)]


def test_requests_with_next_to_nothing_in_common_came_and_went(play: Play, chat: Chat) -> None:
    def long(word: str) -> Request:
        return chat(messages=[{"role": word, "content": f"{word} {number}"} for number in range(40)])

    assert told(changes([play(long("user"))], [play(long("system"))])) == [("added", None, 1), ("removed", 1, None)]


def test_what_was_removed_is_told_where_it_stood(play: Play) -> None:
    found = changes([play("a"), play("b"), play("c")], [play("a"), play("c")])
    assert told(found) == [("same", 1, 1), ("removed", 2, None), ("same", 3, 2)]


def test_ids_that_the_next_request_says_back_are_noise(play: Play, chat: Chat) -> None:
    def run(call: str) -> list[Interaction]:
        result = {"role": "tool", "tool_call_id": call, "content": "sun"}
        return [play("Weather?", call=call), play(chat(messages=[{"role": "user", "content": "Weather?"}, result]))]

    found = changes(run("call_a"), run("call_b"))
    assert told(found) == [("noise", 1, 1), ("noise", 2, 2)]
    assert found[1].noise == ("ids",)
    other = run("call_b")
    other[1] = play(chat(messages=[{"role": "tool", "tool_call_id": "call_x", "content": "sun"}]))
    assert changes(run("call_a"), other)[1].kind == "request"


def test_many_edited_requests_are_compared_with_their_neighbours(play: Play) -> None:
    old, new = ([play(f"{word} {number}") for number in range(150)] for word in ("old", "new"))
    assert told(changes(old, new)) == [("request", number, number) for number in range(1, 151)]


def test_everything_is_new_beside_nothing(play: Play) -> None:
    assert told(changes([], [play()])) == [("added", None, 1)]
    assert told(changes([play()], [])) == [("removed", 1, None)]
    assert changes([], []) == []


def test_a_body_that_is_no_json_is_compared_as_a_whole(play: Play) -> None:
    old, new = (Request("POST", "https://h", "/x", body=word.encode()) for word in ("one", "two"))
    assert paths(changes([play(old)], [play(new)])[0]) == ["request"]
