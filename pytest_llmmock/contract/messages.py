"""Anthropic's Messages: what its types do not tell. Each rule is a function of the body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialects.fields import listing, mapping, objects, text
from .finding import Finding, Steps, listed

Body = dict[str, Any]

CACHED = 4
"""Blocks that may be marked for the prompt cache."""


def check(body: Body) -> Iterator[Finding]:
    for rule in RULES:
        yield from rule(body)


def _messages(body: Body) -> Iterator[tuple[int, Body]]:
    return ((at, message) for at, message in enumerate(listing(body.get("messages"))) if isinstance(message, dict))


Block = tuple[Steps, Body]
"""A block of a message, and where it is."""


def _blocks(at: int, message: Body) -> list[Block]:
    """What a message says, as blocks."""
    content = message.get("content")
    if isinstance(content, str):
        return [(("messages", at, "content"), {"type": "text", "text": content})]
    numbered = enumerate(listing(content))
    return [(("messages", at, "content", number), block) for number, block in numbered if isinstance(block, dict)]


def _turns(body: Body) -> list[tuple[str, list[Block]]]:
    """Messages of the same role behind each other are one turn; what the system says belongs to none."""
    turns: list[tuple[str, list[Block]]] = []
    for at, message in _messages(body):
        role = text(message.get("role"))
        if role == "system":
            continue
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend(_blocks(at, message))
    return turns


def first_the_user(body: Body) -> Iterator[Finding]:
    turns = _turns(body)
    if turns and turns[0][0] == "assistant":
        at = next(at for at, message in _messages(body) if message.get("role") == "assistant")
        yield Finding(("messages", at, "role"), "is 'assistant', and the first turn has to be the user's.")


def answered_calls(body: Body) -> Iterator[Finding]:
    """Each tool_use is answered at the head of the next turn, and each tool_result has its tool_use before."""
    before: dict[str, Steps] = {}
    for role, blocks in _turns(body):
        if role == "user":
            yield from _unanswered(before, _results(blocks))
            yield from _unasked(before, blocks)
            before = {}
        else:
            before = {text(block.get("id")): at for at, block in blocks if block.get("type") == "tool_use"}
    yield from _unanswered(before, [])


def _results(blocks: list[Block]) -> list[str]:
    """The calls that are answered before anything else is said."""
    head = []
    for _, block in blocks:
        if block.get("type") != "tool_result":
            break
        head.append(text(block.get("tool_use_id")))
    return head


def _unanswered(asked: dict[str, Steps], answered: list[str]) -> Iterator[Finding]:
    left = [call for call in asked if call not in answered]
    if left:
        words = f"{listed(left, 'and')} has no tool_result at the head of the next message: results come first there."
        yield Finding(asked[left[0]][:2], f"tool_use {words}")


def _unasked(asked: dict[str, Steps], blocks: list[Block]) -> Iterator[Finding]:
    answered: set[str] = set()
    for at, block in blocks:
        if block.get("type") != "tool_result":
            continue
        call = text(block.get("tool_use_id"))
        if call not in asked:
            yield Finding((*at, "tool_use_id"), f"answers {call!r}, and the message before has no tool_use of this id.")
        elif call in answered:
            yield Finding((*at, "tool_use_id"), f"answers {call!r} a second time: each tool_use has one tool_result.")
        answered.add(call)


def something_said(body: Body) -> Iterator[Finding]:
    """No message is empty but the last one of the assistant, and no text is."""
    messages = list(_messages(body))
    for at, message in messages:
        last = at == messages[-1][0] and message.get("role") == "assistant"
        if message.get("content") in ("", []) and not last:
            words = "is empty: only the last message can be, where it is the assistant's."
            yield Finding(("messages", at, "content"), words)
        for steps, block in _blocks(at, message):
            if block.get("type") == "text" and block.get("text") == "" and len(steps) > 3:
                yield Finding((*steps, "text"), "is empty: a text block has to say something.")


def no_space_at_the_end(body: Body) -> Iterator[Finding]:
    """What the assistant is to go on from."""
    turns = _turns(body)
    if not turns or turns[-1][0] != "assistant" or not turns[-1][1]:
        return
    steps, block = turns[-1][1][-1]
    said = text(block.get("text"))
    if block.get("type") == "text" and said != said.rstrip():
        yield Finding(steps, "ends with white space, and the model cannot go on from there.")


def thinking(body: Body) -> Iterator[Finding]:
    """A budget within the answer, and no other temperature than 1."""
    wanted = mapping(body.get("thinking"))
    if wanted.get("type") != "enabled":
        return
    budget, most = wanted.get("budget_tokens"), body.get("max_tokens")
    if isinstance(budget, int) and isinstance(most, int) and budget >= most and not body.get("tools"):
        words = f"has to be less than max_tokens, which is {most}, and is {budget}."
        yield Finding(("thinking", "budget_tokens"), words)
    if body.get("temperature") not in (None, 1):
        yield Finding(("temperature",), f"can only be 1 while thinking is enabled, and is {body['temperature']}.")


def few_marks(body: Body) -> Iterator[Finding]:
    """Marks for the prompt cache, anywhere in what is sent."""
    marks = [each for name in ("tools", "system", "messages") for each in _marked(body.get(name))]
    if len(marks) > CACHED:
        words = f"and what stands before them mark {len(marks)} blocks with cache_control. {CACHED} are allowed."
        yield Finding(("messages",), words)


def _marked(value: Any) -> Iterator[Body]:
    """Every block that is marked, wherever it lies; not what a tool was called with."""
    for block in objects(value):
        if block.get("cache_control"):
            yield block
        yield from _marked(block.get("content"))


def stop_sequences(body: Body) -> Iterator[Finding]:
    for at, sequence in enumerate(listing(body.get("stop_sequences"))):
        if isinstance(sequence, str) and not sequence.strip():
            yield Finding(("stop_sequences", at), "has to hold something other than white space.")


RULES = (
    first_the_user,
    answered_calls,
    something_said,
    no_space_at_the_end,
    thinking,
    few_marks,
    stop_sequences,
)
