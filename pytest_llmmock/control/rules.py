"""Rules that come over HTTP, in the form of the files of rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..deck import Deck
from ..script.source import Script

NAME = "rules.json"
"""What errors call the rules of a request: `rules.json, line 1, when.modell: …`."""


def put(deck: Deck, text: str, *, instead: bool = False) -> int:
    """Add the rules of a request, which answer before those of files; how many they are. Raises `UsageError`.

    `instead` takes back those that were put before. When one is wrong, none is changed.
    """
    from ..script.files import load_text  # pydantic and YAML

    rules, default = load_text(NAME, text)
    if instead:
        deck.script.take_back()
        deck.behind.take_back()
    deck.script.put(rules)
    deck.behind.put(default)
    return len(rules) + len(default)


def rules_of(deck: Deck) -> list[dict[str, Any]]:
    """All rules that there are, in the order in which they are asked."""
    return [*_told(deck.script), *_told(deck.behind)]


def _told(script: Script) -> Iterator[dict[str, Any]]:
    were_put = set(map(id, script.was_put))
    for rule in script.rules:
        name = str(rule).removeprefix(rule.place).strip()
        place = {"rule": name, "place": rule.place, "priority": rule.priority}
        yield {**place, "answered": rule.given, "put": id(rule) in were_put}
