"""Vectors for embeddings: the same text has the same one, of length 1, in every run and on every machine."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from random import Random

DIMENSIONS = 1536
"""How many numbers a vector has when nobody says."""

LONGEST = 1 << 16
"""How many numbers a vector has at most."""


def vector(of: object, dimensions: int) -> tuple[float, ...]:
    """The vector of a text. With fewer dimensions it is the beginning of the longer one, made as long again."""
    chance = Random(blake2b(repr(of).encode(errors="replace"), digest_size=8).digest())
    numbers = [chance.random() - 0.5 for _ in range(dimensions)]
    length = math.hypot(*numbers) or 1.0
    return as_sent([number / length for number in numbers])


def as_sent(numbers: Sequence[float]) -> tuple[float, ...]:
    """The numbers as 32 bits hold them: as a list and in base64 they are the same."""
    return tuple(array("f", numbers))
