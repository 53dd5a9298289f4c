"""Sounds that are made up: each in its format."""

from __future__ import annotations

import struct
import wave
from io import BytesIO

import pytest

from pytest_llmmock.dialects import sounds


@pytest.mark.parametrize("seconds", [0.1, 1.0, 2.5])
def test_a_wav_has_its_length_and_is_not_silent(seconds: float) -> None:
    with wave.open(BytesIO(sounds.make(seconds, "wav"))) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, sounds.RATE)
        frames = sound.readframes(sound.getnframes())
    assert len(frames) == int(seconds * sounds.RATE) * 2
    assert frames == sounds.make(seconds, "pcm")
    assert max(struct.unpack(f"<{len(frames) // 2}h", frames)) == 1000


def test_mp3_and_aac_are_frames_one_behind_the_other() -> None:
    mp3, aac = sounds.make(1.0, "mp3"), sounds.make(1.0, "aac")
    assert {mp3[at : at + 4] for at in range(0, len(mp3), 96)} == {b"\xff\xf3\x44\xc4"}
    assert len(mp3) // 96 == -(-24000 // 576)
    at = frames = 0
    while at < len(aac):
        head = int.from_bytes(aac[at : at + 7], "big")
        assert head >> 44 == 0xFFF
        at, frames = at + (head >> 13 & 0x1FFF), frames + 1
    assert (at, frames) == (len(aac), -(-24000 // 1024))


def test_opus_is_pages_with_right_sums_and_ends_where_the_sound_does() -> None:
    opus = sounds.make(2.5, "opus")
    at, numbers, kinds, position = 0, [], [], 0
    while at < len(opus):
        mark, _, kind, position, _, number, check, count = struct.unpack_from("<4sBBqIIIB", opus, at)
        size = 27 + count + sum(opus[at + 27 : at + 27 + count])
        page = opus[at : at + 22] + bytes(4) + opus[at + 26 : at + size]
        assert (mark, _ogg_sum(page)) == (b"OggS", check)
        numbers.append(number)
        kinds.append(kind)
        at += size
    assert (numbers, kinds, position) == ([0, 1, 2, 3, 4], [2, 0, 0, 0, 4], 120_000)


def _ogg_sum(page: bytes) -> int:
    """Bit by bit, as RFC 3533 describes it."""
    remainder = 0
    for bit in "".join(f"{byte:08b}" for byte in page):
        top = remainder >> 31
        remainder = remainder << 1 & 0xFFFFFFFF
        remainder ^= 0x04C11DB7 if top ^ int(bit) else 0
    return remainder


def test_flac_tells_its_length() -> None:
    flac = sounds.make(2.5, "flac")
    assert flac.startswith(b"fLaC\x80\x00\x00\x22")
    about = int.from_bytes(flac[18:26], "big")
    assert (about >> 44, about & 0xFFFFFFFFF) == (24_000, 60_000)


def test_every_format_can_be_decoded_by_ffmpeg() -> None:
    av = pytest.importorskip("av", reason="PyAV, which brings ffmpeg, is not installed")
    for kind in sounds.TYPES:
        if kind == "pcm":  # has no header to be known by
            continue
        with av.open(BytesIO(sounds.make(2.5, kind))) as container:
            stream = container.streams.audio[0]
            samples = sum(frame.samples for frame in container.decode(stream))
            assert samples / stream.rate == pytest.approx(2.5, abs=0.05), kind


def test_longer_words_take_longer_and_faster_ones_do_not() -> None:
    assert sounds.seconds_of("") == 0.1
    assert sounds.seconds_of("word " * 20) == 6.0
    assert sounds.seconds_of("word " * 20, 2.0) == 3.0
    assert sounds.seconds_of("word " * 10_000) == 60.0


def test_the_length_of_a_wav_is_known_and_of_nothing_else() -> None:
    assert sounds.length_of(sounds.make(1.5, "wav")) == 1.5
    assert sounds.length_of(sounds.make(1.5, "mp3")) is sounds.length_of(b"") is None
    assert sounds.length_of(sounds.make(1.5, "wav")[:20]) is None


@pytest.mark.parametrize("speed", [float("nan"), float("inf"), -1, 0, 10**400, True])
def test_any_speed_makes_a_sound(speed: float) -> None:
    assert sounds.make(sounds.seconds_of("Hello", speed), "wav").startswith(b"RIFF")
