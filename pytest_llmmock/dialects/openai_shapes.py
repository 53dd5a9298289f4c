"""What OpenAI's protocols have in common: errors, usage, parts of messages, tools.

The shapes are those of the `openai` package: `openai.types`, and https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from ..core.model import Problem, Reply
from ..core.prompt import Answer, Delta, Part, Prompt, Tool, Usage
from .fields import first_text, mapping, objects, text, whole, write_event, write_json

# --- errors ---------------------------------------------------------------------------------------------


def write_error(problem: Problem) -> Reply:
    """`openai.types.shared.ErrorObject`, as every OpenAI endpoint sends it."""
    return write_json({"error": _error_of(problem)}, problem.status, problem.headers)


def write_failure(problem: Problem) -> bytes:
    """The event by which a stream of chunks says that it went wrong."""
    return write_event({"error": _error_of(problem)})


def _error_of(problem: Problem) -> dict[str, Any]:
    return {"message": problem.message, "type": problem.type, "param": problem.param, "code": problem.code}


def read_error(value: object) -> Delta | None:
    """The error that a body or an event tells of: `{"error": {…}}` or the string that some servers send."""
    error = mapping(value).get("error")
    if isinstance(error, str) and error:
        return Delta("error", error)
    return _error(error) if isinstance(error, dict) and error else None


def read_refusal(reply: Reply, values: list[Any]) -> Delta | None:
    """What a reply with an error status says, in whatever shape: FastAPI's `detail`, Mistral's `message`, text."""
    if reply.status < 400:
        return None
    value = values[0] if values else None
    said = read_error(value) or _error(mapping(value))
    return said if said.text else Delta("error", reply.body.decode(errors="replace").strip())


def read_trouble(reply: Reply, values: list[Any]) -> Delta | None:
    """What a reply says went wrong, by its status or by what it holds."""
    return read_refusal(reply, values) or next(filter(None, map(read_error, values)), None)


def _error(error: dict[str, Any]) -> Delta:
    code = error.get("code")
    name = str(code) if isinstance(code, str | int) else text(error.get("type"))
    return Delta("error", first_text(error.get("message"), error.get("detail")), name=name, data=error)


def error_object(delta: Delta) -> dict[str, Any]:
    """An error delta as `ErrorObject`."""
    error = mapping(delta.data)
    return {
        "message": delta.text,
        "type": first_text(error.get("type")) or "server_error",
        "param": error.get("param"),
        "code": error.get("code", delta.name or None),
    }


def error_of(answer: Answer) -> Delta | None:
    return next((delta for delta in answer.deltas if delta.kind == "error"), None)


# --- usage ----------------------------------------------------------------------------------------------


def read_usage(value: object) -> Usage | None:
    """`openai.types.CompletionUsage` or `openai.types.responses.ResponseUsage`; DeepSeek's cache field too."""
    usage = mapping(value)
    if not usage:
        return None  # as of nearly all chunks
    asked = mapping(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    said = mapping(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    found = Usage(
        input=whole(usage.get("prompt_tokens", usage.get("input_tokens"))),
        output=whole(usage.get("completion_tokens", usage.get("output_tokens"))),
        total=whole(usage.get("total_tokens")),
        cached=whole(asked.get("cached_tokens", usage.get("prompt_cache_hit_tokens"))),
        reasoning=whole(said.get("reasoning_tokens")),
    )
    return None if found == Usage() else found


def total_of(usage: Usage) -> int:
    return usage.total if usage.total is not None else (usage.input or 0) + (usage.output or 0)


def usage_deltas(value: object) -> list[Delta]:
    usage = read_usage(value)
    return [Delta("usage", usage=usage)] if usage else []


def write_usage(usage: Usage) -> dict[str, Any]:
    """`openai.types.CompletionUsage`"""
    written: dict[str, Any] = {
        "prompt_tokens": usage.input or 0,
        "completion_tokens": usage.output or 0,
        "total_tokens": total_of(usage),
    }
    if usage.cached is not None:
        written["prompt_tokens_details"] = {"cached_tokens": usage.cached}
    if usage.reasoning is not None:
        written["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return written


def wants_usage(prompt: Prompt) -> bool:
    """Whether a stream of chunks is to end with what it cost."""
    return bool(mapping(prompt.options.get("stream_options")).get("include_usage"))


# --- names ----------------------------------------------------------------------------------------------


def digest(prompt: Prompt, answer: Answer) -> str:
    """What stands in made-up ids: the same for the same exchange, another as soon as a conversation grows.

    Agent frameworks put messages in one place when their ids are equal, so it may not be a constant.
    """
    again = f" {answer.before}" if answer.before else ""
    return blake2b((repr((prompt, answer)) + again).encode(errors="replace"), digest_size=12).hexdigest()


# --- parts of messages ----------------------------------------------------------------------------------

KINDS = {
    "image_url": "image",
    "input_image": "image",
    "input_audio": "audio",
    "file": "file",
    "input_file": "file",
}
"""What a part's type is called in a Prompt. A newer type keeps its own name."""

_TEXTS = ("text", "input_text", "output_text", "summary_text", "reasoning_text")


def read_content(content: object) -> tuple[str, tuple[Part, ...]]:
    """The words of a message, and its other parts. Words of several parts stand on lines of their own."""
    if isinstance(content, str):
        return content, ()
    pieces = [content] if isinstance(content, dict) else content if isinstance(content, list) else []
    words = [piece if isinstance(piece, str) else text(piece.get("text")) for piece in pieces if _is_text(piece)]
    parts = tuple(read_part(piece) for piece in objects(pieces) if not _is_text(piece))
    return "\n".join(word for word in words if word), parts


def _is_text(piece: object) -> bool:
    return isinstance(piece, str) or (isinstance(piece, dict) and piece.get("type", "text") in _TEXTS)


def read_part(part: dict[str, Any]) -> Part:
    kind = text(part.get("type"))
    return Part(KINDS.get(kind, kind), _url(part), part)


def _url(part: dict[str, Any]) -> str:
    """Where a part is, or all of it as a data URL."""
    image = part.get("image_url")
    file = mapping(part.get("file")) or part
    sound = mapping(part.get("input_audio"))
    if sound:
        return f"data:audio/{text(sound.get('format'))};base64,{text(sound.get('data'))}"
    return first_text(image, mapping(image).get("url"), file.get("file_url"), file.get("file_data"))


def sound_of(url: str) -> dict[str, str]:
    """`input_audio` from a data URL."""
    head, _, data = url.partition(",")
    return {"data": data, "format": head.removeprefix("data:audio/").partition(";")[0]}


def annotations_of(delta: Delta) -> list[dict[str, Any]]:
    """The annotations that an item holds, which all protocols have a place for."""
    return objects(mapping(delta.data).get("annotations")) if delta.kind == "item" else []


# --- tools ----------------------------------------------------------------------------------------------


def read_tools(value: object) -> tuple[Tool, ...]:
    """Tools as Chat Completions nests them, and as Responses does not."""
    return tuple(_tool(tool) for tool in objects(value))


def _tool(tool: dict[str, Any]) -> Tool:
    kind = text(tool.get("type")) or "function"
    inner = mapping(tool.get(kind)) or tool
    name, description = text(inner.get("name")), text(inner.get("description"))
    if kind == "function":
        strict = inner.get("strict")
        return Tool(name, description, inner.get("parameters"), strict=strict if isinstance(strict, bool) else None)
    rest = {key: value for key, value in inner.items() if key not in ("type", "name", "description")}
    return Tool(name, description, rest or None, kind)


def write_tool(tool: Tool) -> dict[str, Any]:
    """The fields of a tool, without its type: a function's parameters, or whatever a hosted tool is set to."""
    written: dict[str, Any] = {"name": tool.name} if tool.name else {}
    if tool.description:
        written["description"] = tool.description
    if tool.kind == "function":
        beside = {"parameters": tool.parameters, "strict": tool.strict}
        return {"name": tool.name, **written, **{name: value for name, value in beside.items() if value is not None}}
    return {**mapping(tool.parameters), **written}
