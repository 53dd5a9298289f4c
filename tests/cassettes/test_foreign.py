from __future__ import annotations

import base64
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import brotli
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request as VcrRequest
from vcr.serialize import serialize
from vcr.serializers import jsonserializer, yamlserializer

from pytest_llmmock.cassettes import foreign, format, library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.core.model import Reply, Request
from pytest_llmmock.errors import CassetteFormatError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ASKED = b'{"model": "gpt-5"}'
SAID = '{"text": "né"}'.encode()

Tape = Callable[..., Interaction]


def only(data: str | bytes) -> Recorded:
    """The one interaction of a cassette."""
    [recorded] = foreign.read(data if isinstance(data, bytes) else data.encode())
    return recorded


def envelope(request: Any = None, response: Any = None, **more: Any) -> dict[str, Any]:
    """vcrpy's version 1, with one interaction."""
    request = {"method": "POST", "uri": "https://h.example/v1/x?a=b", "body": None, "headers": {}} | (request or {})
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": ""}} | (response or {})
    return {"version": 1, "interactions": [{"request": request, "response": response, **more}]}


def replying(body: bytes, **headers: list[str]) -> Recorded:
    named = {name.replace("_", "-"): values for name, values in headers.items()}
    return only(yaml.safe_dump(envelope(response={"headers": named, "body": {"string": body}})))


# --- vcrpy, version 1 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps, lambda value: "\ufeff" + yaml.safe_dump(value)])
def test_plain_vcrpy_is_read(write: Callable[[Any], str]) -> None:
    request = {"body": ASKED.decode(), "headers": {"Content-Type": ["application/json"], "X-Two": ["1", "2"]}}
    response = {"headers": {"X-A": "one text"}, "body": {"string": SAID.decode()}}
    recorded = only(write(envelope(request, response)))
    assert recorded.request == Request(
        "POST",
        "https://h.example",
        "/v1/x",
        "a=b",
        (("content-type", "application/json"), ("x-two", "1"), ("x-two", "2")),
        ASKED,
    )
    assert (recorded.reply.status, recorded.reply.reason, recorded.reply.body) == (200, "OK", SAID)
    assert recorded.reply.headers == (("x-a", "one text"),)
    assert recorded.meta == {}


def test_bodies_of_bytes_are_read() -> None:
    recorded = only(yaml.safe_dump(envelope({"body": b"\xff\x00"}, {"body": {"string": b"\x00\xff"}})))
    assert (recorded.request.body, recorded.reply.body) == (b"\xff\x00", b"\x00\xff")


@pytest.mark.parametrize("serializer", [yamlserializer, jsonserializer])
def test_what_vcrpy_itself_writes_is_read(serializer: Any) -> None:
    request = VcrRequest("POST", "https://h.example/v1/x", ASKED, {"Accept": "*/*"})
    response = {"status": {"code": 201, "message": "Created"}, "headers": {"A": ["b"]}, "body": {"string": SAID}}
    recorded = only(serialize({"requests": [request], "responses": [response]}, serializer))
    assert (recorded.request.body, recorded.request.headers) == (ASKED, (("accept", "*/*"),))
    assert (recorded.reply.status, recorded.reply.body) == (201, SAID)


@pytest.mark.parametrize("body", [io.BytesIO(ASKED), iter([ASKED[:5], ASKED[5:]])])
def test_what_vcrpy_writes_for_files_and_iterators_is_read(body: Any) -> None:
    request = VcrRequest("POST", "https://h.example/v1/x", body, {})
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": SAID}}
    recorded = only(serialize({"requests": [request], "responses": [response]}, yamlserializer))
    assert recorded.request.body == ASKED


def test_vcrpys_metadata_is_passed_over() -> None:
    assert only(yaml.safe_dump(envelope() | {"metadata": {"a": 1}})).reply.status == 200


def test_headers_may_be_pairs() -> None:
    recorded = only(json.dumps(envelope({"headers": [["A", "b"], ["A", ["c", "d"]]]})))
    assert recorded.request.headers == (("a", "b"), ("a", "c"), ("a", "d"))


