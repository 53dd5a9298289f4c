"""What every dialect module holds to, whichever protocol it speaks."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmmock import dialects
from pytest_llmmock.core.json_text import compact, parse_json
from pytest_llmmock.core.model import Dialect, Frame, Problem, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Message, Part, Prompt, Tool, ToolCall, Usage
from pytest_llmmock.dialects import anthropic_errors

NAMES = sorted({*dialects.MODULES.values(), "opaque"})
SPEAKING = ["anthropic", "chat", "ollama", "ollama_generate", "responses"]
"""Dialects in which a model says words."""

OPERATIONS = {module: operation for operation, module in reversed(dialects.MODULES.items())} | {"opaque": "opaque"}

every_dialect = pytest.mark.parametrize("name", NAMES)
every_speaking_dialect = pytest.mark.parametrize("name", SPEAKING)


def dialect(name: str) -> Dialect:
    return dialects.dialect_of(OPERATIONS[name])


def test_every_module_is_under_test() -> None:
    served = {str(getattr(dialect(name), "__name__", "")).rpartition(".")[2] for name in NAMES}
    assert served == set(NAMES)


# --- strategies -----------------------------------------------------------------------------------------

words = st.text(max_size=12)
some_words = st.text(min_size=1, max_size=12)
identifiers = st.text("abcdefgh_-0123", min_size=1, max_size=8)
counts = st.integers(0, 10**6)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
tools = st.builds(Tool, identifiers, words, st.none() | st.dictionaries(identifiers, json_values, max_size=2))
calls = st.builds(ToolCall, identifiers, words, identifiers)
messages = st.one_of(
    st.builds(Message, st.sampled_from(["system", "user", "developer"]), some_words),
    st.builds(Message, st.just("assistant"), some_words, tool_calls=st.lists(calls, max_size=2).map(tuple)),
    st.builds(Message, st.just("tool"), words, tool_call_id=identifiers),
)
options = st.dictionaries(st.sampled_from(["temperature", "user", "response_format", "x"]), json_values, max_size=2)
prompts = st.builds(
    Prompt,
    model=words,
    messages=st.lists(messages, max_size=4).map(tuple),
    tools=st.lists(tools, max_size=2).map(tuple),
    stream=st.booleans(),
    options=options,
)
inputs = st.lists(words | st.lists(st.integers(0, 9), max_size=3), max_size=3).map(tuple)
token_numbers = st.lists(st.integers(0, 9), min_size=1, max_size=3)
continued = st.one_of(
    st.builds(Message, st.just("user"), words),
    st.builds(Message, st.just("user"), parts=token_numbers.map(lambda numbers: (Part("tokens", data=numbers),))),
)
single = st.tuples(st.builds(Message, st.just("system"), some_words), st.builds(Message, st.just("user"), some_words))
files = st.builds(
    lambda kind, content, named: Part(
        kind.partition("/")[0] if kind.startswith(("image", "audio")) else "file",
        f"data:{kind};base64,{b64encode(content).decode()}",
        {"name": "file", "filename": named},
    ),
    st.sampled_from(["text/plain", "image/png", "audio/wav"]),
    st.binary(max_size=20),
    identifiers,
)
uploads = st.lists(files, max_size=2).map(lambda parts: (Message("user", parts=tuple(parts)),) if parts else ())
pictured = st.builds(
    lambda said, parts: (Message("user", said, tuple(parts)),), words, st.lists(files, min_size=1, max_size=2)
)
spoken = some_words.map(lambda said: (Message("user", said),))
of_a_dialect = {
    "anthropic": prompts,
    "chat": prompts,
    "ollama": prompts,
    "ollama_generate": st.builds(
        Prompt,
        model=words,
        messages=single.flatmap(lambda both: st.sampled_from([(), both[:1], both[1:], both])),
        stream=st.booleans(),
        options=options,
    ),
    "responses": prompts,
    "ollama_opaque": prompts,
    "opaque": prompts,
    "completions": st.builds(
        Prompt, model=words, messages=st.lists(continued, max_size=3).map(tuple), stream=st.booleans(), options=options
    ),
    "embeddings": st.builds(Prompt, model=words, inputs=inputs, options=options),
    "models": st.builds(Prompt),
    "anthropic_models": st.builds(Prompt),
    "responses_stored": prompts,
    "anthropic_count": prompts,
    "anthropic_opaque": prompts,
    "ollama_models": prompts,
    "ollama_embed": st.builds(Prompt, model=words, inputs=inputs, options=options),
    "moderations": prompts,
    "files": st.builds(Prompt, messages=uploads, options=st.dictionaries(identifiers, words, max_size=2)),
    "anthropic_files": st.builds(Prompt, messages=uploads, options=st.dictionaries(identifiers, words, max_size=2)),
    "batches": st.builds(Prompt, options=options),
    "speech": st.builds(Prompt, model=words, messages=spoken, stream=st.booleans(), options=options),
    "transcriptions": st.builds(
        Prompt,
        model=words,
        messages=pictured,
        stream=st.booleans(),
        options=st.dictionaries(st.sampled_from(["language", "temperature"]), words, max_size=2),
    ),
    "images": st.builds(
        Prompt,
        model=words,
        messages=spoken | pictured,
        stream=st.booleans(),
        options=st.dictionaries(st.sampled_from(["n", "size", "user"]), words, max_size=2),
    ),
}

said = st.one_of(
    st.builds(Delta, st.sampled_from(["text", "reasoning", "refusal"]), some_words),
    st.builds(Delta, st.just("tool_call"), words, call=st.integers(0, 2)),
)
usages = st.builds(Usage, counts, counts, counts, counts, counts)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Words and calls in any order, each call named by its first piece, then an end and what it cost."""
    deltas: list[Delta] = []
    named: set[int] = set()
    for delta in draw(st.lists(said, max_size=8)):
        first = delta.kind == "tool_call" and delta.call not in named
        deltas.append(replace(delta, id=f"call_{delta.call}", name=draw(identifiers)) if first else delta)
        named.update({delta.call} if first else ())
    finish = draw(st.sampled_from(["tool_calls" if named else "stop", "length", "content_filter"]))
    usage = Delta("usage", usage=draw(usages))
    return Answer((*deltas, Delta("finish", finish=finish), usage), draw(some_words), draw(some_words), draw(counts))


