"""The sources that an answer names."""

from __future__ import annotations

from typing import Any

import pytest
import responding as upstream
from responding import answered, asked, values_of

from pytest_llmmock.upstreams.translation import as_asked

CITED = {"start_index": 0, "end_index": 2, "url": "https://a", "title": "A"}
ANNOTATION = {"type": "url_citation", **CITED}
EXPECTED = [{"type": "url_citation", "url_citation": CITED}]
AT = {"output_index": 0, "item_id": "msg_0", "content_index": 0}
PART = {"type": "output_text", "text": "Hi", "annotations": [ANNOTATION]}
TOLD = upstream.event("output_text.annotation.added", **AT, annotation_index=0, annotation=ANNOTATION)
PART_DONE = upstream.event("content_part.done", **AT, part=PART)
ITEM_DONE = upstream.done(0, type="message", role="assistant", content=[PART])
WAYS = {
    "by itself": [TOLD],
    "with its part": [PART_DONE],
    "with its item": [ITEM_DONE],
    "in every way": [TOLD, PART_DONE, ITEM_DONE],
}


@pytest.mark.parametrize("events", WAYS.values(), ids=WAYS)
def test_a_citation_is_told_once_however_it_comes(events: list[bytes]) -> None:
    source = [upstream.created(), upstream.text(0, "Hi"), *events, upstream.ended()]
    assert as_asked(asked(), answered(*source)).json()["choices"][0]["message"]["annotations"] == EXPECTED
    values: list[Any] = values_of(as_asked(asked(stream=True), answered(*source)).body)
    told = [
        choice["delta"]["annotations"]
        for v in values[:-1]
        for choice in v["choices"]
        if "annotations" in choice["delta"]
    ]
    assert told == [EXPECTED]


CITED_TEXT = "\u2014 Rome \U0001f327 is wet."
"""Places are counted in characters, also where one takes several bytes."""


def spoken(place: int, words: str, cited: str = "") -> list[bytes]:
    """A message, and what in it is cited."""
    begins = words.find(cited)
    found = [{**ANNOTATION, "start_index": begins, "end_index": begins + len(cited)}] if cited else []
    part = {"type": "output_text", "text": words, "annotations": found}
    return [upstream.text(place, words), upstream.done(place, type="message", role="assistant", content=[part])]


@pytest.mark.parametrize("mode", ["off", "think-tags"])
@pytest.mark.parametrize("before", [(), (upstream.thought(0, "Hm \u2026"),), spoken(0, "First: ", "First")])
@pytest.mark.parametrize("stream", [True, False])
def test_a_citation_names_its_place_in_all_the_words(mode: str, before: Any, stream: bool) -> None:
    exchange = asked(stream=stream)
    source = [upstream.created(), *before, *spoken(1, CITED_TEXT, "Rome \U0001f327"), upstream.ended()]
    reply = as_asked(exchange, answered(*source), reasoning=mode)
    whole = reply if not stream else exchange.dialect.convert(asked().prompt, reply)
    assert whole is not None
    message = whole.json()["choices"][0]["message"]
    cited = [each["url_citation"] for each in message["annotations"]]
    places = [message["content"][each["start_index"] : each["end_index"]] for each in cited]
    assert places == ["First", "Rome \U0001f327"][-len(cited) :]


def test_several_citations_keep_their_order() -> None:
    other = {**ANNOTATION, "title": "B"}
    part = {**PART, "annotations": [ANNOTATION, other]}
    source = [TOLD, upstream.event("content_part.done", **AT, part=part), upstream.ended()]
    found = as_asked(asked(), answered(*source)).json()["choices"][0]["message"]["annotations"]
    assert [each["url_citation"]["title"] for each in found] == ["A", "B"]


def test_the_sources_of_what_is_said_in_passing_are_none_of_the_answer() -> None:
    passing = {"type": "message", "role": "assistant", "phase": "commentary"}
    events = [upstream.added(0, **passing, content=[]), TOLD, upstream.done(0, **passing, content=[PART])]
    answer = [*events, *upstream.message(1, "Hi"), upstream.ended()]
    message = as_asked(asked(), answered(*answer)).json()["choices"][0]["message"]
    assert (message["content"], "annotations" in message) == ("Hi", False)


def test_what_cites_something_else_is_noted() -> None:
    exchange = asked()
    file = upstream.event("output_text.annotation.added", **AT, annotation={"type": "file_citation", "file_id": "f"})
    assert "annotations" not in as_asked(exchange, answered(file, upstream.ended())).json()["choices"][0]["message"]
    assert exchange.notes == ["left out, for Chat Completions has no place for it: file_citation"]


def test_a_protocol_without_citations_has_them_noted() -> None:
    exchange = asked("ollama.chat")
    as_asked(exchange, answered(TOLD, upstream.ended()))
    assert exchange.notes == ["left out, for Ollama has no place for it: url_citation"]
