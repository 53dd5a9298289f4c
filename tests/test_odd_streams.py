"""Streams as providers really send them: kept and replayed as they came, read for what they say."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from holding import Holding

from pytest_llmmock import LLMServer, UnmatchedError, use_cassette
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.deck import Deck
from pytest_llmmock.mock import _IN_CODE
from pytest_llmmock.settings import combine

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def said(words: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": words}}]}, ensure_ascii=False).encode()


HI, NAIVE, DONE = said("Hi"), said("na\u00efve \U0001f642"), b"data: [DONE]"
CUT = NAIVE.index("\u00ef".encode()) + 1
LOST = b'"error":{"code":502,"message":"Provider went away"}'
OPENROUTER = b'data: {"id":"x",%b,"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n' % LOST
FAILED = b'{"type":"response.failed","response":{"status":"failed","error":{"code":"x","message":"Overloaded"}}}'


@dataclass(frozen=True)
class Odd:
    """A stream in two pieces that arrive apart, and what it says."""

    first: bytes
    second: bytes
    text: str = "Hi"
    error: str = ""
    path: str = "/v1/chat/completions"
    head: bytes = HEAD
    chunked: bool = True

    def sent(self, piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked and piece else piece


ODD = {
    "an error among the chunks": Odd(
        b": OPENROUTER PROCESSING\n\n" + HI + b"\n\n", OPENROUTER, "Hi", "Provider went away"
    ),
    "an error for an answer": Odd(b": wait\n\n", b'data: {"error":{"message":"No"}}\n\n', "", "No"),
    "an error by its name": Odd(HI + b"\n\n", b'event: error\ndata: {"message":"No"}\n\n', "Hi", "No"),
    "an error that is no JSON": Odd(HI + b"\n\n", b"event: error\ndata: No\n\n", "Hi", "No"),
    "error of responses": Odd(
        b": x\n\n", b'event: error\ndata: {"type":"error","code":"x","message":"No"}\n\n', "", "No", "/v1/responses"
    ),
    "response.failed": Odd(
        b": x\n\n", b"event: response.failed\ndata: %b\n\n" % FAILED, "", "Overloaded", "/v1/responses"
    ),
    "names, ids and retry": Odd(b"retry: 10\n\nid: 1\nevent: add\n" + HI + b"\n\n", b"id: 2\n" + DONE + b"\n\n"),
    "line ends of Windows": Odd(HI + b"\r\n\r\n", DONE + b"\r\n\r\n"),
    "line ends of old Macs": Odd(HI + b"\r\r", DONE + b"\r\r"),
    "a line end in two frames": Odd(HI + b"\r\n\r", b"\n" + DONE + b"\r\n\r\n"),
    "all line ends": Odd(HI + b"\r\n\n", DONE + b"\n\r\n"),
    "several lines of data": Odd(b'data: {"choices": [\n', b'data: {"delta": {"content": "Hi"}}\ndata: ]}\n\n'),
    "no blank line at the end": Odd(HI + b"\n\n", DONE),
    "no line end at the end": Odd(said("H") + b"\n\n", said("i")),
    "no last event": Odd(HI + b"\n\n", b": bye\n\n"),
    "a byte order mark": Odd(b"\xef\xbb\xbf" + HI + b"\n\n", DONE + b"\n\n"),
    "empty events": Odd(b"\n\n\nevent: ping\n\n:\n\n" + HI + b"\n\n\n\n", DONE + b"\n\n\n\n"),
    "a cut in a character": Odd(NAIVE[:CUT], NAIVE[CUT:] + b"\n\n" + DONE + b"\n\n", "na\u00efve \U0001f642"),
    "several events a frame": Odd(said("H") + b"\n\n" + said("i") + b"\n\nda", b"ta: [DONE]\n\n"),
    "more behind the end": Odd(said("H") + b"\n\n" + DONE + b"\n\n", said("i") + b"\n\n" + DONE + b"\n\n"),
    "white space": Odd(HI + b"  \t\n\n", DONE + b"  \n\n   "),
    "bytes that are no text": Odd(b": \xff\xfe\x00\n\n" + HI + b"\n\n", DONE + b"\n\n"),
    "HTTP/1.0": Odd(HI + b"\n\n", DONE + b"\n\n", head=HEAD.replace(b"1.1", b"1.0"), chunked=False),
}


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest) -> Odd:
    return ODD[request.param]


def holding(odd: Odd) -> Holding:
    framing = b"transfer-encoding: chunked\r\n\r\n" if odd.chunked else b"\r\n"
    last = b"0\r\n\r\n" if odd.chunked else b""
    return Holding(odd.head + framing + odd.sent(odd.first), odd.sent(odd.second) + last)


def asked(odd: Odd) -> dict[str, Any]:
    words = {"input": "hello"} if "responses" in odd.path else {"messages": [{"role": "user", "content": "hello"}]}
    return {"model": "m", "stream": True, **words}


def pieces(name: str, url: str, odd: Odd, upstream: Holding | None = None) -> list[bytes]:
    """The pieces that come; the upstream sends the second when the first has come."""
    library = import_module(name)
    found = []
    with library.Client() as client, client.stream("POST", url + odd.path, json=asked(odd)) as response:
        for piece in response.iter_raw():
            found.append(piece)
            if upstream is not None and len(found) == 1:
                upstream.release()
    return found


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_an_odd_stream_is_kept_and_replayed_as_it_came(tmp_path, odd, name):
    path = tmp_path / "it.yaml"
    with holding(odd) as upstream, use_cassette(path, mode="new_episodes") as mock:
        assert pieces(name, upstream.url, odd, upstream) == [odd.first, odd.second]
        assert mock.requests.last.whole
    with use_cassette(path) as mock:
        assert pieces(name, "http://127.0.0.1:9", odd) == [odd.first, odd.second]
        last = mock.requests.last
        assert (last.text, last.answer.joined("error")) == (odd.text, odd.error)


def test_an_odd_stream_is_kept_and_replayed_over_http(tmp_path, odd):
    path = tmp_path / "it.yaml"
    with holding(odd) as upstream:
        given = {"mode": "new_episodes", "upstream": upstream.url + "/v1"}
        with LLMServer(Deck.open(path, combine([("test", given)]), advice=_IN_CODE)) as server:
            assert pieces("httpx2", server.url, odd, upstream) == [odd.first, odd.second]
    [kept] = open_cassette(path).interactions
    assert [frame.data for frame in kept.reply.frames] == [odd.first, odd.second]
    with LLMServer(Deck.open(path, combine([("test", {})]), advice=_IN_CODE)) as server:
        assert b"".join(pieces("httpx2", server.url, odd)) == odd.first + odd.second
        last = server.requests.last
        assert (last.text, last.answer.joined("error")) == (odd.text, odd.error)


def test_the_commands_read_odd_streams(tmp_path):
    for number, odd in enumerate(ODD.values()):
        with holding(odd) as upstream, use_cassette(tmp_path / f"{number}.yaml", mode="new_episodes"):
            pieces("httpx2", upstream.url, odd, upstream)
    shown = command(tmp_path, "show", "--textconv", tmp_path / "0.yaml")
    assert "Hi" in shown.stdout
    assert "Provider went away" in shown.stdout
    assert command(tmp_path, "ls", tmp_path).returncode == 0
    checked = command(tmp_path, "check", tmp_path)
    assert "unreadable" not in checked.stdout
    assert "timing" not in checked.stdout


def command(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "pytest_llmmock", *map(str, arguments)]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done


def test_a_stream_that_comes_compressed_is_kept_unpacked(tmp_path):
    body = HI + b"\n\n" + DONE + b"\n\n"
    packed = gzip.compress(body)
    head = HEAD + b"content-encoding: gzip\r\n"
    odd = Odd(packed[:20], packed[20:], head=head)
    path = tmp_path / "it.yaml"
    with holding(odd) as upstream, use_cassette(path, mode="new_episodes"):
        upstream.release()
        assert b"".join(pieces("httpx2", upstream.url, odd)) == body
    with use_cassette(path) as mock:
        assert b"".join(pieces("httpx2", "http://127.0.0.1:9", odd)) == body
        assert mock.requests.last.text == "Hi"


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_a_stream_that_ends_by_a_cut_is_not_kept(tmp_path, name):
    odd = Odd(HI + b"\n\n", b": bye\n\n")
    cut = Holding(HEAD + b"transfer-encoding: chunked\r\n\r\n" + odd.sent(odd.first), odd.sent(odd.second))

    def ask(upstream: Holding) -> None:
        library = import_module(name)
        with use_cassette(tmp_path / "it.yaml", mode="new_episodes"), pytest.raises(library.RemoteProtocolError):
            pieces(name, upstream.url, odd, upstream)

    with cut as upstream, pytest.raises(UnmatchedError, match="broke off"):
        ask(upstream)
    assert not (tmp_path / "it.yaml").exists()