def meaning(answer: Answer) -> dict[str, Any]:
    """What an answer says, however it was cut to pieces."""
    choices = {
        index: (
            answer.joined("text", index),
            answer.joined("reasoning", index),
            answer.joined("refusal", index),
            answer.calls_of(index),
            answer.finish_of(index),
        )
        for index in answer.choices
    }
    return {"choices": choices, "usage": answer.usage, "model": answer.model, "id": answer.id}


USAGE_ASKED = {"stream_options": {"include_usage": True}}

# --- what a protocol has no words for -------------------------------------------------------------------

OLLAMA = ("ollama", "ollama_embed", "ollama_generate", "ollama_models", "ollama_opaque")
ANTHROPIC = ("anthropic", "anthropic_count", "anthropic_files", "anthropic_models", "anthropic_opaque")
OBJECTS = ("anthropic", "anthropic_count", "ollama", "ollama_generate")
"""Dialects in which the arguments of a call are an object, not a text."""


def same_object(name: str, call: ToolCall) -> ToolCall:
    """The call, with its arguments in the layout that all objects are read in."""
    if name not in OBJECTS:
        return call
    value = parse_json(call.arguments.encode(errors="replace")) if call.arguments else {}
    return replace(call, arguments=compact(value) if isinstance(value, dict) else call.arguments)


def sayable(name: str, prompt: Prompt) -> Prompt:
    """The prompt, as far as a protocol can say it."""
    messages = (replace(m, tool_calls=tuple(same_object(name, call) for call in m.tool_calls)) for m in prompt.messages)
    return replace(prompt, messages=tuple(messages))


def expected(name: str, answer: Answer) -> dict[str, Any]:
    """What an answer says, as far as a protocol can say it."""
    said = meaning(answer)
    for index, (text, reasoning, refusal, called, finish) in said["choices"].items():
        called = tuple(same_object(name, call) for call in called)
        if name == "anthropic" and refusal:
            finish = "content_filter"
        if name in OLLAMA:
            text = "".join(d.text for d in answer.deltas if d.index == index and d.kind in ("text", "refusal"))
            refusal = ""
        said["choices"][index] = (text, reasoning, refusal, called, finish)
    usage = answer.usage
    if usage and name in OLLAMA:
        said |= {"usage": Usage(usage.input, usage.output), "id": ""}
    if usage and name == "anthropic":
        said["usage"] = replace(usage, input=max(usage.input or 0, usage.cached or 0), total=None)
    return said


