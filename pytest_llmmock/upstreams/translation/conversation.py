"""Messages of other protocols as the items of a Responses input.

The shapes are `openai.types.responses.ResponseInputItemParam`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from .notes import Notes

Value = dict[str, Any]

LONGEST_ID = 64
"""Characters that the id of a call may have."""


class Conversation:
    """Items in the making. It knows the calls, so that results find theirs."""

    def __init__(self, notes: Notes, unnamed: str = "call_{}") -> None:
        """`unnamed` makes the ids of calls that have none."""
        self.items: list[Value] = []
        self._notes = notes
        self._unnamed = unnamed
        self._instructions: list[str] = []
        self._custom: set[str] = set()
        self._waiting: list[tuple[str, str]] = []
        """Calls without a result yet: id and name."""

    @property
    def instructions(self) -> str:
        return "\n\n".join(self._instructions)

    def instruct(self, words: str) -> None:
        """What the system says: instructions before all others, later a developer's message in its place."""
        if words and not self.items:
            self._instructions.append(words)
        elif words:
            self.say("developer", [{"type": "input_text", "text": words}])

    def say(self, role: str, content: list[Value]) -> None:
        """A message; one that says nothing is dropped, for it is refused."""
        if content:
            self.items.append({"type": "message", "role": role, "content": content})

    def call(self, name: str, arguments: str, id: str = "", *, custom: bool = False) -> None:
        id = self._short(id) or self._unnamed.format(1 + sum("name" in item for item in self.items))
        self._waiting.append((id, name))
        if custom:
            self._custom.add(id)
            self.items.append({"type": "custom_tool_call", "call_id": id, "name": name, "input": arguments})
        else:
            self.items.append({"type": "function_call", "call_id": id, "name": name, "arguments": arguments})

    def answer(self, output: str | list[Value], id: str = "", name: str = "") -> None:
        """The result of a call. One without an id is that of the first call that waits, of this name if any does."""
        id = self._short(id) or self._first_waiting(name)
        if not id:
            self._notes.say("the result of a tool that nobody called became a message of the user")
            self.say("user", output if isinstance(output, list) else [{"type": "input_text", "text": output}])
            return
        self._waiting = [call for call in self._waiting if call[0] != id]
        kind = "custom_tool_call_output" if id in self._custom else "function_call_output"
        self.items.append({"type": kind, "call_id": id, "output": output})

    def _first_waiting(self, name: str) -> str:
        named = [id for id, called in self._waiting if called == name]
        return next(iter([*named, *(id for id, _ in self._waiting)]), "")

    def _short(self, id: str) -> str:
        """The id, or when it is too long a shorter one that stands for it."""
        if len(id) <= LONGEST_ID:
            return id
        self._notes.say(f"ids of calls that are longer than {LONGEST_ID} characters were shortened")
        return "call_" + blake2b(id.encode(errors="replace"), digest_size=16).hexdigest()
