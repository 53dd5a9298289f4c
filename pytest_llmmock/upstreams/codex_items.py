"""The items of an input as the Codex backend takes them: it keeps nothing, so no id of its own leads to anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .codex_request import Impossible, Item
from .sealed import Sealed

Known = Callable[[str], Item | None]
"""An item that was answered before, by its id."""

_LOST = "{upstream} gives out thoughts encrypted, and some of an earlier run are not known any more: sent without"


def fitted(items: list[Any], sealed: Sealed, known: Known, upstream: str = "codex") -> tuple[list[Item], list[str]]:
    """Items without ids, and what is to be said of those that are missing. Raises `Impossible`."""
    found = [_fitted(item, sealed, known) for item in items if isinstance(item, dict)]
    return [item for item in found if item is not None], [_LOST.format(upstream=upstream)] if None in found else []


def _fitted(item: Item, sealed: Sealed, known: Known) -> Item | None:
    """None when what the item holds is lost."""
    if item.get("type") == "item_reference" or set(item) == {"id"}:
        item = _referred(item, known)
    whole = sealed.unseal(item) if item.get("type") == "reasoning" else item
    if whole is None:
        return None
    bare = {name: value for name, value in whole.items() if name != "id"}
    return _message(bare) if bare.get("type", "message") == "message" else bare


def _referred(item: Item, known: Known) -> Item:
    found = known(str(item.get("id")))
    if found is None:
        raise Impossible(f"Item with id '{item.get('id')}' not found.", "input", 404)
    return found


def _message(item: Item) -> Item:
    """A message in full: its type, a role that is taken, and a list of parts."""
    role = "developer" if item.get("role") == "system" else item.get("role")
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "output_text" if role == "assistant" else "input_text", "text": content}]
    return {**item, "type": "message", "role": role, "content": content}
