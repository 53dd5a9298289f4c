"""The routes of the bridge to ChatGPT's web page, which have no dialect: recorded and replayed as they are."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bridge import AS_JSON, OPERATION, PICTURE, STATES, Bridge

from pytest_llmmock import LLMServer, use_cassette

FILE = "/v1/chatgpt/files/ab12/cat.png"
LOOK = f"/v1/chatgpt/operations/{OPERATION}"
CHAT = {"model": "chatgpt-deep-research", "messages": [{"role": "user", "content": "Rome"}], "stream": True}
FORM = {"files": {"image": ("cat.png", PICTURE, "image/png")}, "data": {"mode": "describe"}}
HEADERS = (
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "location",
    "x-chatgpt-operation-id",
)
"""Those that say something of the body, or are needed to go on."""

ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/v1/chatgpt/usage", {}),
    ("GET", "/v1/chatgpt/usage?format=table", {}),
    ("POST", "/v1/chatgpt/vision", {"json": AS_JSON}),
    ("POST", "/v1/chatgpt/vision", FORM),
    ("POST", "/v1/chatgpt/files", {"files": {"file": ("notes.txt", b"Rome\r\nand more", "text/plain")}}),
    ("GET", "/v1/chatgpt/files", {}),
    ("GET", "/v1/chatgpt/files/file1/notes.txt", {}),
    ("HEAD", FILE, {}),
    ("GET", FILE, {}),
    ("GET", FILE, {"headers": {"range": "bytes=8-15"}}),
    ("GET", FILE, {"headers": {"range": "bytes=0-7"}}),
    ("DELETE", "/v1/chatgpt/files/file1", {}),
    ("PUT", "/v1/chatgpt/settings", {"json": {"a": 1}}),
    ("PATCH", "/v1/chatgpt/settings", {"json": {"a": 2}}),
    ("GET", LOOK, {}),
    ("GET", LOOK, {}),
    ("GET", LOOK, {}),
    ("POST", f"{LOOK}/cancel", {}),
    ("GET", LOOK, {}),
    ("POST", "/v1/chat/completions", {"json": CHAT}),
]

Told = list[tuple[int, dict[str, str], bytes]]


def ask(base: str) -> Told:
    """What a client is told, each in turn."""
    with httpx.Client(base_url=base, timeout=30) as client:
        answers = [client.request(method, url, **more) for method, url, more in ASKED]
    return [
        (each.status_code, {name: each.headers[name] for name in HEADERS if name in each.headers}, each.content)
        for each in answers
    ]


@contextmanager
def serving(command: str, *words: str) -> Iterator[str]:
    """The command line, as a user starts it; where it listens."""
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    started = [sys.executable, "-m", "pytest_llmmock", command, "--port", "0", *words]
    with subprocess.Popen(started, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        banner = next(line for line in lines if "http://127.0.0.1:" in line)
        yield re.findall(r"http://127\.0\.0\.1:\d+", banner)[-1]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def recorded_in_process(bridge: Bridge, path: Path) -> Told:
    with use_cassette(path, mode="once", hosts=["127.0.0.1"]):
        return ask(bridge.url)


def recorded_by_the_command(bridge: Bridge, path: Path) -> Told:
    with serving("record", "--cassette", str(path), "--upstream", bridge.url + "/v1") as url:
        return ask(url)


@pytest.mark.parametrize("record", [recorded_in_process, recorded_by_the_command])
def test_what_has_no_dialect_is_replayed_as_it_was_recorded(
    record: Callable[[Bridge, Path], Told], tmp_path: Path
) -> None:
    path = tmp_path / "bridge.yaml"
    with Bridge() as bridge:
        there = ask(bridge.url)
    with Bridge() as bridge:
        live = record(bridge, path)
        assert len(bridge.asked) == len(ASKED)
    assert [each[2] for each in live] == [each[2] for each in there]
    assert [each[1] for each in live] == [each[1] for each in there]
    with use_cassette(path, hosts=["127.0.0.1"]):
        assert ask(bridge.url) == live
    with LLMServer(path) as server:
        assert ask(server.url) == live
    with serving("replay", str(path)) as url:
        assert ask(url) == live


def test_polls_come_in_order_and_a_head_tells_the_length(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    with Bridge() as bridge:
        recorded_in_process(bridge, path)
    with use_cassette(path, hosts=["127.0.0.1"]) as mock:
        told = ask(bridge.url)
        polls = [httpx.Response(200, content=each[2]).json()["operation"]["status"] for each in told[14:17]]
        assert polls == [*STATES]
        assert told[7][1]["content-length"] == str(len(PICTURE))
        assert (told[7][2], told[8][2]) == (b"", PICTURE)
        assert mock.cassette.unplayed == []


def test_parts_of_a_file_are_found_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    with Bridge() as bridge:
        live = recorded_in_process(bridge, path)
    with LLMServer(path) as server, httpx.Client(base_url=server.url) as client:
        for number in (10, 9, 8):
            method, url, more = ASKED[number]
            answer = client.request(method, url, **more)
            assert (answer.status_code, answer.content) == (live[number][0], live[number][2])
