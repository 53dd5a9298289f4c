"""A stand-in for a provider, on loopback: it checks what it is sent, and tells what it was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

from serving import Serving

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply
from pytest_llmmock.core.sse import write_event
from pytest_llmmock.errors import CutConnection

SECRET = "sk-standin-0123456789abcdef"

PRIVATE = (
    ("set-cookie", "session=standin-cookie"),
    ("openai-organization", "org-standin"),
    ("x-strange-new-header", "standin-strange"),
)
"""What a provider sends and nobody wants in a repository."""


class Standin(Serving):
    """Answers chat and embeddings by saying back what it was asked, counting its answers."""

    @property
    def base_url(self) -> str:
        return self.url + "/v1"

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.path == "/v1/models":
            return json_reply({"object": "list", "data": [{"id": "standin-1", "object": "model"}]})
        body = request.json()
        if not isinstance(body, dict) or request.header("content-type") != "application/json":
            return self.refuse(400, "the body is not a JSON object")
        if "embeddings" in request.path:
            return json_reply({"object": "list", "data": [{"index": 0, "embedding": [0.25, -1e-05]}], "model": "e"})
        return self.chat(body)

    def chat(self, body: dict) -> Reply:
        words = str(body["messages"][-1]["content"])
        match words:
            case "html":
                return Reply(200, (("content-type", "text/html"),), [Frame(b"<html><title>Sign in</title></html>")])
            case "wait" if len(self.requests) == 1:
                return self.refuse(429, "slow down", ("retry-after", "7"))
            case "refuse":
                return self.refuse(429, "slow down")
            case "not json":
                return Reply(200, (("content-type", "application/json"),), [Frame(b"{broken")])
        answer = f"{words} #{len(self.requests)}"
        if body.get("stream"):
            live = Live(self.events(answer, words), lambda: None, since=0.0)
            return Reply(200, (("content-type", "text/event-stream"), *PRIVATE), live, live=True)
        message = {"role": "assistant", "content": answer}
        return json_reply(
            {
                "id": f"chatcmpl-{len(self.requests)}",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
            },
            headers=PRIVATE,
        )

    def events(self, answer: str, words: str) -> Iterator[bytes]:
        first, _, rest = answer.partition(" ")
        yield write_event(self.chunk({"role": "assistant", "content": first}))
        self.release.wait(30)
        if words == "break off":
            raise CutConnection("the stand-in breaks off")
        yield write_event(self.chunk({"content": " " + rest}))
        yield write_event(self.chunk({}, finish="stop"))
        yield write_event("[DONE]")

    def chunk(self, delta: dict, finish: str | None = None) -> dict:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}

    def refuse(self, status: int, message: str, *headers: tuple[str, str]) -> Reply:
        error = {"message": message, "type": "standin", "param": None, "code": None}
        return json_reply({"error": error}, status, headers)

    @property
    def bodies(self) -> list[object]:
        return [json.loads(request.body) for request in self.requests if request.body]
