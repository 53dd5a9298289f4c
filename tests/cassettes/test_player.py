from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import cast

import pytest
from conversions import STREAMED, converted
from conversions import plain as plain_reply
from provider import completion

from pytest_llmmock import dialects
from pytest_llmmock.cassettes import plain_vcr
from pytest_llmmock.cassettes.cassette import Cassette, Interaction, Recorded
from pytest_llmmock.cassettes.format import dumps, loads
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.player import Player
from pytest_llmmock.core.model import Dialect, Exchange, Frame, Request, json_reply
from pytest_llmmock.dialects import chat as dialects_chat
from pytest_llmmock.errors import CassetteFormatError

JSON = (("content-type", "application/json"),)

Chat = Callable[..., Request]
Tape = Callable[..., Interaction]
Read = Callable[[Request], Exchange]


@pytest.fixture
def play(read: Read) -> Callable[..., Player]:
    def play(*cassettes: Sequence[Interaction], repeat: bool = False, keys: Keys | None = None) -> Player:
        named = [Cassette(Path(f"{number}.yaml"), each, exists=True) for number, each in enumerate(cassettes, 1)]
        return Player(named, keys or Keys(), read, repeat=repeat)

    return play


@pytest.fixture
def said(read: Read, chat: Chat) -> Callable[[Player, str], bytes | None]:
    """What a player answers to a chat with these words."""

    def said(player: Player, words: str) -> bytes | None:
        reply = player.answer(read(chat(words)))
        return None if reply is None else reply.body

    return said


Play = Callable[..., Player]
Said = Callable[[Player, str], bytes | None]


def test_a_request_is_answered_by_its_recording(play: Play, tape: Tape, read: Read, chat: Chat) -> None:
    frames = [Frame(b"H", 0.5), Frame(b"i", 1)]
    player = play([tape("one", b"1"), tape("two", frames=frames)])
    exchange = read(chat("two"))
    reply = player.answer(exchange)
    assert reply is not None
    assert (reply.status, reply.body, reply.frames) == (200, b"Hi", frames)
    assert (reply.source, reply.live, exchange.interaction) == ("cassette", False, 2)


def test_a_request_without_a_recording_is_left_to_the_next_source(
    play: Play, tape: Tape, read: Read, chat: Chat
) -> None:
    exchange = read(chat("three"))
    assert play([tape("one")]).answer(exchange) is None
    assert play().answer(exchange) is None
    assert exchange.interaction is None


def test_the_same_request_is_answered_in_recorded_order_until_none_is_left(play: Play, tape: Tape, said: Said) -> None:
    player = play([tape("a", b"1"), tape("b", b"x"), tape("a", b"2"), tape("a", b"3")])
    assert [said(player, words) for words in "aabaab"] == [b"1", b"2", b"x", b"3", None, None]


def test_with_repeat_the_last_recording_is_played_again_and_again(play: Play, tape: Tape, said: Said) -> None:
    player = play([tape("a", b"1"), tape("a", b"2")], repeat=True)
    assert [said(player, "a") for _ in range(5)] == [b"1", b"2", b"2", b"2", b"2"]
    assert said(player, "b") is None


def test_recordings_of_several_cassettes_are_played_one_after_the_other(
    play: Play, tape: Tape, read: Read, chat: Chat
) -> None:
    player = play([tape("a", b"1")], [tape("b", b"2"), tape("a", b"3")])
    exchanges = [read(chat("a")) for _ in range(2)]
    assert [player.answer(exchange).body for exchange in exchanges] == [b"1", b"3"]  # type: ignore[union-attr]
    assert [exchange.interaction for exchange in exchanges] == [1, 2]  # each by its number in its own cassette
    assert [len(cassette.played) for cassette in player.cassettes] == [1, 1]


