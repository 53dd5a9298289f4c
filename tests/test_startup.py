"""What a server by itself does not load before its first answer: a start is mostly imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from controlled import chat

from pytest_llmmock import dialects
from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.core.model import json_reply
from pytest_llmmock.keeper import describe
from pytest_llmmock.settings import Settings, keys_of

NOT_NEEDED = {"pydantic", "httpx", "httpx2", "vcr", "yaml", "jinja2", "jsonschema", "openai", "asyncio"}

PROGRAM = """
import socket, sys
from pathlib import Path
import pytest_llmmock.cli.replay
from pytest_llmmock import dialects
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.settings import combine
from pytest_llmmock.standalone import Shelf, named

settings = combine([("command line", {"repeat": True})])
shelf = Shelf(named([Path(sys.argv[1])], settings), settings, print)
with Server(shelf.handle, write_error=dialects.write_error) as server:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        body = Path(sys.argv[2]).read_bytes()
        head = "POST /v1/chat/completions HTTP/1.1", "Host: x", "Connection: close", "Content-Type: application/json"
        client.sendall("\\r\\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
assert answer.startswith(b"HTTP/1.1 200 "), answer
print(*sorted(sys.modules))
"""


def test_a_first_answer_needs_few_modules(tmp_path: Path) -> None:
    cassette, body = tmp_path / "served.yaml", tmp_path / "body"
    keys, request = keys_of(Settings()), chat("hi")
    recorded = Interaction.of(Recorded(request, json_reply({"choices": []})), keys.key(dialects.read(request)))
    library.save(cassette, [recorded], signature=keys.signature, describe=describe)
    body.write_bytes(request.body)
    command = [sys.executable, "-c", PROGRAM, str(cassette), str(body)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not NOT_NEEDED & set(done.stdout.split())
