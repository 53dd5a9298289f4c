from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pytest_llmmock.core import summary
from pytest_llmmock.core.model import Exchange, Reply, Request, frames_of
from pytest_llmmock.core.prompt import Answer, Delta, Message, Prompt, Usage

Read = Callable[[Request], Exchange]


class Says:
    """A dialect that reads one answer, whatever the reply."""

    def __init__(self, *deltas: Delta) -> None:
        self.answer = Answer(deltas)

    def read_reply(self, reply: Reply) -> Answer:
        return self.answer


def asking(path: str = "/v1/chat/completions", **fields: object) -> Request:
    return Request("POST", "http://localhost", path, body=json.dumps(fields).encode())


def answered(status: int, *deltas: Delta) -> str:
    exchange = Exchange(asking(), "chat", "POST /chat/completions", Says(*deltas))  # type: ignore[arg-type]
    return summary.answered(exchange, Reply(status, (), []))


ROME = {"model": "gpt-5", "messages": [{"role": "user", "content": "Plan a day\nin  Rome"}]}


def test_a_line_tells_what_was_asked_and_what_was_answered(read: Read) -> None:
    reply = Reply(200, (), frames_of(b'{"text": "Start early.", "tokens": 812}'))
    line = summary.line(read(asking(**ROME, stream=True)), reply)
    assert line == 'chat gpt-5, streamed  "Plan a day in Rome"  ->  "Start early."  812 tokens'


def test_an_endpoint_without_a_name_is_shown_by_method_and_path(read: Read) -> None:
    assert summary.asked(read(asking("/v1/files"))) == "POST /files"


def test_for_embeddings_the_first_text_is_shown(read: Read) -> None:
    assert summary.asked(read(asking("/v1/embeddings", model="e", input=[[1], "a", "b"]))) == 'embeddings e  "a"'


def test_the_last_message_with_words_is_shown() -> None:
    messages = (Message("user", "first"), Message("user", "last"), Message("assistant"))
    assert summary.last_words(Prompt(messages=messages)) == "last"
    assert summary.last_words(Prompt()) == ""


def test_a_shape_counts_and_leaves_out_what_is_not_there(read: Read) -> None:
    tools = [{"name": "a"}, {"name": "b"}]
    assert summary.shape(read(asking(**ROME, tools=tools, stream=True))) == "gpt-5, 1 message, 2 tools, streamed"
    assert summary.shape(read(asking("/v1/embeddings", model="e", input=["a"]))) == "e, 1 input"
    assert summary.shape(read(asking())) == ""


def test_long_words_are_cut_to_one_short_line() -> None:
    assert summary.quoted("x" * 48) == '"' + "x" * 48 + '"'
    assert summary.quoted("x" * 49) == '"' + "x" * 46 + ' …"'
    assert summary.quoted("words " * 20) == '"words words words words words words words word …"'
    assert summary.quoted(" \n ") == ""


@pytest.mark.parametrize(
    ("status", "deltas", "line"),
    [
        (200, [Delta("tool_call", name="look"), Delta("tool_call", call=1, name="find")], "look(), find()"),
        (200, [Delta("text", "Well."), Delta("tool_call", name="look")], '"Well."'),
        (200, [Delta("refusal", "No.")], '"No."'),
        (200, [Delta("vector"), Delta("vector")], "2 vectors"),
        (200, [Delta("model", "a")], "1 model"),
        (429, [Delta("error", "Too many")], 'status 429  "Too many"'),
        (500, [], "status 500"),
        (204, [], "status 204"),
        (200, [Delta("text", "Hi"), Delta("usage", usage=Usage(input=3, output=4))], '"Hi"  7 tokens'),
        (200, [Delta("text", "Hi"), Delta("usage", usage=Usage(total=1))], '"Hi"  1 token'),
        (200, [Delta("text", "Hi"), Delta("usage", usage=Usage())], '"Hi"'),
    ],
)
def test_an_answer_is_shown_by_what_it_holds(status: int, deltas: list[Delta], line: str) -> None:
    assert answered(status, *deltas) == line