def test_headers_about_the_transport_are_left_out_of_a_reply() -> None:
    headers = {"Content-Length": ["5"], "Transfer-Encoding": ["chunked"], "Connection": ["close"], "A": ["b"]}
    assert only(yaml.safe_dump(envelope(response={"headers": headers}))).reply.headers == (("a", "b"),)


def test_an_answer_to_head_still_tells_the_length_of_the_body_that_did_not_come() -> None:
    headers = {"Content-Length": ["5"], "Connection": ["close"]}
    document = envelope(request={"method": "HEAD", "uri": "https://h.example/a"}, response={"headers": headers})
    assert only(yaml.safe_dump(document)).reply.headers == (("content-length", "5"),)


def test_tags_that_python_2_wrote_for_plain_data_are_read() -> None:
    recorded = only(
        "version: 1\n"
        "interactions:\n"
        "- request:\n"
        "    method: !!python/unicode 'GET'\n"
        "    uri: !!python/str 'https://h.example/'\n"
        "    headers: {!!python/object/apply:multidict._multidict.istr [Accept]: !!python/tuple ['a']}\n"
        "  response:\n"
        "    status: {code: !!python/long 200, message: OK}\n"
        '    body: {string: !!python/unicode "H\\xE9"}\n'
    )
    assert (recorded.request.method, recorded.request.headers) == ("GET", (("accept", "a"),))
    assert (recorded.reply.status, recorded.reply.body) == (200, "Hé".encode())


# --- what others made of it -----------------------------------------------------------------------------


def test_a_body_in_base64_is_read() -> None:
    """pytest-recording, and Ruby's VCR where it is to keep bytes exactly."""
    recorded = only(
        yaml.safe_dump(envelope(response={"body": {"base64_string": base64.b64encode(b"\xff\n").decode()}}))
    )
    assert recorded.reply.body == b"\xff\n"


