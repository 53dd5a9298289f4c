"""Transcriptions and translations for OpenAI's clients."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from answering import Answering, openai_client

from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.core.prompt import Answer, Delta, Prompt, Usage
from pytest_llmmock.dialects import sounds, transcriptions

HELLO = Answer((Delta("text", "Good morning."), Delta("text", " How are you?")))
WAV = ("a.wav", sounds.make(4.0, "wav"), "audio/wav")


def written(kind: Any, answer: Answer = HELLO, model: str = "gpt-4o-transcribe", **more: Any) -> Any:
    with openai_client(Answering(answer)) as client:
        return client.audio.transcriptions.create(model=model, file=WAV, response_format=kind, **more)


def test_json_holds_the_words_and_what_they_cost() -> None:
    found = written("json")
    assert (found.text, found.usage.type, found.usage.input_tokens) == ("Good morning. How are you?", "tokens", 40)
    assert written(openai.omit).text == found.text
    whisper = written("json", model="whisper-1")
    assert (whisper.usage.type, whisper.usage.seconds) == ("duration", 4)
    told = written("json", Answer((*HELLO.deltas, Delta("usage", usage=Usage(input=1, output=2)))))
    assert (told.usage.input_tokens, told.usage.output_tokens, told.usage.total_tokens) == (1, 2, 3)


def test_text_and_subtitles_are_text() -> None:
    assert written("text") == "Good morning. How are you?\n"
    assert written("srt").startswith("1\n00:00:00,000 --> 00:00:02,000\nGood morning.\n\n2\n")
    assert written("vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood morning.\n")


def test_verbose_json_tells_when_each_word_was_said() -> None:
    found = written("verbose_json", model="whisper-1", language="en")
    assert (found.duration, found.language, found.words, found.usage.seconds) == (4.0, "en", None, 4)
    assert [(each.id, each.start, each.text) for each in found.segments] == [
        (0, 0.0, "Good morning."),
        (1, 2.0, " How are you?"),
    ]
    both = written("verbose_json", timestamp_granularities=["word", "segment"])
    assert [word.word for word in both.words] == ["Good", "morning.", "How", "are", "you?"]
    assert len(both.segments) == 2
    assert written("verbose_json", timestamp_granularities=["word"]).segments is None


def test_diarized_json_tells_who_said_what() -> None:
    spoken = [{"start": 0, "end": 1, "text": "Hi", "speaker": "anna"}, {"start": 1, "end": 2, "text": "Hello"}]
    answer = Answer((Delta("text", "Hi Hello"), *(Delta("item", data=each) for each in spoken)))
    found = written("diarized_json", answer)
    assert [(each.speaker, each.text, each.type) for each in found.segments] == [
        ("anna", "Hi", "transcript.text.segment"),
        ("A", "Hello", "transcript.text.segment"),
    ]


def test_words_come_as_they_were_told_and_then_all_of_them() -> None:
    events = list(written("json", stream=True))
    assert [event.type for event in events] == [*["transcript.text.delta"] * 2, "transcript.text.done"]
    assert [event.delta for event in events[:2]] == ["Good morning.", " How are you?"]
    assert (events[-1].text, events[-1].usage.type) == ("Good morning. How are you?", "tokens")
    kinds = [event.type for event in written("diarized_json", stream=True)]
    assert kinds.count("transcript.text.segment") == 2


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # translations, by openai 3
def test_what_is_asked_is_read() -> None:
    with openai_client(answering := Answering(HELLO)) as client:
        list(client.audio.transcriptions.create(model="gpt-transcribe", file=WAV, prompt="names: Bo", stream=True))
        found = client.audio.translations.create(model="whisper-1", file=WAV)
        verbose = client.audio.translations.create(model="whisper-1", file=WAV, response_format="verbose_json")
    prompt = answering.asked[0].prompt
    assert (prompt.model, prompt.messages[0].text, prompt.stream) == ("gpt-transcribe", "names: Bo", True)
    assert prompt.messages[0].parts[0].content == WAV[1]
    assert (found.text, verbose.duration) == ("Good morning. How are you?", 4.0)


def test_an_unknown_form_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(openai.BadRequestError, match=r"'xml' is not possible\. Known are: json, text, srt, vtt"):
        written("xml")


def test_an_error_is_an_error_streamed_or_not() -> None:
    failed = Answer((Delta("error", "deaf"),))
    with pytest.raises(openai.InternalServerError, match="deaf"):
        written("json", failed)
    with pytest.raises(openai.APIError, match="deaf"):
        list(written("json", failed, stream=True))


def test_a_transcription_is_the_same_streamed_and_whole() -> None:
    asked, streamed = Prompt("gpt-4o-transcribe"), Prompt("gpt-4o-transcribe", stream=True)
    whole, stream = transcriptions.write_reply(asked, HELLO), transcriptions.write_reply(streamed, HELLO)
    assert transcriptions.read_reply(stream).text == transcriptions.read_reply(whole).text == HELLO.text
    gathered, spread = transcriptions.convert(asked, stream), transcriptions.convert(streamed, whole)
    assert gathered is not None
    assert spread is not None
    assert gathered.json() == whole.json()
    again = transcriptions.convert(asked, spread)
    assert again is not None
    assert again.json() == whole.json()


def test_forms_with_times_have_no_stream() -> None:
    verbose = transcriptions.write_reply(Prompt("m", options={"response_format": "verbose_json"}), HELLO)
    assert transcriptions.convert(Prompt(stream=True), verbose) is None


def test_shared_recordings_are_read_and_converted(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation == "audio.transcriptions"]
    assert len(found) > 2
    for file, exchange, reply in found:
        assert exchange.prompt.model, file
        assert exchange.prompt.messages[0].parts, file
        assert exchange.prompt.stream is (b"transcript.text" in reply.body), file
        words = transcriptions.read_reply(reply).text
        assert words, file
        other = transcriptions.convert(Prompt(stream=not exchange.prompt.stream), reply)
        assert other is not None, file
        assert transcriptions.read_reply(other).text == words, file
