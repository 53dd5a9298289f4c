"""The peer of `server_replay`: werkzeug's own threaded server, which looks the whole body up in a dictionary.

`python stock_werkzeug.py events` sends a stream event by event, as recorded; `blocks` sends it in one write.
It prints its port and answers until it is ended.
"""

from __future__ import annotations

import sys

from traffic import HEADERS, STREAM_HEADERS, answer, ask, compact, events
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

REQUESTS = 20
"""How many different requests are answered, of each kind."""


class Handler(WSGIRequestHandler):
    """HTTP/1.1, without a line on the terminal for each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def main(how: str) -> None:
    plain = {compact(ask(number)): [answer(number)] for number in range(REQUESTS)}
    streams = {compact(ask(number, stream=True)): events(number) for number in range(REQUESTS)}
    if how == "blocks":
        streams = {body: [b"".join(pieces)] for body, pieces in streams.items()}

    @Request.application
    def application(request: Request) -> Response:
        body = request.get_data()
        if body in plain:
            return Response(plain[body], headers=HEADERS)
        return Response(iter(streams[body]), headers=STREAM_HEADERS)  # an iterator has no length: it is sent in chunks

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    print(server.port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
