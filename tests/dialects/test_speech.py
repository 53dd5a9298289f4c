"""Speech for OpenAI's clients."""

from __future__ import annotations

import json
import wave
from base64 import b64decode
from io import BytesIO
from typing import Any

import openai
import pytest
from answering import Answering, openai_client

from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.core.prompt import Answer, Delta, Usage
from pytest_llmmock.dialects import sounds, speech

TOLD = Answer((Delta("audio", data=b"\x00\x01" * 5000), Delta("usage", usage=Usage(input=3, output=9))))


@pytest.mark.parametrize("kind", [*sounds.TYPES, openai.omit])
def test_words_are_said_in_the_format_that_was_asked_for(kind: Any) -> None:
    with openai_client(answering := Answering(Answer())) as client:
        found = client.audio.speech.create(model="tts-1", voice="alloy", input="Good morning", response_format=kind)
    known = kind if isinstance(kind, str) else "mp3"
    assert found.response.headers["content-type"] == sounds.TYPES[known]
    assert found.read() == sounds.make(12 * 0.06, known)
    prompt = answering.asked[0].prompt
    assert (prompt.messages[0].text, prompt.options["voice"]) == ("Good morning", "alloy")


def test_a_sound_can_be_played_and_lasts_as_long_as_it_takes() -> None:
    with openai_client(Answering(Answer())) as client:
        said = client.audio.speech.create(
            model="tts-1", voice="alloy", input="x" * 100, response_format="wav", speed=2.0
        ).read()
    with wave.open(BytesIO(said)) as sound:
        assert sound.getnframes() / sound.getframerate() == 3.0


def test_what_was_told_comes_in_pieces() -> None:
    with (
        openai_client(Answering(TOLD)) as client,
        client.audio.speech.with_streaming_response.create(model="tts-1", voice="a", input="x") as found,
    ):
        assert b"".join(found.iter_bytes()) == b"\x00\x01" * 5000
    reply = speech.write_reply(speech.Prompt(), TOLD)
    assert [len(frame.data) for frame in reply.frames] == [4096, 4096, 1808]  # type: ignore[union-attr]
    assert speech.read_reply(reply).deltas == TOLD.deltas[:1]


def test_what_was_told_comes_as_events() -> None:
    with (
        openai_client(Answering(TOLD)) as client,
        client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", voice="alloy", input="x", stream_format="sse"
        ) as found,
    ):
        assert found.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line[6:]) for line in found.iter_lines() if line.startswith("data: ")]
    assert [event["type"] for event in events] == [*["speech.audio.delta"] * 3, "speech.audio.done"]
    assert b"".join(b64decode(event["audio"]) for event in events[:-1]) == b"\x00\x01" * 5000
    assert events[-1]["usage"] == {"input_tokens": 3, "output_tokens": 9, "total_tokens": 12}


def test_what_comes_as_events_is_read() -> None:
    reply = speech.write_reply(speech.Prompt(stream=True), TOLD)
    answer = speech.read_reply(reply)
    assert answer.deltas[0] == TOLD.deltas[0]
    assert answer.usage == Usage(input=3, output=9, total=12)


def test_an_unknown_format_is_refused_and_the_known_ones_are_named() -> None:
    why = r"Known are: mp3, opus, aac, flac, wav, pcm\."
    with openai_client(Answering(Answer())) as client, pytest.raises(openai.BadRequestError, match=why):
        client.audio.speech.create(model="m", voice="a", input="x", response_format="midi")  # type: ignore[arg-type]


def test_an_error_is_an_error() -> None:
    failed = Answering(Answer((Delta("error", "hoarse"),)))
    with openai_client(failed) as client, pytest.raises(openai.InternalServerError, match="hoarse"):
        client.audio.speech.create(model="m", voice="a", input="x")


def test_shared_recordings_are_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation == "audio.speech"]
    assert len(found) > 1
    for file, exchange, reply in found:
        assert exchange.prompt.messages[0].text, file
        assert speech.read_reply(reply).deltas == (Delta("audio", data=reply.body),), file
