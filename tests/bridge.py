"""A stand-in for the system that bridges to ChatGPT's web page: its own routes, on loopback."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import count

from serving import Serving

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply
from pytest_llmmock.core.sse import write_event

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
STATES = ("queued", "running", "completed")
OPERATION = "chatgptop_1f2e3d4c"


class Bridge(Serving):
    """Keeps what is uploaded; an operation goes on each time that somebody looks."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._files = {"ab12": ("cat.png", "image/png", PICTURE)}
        self._numbers = count(1)
        self._looked: Counter[str] = Counter()
        self._cancelled = False

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        assert self._server.errors == []

    def handle(self, request: Request) -> Reply:
        self.asked.append(f"{request.method} {request.path}")
        path = request.path.removeprefix("/v1")
        if path.startswith("/chatgpt/usage"):
            return self.usage(request)
        if path.startswith("/chatgpt/files"):
            return self.files(request, path.removeprefix("/chatgpt/files").strip("/"))
        if path.startswith("/chatgpt/operations/"):
            return self.operations(request, path.removeprefix("/chatgpt/operations/"))
        if path == "/chatgpt/vision":
            return self.vision(request)
        if path == "/chat/completions":
            return self.research()
        if path == "/chatgpt/settings":
            return json_reply({"method": request.method, "saved": request.json()}, headers=[("etag", '"s1"')])
        return refuse(404, "not_found", f"there is no {path}")

    def usage(self, request: Request) -> Reply:
        if "format=table" in request.query:
            return Reply(200, (("content-type", "text/plain; charset=utf-8"),), [Frame("name │ left\n".encode())])
        return json_reply({"object": "chatgpt.usage", "accounts": [{"features": {"image_gen": {"remaining": 7}}}]})

    def vision(self, request: Request) -> Reply:
        """An image in JSON or in a form: what it holds is told by its hash."""
        body = request.json() or {}
        given = (
            [body["image"]] if "image" in body else re.findall(rb"\r\n\r\n(\x89PNG.*?)\r\n--", request.body, re.DOTALL)
        )
        seen = sha256(repr(given).encode()).hexdigest()[:8]
        headers = (("x-chatgpt-operation-id", OPERATION),)
        return json_reply({"object": "chatgpt.vision", "text": f"I see {seen}", "choices": []}, headers=headers)

    def files(self, request: Request, place: str) -> Reply:
        id = place.partition("/")[0]
        if request.method == "POST":
            id = f"file{next(self._numbers)}"
            content = re.findall(rb"\r\n\r\n(.*?)\r\n--", request.body, re.DOTALL)[-1]
            self._files[id] = ("notes.txt", "text/plain", content)
            return json_reply(
                {"id": id, "bytes": len(content)}, 201, [("location", f"/v1/chatgpt/files/{id}/notes.txt")]
            )
        if not place:
            return json_reply({"data": sorted(self._files)})
        if id not in self._files:
            return refuse(410, "gone", "the file is gone")
        if request.method == "DELETE":
            del self._files[id]
            return Reply(204, (), [])
        return self.download(request, *self._files[id])

    def download(self, request: Request, name: str, kind: str, content: bytes) -> Reply:
        headers = [
            ("content-type", kind),
            ("content-disposition", f'inline; filename="{name}"'),
            ("cache-control", "private, max-age=31536000"),
            ("etag", f'"{sha256(content).hexdigest()[:8]}"'),
            ("accept-ranges", "bytes"),
        ]
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.header("range") or "")
        if asked is None:
            return Reply(200, tuple(headers), [Frame(content)])
        first, last = int(asked[1]), int(asked[2])
        headers.append(("content-range", f"bytes {first}-{last}/{len(content)}"))
        return Reply(206, tuple(headers), [Frame(content[first : last + 1])])

    def operations(self, request: Request, place: str) -> Reply:
        id, _, action = place.partition("/")
        if id != OPERATION:
            return refuse(404, "not_found", "there is no such operation")
        if action == "cancel":
            self._cancelled = True
            return json_reply({"status": "ok", "operation": {"id": id, "cancel_requested": True}})
        self._looked[id] += 1
        status = "cancelled" if self._cancelled else STATES[min(self._looked[id], len(STATES)) - 1]
        return json_reply({"object": "chatgpt.operation", "operation": {"id": id, "status": status}})

    def research(self) -> Reply:
        """Deep research: a chat that says for a long time where it is, and at last where its report lies."""
        headers = (("content-type", "text/event-stream"), ("x-chatgpt-operation-id", OPERATION))
        return Reply(200, headers, Live(self.events(), lambda: None, since=0.0), live=True)

    def events(self) -> Iterator[bytes]:
        shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "chatgpt-deep-research"}
        for number in range(200):
            delta = {"content": f"Looked at source {number}. "}
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            yield write_event({**shared, "chatgpt_operation_id": OPERATION, "choices": [choice]})
        yield write_event({**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        yield write_event("[DONE]")


def refuse(status: int, kind: str, message: str) -> Reply:
    return json_reply({"error": {"message": message, "type": kind}}, status)


AS_JSON = {"mode": "ocr", "image": "data:image/png;base64," + b64encode(PICTURE).decode()}
