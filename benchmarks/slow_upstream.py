"""A provider on loopback that thinks before it answers, and says in each event when it was sent.

    python slow_upstream.py THINKS EVENTS GAP

It prints its port. Seconds are those of a clock that all processes of the machine share.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def sent_at(event: bytes) -> float:
    """When an event of ours was sent."""
    return float(json.loads(event.removeprefix(b"data: "))["created"])


def event(number: int) -> bytes:
    choice = {"index": 0, "delta": {"content": f"word {number} "}, "finish_reason": None}
    said = {"object": "chat.completion.chunk", "created": time.monotonic(), "choices": [choice]}
    return b"data: " + json.dumps(said).encode() + b"\n\n"


def main(thinks: float, count: int, gap: float) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            began = time.monotonic()
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in in_time(began):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *arguments: object) -> None:
            """Nothing is printed but the port."""

    def in_time(began: float) -> Iterator[bytes]:
        for number in range(count):
            time.sleep(max(0.0, began + thinks + number * gap - time.monotonic()))
            yield event(number)
        yield b"data: [DONE]\n\n"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
