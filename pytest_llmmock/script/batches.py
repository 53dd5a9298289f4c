"""The requests of a batch, each answered as if it had been sent by itself.

https://platform.openai.com/docs/guides/batch tells what the lines of its files are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.json_text import compact, parse_json
from ..core.model import Reply, Request

Ask = Callable[[Request], Reply]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a batch."""

    output: bytes
    errors: bytes
    counts: dict[str, int]


def run(lines: bytes, batch: Request, ask: Ask) -> Result:
    """Answer all lines, in order. `batch` is the request by which the batch was looked at: its headers are theirs."""
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for number, line in enumerate(filter(None, map(bytes.strip, lines.splitlines())), 1):
        told = _line(number, parse_json(line), batch, ask)
        (done if told["error"] is None and told["response"]["status_code"] < 400 else failed).append(told)
    counts = {"total": len(done) + len(failed), "completed": len(done), "failed": len(failed)}
    return Result(_written(done), _written(failed), counts)


def _line(number: int, line: Any, batch: Request, ask: Ask) -> dict[str, Any]:
    """What is said to one line."""
    fields = line if isinstance(line, dict) else {}
    told: dict[str, Any] = {"id": f"batch_req_{number:04d}", "custom_id": fields.get("custom_id")}
    url, body = fields.get("url"), fields.get("body")
    if not isinstance(url, str) or not url.startswith("/") or not isinstance(body, dict):
        why = "The line is not an object with custom_id, method, url and body."
        return {**told, "response": None, "error": {"code": "invalid_json_line", "message": why}}
    reply = ask(_request(fields, batch))
    answer = {"status_code": reply.status, "request_id": f"req_{number:04d}", "body": reply.json()}
    return {**told, "response": answer, "error": None}


def _request(fields: dict[str, Any], batch: Request) -> Request:
    method = fields.get("method")
    headers = tuple(pair for pair in batch.headers if pair[0] not in ("content-type", "content-length"))
    return Request(
        method if isinstance(method, str) else "POST",
        batch.origin,
        fields["url"],
        headers=(*headers, ("content-type", "application/json")),
        body=compact(fields["body"]).encode(),
        base=batch.base,
    )


def _written(told: list[dict[str, Any]]) -> bytes:
    return b"".join(compact(each).encode() + b"\n" for each in told)
