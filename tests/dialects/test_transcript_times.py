"""Transcriptions over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.prompt import Answer, Delta, Prompt
from pytest_llmmock.dialects.transcript_times import timeline

HELLO = Answer((Delta("text", "Good morning. How are you?"),))


def test_sentences_share_the_time_by_their_length() -> None:
    found = timeline(Prompt(), HELLO)
    assert found.seconds == 2.0
    assert [(each.start, each.end, each.text) for each in found.segments] == [
        (0.0, 1.0, "Good morning."),
        (1.0, 2.0, " How are you?"),
    ]


def test_subtitles_are_as_players_want_them() -> None:
    found = timeline(Prompt(), HELLO)
    assert found.srt() == (
        "1\n00:00:00,000 --> 00:00:01,000\nGood morning.\n\n2\n00:00:01,000 --> 00:00:02,000\nHow are you?\n\n"
    )
    assert found.vtt() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nGood morning.\n\n00:00:01.000 --> 00:00:02.000\nHow are you?\n\n"
    )


def test_times_that_are_told_stay() -> None:
    said = [{"start": 1, "end": 3601.5, "text": "Hi", "speaker": "anna"}, {"start": 3601.5, "end": 3602, "text": "Bo"}]
    found = timeline(Prompt(), Answer(tuple(Delta("item", data=each) for each in said)))
    assert found.seconds == 3602
    assert [(each["start"], each["speaker"]) for each in found.diarized()] == [(1.0, "anna"), (3601.5, "A")]
    assert "00:00:01.000 --> 01:00:01.500" in found.vtt()


def test_languages_without_spaces_have_sentences_too() -> None:
    found = timeline(Prompt(), Answer((Delta("text", "\u4f60\u597d\u3002\u518d\u89c1\u3002"),)))
    assert [each.text for each in found.segments] == ["\u4f60\u597d\u3002", "\u518d\u89c1\u3002"]


@given(st.text(max_size=60))
def test_every_word_has_its_place_in_order(words: str) -> None:
    found = timeline(Prompt(), Answer((Delta("text", words),)))
    times = [time for word in found.words() for time in (word["start"], word["end"])]
    assert [word["word"] for word in found.words()] == words.split()
    assert times == pytest.approx(sorted(times), abs=0.02)
    assert "".join(each.text for each in found.segments).split() == words.split() or "\u3002" in words
