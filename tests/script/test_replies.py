"""What can be said, and how what cannot be said is refused."""

from __future__ import annotations

import re

import pytest

from pytest_llmmock import UsageError, error, reply
from pytest_llmmock.script.calls import Call


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        (None, ()),
        ("f", (Call("f"),)),
        (("f", {"a": 1}), (Call("f", {"a": 1}),)),
        (("f", "{broken", "id7"), (Call("f", "{broken", "id7"),)),
        (["f", ("g", {})], (Call("f"), Call("g", {}))),
        ((("f", {}), ("g", {})), (Call("f", {}), Call("g", {}))),
        ({"name": "f", "arguments": {"a": 1}, "id": "x"}, (Call("f", {"a": 1}, "x"),)),
        ({"type": "function", "id": "x", "function": {"name": "f", "arguments": "{}"}}, (Call("f", "{}", "x"),)),
        ({"type": "function_call", "call_id": "x", "name": "f", "arguments": "{}"}, (Call("f", "{}", "x"),)),
        ({"type": "tool_use", "id": "x", "name": "f", "input": {"a": 1}}, (Call("f", {"a": 1}, "x"),)),
    ],
    ids=str,
)
def test_calls_are_written_as_anybody_would(given, calls):
    assert reply(tool_calls=given).tool_calls == calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tool_calls": 5}, "tool_calls: 5 is no call."),
        ({"tool_calls": {"nmae": "f"}}, "There is no 'nmae'; did you mean 'name'?"),
        ({"tool_calls": {"arguments": {}}}, "is no call."),
        ({"tool_calls": ("f", 5)}, "is no call."),
        ({"tool_calls": [("f", {}, "id", "more")]}, "is no call."),
        ({"tool_calls": ("f", {"a": {1}})}, "Its arguments are not JSON: "),
        ({"json": {"a": {1}}}, "this is not JSON: Object of type set"),
        ({"text": {"a": 1}}, "An object goes into json="),
        ({"text": "a", "json": {}}, "only one of them can be given"),
        ({"text": "ab", "chunks": ["a", "c"]}, "the pieces make 'ac', which is another text"),
        ({"chunks": 0}, "chunks=0"),
        ({"status": 99}, "status=99"),
        ({"usage": {"tokens": 5}}, "'tokens' is no count of tokens. Known are: input, output, total"),
        ({"usage": 5}, "usage=5: a dict of counts was expected"),
        ({"headers": 5}, "headers=5: a dict of names and values was expected"),
        ({"image": 5}, "image=5: bytes, its address, or True"),
        ({"image": [b"", 5]}, "image=[b'', 5]: bytes, its address, or True"),
        ({"audio": "a.mp3"}, "audio='a.mp3': bytes, or True"),
        ({"usage": {"input": "5"}}, "'input' is no count of tokens"),
        ({"embedding": {"dims": 5}}, "only 'dimensions' is known"),
        ({"embedding": -1}, "a vector has one number at least"),
        ({"embedding": ["a"]}, "a list of numbers, a list of those"),
        ({"tool_call": "f"}, "A reply has no 'tool_call'. Did you mean 'tool_calls'?"),
        ({"wholly_other": "f"}, "Known are: text, tool_calls"),
    ],
    ids=str,
)
def test_what_is_no_reply_is_refused(arguments, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        reply(**arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"status": 200}, "error(200): an error has a status from 400 to 599."),
        ({"status": "429"}, "error('429')"),
        ({"status": 429, "retry_after": -1}, "error(retry_after=-1): that is below 0."),
    ],
    ids=str,
)
def test_what_is_no_error_is_refused(arguments, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        error(**arguments)
