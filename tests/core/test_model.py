from __future__ import annotations

import pytest

from pytest_llmmock.core.json_text import is_json, json_error, parse_json
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, Request, frames_of, header, json_reply
from pytest_llmmock.core.prompt import Answer, Delta, ToolCall, Usage


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://API.OpenAI.com", "api.openai.com"),
        ("http://localhost:8000", "localhost"),
        ("http://user:p%40ss@host.example:1", "host.example"),
        ("http://[::1]:8000", "::1"),
        ("http://[FE80::1]", "fe80::1"),
        ("", ""),
    ],
)
def test_a_host_has_no_port_no_user_and_no_capitals(origin: str, host: str) -> None:
    assert Request("GET", origin, "/").host == host


def test_an_address_has_a_question_mark_only_before_a_query() -> None:
    assert Request("GET", "http://h", "/a%20b").url == "http://h/a%20b"
    assert Request("GET", "http://h", "/a", "b=c").url == "http://h/a?b=c"


def test_of_a_repeated_header_the_first_value_is_taken() -> None:
    headers = (("a", "1"), ("b", "2"), ("a", "3"))
    assert header(headers, "a") == "1"
    assert header(headers, "c") is None
    assert Request("GET", "", "/", headers=headers).header("b") == "2"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'\xef\xbb\xbf{"a": 1}', b"[" * 100_000, "{}".encode("utf-16")])
def test_what_is_not_json_in_utf8_is_none(body: bytes) -> None:
    assert parse_json(body) is None
    assert not is_json(body)
    assert json_error(body)
    assert Request("GET", "", "/", body=body).json() is None
    assert Reply(200, (), frames_of(body)).json() is None


def test_null_is_json() -> None:
    assert is_json(b"null")
    assert json_error(b" [1]\n") is None


def test_json_is_read_from_the_joined_frames() -> None:
    reply = Reply(200, (("content-type", "application/json"),), [Frame(b'{"a"'), Frame(b": 1}")])
    assert (reply.body, reply.json(), reply.content_type) == (b'{"a": 1}', {"a": 1}, "application/json")
    assert Reply(200, (), []).content_type == ""


def test_the_body_of_a_live_reply_is_what_has_arrived() -> None:
    frames = Live([b"a", b"b"], lambda: None, since=0)
    reply = Reply(200, (), frames, live=True)
    reader = iter(frames)
    assert reply.body == b""
    next(reader)
    assert reply.body == b"a"
    next(reader)
    assert reply.body == b"ab"


def test_a_body_that_is_known_whole_is_one_frame_or_none() -> None:
    assert frames_of(b"ab") == [Frame(b"ab")]
    assert frames_of(b"") == []


def test_a_plain_reply_is_compact_json_with_its_characters() -> None:
    reply = json_reply({"a": "né"}, 418, [("x-a", "b")])
    assert (reply.status, reply.body) == (418, '{"a":"né"}'.encode())
    assert reply.headers == (("content-type", "application/json"), ("x-a", "b"))


ANSWER = Answer(
    (
        Delta("reasoning", "Hm."),
        Delta("text", "Hel"),
        Delta("text", "Bon", index=1),
        Delta("text", "lo"),
        Delta("tool_call", '{"a"', call=0, id="c1", name="look"),
        Delta("tool_call", "{}", call=1, id="c2", name="find"),
        Delta("tool_call", ": 1}", call=0),
        Delta("tool_call", "[]", index=1, name="other"),
        Delta("finish", finish="tool_calls"),
        Delta("usage", usage=Usage(total=1)),
        Delta("usage", usage=Usage(total=2)),
        Delta("item", index=5, data={}),
    )
)


def test_the_pieces_of_an_answer_are_put_together_by_choice() -> None:
    assert (ANSWER.text, ANSWER.reasoning, ANSWER.joined("text", 1)) == ("Hello", "Hm.", "Bon")
    assert ANSWER.tool_calls == (ToolCall("look", '{"a": 1}', "c1"), ToolCall("find", "{}", "c2"))
    assert ANSWER.calls_of(1) == (ToolCall("other", "[]"),)
    assert ANSWER.choices == (0, 1)


def test_an_answer_ends_for_a_reason_and_with_its_last_usage() -> None:
    assert (ANSWER.finish_reason, ANSWER.finish_of(1)) == ("tool_calls", "")
    assert ANSWER.usage == Usage(total=2)


def test_an_empty_answer_has_one_choice_that_says_nothing() -> None:
    empty = Answer()
    assert (empty.choices, empty.text, empty.tool_calls, empty.usage, empty.finish_reason) == ((0,), "", (), None, "")
