"""A file of vcrpy's is cut where its interactions begin; what cannot be read by itself is read with the whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import foreign, foreign_yaml, vcr_pieces
from pytest_llmmock.cassettes.format import loads
from pytest_llmmock.errors import CassetteFormatError

TEXTS = st.text(max_size=30) | st.lists(
    st.sampled_from(["\n- request:\n", "\n  response:\n", "version: 1\n", "it's ", '"', "word ", "\\n", "é", "\n"]),
    max_size=40,
).map("".join)


def item(asked: str, said: str, **headers: list[str]) -> dict[str, Any]:
    return {
        "request": {"body": asked, "headers": headers, "method": "POST", "uri": "https://api.openai.com/v1/x"},
        "response": {"body": {"string": said}, "headers": headers, "status": {"code": 200, "message": "OK"}},
    }


def written(*items: dict[str, Any], **how: Any) -> bytes:
    return yaml.dump({"interactions": list(items), "version": 1}, Dumper=yaml.CSafeDumper, **how).encode()


def bodies(data: bytes) -> list[tuple[bytes, bytes]]:
    return [(each.request.body, each.reply.body) for each in loads(data)]


def is_cut(data: bytes) -> bool:
    return vcr_pieces.pieces_of(data, None, "") is not None


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3), st.booleans())
def test_what_vcrpy_writes_is_cut_and_read_as_the_whole_is(said: list[tuple[str, str]], unicode: bool) -> None:
    data = written(*(item(*each) for each in said), allow_unicode=unicode)
    assert is_cut(data)
    whole = foreign.read(data)
    assert [each.recorded for each in loads(data)] == whole
    assert [(each.request, each.reply) for each in loads(data)] == [(each.request, each.reply) for each in whole]


def test_only_what_is_looked_at_is_read() -> None:
    data = written(item("a", "b"), item("c", "d")).replace(b"code: 200", b"code: none", 1)
    first, second = loads(data, called="a.yaml")
    assert (first.request.body, second.reply.body) == (b"a", b"d")
    assert (first.key, first.stored_key, first.source) == ("", "", b"")
    with pytest.raises(CassetteFormatError, match=r"^a\.yaml, interaction 1: its response has no `status`"):
        _ = first.reply


def test_what_refers_to_another_interaction_is_read_with_the_whole() -> None:
    headers = {"x-a": ["shared"]}
    first, second = item("a", "b"), item("c", "d")
    for each in (first, second):
        each["request"]["headers"] = each["response"]["headers"] = headers
    data = written(first, second)
    assert b"&id" in data
    assert is_cut(data)
    assert [each.reply.headers for each in loads(data)] == [(("x-a", "shared"),)] * 2
    assert bodies(data) == [(b"a", b"b"), (b"c", b"d")]


def test_a_piece_that_is_not_what_it_looks_like_is_told() -> None:
    text = 'body: "a\n  response:\n- request:\n b"\n    method: GET\n    uri: http://a/\n  response:\n    status: 200\n'
    data = f"interactions:\n- request:\n    {text}version: 1\n".encode()
    assert len(foreign.read(data)) == 1
    assert is_cut(data)
    with pytest.raises(CassetteFormatError, match="look like the beginning of an interaction"):
        bodies(data)


def test_a_mistake_is_told_with_its_line_in_the_file() -> None:
    data = written(item("a", "b"), item("c", "d")).replace(b"string: d", b"string: [d")
    with pytest.raises(CassetteFormatError, match=r"line 2\d"):
        bodies(data)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: b"# mine\n" + data, id="a comment in front"),
        pytest.param(lambda data: data.replace(b"version: 1\n", b""), id="no version"),
        pytest.param(lambda data: data + b"recorded_with: me\n", id="something behind"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), id="line ends of Windows"),
        pytest.param(lambda data: data.replace(b"  response:\n", b"  response: \n", 1), id="another mark"),
        pytest.param(lambda data: data.replace(b"- request:\n", b"-\n  request:\n", 1), id="another dash"),
        pytest.param(lambda data: json.dumps(yaml.safe_load(data)).encode(), id="JSON"),
    ],
)
def test_another_layout_is_read_whole(change: Callable[[bytes], bytes]) -> None:
    data = change(written(item("a", "b"), item("c", "d")))
    assert not is_cut(data)
    assert bodies(data) == [(b"a", b"b"), (b"c", b"d")]


def test_the_version_may_stand_in_front() -> None:
    data = b"version: 1\n" + written(item("a", "b"), item("c", "d")).removesuffix(b"version: 1\n")
    assert is_cut(data)
    assert bodies(data) == [(b"a", b"b"), (b"c", b"d")]


def test_requests_and_replies_are_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both: a reply that began in another column than its lines would be left to PyYAML."""
    monkeypatch.setattr(foreign_yaml, "parse_yaml", lambda text: pytest.fail(f"left to PyYAML: {text!r}"))
    apart = json.loads(json.dumps([item("a", '{"said": "b"}', date=["Sat, 21 Nov 2026 09:00:00 GMT"]), item("c", "d")]))
    data = written(*apart)
    assert bodies(data) == [(b"a", b'{"said": "b"}'), (b"c", b"d")]


def test_bytes_that_are_no_text_are_read() -> None:
    one = item("a", "b")
    one["response"]["body"]["string"] = bytes(range(256))
    data = written(one, one)
    assert [each.reply.body for each in loads(data)] == [bytes(range(256))] * 2
