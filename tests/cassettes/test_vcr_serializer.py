from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import vcr
from vcr.request import Request as VcrRequest
from vcr.serialize import deserialize, serialize

from pytest_llmmock.cassettes import vcr_serializer
from pytest_llmmock.cassettes.cassette import Interaction
from pytest_llmmock.cassettes.format import cut, dumps, loads
from pytest_llmmock.core.model import Frame, Request
from pytest_llmmock.errors import CassetteFormatError

Chat = Callable[..., Request]
Tape = Callable[..., Interaction]


def test_vcrpy_reads_what_we_write(chat: Chat, tape: Tape) -> None:
    frames = [Frame(b"Hel", 0.5), Frame(b"lo\xff", 1)]
    data = dumps([tape("Rome?", frames=frames), tape(Request("GET", "https://h.example", "/a", "b=c"))])
    requests, responses = deserialize(data.decode(), vcr_serializer)
    assert [(each.method, each.uri, each.body) for each in requests] == [
        ("POST", "https://api.openai.com/v1/chat/completions", chat("Rome?").body),
        ("GET", "https://h.example/a?b=c", None),
    ]
    assert dict(requests[0].headers) == {"content-type": "application/json"}
    assert responses[0] == {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["text/plain"]},
        "body": {"string": b"Hello\xff"},
    }


@pytest.mark.parametrize("body", ["né", "né".encode(), b"\xff\x00", b"", None])
def test_we_read_what_vcrpy_writes_with_us(body: str | bytes | None) -> None:
    request = VcrRequest("POST", "https://h.example/v1/x?a=b", body, {"Content-Type": "text/plain", "Cookie": "s3cr3t"})
    response = {
        "status": {"code": 201, "message": "Created"},
        "headers": {"X-Request-Id": ["1"], "Set-Cookie": ["s3cr3t"]},
        "body": {"string": b"a\r\nb"},
    }
    text = serialize({"requests": [request], "responses": [response]}, vcr_serializer)
    assert cut(text.encode()) is not None
    assert "s3cr3t" not in text
    [loaded] = loads(text.encode())
    content = body.encode() if isinstance(body, str) else body or b""
    assert loaded.request == Request(
        "POST", "https://h.example", "/v1/x", "a=b", (("content-type", "text/plain"),), content
    )
    assert (loaded.reply.status, loaded.reply.reason, loaded.reply.body) == (201, "Created", b"a\r\nb")
    assert loaded.reply.headers == (("x-request-id", "1"),)


def test_there_and_back_again_changes_nothing(tape: Tape) -> None:
    text = dumps([tape("Rome?\nParis?", b"a\x00b"), tape("x", b"")]).decode()
    assert vcr_serializer.serialize(vcr_serializer.deserialize(text)) == text


def test_an_empty_cassette_is_one() -> None:
    text = serialize({"requests": [], "responses": []}, vcr_serializer)
    assert deserialize(text, vcr_serializer) == ([], [])


def test_what_is_no_cassette_is_refused_in_words() -> None:
    with pytest.raises(CassetteFormatError, match="It holds a list"):
        deserialize("- 1\n", vcr_serializer)


def test_vcrpy_plays_a_cassette_of_ours(tmp_path: Path, tape: Tape) -> None:
    path = tmp_path / "a.yaml"
    data = dumps([tape(Request("GET", "http://h.example", "/v1/models"), b"Hi")])
    path.write_bytes(data)
    recorder = vcr.VCR(record_mode="none")
    recorder.register_serializer("llmmock", vcr_serializer)
    with recorder.use_cassette(str(path), serializer="llmmock") as cassette:
        with urllib.request.urlopen("http://h.example/v1/models") as response:
            assert (response.status, response.read()) == (200, b"Hi")
        assert cassette.play_count == 1
    assert path.read_bytes() == data
