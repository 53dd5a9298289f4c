"""A provider on loopback that sends exactly what a test tells it to, byte for byte and piece by piece."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """The last message."""
        return self.json()["messages"][-1]["content"]


@dataclass(frozen=True)
class Answer:
    """Pieces are sent as chunks, each by itself; `body` with its length."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()


def as_json(value: object, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), status, {"content-type": "application/json", **headers})


def as_stream(*pieces: bytes) -> Answer:
    return Answer(headers={"content-type": "text/event-stream; charset=utf-8"}, pieces=pieces)


def completion(words: str | None, **message: Any) -> dict[str, Any]:
    """A chat completion that says this."""
    said = {"role": "assistant", "content": words, **message}
    choice = {"index": 0, "message": said, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def refused(status: int, message: str, *, param: str | None = None, code: str | None = None, **headers: str) -> Answer:
    return as_json({"error": {"message": message, "type": "provider", "param": param, "code": code}}, status, **headers)


class Provider:
    """Answers what `answer` says; unless told, the words that it was asked and the number of the request."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.answer: Callable[[Asked], Answer] = self.say_back
        provider = self

        class Handler(_Handler):
            def asked(self, asked: Asked) -> Answer:
                provider.requests.append(asked)
                return provider.answer(asked)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Provider:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def say_back(self, asked: Asked) -> Answer:
        return as_json(completion(f"{asked.words} #{len(self.requests)}"))


class _Handler(BaseHTTPRequestHandler):
    def asked(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.asked(Asked(self.path, self.headers, body))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked") if answer.pieces else self.send_header(
            "content-length", str(len(answer.body))
        )
        self.end_headers()
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.wfile.write(answer.body)
        for piece in answer.pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        if answer.pieces:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST
    protocol_version = "HTTP/1.1"
    close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Nothing is printed."""
