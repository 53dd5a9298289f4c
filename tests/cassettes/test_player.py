from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from pytest_llmmock.cassettes.cassette import Cassette, Interaction
from pytest_llmmock.cassettes.format import dumps, loads
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.player import Player
from pytest_llmmock.core.model import Exchange, Frame, Request

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
    assert [each._recorded is not None for each in loaded] == [False, False, True, False, False, False, False, False]


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