# --- requests -------------------------------------------------------------------------------------------


@every_dialect
@given(data=st.data())
def test_what_is_asked_can_be_read_back(name: str, data: st.DataObject) -> None:
    prompt = data.draw(of_a_dialect[name])
    body = dialect(name).write_request(prompt)
    assert dialect(name).read_request(Request("POST", "http://x", "/", body=body)) == sayable(name, prompt)


@every_dialect
@given(
    value=json_values,
    field=st.sampled_from(["messages", "input", "tools", "contents", "model", "instructions", "system"]),
)
def test_what_was_read_can_be_written_and_read_again(name: str, value: Any, field: str) -> None:
    read, write = dialect(name).read_request, dialect(name).write_request
    once = read(Request("POST", "http://x", "/", body=json.dumps({field: value}).encode()))
    again = read(Request("POST", "http://x", "/", body=write(once)))
    assert read(Request("POST", "http://x", "/", body=write(again))) == again
    assert (again.model, again.tools, again.inputs) == (once.model, once.tools, once.inputs)


# --- replies --------------------------------------------------------------------------------------------


@every_speaking_dialect
@given(answer=answers(), prompt=prompts)
def test_streamed_and_plain_replies_say_what_was_answered(name: str, answer: Answer, prompt: Prompt) -> None:
    plain = replace(prompt, stream=False, options=USAGE_ASKED)
    streamed = replace(plain, stream=True)
    module = dialect(name)
    for asked in (plain, streamed):
        again = module.read_reply(module.write_reply(asked, answer))
        assert expected(name, again) == expected(name, answer)


@every_speaking_dialect
@given(answer=answers())
def test_ids_that_nobody_gave_are_the_same_plain_and_streamed_but_for_the_prompt(name: str, answer: Answer) -> None:
    module = dialect(name)
    nameless = replace(answer, id="", deltas=tuple(replace(delta, id="") for delta in answer.deltas))
    once = module.read_reply(module.write_reply(Prompt("m"), nameless))
    assert once == module.read_reply(module.write_reply(Prompt("m"), nameless))
    later = module.read_reply(module.write_reply(Prompt("m", (Message("user", "more"),)), nameless))
    assert once.id != later.id or name in OLLAMA
    ids = [call.id for call in (*once.tool_calls, *later.tool_calls)]
    assert len(set(ids)) == len(ids)


@every_speaking_dialect
@given(answer=answers())
def test_an_event_is_a_frame(name: str, answer: Answer) -> None:
    reply = dialect(name).write_reply(Prompt("m", stream=True), answer)
    content_type, end = ("application/x-ndjson", b"\n") if name in OLLAMA else ("text/event-stream", b"\n\n")
    assert reply.content_type.startswith(content_type)
    frames: Any = reply.frames
    assert all(frame.data.endswith(end) and frame.data.count(end) == 1 for frame in frames)
    pieces = [delta for delta in answer.deltas if delta.text and not (name in OLLAMA and delta.kind == "tool_call")]
    assert len(frames) >= len(pieces)


@every_speaking_dialect
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_fails_says_so_and_never_ends_well(name: str, stream: bool) -> None:
    answer = Answer((Delta("text", "so f"), Delta("error", "out of coal", name="no_coal")), "m")
    module = dialect(name)
    said = module.read_reply(module.write_reply(Prompt("m", stream=stream), answer))
    errors = [(delta.text, delta.name) for delta in said.deltas if delta.kind == "error"]
    assert errors == [("out of coal", "" if name in OLLAMA else "no_coal")]
    assert said.finish_reason == ""


@every_speaking_dialect
@given(answer=answers(), prompt=prompts, stream=st.booleans())
def test_a_reply_that_is_converted_says_the_same(name: str, answer: Answer, prompt: Prompt, stream: bool) -> None:
    module: Any = dialect(name)
    answer = replace(answer, deltas=tuple(map(with_object, answer.deltas)))
    asked = replace(prompt, stream=stream, options=USAGE_ASKED)
    reply = module.convert(asked, module.write_reply(replace(asked, stream=not stream), answer))
    assert reply is not None
    streams = "application/x-ndjson" if name in OLLAMA else "text/event-stream"
    assert reply.content_type.startswith(streams if stream else "application/json")
    assert expected(name, module.read_reply(reply)) == expected(name, answer)


