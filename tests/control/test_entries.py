"""Entries of the journal, as other languages read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from controlled import Controlled, chat

from pytest_llmmock.core.model import Request

TOOL = {"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}}


def server() -> Controlled:
    controlled = Controlled()
    controlled.deck.script.when(contains="tool").reply(tool_calls=[("get", {"city": "Rome"})])
    controlled.deck.script.when(contains="hello").reply("Hi", usage={"input": 3, "output": 4})
    controlled.words("hello 1")
    controlled.words("hello 2", stream=False)
    controlled.words("a tool", tools=[TOOL])
    controlled.words("nothing")
    return controlled


def entries(controlled: Controlled, query: str = "") -> list[dict[str, Any]]:
    found = controlled.told("GET", f"journal?{query}" if query else "journal")["entries"]
    assert isinstance(found, list)
    return found


def test_an_entry_tells_what_was_asked_and_answered() -> None:
    entry = entries(server())[0]
    assert entry.pop("started").endswith("+00:00")
    assert entry.pop("duration") >= 0
    assert entry == {
        "number": 1,
        "operation": "chat",
        "method": "POST",
        "path": "/v1/chat/completions",
        "headers": {"content-type": "application/json"},
        "model": "gpt-5",
        "stream": False,
        "messages": [{"role": "user", "text": "hello 1"}],
        "tools": [],
        "json": {"model": "gpt-5", "messages": [{"role": "user", "content": "hello 1"}]},
        "status": 200,
        "source": "script",
        "text": "Hi",
        "tool_calls": [],
        "usage": {"input": 3, "output": 4, "total": 7},
        "interaction": None,
        "notes": [],
        "trouble": "",
    }


def test_tools_and_calls_are_told() -> None:
    entry = entries(server())[2]
    assert [tool["name"] for tool in entry["tools"]] == ["get"]
    assert entry["tool_calls"][0]["arguments"] == '{"city":"Rome"}'
    assert entry["tool_calls"][0]["json"] == {"city": "Rome"}


def test_a_miss_is_told_in_full() -> None:
    entry = entries(server())[3]
    assert (entry["source"], entry["status"]) == ("unmatched", 404)
    assert entry["trouble"].startswith("No recording matches") or "no recordings" in entry["trouble"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("status=200", [1, 2, 3]),
        ("status=4*", [4]),
        ("source=unmatched", [4]),
        ("model=gpt-*&operation=chat", [1, 2, 3, 4]),
        ("model=GPT-5", []),
        ("contains=tool", [3]),
        ("contains=hello+2", [2]),
        ("stream=true", []),
        ("path=/v1/chat*&method=POST&last=2", [3, 4]),
        ("contains=hello&last=1", [2]),
        ("last=0", []),
        ("last=99", [1, 2, 3, 4]),
    ],
)
def test_a_query_chooses(query: str, numbers: list[int]) -> None:
    assert [entry["number"] for entry in entries(server(), query)] == numbers


def test_a_query_that_cannot_be_read_is_refused() -> None:
    controlled = Controlled()
    assert controlled.refused("GET", "journal?modell=x") == (
        "The journal cannot be asked for 'modell'. Did you mean 'model'?"
    )
    assert controlled.refused("GET", "journal?zzz=x").endswith(
        "Known are: operation, model, source, method, path, status, stream, contains, last."
    )
    assert controlled.refused("GET", "journal?last=-1") == (
        "last='-1' is not possible: it is how many of the latest entries are told."
    )


def test_what_was_forgotten_is_not_told_again() -> None:
    controlled = server()
    assert controlled.told("DELETE", "journal") == {"forgotten": 4}
    assert entries(controlled) == []
    controlled.words("hello 3")
    assert [(entry["number"], entry["text"]) for entry in entries(controlled)] == [(1, "Hi")]
    assert len(controlled.deck.requests) == 5


def test_when_the_mark_itself_was_dropped_all_is_new() -> None:
    controlled = server()
    controlled.told("DELETE", "journal")
    controlled.deck.requests.clear()
    controlled.words("hello 3")
    assert len(entries(controlled)) == 1


def test_who_asks_is_not_told() -> None:
    key = "sk-proj-0123456789abcdefghijABCDEFGHIJ0123"
    controlled = Controlled()
    controlled.deck.script.when().reply(f"your key is {key}")
    request = chat(f"my key is {key}")
    secret = (("authorization", f"Bearer {key}"), ("openai-organization", "org-1"), ("cookie", "a=b"), ("x-note", key))
    controlled.handle(Request("POST", request.origin, request.path, "", (*request.headers, *secret), request.body))
    text = json.dumps(entries(controlled))
    assert key not in text
    assert "org-1" not in text
    assert "authorization" not in text
    assert "my key is" in text


@pytest.mark.parametrize("body", [b'{"temperature": NaN}', b"\xff\xfe", b"[" * 5000])
def test_what_is_no_json_to_others_is_told_as_base64(body: bytes) -> None:
    controlled = Controlled()
    controlled.handle(Request("POST", "http://localhost", "/v1/chat/completions", body=body))
    reply = controlled.send("GET", "journal")

    def no(constant: str) -> None:
        raise AssertionError(constant)

    entry = json.loads(reply.body, parse_constant=no)["entries"][0]
    assert entry["json"] is None
    assert entry["body"]
