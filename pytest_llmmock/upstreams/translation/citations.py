"""The sources that an answer names: `openai.types.chat.chat_completion_message.Annotation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.prompt import Delta
from ...dialects import openai_shapes as shapes
from ...dialects.fields import mapping, objects, whole
from ...dialects.responses_stream import TEXT, Part, place_of
from .notes import Notes

Value = dict[str, Any]

_FIELDS = ("start_index", "end_index", "url", "title")


class Citations:
    """Hands each annotation on once: some streams tell of them one by one, some with the part that is done."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._told: dict[Part, int] = {}

    def take(self, event: Value) -> Iterator[Delta]:
        kind = event.get("type")
        if kind == "response.output_text.annotation.added":
            yield from self._new(_part_of(event), [mapping(event.get("annotation"))], 0)
        elif kind == "response.content_part.done":
            yield from self._rest(_part_of(event), mapping(event.get("part")))
        elif kind == "response.output_item.done":
            for number, part in enumerate(objects(mapping(event.get("item")).get("content"))):
                yield from self._rest(_place(event, number), part)

    def _rest(self, place: Part, part: Value) -> Iterator[Delta]:
        yield from self._new(place, objects(part.get("annotations")), self._told.get(place, 0))

    def _new(self, place: Part, annotations: list[Value], known: int) -> Iterator[Delta]:
        for annotation in annotations[known:]:
            self._told[place] = self._told.get(place, 0) + 1
            if annotation.get("type") == "url_citation":
                cited = {name: annotation[name] for name in _FIELDS if name in annotation}
                yield write_citation(cited, place)
            elif annotation:
                self._notes.leave_out(str(annotation.get("type")))


def write_citation(cited: Value, place: Part) -> Delta:
    return Delta("item", data={"annotations": [{"type": "url_citation", "url_citation": cited}]}, part=place)


def _part_of(event: Value) -> Part:
    return _place(event, whole(event.get("content_index")) or 0)


def _place(event: Value, number: int) -> Part:
    return place_of(event), TEXT, 0, number


class Joined:
    """Has citations name places of all the words: a client reads every part as one text, thoughts in tags too."""

    def __init__(self) -> None:
        self._length = 0
        self._starts: dict[tuple[object, ...], int] = {}
        """Where in the text each part begins."""

    def take(self, delta: Delta) -> Delta:
        if delta.kind == "text":
            self._starts.setdefault(delta.part, self._length)
            self._length += len(delta.text)
        start = self._starts.get(delta.part, self._length)
        found = shapes.annotations_of(delta) if start else []
        return write_citation(_moved(mapping(found[0].get("url_citation")), start), delta.part) if found else delta


def _moved(cited: Value, start: int) -> Value:
    places = {name: cited[name] for name in ("start_index", "end_index") if isinstance(cited.get(name), int)}
    return {**cited, **{name: place + start for name, place in places.items()}}