def with_object(delta: Delta) -> Delta:
    """The delta, with arguments that are an object: broken ones have no place in a whole answer of some protocols."""
    if delta.kind != "tool_call":
        return delta
    return replace(delta, text='{"city": "Rome", "days": [1, 2.5]}' if delta.id else "")


@every_dialect
@given(message=some_words, code=st.none() | some_words)
def test_a_stream_says_in_one_event_that_it_went_wrong(name: str, message: str, code: str | None) -> None:
    module = dialect(name)
    content_type = module.write_reply(Prompt("m", stream=True), Answer()).content_type
    event = module.write_failure(Problem(500, message, code, "server_error"))
    heard = module.read_reply(Reply(200, (("content-type", content_type),), [Frame(event)]))
    assert [(delta.kind, delta.text) for delta in heard.deltas] == [("error", message)]
    assert event.endswith(b"\n")


@every_dialect
@given(message=words, code=st.none() | some_words, status=st.sampled_from([400, 401, 404, 429, 500, 529]))
def test_errors_have_the_protocols_shape(name: str, message: str, code: str | None, status: int) -> None:
    reply = dialect(name).write_error(Problem(status, message, code, headers=(("x-should-retry", "false"),)))
    assert reply.status == status
    assert reply.content_type == "application/json"
    assert ("x-should-retry", "false") in reply.headers
    assert reply.json() == error_shape(name, status, message, code)
    if message:
        said = dialect(name).read_reply(reply)
        assert [(delta.kind, delta.text) for delta in said.deltas] == [("error", message)]


def error_shape(name: str, status: int, message: str, code: str | None) -> dict[str, Any]:
    """The error object of the protocol."""
    if name in ANTHROPIC:
        error: dict[str, Any] = {"type": anthropic_errors.TYPES[status], "message": message}
        return {
            "type": "error",
            "error": error | ({"details": {"error_code": code}} if code else {}),
            "request_id": None,
        }
    if name in OLLAMA:
        return {"error": message}
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


# --- foreign input --------------------------------------------------------------------------------------