def test_a_parsed_body_is_read_as_compact_json() -> None:
    """pydantic-ai's serializer: the headers may still say that it was compressed."""
    document = envelope(
        {"parsed_body": {"b": 1e-05, "a": ["yes", None]}},
        {"parsed_body": {"text": "né"}, "headers": {"content-encoding": ["gzip"], "content-length": ["5"]}},
    )
    del document["interactions"][0]["request"]["body"], document["interactions"][0]["response"]["body"]
    recorded = only(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    assert recorded.request.body == b'{"b":1e-05,"a":["yes",null]}'
    assert recorded.reply.body == '{"text":"né"}'.encode()
    assert recorded.reply.headers == ()


@pytest.mark.parametrize("content", ["Hi", b"\xff", None])
def test_status_code_and_content_of_older_httpx_stubs_are_read(content: Any) -> None:
    document = envelope()
    document["interactions"][0]["response"] = {
        "status_code": 201,
        "http_version": "HTTP/1.1",
        "headers": {"a": ["b"]},
        "content": content,
    }
    recorded = only(yaml.safe_dump(document))
    assert (recorded.reply.status, recorded.reply.headers) == (201, (("a", "b"),))
    assert recorded.reply.body == (content.encode() if isinstance(content, str) else content or b"")


RUBY = """\
---
http_interactions:
- request:
    method: post
    uri: https://h.example/v1/x
    body:
      encoding: UTF-8
      string: '{"model": "gpt-5"}'
    headers:
      Content-Type:
      - application/json
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Encoding:
      - gzip
    body:
      encoding: ASCII-8BIT
      BODY
    http_version: null
  recorded_at: Thu, 20 Nov 2026 10:30:01 GMT
recorded_with: VCR 6.3.1
"""


@pytest.mark.parametrize(
    "body",
    [
        """string: '{"text": "né"}'""",
        "base64_string: eyJ0ZXh0IjogIm7DqSJ9",
        "string: !binary |-\n        eyJ0ZXh0IjogIm7DqSJ9",
    ],
)
def test_a_cassette_of_ruby_is_read(body: str) -> None:
    recorded = only(RUBY.replace("BODY", body))
    assert (recorded.request.method, recorded.request.body) == ("POST", ASKED)
    assert recorded.request.headers == (("content-type", "application/json"),)
    assert (recorded.reply.status, recorded.reply.body, recorded.reply.headers) == (200, SAID, ())


BEFORE_1_0 = """\
- request: !!python/object:vcr.request.Request
    body: null
    headers: !!python/object/apply:__builtin__.frozenset
    - - !!python/tuple [accept, '*/*']
      - !!python/tuple [user-agent, python]
    host: h.example
    method: GET
    path: /ip
    port: 80
    protocol: http
  response:
    body: {string: !!python/unicode "Hi"}
    headers: [!!python/unicode "Content-Type: text/plain\\r\\n", !!python/unicode "A: b\\r\\n"]
    status: {code: 200, message: OK}
"""


def test_yaml_from_before_vcrpy_1_0_is_read() -> None:
    recorded = only(BEFORE_1_0)
    assert recorded.request == Request(
        "GET", "http://h.example", "/ip", headers=(("accept", "*/*"), ("user-agent", "python"))
    )
    assert (recorded.reply.status, recorded.reply.body) == (200, b"Hi")
    assert sorted(recorded.reply.headers) == [("a", "b"), ("content-type", "text/plain")]


def test_json_from_before_vcrpy_1_0_is_read() -> None:
    request = {"protocol": "https", "host": "h.example", "port": 8443, "path": "/v1/x", "method": "POST", "body": "Hi"}
    response = {"status": {"code": 200, "message": "OK"}, "headers": ["A: b\r\n"], "body": {"string": "Ho"}}
    recorded = only(json.dumps([{"request": request | {"headers": {"accept": "a"}}, "response": response}]))
    assert recorded.request == Request("POST", "https://h.example:8443", "/v1/x", "", (("accept", "a"),), b"Hi")
    assert (recorded.reply.body, recorded.reply.headers) == (b"Ho", (("a", "b"),))


# --- compressed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps])
def test_a_cassette_may_be_gzipped(write: Callable[[Any], str]) -> None:
    assert only(gzip.compress(write(envelope()).encode())).request.path == "/v1/x"


def test_a_gzip_file_of_several_members_is_read_whole() -> None:
    data = yaml.safe_dump(envelope(response={"body": {"string": "Hi " * 500}})).encode()
    members = gzip.compress(data[:700], mtime=0) + gzip.compress(data[700:])
    assert gzip.decompress(members) == data
    assert only(members).reply.body == b"Hi " * 500


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("br", brotli.compress),
        ("zstd", zstd.compress),
    ],
)
def test_a_compressed_body_is_unpacked_and_one_that_only_says_so_is_not(
    encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    for body in (pack(SAID), SAID):
        recorded = replying(body, content_encoding=[encoding], a=["b"])
        assert (recorded.reply.body, recorded.reply.headers) == (SAID, (("a", "b"),))


# --- nothing is ever built ------------------------------------------------------------------------------

UNSAFE = [
    '!!python/object/apply:os.system ["touch {}"]',
    '!!python/object/new:os.system ["touch {}"]',
    '!!python/object/apply:subprocess.check_call [[touch, "{}"]]',
    '!!python/object/apply:builtins.open ["{}", w]',
    '!<tag:yaml.org,2002:python/object/apply:os.system> ["touch {}"]',
    '!!python/name:os.system ""',
    '!!python/module:os ""',
    "!!python/object:pathlib.Path {{}}",
]


@pytest.mark.parametrize("tag", UNSAFE)
@pytest.mark.parametrize("place", ["request: {{method: GET, uri: {}}}", "request: {{uri: a, body: {}}}", "other: {}"])
@pytest.mark.parametrize("head", ["version: 1\ninteractions:\n", "", "http_interactions:\n"])
def test_a_tag_that_would_run_code_is_refused_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, place: str, tag: str
) -> None:
    called: list[object] = []
    monkeypatch.setattr(os, "system", called.append)
    victim = tmp_path / "victim"
    item = place.format(tag.format(victim))
    with pytest.raises(CassetteFormatError, match=r"only an unsafe loader would build in line \d+: .*python/"):
        foreign.read(f"{head}- {item}\n  response: {{status: {{code: 200}}}}\n".encode())
    assert called == []
    assert not victim.exists()


