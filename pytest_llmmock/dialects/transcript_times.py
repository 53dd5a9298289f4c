"""When each word of a transcript was said: as it is told, or spread evenly over the sound.

The shapes are `openai.types.audio.TranscriptionSegment`, `TranscriptionWord` and `TranscriptionDiarizedSegment`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.prompt import Answer, Prompt
from . import sounds
from .fields import mapping, text

Value = dict[str, Any]

_SECONDS_A_WORD = 0.4
_SENTENCE = re.compile(r"\s*\S.*?(?:[.!?…]+(?=\s|$)|[\u3002\uff01\uff1f]+|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, and when it was said."""

    start: float
    end: float
    text: str
    speaker: str = "A"


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that was said, in order."""

    seconds: float
    segments: tuple[Segment, ...]

    def verbose(self) -> list[Value]:
        """`TranscriptionSegment`s. What a model thinks of itself is made up; it is confident."""
        sure = {"tokens": [], "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}
        return [
            {"id": number, "seek": 0, "start": each.start, "end": each.end, "text": each.text, **sure}
            for number, each in enumerate(self.segments)
        ]

    def diarized(self) -> list[Value]:
        """`TranscriptionDiarizedSegment`s, which are events as well."""
        return [
            {
                "type": "transcript.text.segment",
                "id": f"seg_{number}",
                "start": each.start,
                "end": each.end,
                "text": each.text,
                "speaker": each.speaker,
            }
            for number, each in enumerate(self.segments)
        ]

    def words(self) -> list[Value]:
        """`TranscriptionWord`s"""
        return [{"word": each.text, "start": each.start, "end": each.end} for each in self._words()]

    def _words(self) -> Iterator[Segment]:
        for segment in self.segments:
            yield from _spread(segment.text.split(), segment.start, segment.end)

    def srt(self) -> str:
        """https://en.wikipedia.org/wiki/SubRip"""
        cues = enumerate(self.segments, 1)
        return "".join(f"{n}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{s.text.strip()}\n\n" for n, s in cues)

    def vtt(self) -> str:
        """https://www.w3.org/TR/webvtt1/"""
        cues = [f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{s.text.strip()}\n\n" for s in self.segments]
        return "WEBVTT\n\n" + "".join(cues)


def timeline(prompt: Prompt, answer: Answer) -> Timeline:
    """The sentences of an answer over the length of the sound, or of what it takes to say them."""
    told = [mapping(delta.data) for delta in answer.deltas if delta.kind == "item"]
    segments = tuple(_told(value) for value in told if "start" in value)
    heard = next((length for length in _lengths(prompt) if length), None)
    seconds = heard or max((each.end for each in segments), default=_said(answer.text))
    return Timeline(round(seconds, 2), segments or tuple(_spread(_SENTENCE.findall(answer.text), 0.0, seconds)))


def _lengths(prompt: Prompt) -> Iterator[float | None]:
    for message in prompt.messages:
        yield from (sounds.length_of(part.content) for part in message.parts if part.kind == "audio")


def _said(words: str) -> float:
    return len(words.split()) * _SECONDS_A_WORD


def _told(value: Value) -> Segment:
    return Segment(_time(value.get("start")), _time(value.get("end")), text(value.get("text")), _speaker(value))


def _time(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e6 else 0.0


def _speaker(value: Value) -> str:
    return text(value.get("speaker")) or "A"


def _spread(texts: list[str], start: float, end: float) -> Iterator[Segment]:
    """Texts one after the other, each as long as it has characters."""
    total, at = sum(map(len, texts)) or 1, start
    for each in texts:
        until = at + (end - start) * len(each) / total
        yield Segment(round(at, 2), round(until, 2), each)
        at = until


def _clock(seconds: float, mark: str) -> str:
    """`00:01:02,500`"""
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{rest:03}"
