"""`llmmock show`: a cassette as a conversation that a person can read."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.cassette import Interaction
from ..cassettes.difference import digest, shortened
from ..cassettes.meaning import meaning, without_noise
from ..core.model import Exchange, Reply
from ..core.prompt import Answer, Delta, Message, Part, Prompt, ToolCall
from ..core.summary import asked, plural, tokens
from ..errors import CassetteError, UsageError
from .printing import print_json

_LONGEST = 2000
"""Characters of one text that are shown, unless all are asked for."""

_PART = 200
"""Characters of a part of a message that is no text."""

_COLOURS = {
    "system": "magenta",
    "developer": "magenta",
    "user": "cyan",
    "assistant": "green",
    "tool": "yellow",
    "error": "red",
}


@click.command(short_help="Show a cassette as a conversation.")
@click.argument("cassettes", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CASSETTE...")
@click.option("-n", "--number", type=click.IntRange(min=1), help="Only the interaction of this number.")
@click.option("--full", is_flag=True, help="Long texts whole.")
@click.option("--textconv", is_flag=True, help="For git: one file, everything that is meant, nothing that is noise.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of text.")
def command(cassettes: tuple[Path, ...], number: int | None, full: bool, textconv: bool, as_json: bool) -> None:
    """Show what was asked and what was answered."""
    if textconv:
        _for_git(cassettes)
        return
    opened = library.open_all(cassettes)
    if as_json:
        values = [value(str(c.path), n, each) for c in opened for n, each in _chosen(c.interactions, number)]
        print_json(values)
        return
    for cassette in opened:
        click.secho(f"{cassette.path}   {plural(len(cassette), 'interaction')}", bold=True)
        for place, interaction in _chosen(cassette.interactions, number):
            click.echo("\n" + "\n".join(_lines(place, interaction, None if full else _LONGEST)))


def _for_git(paths: Sequence[Path]) -> None:
    """As `git diff` compares it. git gives a temporary file, and stops when its text cannot be made."""
    for path in paths:
        data = path.read_bytes()
        try:
            cassette = library.cassette_of(data, path, blob=_name_of_blob)
            lines = [line for each in cassette.interactions for line in ("", *_meant(each))]
        except CassetteError:
            sys.stdout.buffer.write(data)
            continue
        click.echo("\n".join(lines[1:]), color=False)


def _name_of_blob(name: str) -> bytes:
    """What stands for a large body where it cannot be looked for."""
    return f"<{library.BLOBS}/{name}>".encode()


def _chosen(interactions: Sequence[Interaction], number: int | None) -> list[tuple[int, Interaction]]:
    numbered = list(enumerate(interactions, 1))
    if number is None:
        return numbered
    if number > len(numbered):
        raise UsageError(f"There is no interaction {number}: the cassette has {plural(len(numbered), 'interaction')}.")
    return [numbered[number - 1]]


# --- for people -----------------------------------------------------------------------------------------


def _lines(number: int, interaction: Interaction, longest: int | None) -> Iterator[str]:
    exchange = dialects.read(interaction.request)
    answer = exchange.dialect.read_reply(interaction.reply)
    yield click.style(f"#{number}  {_head(exchange, interaction, answer)}", bold=True)
    for role, text in [*_question(exchange, exchange.prompt), *_answer(answer, interaction.reply), *_end(interaction)]:
        yield from _said(role, text, longest)


def _meant(interaction: Interaction) -> Iterator[str]:
    """The same without numbers, times and counts, and with all that the model was given and said."""
    exchange = dialects.read(interaction.request)
    reply = interaction.reply
    answer = exchange.dialect.read_reply(reply)
    query = f"?{exchange.request.query}" if exchange.request.query else ""
    yield f"{asked(exchange).partition('  ')[0]}  {exchange.target}{query} -> {reply.status}"
    tools = [("tool", f"{tool.name} {tool.description} {_json(tool.parameters)}") for tool in exchange.prompt.tools]
    asked_for = [said for said in _question(exchange, exchange.prompt) if said[0] != "tools"]
    ends = [("finish", answer.finish_of(index)) for index in answer.choices if answer.finish_of(index)]
    for role, text in [*tools, *asked_for, *_answer_whole(exchange, answer, reply), *ends, *_end(interaction)]:
        yield from _said(role, text, None)


def _end(interaction: Interaction) -> Iterator[tuple[str, str]]:
    """Why the answer breaks off, if it does."""
    if interaction.reply.cut:
        yield "cut", interaction.reply.cut


def _answer_whole(exchange: Exchange, answer: Answer, reply: Reply) -> Iterator[tuple[str, str]]:
    """The answer; of a protocol that is read in part only, all that it holds."""
    body = meaning(exchange, reply, answer).get("body")
    if body is None:
        yield from _answer(answer, reply)
    elif body:
        yield "answered", body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2)


def _head(exchange: Exchange, interaction: Interaction, answer: Answer) -> str:
    reply, meta = interaction.reply, interaction.meta
    frames = reply.frames if isinstance(reply.frames, Sequence) else ()
    seconds = f"{frames[-1].at:.2f} s" if frames and frames[-1].at else ""
    spent = plural(tokens(answer.usage), "token") if tokens(answer.usage) else ""
    status = f"status {reply.status}" if reply.status != 200 else ""
    source = f"from {meta['upstream']}" if meta.get("upstream") else ""
    what = asked(exchange).partition("  ")[0]
    return " · ".join(
        piece for piece in (what, status, str(meta.get("recorded") or ""), source, seconds, spent) if piece
    )


def _question(exchange: Exchange, prompt: Prompt) -> Iterator[tuple[str, str]]:
    """Who said what, before the model was asked."""
    yield from ((message.role, _words(message)) for message in prompt.messages)
    yield from (("input", str(each)) for each in prompt.inputs)
    if prompt.tools:
        yield "tools", ", ".join(tool.name for tool in prompt.tools)
    if prompt.options:
        yield "options", "\n".join(f"{name}: {_json(option)}" for name, option in prompt.options.items())
    if not prompt.messages and not prompt.inputs and exchange.request.body:
        yield "asked", _body(exchange.request.body, exchange.request.header("content-type") or "")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _words(message: Message) -> str:
    parts = [_part(part) for part in message.parts]
    answers = [f"(answers {message.tool_call_id})"] if message.tool_call_id else []
    return "\n".join(piece for piece in (*answers, message.text, *parts, *map(_call, message.tool_calls)) if piece)


def _part(part: Part) -> str:
    """An image, a sound, a file or a result: where it is, or what it holds and which one it is."""
    held = shortened(part.url or _json(without_noise(part.data)))
    return f"<{part.kind} {held if len(held) <= _PART else f'{held[:_PART]} … {digest(held.encode())}'}>"


def _call(call: ToolCall) -> str:
    return f"-> {call.name}({call.arguments})"


def _answer(answer: Answer, reply: Reply) -> Iterator[tuple[str, str]]:
    """What the model said, choice by choice."""
    said = False
    for index in answer.choices:
        kinds = (("reasoning", "reasoning"), ("assistant", "text"), ("refusal", "refusal"))
        for role, kind in kinds:
            if text := answer.joined(kind, index):  # type: ignore[arg-type]
                said = True
                yield role, text
        for call in answer.calls_of(index):
            said = True
            yield "assistant", _call(call)
    for delta in answer.deltas:
        if delta.kind in ("error", "model", "vector"):
            said = True
            yield delta.kind, delta.text or f"{len(delta.vector)} numbers"
    if said:
        yield from (
            ("assistant", _item(delta.data)) for delta in answer.deltas if delta.kind == "item" and _tells(delta)
        )
    elif reply.body:
        yield "answered", _body(reply.body, reply.content_type)


def _tells(delta: Delta) -> bool:
    """Whether this is an item that says anything but who made it and when."""
    return delta.kind == "item" and bool(without_noise(delta.data))


def _item(data: object) -> str:
    """What only this protocol knows, beside words: a search and what it found, citations."""
    held = data if isinstance(data, dict) else {}
    return _part(Part(str(held.get("type") or ", ".join(held)), data=data))


def _body(body: bytes, content_type: str) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"<{plural(len(body), 'byte')} {content_type}, {digest(body)}>"
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text


def _said(role: str, text: str, longest: int | None) -> Iterator[str]:
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}\n… {len(text) - longest} more characters (--full shows them)"
    label = click.style(f"{role:<10}", fg=_COLOURS.get(role, "blue"))
    first, *more = text.split("\n") if text else [""]
    yield f"  {label} {first}".rstrip()
    yield from (textwrap.indent(line, " " * 13) for line in more)


# --- for programs ---------------------------------------------------------------------------------------


def value(path: str, number: int, interaction: Interaction) -> dict[str, Any]:
    """An interaction as JSON."""
    request, reply = interaction.request, interaction.reply
    exchange = dialects.read(request)
    answer = exchange.dialect.read_reply(reply)
    return {
        "cassette": path,
        "number": number,
        "operation": exchange.operation,
        "model": exchange.prompt.model,
        "stream": exchange.prompt.stream,
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "body": _content(request.body),
        },
        "response": {
            "status": reply.status,
            "headers": dict(reply.headers),
            "body": _content(reply.body),
            **({"cut": reply.cut} if reply.cut else {}),
        },
        "text": answer.text,
        "tool_calls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in answer.tool_calls],
        "finish_reason": answer.finish_reason,
        "usage": _usage(answer),
        "meta": interaction.meta,
    }


def _usage(answer: Answer) -> dict[str, int | None] | None:
    usage = answer.usage
    if usage is None:
        return None
    return {"input": usage.input, "output": usage.output, "total": tokens(usage) or None}


def _content(body: bytes) -> Any:
    """JSON as a value, text as text, bytes as their number."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"bytes": len(body)}
    try:
        return json.loads(text)
    except ValueError:
        return text
