"""The lines of a batch."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.script.batches import run

BATCH = Request(
    "GET", "http://x", "/v1/batches/b", headers=(("authorization", "Bearer k"), ("content-type", "x")), base="u"
)


def echo(request: Request) -> Reply:
    return json_reply({"path": request.path, "asked": request.json()}, 429 if request.json().get("fail") else 200)


def test_a_line_is_a_request_with_the_headers_of_the_batch() -> None:
    seen: list[Request] = []

    def ask(request: Request) -> Reply:
        seen.append(request)
        return echo(request)

    run(b'{"custom_id": "a", "method": "POST", "url": "/v1/x", "body": {"n": 1}}', BATCH, ask)
    assert [(each.method, each.url, each.json(), each.base) for each in seen] == [
        ("POST", "http://x/v1/x", {"n": 1}, "u")
    ]
    assert seen[0].headers == (("authorization", "Bearer k"), ("content-type", "application/json"))


def test_what_failed_is_in_a_file_of_its_own() -> None:
    lines = b'{"custom_id": "a", "url": "/x", "body": {}}\n{"custom_id": "b", "url": "/x", "body": {"fail": 1}}\n'
    result = run(lines, BATCH, echo)
    assert [json.loads(line)["custom_id"] for line in result.output.splitlines()] == ["a"]
    assert [json.loads(line)["response"]["status_code"] for line in result.errors.splitlines()] == [429]
    assert result.counts == {"total": 2, "completed": 1, "failed": 1}


@given(st.binary(max_size=80) | st.lists(st.text(max_size=20)).map(lambda each: json.dumps(each).encode()))
def test_no_line_is_too_strange(lines: bytes) -> None:
    result = run(lines, BATCH, echo)
    assert result.counts["total"] == len(result.output.splitlines()) + len(result.errors.splitlines())
