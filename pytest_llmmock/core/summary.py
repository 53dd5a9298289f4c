"""One line about an exchange, for people: in a journal, a list, a comment above a recording."""

from __future__ import annotations

from .answered import answer_of
from .model import Exchange, Reply
from .prompt import Answer, Prompt, Usage

_WIDTH = 48


def asked(exchange: Exchange) -> str:
    """`chat gpt-5, streamed  "Plan a day in Rome"`"""
    prompt = exchange.prompt
    what = [exchange.operation if exchange.operation != "opaque" else exchange.target]
    what += [prompt.model] if prompt.model else []
    head = " ".join(what) + (", streamed" if prompt.stream else "")
    words = quoted(last_words(prompt))
    return f"{head}  {words}" if words else head


def answered(exchange: Exchange, reply: Reply) -> str:
    """`"Start at the Colosseum …"  812 tokens`"""
    return told(answer_of(exchange, reply), reply.status) + ("  broke off" if reply.cut else "")


def told(answer: Answer, status: int) -> str:
    """The same of an answer that was read."""
    failed = f"status {status}" if status >= 400 else ""
    return "  ".join(piece for piece in (failed, _said(answer), _tokens(answer)) if piece) or f"status {status}"


def line(exchange: Exchange, reply: Reply) -> str:
    return f"{asked(exchange)}  ->  {answered(exchange, reply)}"


def shape(exchange: Exchange) -> str:
    """`gpt-5, 2 messages, 1 tool, streamed`"""
    prompt = exchange.prompt
    counts = (
        (len(prompt.messages), "message"),
        (len(prompt.tools), "tool"),
        (len(prompt.inputs), "input"),
    )
    pieces = [prompt.model, *(plural(count, name) for count, name in counts if count)]
    pieces += ["streamed"] if prompt.stream else []
    return ", ".join(piece for piece in pieces if piece)


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def last_words(prompt: Prompt) -> str:
    """What was said last, or is to be embedded first."""
    said = [message.text for message in prompt.messages if message.text]
    texts = [text for text in prompt.inputs if isinstance(text, str)]
    return said[-1] if said else texts[0] if texts else ""


def quoted(text: str) -> str:
    """The text on one line, shortened, in quotes; '' when there is none."""
    flat = " ".join(text.split())
    if not flat:
        return ""
    return f'"{flat}"' if len(flat) <= _WIDTH else f'"{flat[: _WIDTH - 2].rstrip()} …"'


def _said(answer: Answer) -> str:
    """The words of the answer; without words, its calls, its error, or how much of what it holds."""
    calls = ", ".join(f"{call.name}()" for call in answer.tool_calls)
    error = quoted(answer.joined("error"))
    counts = (("vector", "vector"), ("model", "model"), ("image", "image"), ("file", "file"))
    kinds = [delta.kind for delta in answer.deltas]
    held = ", ".join(plural(kinds.count(kind), name) for kind, name in counts if kind in kinds)
    return quoted(answer.text) or calls or quoted(answer.joined("refusal")) or error or held


def _tokens(answer: Answer) -> str:
    total = tokens(answer.usage)
    return plural(total, "token") if total else ""


def tokens(usage: Usage | None) -> int:
    """All tokens of an exchange, as the provider counted them."""
    if usage is None:
        return 0
    return usage.total if usage.total is not None else (usage.input or 0) + (usage.output or 0)


def rounded(count: int) -> str:
    """`812`, `41k`, `1.2M`"""
    if count < 1000:
        return str(count)
    if count < 999_500:
        return f"{count / 1000:.0f}k" if count >= 9_950 else f"{count / 1000:.1f}k".replace(".0k", "k")
    return f"{count / 1_000_000:.1f}M".replace(".0M", "M")