def test_in_a_cassette_of_our_own_layout_no_code_runs_either(tape: Tape, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    unsafe = UNSAFE[0].format(victim).encode()
    data = format.dumps([tape(said=b"SAID", key="a" * 32)], b"s").replace(b"SAID", unsafe)
    [interaction] = format.loads(data, b"s")
    with pytest.raises(CassetteFormatError, match="only an unsafe loader would build"):
        _ = interaction.reply
    assert not victim.exists()


# --- what cannot be read is told ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "wording"),
    [
        (b"", "It is empty."),
        (b" \n\n", "It is empty."),
        (gzip.compress(b"", mtime=0), "It is empty."),
        (
            gzip.compress(b"version: 1" * 100, mtime=0)[:-20],
            "It is a gzip file that breaks off: it was cut or not written whole.",
        ),
        (b"\x1f\x8bnot gzip", "It begins like gzip and cannot be unpacked: "),
        (b"version: 1\n\xff\n", "It is not text in UTF-8 (byte 11 is 0xff)."),
        ("version: 1".encode("utf-16"), "It is not text in UTF-8 (byte 0 is 0xff)."),
        (b"version: 1\ninteractions: [", "It is not YAML: "),
        (b"version: 1\ninteractions:\n- request: {method: GET", "It is not YAML: "),
        (b"a\x00b", "It is not YAML: "),
        (b"--- 1\n--- 2\n", "It is not YAML: "),
        (b'{"version": 1, "interactions": [', "It begins like JSON and is not: "),
        (b"[" * 100_000, "It is nested too deeply."),
        (b"[1, 2, 3]", "It holds a list, not a cassette: `version` and `interactions` were expected."),
        (b"- 1\n- 2\n", "It holds a list, not a cassette: `version` and `interactions` were expected."),
        (b"[]", "It holds a list, not a cassette: "),
        (b"Hello", "It holds a text, not a cassette: "),
        (b"5", "It holds a int, not a cassette: "),
        (b"# only a comment\n", "It holds nothing, not a cassette: "),
        (b"version: 1\n", "It has no list of `interactions`; it has: version."),
        (b"{}", "It has no list of `interactions`; it has: nothing."),
        (b"version: 1\ninteractions: {a: b}\n", "It has no list of `interactions`; it has: version, interactions."),
        (b'[{"request": 5}]', "It looks like a cassette of vcrpy before 1.0, and vcrpy cannot migrate it: "),
        (b"- request: {a: b}\n", "It looks like a cassette of vcrpy before 1.0, and vcrpy cannot migrate it: "),
    ],
)
def test_what_is_no_cassette_is_told_in_words(data: bytes, wording: str) -> None:
    with pytest.raises(CassetteFormatError) as caught:
        foreign.read(data)
    assert str(caught.value).startswith(wording)
    assert "\n" not in str(caught.value)


STATUS = "its response has no `status` with a `code` between 100 and 599, but "


@pytest.mark.parametrize(
    ("request_", "response", "wording"),
    [
        ({"uri": None}, {}, "its request has no `uri`."),
        ({"uri": ""}, {}, "its request has no `uri`."),
        ({"uri": 5}, {}, "its request has no `uri`."),
        ({"uri": "http://[x/"}, {}, ""),
        ({"body": "\ud800"}, {}, ""),
        ({"parsed_body": "\ud800"}, {}, "its `parsed_body` is not a JSON value in a known style: "),
        ({}, {"status": None}, STATUS + "None."),
        ({}, {"status": {"message": "OK"}}, STATUS + "{'message': 'OK'}."),
        ({}, {"status": "fine"}, STATUS + "'fine'."),
        ({}, {"status": 1e999}, "it"),
        ({}, {"status": {"code": 0}}, STATUS + "{'code': 0}."),
        ({}, {"status": {"code": 600}}, STATUS + "{'code': 600}."),
        ({}, {"body": {"base64_string": "a"}}, "its `base64_string` is not Base64: "),
        ({}, {"body": {"base64_string": 5}}, "its `base64_string` is not Base64: "),
        (
            {},
            {"body": {"blob": "a" * 64}},
            f"its body is kept in a file of its own, {'a' * 64}, which cannot be reached",
        ),
    ],
)
def test_an_interaction_that_cannot_be_read_is_told_by_its_number(
    request_: dict[str, Any], response: dict[str, Any], wording: str
) -> None:
    document = envelope(request_, response)
    document["interactions"].insert(0, envelope()["interactions"][0])
    with pytest.raises(CassetteFormatError) as caught:
        foreign.read(json.dumps(document).encode())
    assert str(caught.value).startswith(f"Interaction 2: {wording}")


