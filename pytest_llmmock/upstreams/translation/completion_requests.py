"""Requests of the older Completions: `openai.types.CompletionCreateParams`."""

from __future__ import annotations

from typing import Any

from ...dialects.fields import text
from ...errors import TranslationError
from . import options
from .chat_requests import write_talk
from .conversation import Conversation
from .notes import Notes

Value = dict[str, Any]

_KNOWN = {*options.KEPT, "model", "prompt", "stream", "stream_options", "n", "max_tokens", "reasoning", "fast_mode"}


def translate(body: Value, notes: Notes) -> Value:
    """A text that is to be continued becomes what a user says. Raises `TranslationError`."""
    options.refuse_many(body, "n", "best_of")
    talk = Conversation(notes)
    asked = _prompt(body)
    talk.say("user", [{"type": "input_text", "text": asked}])
    options.leave_out(body, _KNOWN if asked != body.get("suffix") else {*_KNOWN, "suffix"}, notes)
    kept = options.write_kept(body)
    longest = options.write_longest(body.get("max_tokens"))
    return {**write_talk(body, talk), **kept, **longest, **options.write_reasoning(body)}


def _prompt(body: Value) -> str:
    """The one text that is asked about; without one, the end that it was to have. Raises `TranslationError`."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        prompt = prompt[0]
    if prompt is None:
        prompt = body.get("suffix")
    if text(prompt):
        return text(prompt)
    found = f"a list of {len(prompt)}" if isinstance(prompt, list) else repr(prompt)
    raise TranslationError(
        f"This upstream answers one text at a time, and 'prompt' is {found}. Ask for each text by itself, as words and "
        "not as tokens, or record this with another upstream."
    )