def test_played_and_unplayed_tell_what_answered(play: Play, tape: Tape, said: Said) -> None:
    first, second, third = interactions = [tape("a"), tape("b"), tape("c")]
    [cassette] = (player := play(interactions)).cassettes
    assert (cassette.played, cassette.unplayed) == ([], [first, second, third])
    said(player, "c")
    said(player, "a")
    said(player, "z")
    assert (cassette.played, cassette.unplayed) == ([first, third], [second])
    assert repr(cassette) == "<Cassette 1.yaml with 3 interactions>"


def test_how_often_a_request_was_recorded_is_known(play: Play, tape: Tape, read: Read, chat: Chat) -> None:
    player = play([tape("a"), tape("b"), tape("a")])
    assert [player.recorded(read(chat(words))) for words in "abc"] == [2, 1, 0]


def test_after_a_reset_everything_is_played_again(play: Play, tape: Tape, said: Said) -> None:
    player = play([tape("a", b"1"), tape("a", b"2")])
    assert [said(player, "a") for _ in range(3)] == [b"1", b"2", None]
    player.reset()
    assert [said(player, "a") for _ in range(3)] == [b"1", b"2", None]


def test_recordings_are_matched_as_their_keys_say(play: Play, tape: Tape, said: Said) -> None:
    player = play([tape("a", b"1")], keys=Keys(ignore=["messages[*].content"]))
    assert said(player, "other words") == b"1"


def test_each_recording_is_handed_out_once_however_many_ask_at_once(play: Play, tape: Tape, said: Said) -> None:
    replies = [b"%d" % number for number in range(400)]
    player = play([tape("a", reply) for reply in replies])
    start = Barrier(16)

    def ask(_: int) -> list[bytes | None]:
        start.wait()
        return [said(player, "a") for _ in range(30)]

    with ThreadPoolExecutor(16) as threads:
        got = [reply for each in threads.map(ask, range(16)) for reply in each]
    assert sorted(reply for reply in got if reply) == sorted(replies)
    assert got.count(None) == 16 * 30 - 400
    assert player.cassettes[0].unplayed == []


def test_a_recording_whose_key_is_known_is_parsed_only_when_it_is_played(
    play: Play, tape: Tape, said: Said, read: Read
) -> None:
    keys = Keys()
    made = [tape(words, words.encode()) for words in "abcdefgh"]
    for each in made:
        each.key = keys.key(read(each.request))
    loaded = loads(dumps(made, keys.signature), keys.signature)
    player = play(loaded, keys=keys)
    assert said(player, "c") == b"c"
    assert [each._reply is not None for each in loaded] == [False, False, True, False, False, False, False, False]
    assert not any(each._recorded for each in loaded)


def test_a_request_that_was_edited_by_hand_is_keyed_anew(play: Play, tape: Tape, said: Said, read: Read) -> None:
    keys = Keys()
    made = tape("Hello", b"Hi")
    made.key = keys.key(read(made.request))
    data = dumps([made], keys.signature).replace(b"Hello", b"Good morning")
    [loaded] = loads(data, keys.signature)
    player = play([loaded], keys=keys)
    assert said(player, "Hello") is None
    assert said(player, "Good morning") == b"Hi"
    assert loaded.key not in ("", made.key)
    assert loads(dumps([loaded], keys.signature), keys.signature)[0].key == loaded.key


def test_keys_that_were_stored_in_another_way_are_computed_anew(play: Play, tape: Tape, said: Said, read: Read) -> None:
    before, now = Keys(), Keys(["operation", "model"])
    made = tape("Hello", b"Hi")
    made.key = before.key(read(made.request))
    [loaded] = loads(dumps([made], before.signature), now.signature)
    assert said(play([loaded], keys=now), "other words") == b"Hi"


# --- streamed and plain ---------------------------------------------------------------------------------


