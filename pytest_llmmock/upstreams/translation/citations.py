"""The sources that an answer names: `openai.types.chat.chat_completion_message.Annotation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.prompt import Delta
from ...dialects.fields import mapping, objects
from ...dialects.responses_stream import place_of
from .notes import Notes

Value = dict[str, Any]

_FIELDS = ("start_index", "end_index", "url", "title")


class Citations:
    """Hands each annotation on once: some streams tell of them one by one, some with the part that is done."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._told: dict[object, int] = {}

    def take(self, event: Value) -> Iterator[Delta]:
        kind = event.get("type")
        if kind == "response.output_text.annotation.added":
            yield from self._new(_part_of(event), [mapping(event.get("annotation"))], 0)
        elif kind == "response.content_part.done":
            yield from self._rest(_part_of(event), mapping(event.get("part")))
        elif kind == "response.output_item.done":
            for number, part in enumerate(objects(mapping(event.get("item")).get("content"))):
                yield from self._rest((place_of(event), number), part)

    def _rest(self, place: object, part: Value) -> Iterator[Delta]:
        yield from self._new(place, objects(part.get("annotations")), self._told.get(place, 0))

    def _new(self, place: object, annotations: list[Value], known: int) -> Iterator[Delta]:
        for annotation in annotations[known:]:
            self._told[place] = self._told.get(place, 0) + 1
            if annotation.get("type") == "url_citation":
                cited = {name: annotation[name] for name in _FIELDS if name in annotation}
                yield Delta("item", data={"annotations": [{"type": "url_citation", "url_citation": cited}]})
            elif annotation:
                self._notes.leave_out(str(annotation.get("type")))


def _part_of(event: Value) -> object:
    return place_of(event), event.get("content_index") or 0
