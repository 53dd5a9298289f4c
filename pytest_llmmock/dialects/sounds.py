"""Sounds that are made up: real ones, in the format that was asked for, as long as words take to be said.

WAV and PCM hold a quiet tone. The compressed formats hold silence, whose frames can be written without an encoder:
MP3 (ISO/IEC 13818-3), AAC in ADTS (ISO/IEC 14496-3), Opus in Ogg (RFC 7845), FLAC (RFC 9639).
"""

from __future__ import annotations

import math
import struct
import sys
import wave
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import md5
from io import BytesIO

RATE = 24_000
"""Samples a second, of one channel."""

TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""Format -> media type."""

_SECONDS_A_CHARACTER = 0.06
_SHORTEST, _LONGEST = 0.1, 60.0
_LOUDNESS = 1000
_PERIOD = 60
"""Samples: 400 Hz."""


def seconds_of(words: str, speed: float = 1.0) -> float:
    """How long it takes to say this."""
    pace = min(max(0.25, speed), 4)  # in this order: what is no number at all is then the least
    return min(max(len(words) * _SECONDS_A_CHARACTER / pace, _SHORTEST), _LONGEST)


def make(seconds: float, kind: str) -> bytes:
    """A sound of about this length; `kind` is one of `TYPES`."""
    return _MAKERS[kind](int(seconds * RATE))


def length_of(content: bytes) -> float | None:
    """How many seconds a WAV is long; None of anything else."""
    try:
        with wave.open(BytesIO(content)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError, ValueError):
        return None


# --- as they are ----------------------------------------------------------------------------------------


def _pcm(samples: int) -> bytes:
    period = array("h", (round(_LOUDNESS * math.sin(2 * math.pi * n / _PERIOD)) for n in range(_PERIOD)))
    if sys.byteorder == "big":
        period.byteswap()
    return (period.tobytes() * (samples // _PERIOD + 1))[: samples * 2]


def _wav(samples: int) -> bytes:
    written = BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setparams((1, 2, RATE, samples, "NONE", ""))
        sound.writeframes(_pcm(samples))
    return written.getvalue()


# --- compressed silence ---------------------------------------------------------------------------------


def _mp3(samples: int) -> bytes:
    """Frames of MPEG-2 layer III, 32 kbit/s, in which nothing is coded."""
    return (b"\xff\xf3\x44\xc4" + bytes(92)) * _frames(samples, 576)


def _aac(samples: int) -> bytes:
    """Frames of one channel without any band, each behind a header of its own."""
    block = b"\x00\x00\x00\x07"
    length = 7 + len(block)
    profile, rate, channels = 1, 6, 1
    head = 0xFFF1 << 40 | profile << 38 | rate << 34 | channels << 30 | length << 13 | 0x7FF << 2
    return (head.to_bytes(7, "big") + block) * _frames(samples, 1024)


def _frames(samples: int, each: int) -> int:
    return -(-samples // each)


def _flac(samples: int) -> bytes:
    """Blocks in which every sample is the same."""
    size = 4096
    digest = md5(bytes(samples * 2), usedforsecurity=False).digest()
    about = (RATE << 44 | 0 << 41 | 15 << 36 | samples).to_bytes(8, "big")
    info = struct.pack(">HH", size, size) + bytes(6) + about + digest
    blocks = [_flac_block(number, min(size, samples - at)) for number, at in enumerate(range(0, samples, size))]
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info + b"".join(blocks)


def _flac_block(number: int, size: int) -> bytes:
    """Sync and fixed size; size in two bytes and rate as told above; one channel of 16 bits; which block it is."""
    head = b"\xff\xf8\x70\x08" + chr(number).encode() + struct.pack(">H", size - 1)
    head += bytes([_crc(head, 0x07, 8)])
    block = head + b"\x00\x00\x00"
    return block + struct.pack(">H", _crc(block, 0x8005, 16))


@lru_cache(maxsize=1024)
def _crc(content: bytes, polynomial: int, width: int) -> int:
    found, top = 0, 1 << (width - 1)
    for byte in content:
        found ^= byte << (width - 8)
        for _ in range(8):
            found = (found << 1 ^ (polynomial if found & top else 0)) & ((1 << width) - 1)
    return found


_OPUS_RATE = 48_000
_OPUS_SILENCE = b"\xf8\xff\xfe"
"""20 ms."""


def _opus(samples: int) -> bytes:
    length = samples * _OPUS_RATE // RATE
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 0, RATE, 0, 0)
    vendor = b"llmmock"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)
    return b"".join(_page(number, *each) for number, each in enumerate(_opus_pages(head, tags, length)))


def _opus_pages(head: bytes, tags: bytes, length: int) -> Iterator[tuple[int, int, list[bytes]]]:
    """For each page its kind (2 is the first, 4 the last), how far the sound is behind it, and its packets."""
    yield 2, 0, [head]
    yield 0, 0, [tags]
    packets = _frames(length, 960)
    for first in range(0, packets, 50):
        count = min(50, packets - first)
        last = first + count == packets
        yield (4 if last else 0), (length if last else (first + count) * 960), [_OPUS_SILENCE] * count


def _page(number: int, kind: int, position: int, packets: list[bytes]) -> bytes:
    """A page of Ogg (RFC 3533)."""
    lengths = bytes(len(packet) for packet in packets)
    head = struct.pack("<4sBBqIII", b"OggS", 0, kind, position, 1, number, 0) + bytes([len(lengths)]) + lengths
    content = b"".join(packets)
    check = _crc(head + content, 0x04C11DB7, 32)
    return head[:22] + struct.pack("<I", check) + head[26:] + content


_MAKERS: dict[str, Callable[[int], bytes]] = {
    "mp3": _mp3,
    "opus": _opus,
    "aac": _aac,
    "flac": _flac,
    "wav": _wav,
    "pcm": _pcm,
}