@pytest.mark.parametrize(
    ("item", "wording"),
    [
        (5, "Interaction 1: its interaction is a int, not a mapping."),
        (None, "Interaction 1: its interaction is nothing, not a mapping."),
        ({"request": []}, "Interaction 1: its request is a list, not a mapping."),
        ({"response": {}}, "Interaction 1: its request is nothing, not a mapping."),
        ({"request": {"uri": "a"}}, "Interaction 1: its response is nothing, not a mapping."),
        ({"request": {"uri": "a"}, "response": "Hi"}, "Interaction 1: its response is a text, not a mapping."),
    ],
)
def test_an_interaction_without_its_parts_is_told(item: Any, wording: str) -> None:
    with pytest.raises(CassetteFormatError) as caught:
        foreign.read(json.dumps({"version": 1, "interactions": [item]}).encode())
    assert str(caught.value) == wording


def test_a_parsed_body_that_is_no_json_is_told() -> None:
    data = (
        b"version: 1\ninteractions:\n- request: {uri: a, parsed_body: 2026-11-20}\n  response: {status: {code: 200}}\n"
    )
    with pytest.raises(CassetteFormatError, match="its `parsed_body` is not a JSON value in a known style: "):
        foreign.read(data)


def test_a_method_is_written_in_capitals_and_get_unless_told() -> None:
    assert only(json.dumps(envelope({"method": "post"}))).request.method == "POST"
    assert only(json.dumps(envelope({"method": None}))).request.method == "GET"


def read_or_refused(data: bytes) -> None:
    """Look at everything; the only exception that may come is ours."""
    with suppress(CassetteFormatError):
        for interaction in format.loads(data):
            _ = interaction.request, interaction.reply


def test_a_cassette_that_breaks_off_anywhere_is_read_or_refused_in_words(tape: Tape) -> None:
    ours = format.dumps([tape("one\ntwo", said=b"a\r\nb"), tape()])
    theirs = yaml.safe_dump(envelope({"body": ASKED.decode()}, {"body": {"string": b"\xff"}})).encode()
    for data in (ours, theirs, json.dumps(envelope()).encode(), gzip.compress(theirs, mtime=0)):
        for end in range(len(data)):
            read_or_refused(data[:end])


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\ud800", "http://["]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FIELDS = [
    "method",
    "uri",
    "headers",
    "body",
    "parsed_body",
    "status",
    "status_code",
    "content",
    "string",
    "blob",
    "code",
]
ODD = st.dictionaries(
    st.sampled_from(FIELDS), ANYTHING | st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=2)
)
LINE = st.dictionaries(
    st.sampled_from(["style", "timing", "key"]), ANYTHING | st.sampled_from([{"request": "odd"}, "1:2"])
)


@given(request_=ODD, response=ODD, line=LINE)
def test_whatever_stands_in_an_interaction_it_is_read_or_refused_in_words(
    request_: Any, response: Any, line: Any
) -> None:
    read_or_refused(json.dumps(envelope(request_, response, llmmock=line)).encode())


@given(st.binary() | st.text().map(str.encode))
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(data: bytes) -> None:
    read_or_refused(data)
    read_or_refused(format.HEAD + data)


# --- recordings of others -------------------------------------------------------------------------------

SHARED = Path(__file__).resolve().parents[2].parent / "shared/data/vcr"
FILES = sorted(SHARED.rglob("*.yaml"))


def by_name(reply: Reply) -> dict[str, list[str]]:
    return format.headers_by_name(reply.headers)


@pytest.mark.skipif(not FILES, reason=f"no recordings of others in {SHARED}")
@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: str(path and path.relative_to(SHARED)))
def test_recordings_of_others_are_read_and_kept(path: Path) -> None:
    theirs = library.open_cassette(path).interactions
    blobs: dict[str, bytes] = {}
    ours = format.loads(format.dumps(theirs, blobs=blobs), blob=blobs.__getitem__)
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert one.request == other.request
        assert (one.reply.status, one.reply.reason) == (other.reply.status, other.reply.reason)
        assert one.reply.frames == other.reply.frames
        assert by_name(one.reply) == by_name(other.reply)