@pytest.fixture
def real() -> Callable[..., Interaction]:
    """A recording of a real chat, whole, streamed, or streamed and cut off."""

    def real(words: str, *, stream: bool = False, cut: bool = False, said: str = "Hi you") -> Interaction:
        reply = plain_reply(completion(said))
        if stream or cut:
            reply = converted(cast(Dialect, dialects_chat), STREAMED, reply)
        if cut:
            reply = replace(reply, frames=list(reply.frames)[:2])
        return Interaction.of(Recorded(asked(words, stream=stream or cut), reply))

    return real


def asked(words: str, *, stream: bool = False) -> Request:
    fields = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    body = {"model": "m", "messages": [{"role": "user", "content": words}], **fields}
    return Request("POST", "http://x", "/v1/chat/completions", headers=JSON, body=json.dumps(body).encode())


Real = Callable[..., Interaction]


def player_of(*interactions: Interaction, repeat: bool = False, keys: Keys | None = None) -> Player:
    return Player([Cassette(Path("1.yaml"), interactions, exists=True)], keys or Keys(), dialects.read, repeat=repeat)


def heard(player: Player, words: str, *, stream: bool = False) -> tuple[str, str, int | None, tuple[str, ...]] | None:
    """What is said to a request, in which form, by which recording, and what is noted of it."""
    exchange = dialects.read(asked(words, stream=stream))
    reply = player.answer(exchange)
    if reply is None:
        return None
    form = "stream" if reply.content_type.startswith("text/event-stream") else "plain"
    return exchange.dialect.read_reply(reply).text, form, exchange.interaction, tuple(exchange.notes)


FROM_PLAIN = ("converted from a recording without a stream",)
FROM_STREAM = ("converted from a recorded stream",)


def test_a_recording_answers_the_same_request_with_stream_the_other_way(real: Real) -> None:
    assert heard(player_of(real("a")), "a", stream=True) == ("Hi you", "stream", 1, FROM_PLAIN)
    player = player_of(real("b"), real("a", stream=True))
    assert heard(player, "a") == ("Hi you", "plain", 2, FROM_STREAM)
    assert player.cassettes[0].played_numbers == [2]


def test_an_exact_recording_is_preferred_and_says_nothing_of_conversions(real: Real) -> None:
    player = player_of(real("a", said="plain"), real("a", stream=True, said="streamed"))
    assert heard(player, "a", stream=True) == ("streamed", "stream", 2, ())
    assert heard(player, "a") == ("plain", "plain", 1, ())


def test_a_recording_is_played_once_converted_or_not(real: Real) -> None:
    player = player_of(real("a", said="1"), real("a", said="2"))
    assert heard(player, "a", stream=True) == ("1", "stream", 1, FROM_PLAIN)
    assert heard(player, "a") == ("2", "plain", 2, ())
    assert heard(player, "a") is None
    assert heard(player, "a", stream=True) is None
    assert player.recorded(dialects.read(asked("a"))) == 2
    assert player.recorded(dialects.read(asked("a", stream=True))) == 2
    player.reset()
    assert heard(player, "a", stream=True) == ("1", "stream", 1, FROM_PLAIN)


def test_what_was_recorded_both_ways_is_asked_for_as_often_as_it_was_recorded_that_way(real: Real) -> None:
    player = player_of(real("a", said="1"), real("a", stream=True, said="2"))
    assert [found and found[0] for found in (heard(player, "a") for _ in range(2))] == ["1", None]
    assert heard(player, "a", stream=True) == ("2", "stream", 2, ())
    assert player.recorded(dialects.read(asked("a"))) == 1


def test_a_recording_that_is_given_back_has_its_old_place(real: Real) -> None:
    player = player_of(*(real("a", said=str(number)) for number in (1, 2, 3)))
    given = []
    for _ in range(2):
        exchange = dialects.read(asked("a"))
        player.answer(exchange)
        given.append(exchange.give_back)
    given[0]()
    assert [found and found[0] for found in (heard(player, "a") for _ in range(3))] == ["1", "3", None]


