"""What the Codex backend demands of a request, and how it says no."""

from __future__ import annotations

from typing import Any

PARAMETERS = {
    "model": str,
    "input": list,
    "instructions": str,
    "store": bool,
    "stream": bool,
    "tools": list,
    "tool_choice": (str, dict),
    "parallel_tool_calls": bool,
    "reasoning": dict,
    "include": list,
    "prompt_cache_key": str,
    "text": dict,
    "service_tier": str,
    "client_metadata": dict,
}
"""All that it takes: anything else is refused by name."""

MODELS = ("gpt-5.5", "gpt-5.6-sol", "gpt-6-sol", "gpt-5.1-codex-max")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")
SEALED = "reasoning.encrypted_content"
CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
OUTPUTS = {"function_call_output": "function_call", "custom_tool_call_output": "custom_tool_call"}


class Refused(Exception):
    def __init__(self, status: int, body: object, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.status, self.body, self.headers = status, body, headers


def _detail(text: str) -> Refused:
    return Refused(400, {"detail": text})


def _error(message: str, param: str, code: str | None = None) -> Refused:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refused(400, {"error": error})


def check(body: Any, sealed: set[str]) -> dict[str, Any]:
    """The body, when the backend would take it. Raises `Refused`."""
    if not isinstance(body, dict):
        raise _detail("Input should be a valid dictionary")
    for name, value in body.items():
        if name not in PARAMETERS:
            raise _detail(f"Unsupported parameter: {name}")
        if not isinstance(value, PARAMETERS[name]):
            raise _detail(f"{name}: wrong type")
    _settings(body)
    _thinking(body)
    _tools(body.get("tools", []))
    _choice(body.get("tool_choice", "auto"))
    _format(body.get("text", {}).get("format", {"type": "text"}))
    check_items(body["input"], sealed)
    return body


def _settings(body: dict[str, Any]) -> None:
    if body.get("store") is not False:
        raise _detail("Store must be set to false")
    if body.get("stream") is not True:
        raise _detail("Stream must be set to true")
    if not isinstance(body.get("input"), list):
        raise _detail("Input must be a list")
    if not body.get("instructions"):
        raise _detail("Instructions are required")
    if body.get("model") not in MODELS:
        raise _detail(f"The '{body.get('model')}' model is not supported when using Codex with a ChatGPT account.")
    if body.get("service_tier", "priority") != "priority":
        raise _detail(f"Unsupported service_tier: {body['service_tier']}")
    if len(body.get("prompt_cache_key", "")) > 64:
        raise _error("Invalid 'prompt_cache_key': string too long.", "prompt_cache_key", "string_above_max_length")
    if not all(isinstance(value, str) for value in body.get("client_metadata", {}).values()):
        raise _detail("client_metadata: wrong type")


def _thinking(body: dict[str, Any]) -> None:
    reasoning = body.get("reasoning")
    if reasoning is None:
        return
    if set(reasoning) - {"effort", "summary"} or reasoning.get("effort", "low") not in EFFORTS:
        raise _error("Unsupported value in 'reasoning'.", "reasoning", "unsupported_value")
    if reasoning.get("summary", "auto") not in ("auto", "concise", "detailed"):
        raise _error("Unsupported value: 'reasoning.summary'.", "reasoning.summary", "unsupported_value")
    if SEALED not in body.get("include", []):
        raise _detail(f"include must hold {SEALED}")


def _tools(tools: list[Any]) -> None:
    for number, tool in enumerate(tools):
        if tool.get("type") in ("function", "custom") and not isinstance(tool.get("name"), str):
            raise _error(f"Missing required parameter: 'tools[{number}].name'.", f"tools[{number}].name")
        if tool.get("type") not in ("function", "custom", "web_search"):
            raise _detail(f"Unsupported tool type: {tool.get('type')}")


def _choice(choice: Any) -> None:
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        raise _error(f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")
    if isinstance(choice, dict) and choice.get("type") == "function" and not isinstance(choice.get("name"), str):
        raise _error("Missing required parameter: 'tool_choice.name'.", "tool_choice.name")


def _format(wanted: dict[str, Any]) -> None:
    if wanted.get("type") not in ("text", "json_object", "json_schema"):
        raise _error(f"Invalid value: '{wanted.get('type')}'.", "text.format.type", "invalid_value")
    missing = [name for name in ("name", "schema") if name not in wanted]
    if wanted["type"] == "json_schema" and missing:
        raise _error(f"Missing required parameter: 'text.format.{missing[0]}'.", f"text.format.{missing[0]}")


def check_items(items: list[Any], sealed: set[str]) -> None:
    called: set[tuple[str, str]] = set()
    for number, item in enumerate(items):
        kind = item.get("type")
        if len(item.get("call_id", "")) > 64:
            raise _error("Invalid 'call_id': string too long.", f"input[{number}].call_id", "string_above_max_length")
        if kind == "item_reference" or str(item.get("id", "")).startswith("rs_"):
            raise _error(
                f"Item with id '{item['id']}' not found. Items are not persisted when `store` is set to false.",
                "input",
            )
        if kind == "message":
            _message(item, f"input[{number}]")
        elif kind == "reasoning":
            if item.get("encrypted_content") not in sealed:
                raise _error("The encrypted content could not be verified.", "input", "invalid_encrypted_content")
        elif kind in CALLS:
            called.add((kind, item["call_id"]))
        elif kind in OUTPUTS:
            if (OUTPUTS[kind], item["call_id"]) not in called:
                raise _error(f"No tool call found for function call output with call_id {item['call_id']}.", "input")
        else:
            raise _error(f"Invalid value: '{kind}'.", f"input[{number}].type", "invalid_value")


def _message(item: dict[str, Any], place: str) -> None:
    role, content = item.get("role"), item.get("content")
    if role not in ("user", "assistant", "developer"):
        raise _detail("System messages are not allowed")
    if not isinstance(content, list):
        raise _detail(f"{place}.content must be a list")
    allowed = ("output_text", "refusal") if role == "assistant" else ("input_text", "input_image", "input_file")
    for number, part in enumerate(content):
        if part.get("type") not in allowed:
            raise _error(f"Invalid value: '{part.get('type')}'.", f"{place}.content[{number}]", "invalid_value")
