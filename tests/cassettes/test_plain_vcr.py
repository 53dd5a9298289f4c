from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import vcr
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.foreign import read
from pytest_llmmock.cassettes.library import open_cassette, save
from pytest_llmmock.cassettes.plain_vcr import dumps, place_of
from pytest_llmmock.core.model import Frame, Reply, Request, frames_of, json_reply

Tape = Callable[..., Interaction]
Chat = Callable[..., Request]

EVENTS = (("content-type", "text/event-stream; charset=utf-8"),)
STREAM = 'data: {"a": "caf\u00e9"}\r\n\r\ndata: [DONE]\n\n'.encode()
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\xff\x00\r\n--x--\r\n'
MULTIPART = Request(
    "POST", "https://h.example", "/v1/files", headers=(("content-type", "multipart/form-data; boundary=x"),), body=FORM
)


def tape_of(request: Request, reply: Reply) -> Interaction:
    return Interaction.of(Recorded(request, reply, {"recorded": "2026-01-02T00:00:00Z", "timing": "0.1:2"}))


@pytest.fixture
def interactions(chat: Chat) -> list[Interaction]:
    """Plain, streamed, binary, a form, an error, and no body at all."""
    audio = Request("POST", "https://h.example", "/v1/audio/speech", body=b'{"input": "Hi"}')
    gone = Request("DELETE", "https://h.example", "/v1/files/1")
    return [
        tape_of(chat("Hello"), json_reply({"said": "caf\u00e9\n"})),
        tape_of(
            chat("Stream", stream=True), Reply(200, EVENTS, [Frame(STREAM[:9], 0.1), Frame(STREAM[9:], 0.5)], "OK")
        ),
        tape_of(audio, Reply(200, (("content-type", "audio/mpeg"),), frames_of(b"\xff\x00\x80"), "OK")),
        tape_of(MULTIPART, json_reply({"id": "file-1"})),
        tape_of(gone, Reply(404, (), [], "Not Found")),
    ]


@pytest.fixture
def exported(tmp_path: Path, interactions: list[Interaction]) -> Path:
    path = tmp_path / "a.yaml"
    path.write_bytes(dumps(interactions))
    return path


def test_it_is_vcrpys_envelope_with_nothing_of_ours(exported: Path) -> None:
    document = yaml.safe_load(exported.read_text())
    assert list(document) == ["interactions", "version"]
    assert document["version"] == 1
    for item in document["interactions"]:
        assert sorted(item) == ["request", "response"]
        assert sorted(item["request"]) == ["body", "headers", "method", "uri"]
        assert sorted(item["response"]) == ["body", "headers", "status"]
    texts = [item["response"]["body"]["string"] for item in document["interactions"]]
    assert [type(text) for text in texts] == [str, str, bytes, str, str]


def test_the_length_is_that_of_the_bytes_and_a_stream_has_none(exported: Path) -> None:
    items = yaml.safe_load(exported.read_text())["interactions"]
    lengths = [item["response"]["headers"].get("content-length") for item in items]
    assert lengths == [[str(len('{"said":"caf\u00e9\\n"}'.encode()))], None, ["3"], ["15"], ["0"]]


def test_vcrpy_replays_it_through_httpx(exported: Path, interactions: list[Interaction]) -> None:
    before = exported.read_bytes()
    recorder = vcr.VCR(record_mode="none", match_on=("method", "uri", "body"))
    with recorder.use_cassette(str(exported)) as cassette, httpx.Client() as client:
        for each in interactions:
            request = each.request
            answer = client.request(request.method, request.url, content=request.body, headers=dict(request.headers))
            assert (answer.status_code, answer.content) == (each.reply.status, each.reply.body)
        assert cassette.play_count == len(interactions)
    assert exported.read_bytes() == before


def test_vcrpy_replays_a_stream_event_by_event(exported: Path, interactions: list[Interaction]) -> None:
    asked = interactions[1].request
    with (
        vcr.use_cassette(str(exported), record_mode="none", match_on=("method", "uri", "body")),
        httpx.Client() as client,
        client.stream("POST", asked.url, content=asked.body) as answer,
    ):
        assert [line for line in answer.iter_lines() if line] == ['data: {"a": "caf\u00e9"}', "data: [DONE]"]


@pytest.mark.parametrize("number", range(5))
def test_vcrpy_replays_it_through_the_standard_library(
    exported: Path, interactions: list[Interaction], number: int
) -> None:
    """The way that requests and urllib3 go, too."""
    asked, reply = interactions[number].request, interactions[number].reply
    request = urllib.request.Request(asked.url, asked.body or None, dict(asked.headers), method=asked.method)
    counts = ("method", "uri", "body") if asked.body else ("method", "uri")  # no body is '' to httpx, None here
    with vcr.use_cassette(str(exported), record_mode="none", match_on=counts):
        if reply.status >= 400:
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            refused.value.close()
            assert refused.value.code == reply.status
        else:
            with urllib.request.urlopen(request) as answer:
                assert (answer.status, answer.read()) == (reply.status, reply.body)


def test_what_was_exported_is_read_back_as_it_was(exported: Path, interactions: list[Interaction]) -> None:
    for back, each in zip(read(exported.read_bytes()), interactions, strict=True):
        assert (back.request, back.reply.body) == (each.request, each.reply.body)
        assert (back.reply.status, back.reply.headers, back.reply.reason) == (
            each.reply.status,
            each.reply.headers,
            each.reply.reason,
        )


def test_large_bodies_are_put_back_into_the_file(tmp_path: Path, tape: Tape) -> None:
    save(tmp_path / "a.yaml", [tape("Hello", b"\xff" * 40_000)])
    [back] = read(dumps(open_cassette(tmp_path / "a.yaml").interactions))
    assert back.reply.body == b"\xff" * 40_000


def test_a_cassette_with_nothing_in_it_is_one() -> None:
    assert yaml.safe_load(dumps([])) == {"interactions": [], "version": 1}


@given(st.text(), st.binary())
def test_every_body_comes_back(text: str, content: bytes) -> None:
    asked = Request("POST", "https://h.example", "/x", body=text.encode(errors="replace"))
    reply = Reply(200, (("content-type", "text/plain"),), frames_of(content), "OK")
    [back] = read(dumps([tape_of(asked, reply)]))
    assert (back.request.body, back.reply.body) == (asked.body, content)


@pytest.mark.parametrize("status", [204, 304])
def test_a_reply_that_has_no_body_has_no_length(status: int, chat: Chat) -> None:
    assert b"content-length" not in dumps([tape_of(chat(), Reply(status, (), []))])
    assert b"content-length" not in dumps([tape_of(Request("HEAD", "https://h", "/x"), Reply(200, (), []))])


@pytest.mark.parametrize(
    ("name", "format", "place"),
    [
        ("tests/agents/test_plan/test_it", "vcrpy", "tests/agents/test_plan/test_it.yaml"),
        ("tests/agents/test_plan/test_it", "pytest-recording", "tests/agents/cassettes/test_plan/test_it.yaml"),
        ("test_plan/test_it[a.b]", "pytest-recording", "cassettes/test_plan/test_it[a.b].yaml"),
        ("alone", "pytest-recording", "alone.yaml"),
    ],
)
def test_folders_are_those_in_which_each_tool_looks(name: str, format: str, place: str) -> None:
    assert place_of(name, format).as_posix() == place