def test_what_was_played_converted_is_given_back_too(real: Real) -> None:
    player = player_of(real("a", said="1"))
    exchange = dialects.read(asked("a", stream=True))
    player.answer(exchange)
    assert heard(player, "a", stream=True) is None
    assert exchange.give_back is not None
    exchange.give_back()
    assert heard(player, "a", stream=True) == ("1", "stream", 1, FROM_PLAIN)


def test_a_recording_that_cannot_be_converted_is_passed_over(real: Real) -> None:
    player = player_of(real("a", cut=True), real("a", stream=True, said="whole"))
    assert heard(player, "a") == ("whole", "plain", 2, FROM_STREAM)
    assert heard(player, "a") is None
    assert player.cassettes[0].played_numbers == [2]
    assert player.recorded(dialects.read(asked("a"))) == 1
    exact = heard(player, "a", stream=True)
    assert exact is not None
    assert exact[1:] == ("stream", 1, ())


def test_with_repeat_the_last_one_that_can_be_converted_is_played_again(real: Real) -> None:
    player = player_of(
        real("a", stream=True, said="1"), real("a", stream=True, said="2"), real("a", cut=True), repeat=True
    )
    assert [found and found[0] for found in (heard(player, "a") for _ in range(4))] == ["1", "2", "2", "2"]


def test_where_streams_are_not_told_apart_a_recording_of_the_wrong_kind_is_converted(real: Real) -> None:
    keys = Keys(["operation", "body"])
    player = player_of(real("a", stream=True, said="1"), real("a", said="2"), real("a", cut=True), keys=keys)
    assert heard(player, "a") == ("1", "plain", 1, FROM_STREAM)
    assert heard(player, "a") == ("2", "plain", 2, ())
    unconverted = heard(player, "a")
    assert unconverted is not None
    assert unconverted[1:] == ("stream", 3, ())  # as it was before there were conversions


def test_an_error_answers_either_way(real: Real) -> None:
    refused = json_reply({"error": {"message": "slow down"}}, 429, [("retry-after", "20")])
    player = player_of(Interaction.of(Recorded(asked("a", stream=True), refused)))
    reply = player.answer(dialects.read(asked("a")))
    assert reply is not None
    assert (reply.status, reply.json()) == (429, refused.json())


def test_each_recording_is_converted_for_one_only_however_many_ask_at_once(real: Real) -> None:
    player = player_of(*(real("a", stream=number % 2 == 0, said=f"{number}.") for number in range(60)))
    start = Barrier(8)

    def ask(number: int) -> list[str]:
        start.wait()
        found = (heard(player, "a", stream=number % 2 == 0) for _ in range(20))
        return [each[0] for each in found if each]

    with ThreadPoolExecutor(8) as threads:
        got = [text for each in threads.map(ask, range(8)) for text in each]
    assert sorted(got) == sorted(f"{number}." for number in range(60))


# --- keys that are looked at when an answer depends on them ---------------------------------------------


def stored(*interactions: Interaction, keys: Keys) -> bytes:
    """A cassette in which each has its key."""
    for each in interactions:
        each.key = keys.key(dialects.read(each.request))
    return dumps(interactions, keys.signature)


def checked(interactions: Sequence[Interaction]) -> list[bool]:
    """Of which recordings it is known whether their key holds."""
    return [each._key is not None for each in interactions]


def test_only_the_keys_up_to_the_answer_are_checked(play: Play, said: Said, tape: Tape) -> None:
    keys = Keys()
    data = stored(*(tape(words, words.encode()) for words in "abcd"), keys=keys)
    interactions = loads(data, keys.signature)
    player = play(interactions, keys=keys)
    assert checked(interactions) == [False] * 4
    assert said(player, "b") == b"b"
    assert checked(interactions) == [True, True, False, False]
    assert said(player, "z") is None
    assert checked(interactions) == [True] * 4


