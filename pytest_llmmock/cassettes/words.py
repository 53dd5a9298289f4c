"""What people read: words, names of models, dates and regions, told apart from values that were drawn at random."""

from __future__ import annotations

import re
from itertools import pairwise

_PAIRS = """
a:bcdfgiklmnprstuvwxy b:abceijloprsuy c:acdehiklmorstuvy d:abcdefilnoprstu e:abcdefghiklmnopqrstuvwxy f:adefilorstu
g:aeghilnorsu h:aeiortu i:abcdefglmnoprstvxz j:eu k:aeils l:acdeilnopstuy m:abdeilmopstuy n:abcdefghiklmnopstuv
o:abcdefgiklmnoprstuvwx p:acdefhiloprstuy q:u r:abcdefgiklmnoprstuvwy s:acdefghiklmnoprstuwy t:abcdefhilmnoprstuvwy
u:abcdefgilmnprst v:aeio w:aehinors x:acefiptx y:ceilmnpst z:ei
"""
_FOLLOWS = {letter: frozenset(others) for letter, _, others in (pair.partition(":") for pair in _PAIRS.split())}
"""Which letters often stand behind which in words."""

_OFTEN = 0.8
"""The share of such pairs in a word. Of twelve letters that were drawn at random, one in twenty has it."""

_SHORT = 5
"""Fewer letters are a word whatever they are."""

_PIECE = re.compile(r"[^\W_]+")
_RUN = re.compile(r"\d+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_]+")
_KINDS = re.compile(r"\d+|[^\W\d_]+")


def pieces(value: str) -> list[str]:
    """What a value consists of, without what joins it."""
    return _PIECE.findall(value)


def reads(value: str, digits: int = 8) -> bool:
    """Whether all of a value is words and numbers: `created_at_desc_2024`, `europe-west1-b`, `gpt-4o-mini`.

    `digits`: the most that one number has. Where letters and digits change often, the value was drawn.
    """
    kinds = [_KINDS.findall(piece) for piece in pieces(value)]
    return sum(map(len, kinds)) - len(kinds) <= 2 and all(_reads(each, digits) for each in kinds)


def _reads(kinds: list[str], digits: int) -> bool:
    """`word`, `2024`, `word2024`, `k8s`: a word with a number in it, or very little."""
    words = [each for each in kinds if not each.isdigit()]
    small = sum(map(len, kinds)) <= _SHORT
    joined = len(kinds) == 1 or small or all(len(each) > len(kinds) for each in words)
    return joined and all(map(_is_words, words)) and all(len(each) <= digits for each in kinds if each.isdigit())


def _is_words(letters: str) -> bool:
    """`word`, `Word`, `WORD` or `twoWords`; capitals in other places make it none."""
    runs = _RUN.findall(letters)
    return sum(len(run) < 3 for run in runs) <= 1 and all(map(_is_word, runs))


def _is_word(letters: str) -> bool:
    if len(letters) < _SHORT or not letters.isascii():
        return True
    low = letters.lower()
    often = sum(second in _FOLLOWS[first] for first, second in pairwise(low))
    least = 0.5 if len(letters) == _SHORT else _OFTEN
    return len(letters) <= 14 and often >= least * (len(letters) - 1)


_MODEL = re.compile(
    "(?:gpt|chatgpt|claude|gemini|gemma|llama|mistral|mixtral|codestral|ministral|pixtral|qwen|deepseek|grok|kimi|glm|"
    "phi|nova|titan|command|sonar|whisper|dall|tts|sora|davinci|embedding|embed|rerank|minilm|bge|voyage|jina)[0-9]*|o[134]",
)
_REGION = re.compile(r"(?=.*(?:north|south|east|west|central))(?:[a-z]+-){1,3}[a-z]*-?\d{1,2}(?:-?[a-z])?")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PLACE = re.compile(r"[.~]?/[\w.-]+/|[A-Z]:\\")
_DRAWN = 16


def is_name(value: str) -> bool:
    """Whether a value names something well known: a model, a region, an address, a file."""
    if _ADDRESS.match(value):
        return all(len(piece) < _DRAWN or reads(piece) for piece in pieces(value))
    model = any(_MODEL.fullmatch(piece.lower()) for piece in pieces(value))
    return bool(_PLACE.match(value) or _REGION.fullmatch(value)) or (model and reads(value))
