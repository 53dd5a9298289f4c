from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmmock.cassettes.cassette import Cassette, Interaction
from pytest_llmmock.cassettes.format import dumps, loads
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.nearest import Found, find
from pytest_llmmock.cassettes.player import Player
from pytest_llmmock.core.model import Exchange, Request

Chat = Callable[..., Request]
Tape = Callable[..., Interaction]
Read = Callable[[Request], Exchange]


@pytest.fixture
def found(read: Read) -> Callable[..., Found]:
    """What is like this request among these recordings."""

    def found(request: Request, *tapes: Interaction) -> Found:
        return find(read(request), Player([Cassette(Path("a.yaml"), tapes, exists=True)], Keys(), read), read)

    return found


Finds = Callable[..., Found]


def numbers(found: Found) -> tuple[list[int], list[int]]:
    return [near.number for near in found.near], [near.number for near in found.elsewhere]


def test_the_one_with_the_fewest_differences_comes_first(found: Finds, chat: Chat, tape: Tape) -> None:
    tapes = [tape(chat("Rome?", seed=1)), tape(chat("Rome?")), tape(chat("Oslo?"))]
    assert numbers(found(chat("Rome?", seed=2), *tapes)) == ([1, 2, 3], [])


def test_one_is_found_among_many_by_its_words(found: Finds, chat: Chat, tape: Tape) -> None:
    tapes = [tape(f"plan day {number} in Rome") for number in range(300)]
    assert numbers(found(chat("plan day 222 in Paris"), *tapes))[0][0] == 223


def test_what_has_hardly_a_word_in_common_is_not_like_it(found: Finds, chat: Chat, tape: Tape) -> None:
    other = chat("Translate this poem to Latin, please, and keep the metre", model="o1", seed=1, user="me")
    assert numbers(found(chat("Rome?"), tape(other))) == ([], [])


def test_the_same_words_of_another_operation_are_elsewhere(found: Finds, chat: Chat, tape: Tape) -> None:
    tapes = [tape(chat("Rome?", path="/v1/api/chat")), tape(chat("Oslo?", path="/v1/api/chat"))]
    assert numbers(found(chat("Rome?"), *tapes)) == ([], [1])


def test_the_same_body_by_another_method_is_elsewhere(found: Finds, chat: Chat, tape: Tape) -> None:
    post = chat("Rome?", path="/v1/things")
    put = Request("PUT", post.origin, post.path, headers=post.headers, body=post.body)
    assert numbers(found(put, tape(post))) == ([], [1])


def test_a_recording_that_cannot_be_read_is_passed_over(found: Finds, chat: Chat, tape: Tape) -> None:
    keys = Keys()
    broken, whole = loads(
        dumps([tape("Rome?", key="0" * 32), tape("Oslo?", key="1" * 32)], keys.signature).replace(
            b"parsed_body:", b"parsed_body: [", 1
        ),
        keys.signature,
    )
    assert numbers(found(chat("Rome!"), broken, whole)) == ([2], [])


def test_more_than_can_be_read_at_once_is_judged_by_its_lines(found: Finds, chat: Chat, tape: Tape) -> None:
    huge = "word " * 900_000
    assert numbers(found(chat(f"{huge} Rome?"), tape(f"{huge} Oslo?"))) == ([1], [])