KEYS = [
    "model",
    "messages",
    "role",
    "content",
    "text",
    "type",
    "tools",
    "function",
    "name",
    "arguments",
    "tool_calls",
    "id",
    "index",
    "choices",
    "delta",
    "message",
    "usage",
    "prompt_tokens",
    "prompt_tokens_details",
    "cached_tokens",
    "finish_reason",
    "error",
    "data",
    "embedding",
    "input",
    "output",
    "item",
    "response",
    "output_index",
    "summary",
    "reasoning",
    "stream",
    "system",
    "contents",
    "parts",
    "candidates",
    "created",
    "created_at",
    "custom",
    "function_call",
    "x_groq",
    "summary_index",
    "code",
    "param",
    "status",
    "incomplete_details",
    "instructions",
    "image_url",
    "file",
    "input_audio",
    "content_block",
    "partial_json",
    "input_schema",
    "source",
    "usage",
    "stop_reason",
    "stop_details",
    "thinking",
    "signature",
    "citations",
    "tool_use_id",
    "done",
    "done_reason",
    "images",
]
TYPES = [
    "text",
    "input_text",
    "message",
    "function",
    "function_call",
    "function_call_output",
    "reasoning",
    "refusal",
    "image_url",
    "input_image",
    "file",
    "input_file",
    "input_audio",
    "custom",
    "custom_tool_call",
    "response.output_item.added",
    "response.output_item.done",
    "error",
    "response.output_text.delta",
    "response.function_call_arguments.delta",
    "response.completed",
    "content_block_delta",
    "assistant",
    "message_start",
    "content_block_start",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "tool_use",
    "tool_result",
    "thinking",
    "text_delta",
    "input_json_delta",
    "citations_delta",
]
foreign: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(TYPES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
CONTENT_TYPES = ["application/json", "text/event-stream", "application/x-ndjson", "text/plain", "TEXT/HTML; x", ""]
statuses = st.sampled_from([200, 204, 400, 500])


def survives(name: str, body: bytes, content_type: str, status: int) -> None:
    """Everything that came of it can be written again, as well."""
    module = dialect(name)
    prompt = module.read_request(Request("POST", "http://x", "/v1/models/x", body=body))
    module.write_request(prompt)
    answer = module.read_reply(Reply(status, (("content-type", content_type),), [Frame(body)]))
    for stream in (False, True):
        module.write_reply(replace(prompt, stream=stream), answer)
        module.convert(replace(prompt, stream=stream), Reply(status, (("content-type", content_type),), [Frame(body)]))


@every_dialect
@settings(max_examples=200)
@given(value=foreign, content_type=st.sampled_from(CONTENT_TYPES), status=statuses)
def test_no_json_is_too_strange(name: str, value: Any, content_type: str, status: int) -> None:
    survives(name, json.dumps(value).encode(), content_type, status)


@every_dialect
@settings(max_examples=200)
@given(values=st.lists(foreign, max_size=4), content_type=st.sampled_from(CONTENT_TYPES))
def test_no_event_is_too_strange(name: str, values: list[Any], content_type: str) -> None:
    survives(name, b"".join(b"data: %s\n\n" % json.dumps(value).encode() for value in values), content_type, 200)


@every_dialect
@given(body=st.binary(max_size=60), content_type=st.sampled_from(CONTENT_TYPES), status=statuses)
def test_no_bytes_are_too_strange(name: str, body: bytes, content_type: str, status: int) -> None:
    survives(name, body, content_type, status)


@every_dialect
@pytest.mark.parametrize(
    "body",
    [
        b'{"messages": 5, "input": 5, "tools": 5, "model": 5}',
        b'{"choices": null, "output": null, "data": null}',
        b'{"choices": [null, {"message": null}, {"delta": {"tool_calls": [null, {"function": null}]}}]}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}], "model": "\\udfff", "input": "\\ud800"}',
        b'{"error": "\\ud800"}',
        b'{"data": [{"index": 1e999, "embedding": [1e999, null]}, {"embedding": "===="}]}',
        b'{"messages": ' + b"[" * 500 + b"]" * 500 + b"}",
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_known_oddities_are_survived(name: str, body: bytes, status: int) -> None:
    survives(name, body, "application/json", status)
    survives(name, b"data: " + body + b"\n\n", "text/event-stream", status)


# --- real traffic ---------------------------------------------------------------------------------------


def test_every_shared_recording_is_survived(recorded: list[tuple[str, Any, Reply]]) -> None:
    for _, exchange, reply in recorded:
        for name in NAMES:
            module = dialect(name)
            module.write_request(module.read_request(exchange.request))
            module.write_reply(replace(exchange.prompt, stream=True), module.read_reply(reply))


@every_speaking_dialect
def test_a_shared_recording_says_the_same_when_it_is_converted(name: str, recorded: list[Any]) -> None:
    asked = {"chat": "chat", "responses": "responses", "anthropic": "messages"}.get(name, OPERATIONS[name])
    module = dialect(name)
    converted = 0
    for file, exchange, reply in recorded:
        answer = module.read_reply(reply)
        if exchange.operation != asked or any(delta.kind == "error" for delta in answer.deltas):
            continue
        for stream in (False, True):
            prompt = replace(exchange.prompt, stream=stream, options=USAGE_ASKED)
            again = module.read_reply(module.write_reply(prompt, answer))
            assert _known(name, again, answer) == _known(name, answer, answer), file
        converted += 1
    assert converted > {"anthropic": 10, "ollama": 3, "ollama_generate": 1}.get(name, 20)


def _known(name: str, answer: Answer, original: Answer) -> dict[str, Any]:
    """Of an answer's meaning, what a reply has to say or the original did say."""
    said = expected(name, answer)
    usage = answer.usage
    said["usage"] = usage and (usage.input or 0, usage.output or 0)
    said["id"] = original.id and answer.id
    ended = {index: bool(original.finish_of(index)) for index in original.choices}
    for index, ends in ended.items():
        *words, calls, finish = said["choices"][index]
        calls = [
            call if old.id else replace(call, id="") for call, old in zip(calls, original.calls_of(index), strict=True)
        ]
        said["choices"][index] = (*words, calls, ends and finish)
    return said