def test_an_edited_request_is_answered_in_its_turn_among_those_that_say_the_same(
    play: Play, said: Said, tape: Tape
) -> None:
    keys = Keys()
    data = stored(tape("Oslo", b"1"), tape("Rome", b"2"), tape("Bern", b"3"), keys=keys)
    edited = data.replace(b"content: Oslo", b"content: Rome").replace(b"content: Bern", b"content: Rome")
    player = play(loads(edited, keys.signature), keys=keys)
    assert [said(player, "Rome") for _ in range(4)] == [b"1", b"2", b"3", None]
    assert said(player, "Oslo") is None


def test_the_last_one_that_says_the_same_is_repeated_also_where_it_was_edited(
    play: Play, said: Said, tape: Tape
) -> None:
    keys = Keys()
    data = stored(tape("Rome", b"1"), tape("Bern", b"2"), keys=keys).replace(b"content: Bern", b"content: Rome")
    player = play(loads(data, keys.signature), keys=keys, repeat=True)
    assert [said(player, "Rome") for _ in range(4)] == [b"1", b"2", b"2", b"2"]


@pytest.mark.parametrize("repeat", [False, True])
def test_what_an_edited_recording_said_before_is_not_recorded_any_more(
    play: Play, said: Said, tape: Tape, *, repeat: bool
) -> None:
    keys = Keys()
    data = stored(tape("Bern", b"1"), keys=keys).replace(b"content: Bern", b"content: Rome")
    player = play(loads(data, keys.signature), keys=keys, repeat=repeat)
    assert said(player, "Bern") is None
    assert said(player, "Rome") == b"1"


def test_what_an_edited_recording_said_before_may_be_recorded_as_a_stream(real: Real) -> None:
    keys = Keys()
    data = stored(real("Bern", said="1"), real("Bern", stream=True, said="2"), keys=keys)
    edited = data.replace(b"content: Bern", b"content: Rome", 1)
    assert heard(player_of(*loads(edited, keys.signature), keys=keys), "Bern") == ("2", "plain", 2, FROM_STREAM)


def test_recordings_of_another_tool_are_read_as_far_as_an_answer_needs_them(play: Play, said: Said, tape: Tape) -> None:
    data = plain_vcr.dumps([tape(words, words.encode()) for words in "abc"])
    interactions = loads(data.replace(b"uri: https://api.openai.com/v1/chat/completions", b"uri: []"))
    with pytest.raises(CassetteFormatError, match="has no `uri`"):
        said(play(interactions), "a")
    data = b"interactions:" + data.partition(b"interactions:")[2]
    whole = loads(data)
    assert said(play(whole), "b") == b"b"
    assert checked(whole) == [True, True, False]


def test_all_keys_are_known_when_they_are_settled(play: Play, tape: Tape) -> None:
    keys = Keys()
    interactions = loads(stored(tape("a"), tape("b"), keys=keys), keys.signature)
    play(interactions[:1], interactions[1:], keys=keys).settle()
    assert checked(interactions) == [True, True]


def test_two_players_of_the_same_recordings_agree(play: Play, said: Said, tape: Tape) -> None:
    interactions = loads(plain_vcr.dumps([tape("a", b"1"), tape("b", b"2")]))
    one, other = play(interactions), play(interactions)
    assert [said(one, "b"), said(other, "b"), said(other, "a"), said(one, "a")] == [b"2", b"2", b"1", b"1"]


def test_a_recording_is_named_by_its_place_in_its_own_cassette(play: Play, tape: Tape, read: Read, chat: Chat) -> None:
    player = play([tape("a"), tape("b")], [], [tape("c"), tape("d")])
    exchanges = [read(chat(words)) for words in "abcd"]
    assert all(player.answer(exchange) for exchange in exchanges)
    assert [exchange.interaction for exchange in exchanges] == [1, 2, 1, 2]
    assert [each.played_numbers for each in player.cassettes] == [[1, 2], [], [1, 2]]
