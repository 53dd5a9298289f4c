"""Requests and replies as WSGI has them, held against the standard library's own judge."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply
from pytest_llmmock.core.pacing import Paced
from pytest_llmmock.errors import CutConnection
from pytest_llmmock.inbound.http1 import BadRequest
from pytest_llmmock.inbound.wsgi import _NAMES, Application, read_request, write_reply

EVENTS = (("content-type", "text/event-stream"),)
TEXT = (("content-type", "text/plain"),)


def environ(body: bytes = b"", **given: Any) -> dict[str, Any]:
    """What a server hands over."""
    asked: dict[str, Any] = {
        "REQUEST_METHOD": "POST" if body else "GET",
        "wsgi.input": io.BytesIO(body),
        "QUERY_STRING": "",
    }
    setup_testing_defaults(asked)
    return {**asked, **({"CONTENT_LENGTH": str(len(body))} if body else {}), **given}


class Answered:
    """An answer, taken to its end by a server that checks everything that the standard says."""

    def __init__(self, handle: Callable[[Request], Reply], **given: Any) -> None:
        body = validator(Application(handle))(environ(**given), self._start)
        try:
            self.pieces = list(body)
        finally:
            body.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., None]:
        self.status, self.headers = status, dict(headers)
        return lambda data: None

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def saying(reply: Reply) -> Callable[[Request], Reply]:
    return lambda request: reply


def paced(*frames: Frame, cut: str = "", holds_head: bool = False, on_left: Any = None) -> Reply:
    whole = Reply(200, TEXT if holds_head else EVENTS, list(frames), cut=cut)
    whole.frames = Paced(whole, 0.0, holds_head=holds_head, on_left=on_left)
    return whole


# --- in -------------------------------------------------------------------------------------------------


def test_a_request_is_read_as_the_embedded_server_reads_it():
    given = {"PATH_INFO": "/v1/chat", "QUERY_STRING": "a=%20b", "CONTENT_TYPE": "application/json"}
    request = read_request(environ(b'{"a": 1}', **given, HTTP_X_API_KEY="k", HTTP_HOST="host:1"))
    assert (request.method, request.url) == ("POST", "http://localhost/v1/chat?a=%20b")
    assert request.json() == {"a": 1}
    assert dict(request.headers) == {
        "x-api-key": "k",
        "host": "host:1",
        "content-type": "application/json",
        "content-length": "8",
    }
    assert request.base == "http://host:1"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"PATH_INFO": ""}, "/"),
        ({"PATH_INFO": "/a b/caf\xc3\xa9/50%"}, "/a%20b/caf%C3%A9/50%25"),
        ({"PATH_INFO": "/models/org/m", "RAW_URI": "/models/org%2Fm?x=1"}, "/models/org%2Fm"),
        ({"PATH_INFO": "/models/org/m", "REQUEST_URI": "/models/org%2Fm"}, "/models/org%2Fm"),
        ({"PATH_INFO": "/models/m", "RAW_URI": "http://host/models/m"}, "/models/m"),
        ({"PATH_INFO": "/m/x", "SCRIPT_NAME": "/below", "RAW_URI": "/below/m%2Fx"}, "/m%2Fx"),
        ({"PATH_INFO": "/m", "SCRIPT_NAME": "/below", "RAW_URI": "/elsewhere"}, "/m"),
        ({"PATH_INFO": "/a:b@c,d;e=f+g!"}, "/a:b@c,d;e=f+g!"),
    ],
)
def test_a_path_is_what_was_sent_or_what_would_be_sent(given, path):
    assert read_request(environ(**given)).path == path


def test_where_we_are_mounted_is_part_of_the_address_and_not_of_the_path():
    request = read_request(environ(PATH_INFO="/v1/models", SCRIPT_NAME="/llm", HTTP_HOST="h"))
    assert (request.path, request.base) == ("/v1/models", "http://h/llm")


def test_a_proxy_of_the_environment_is_no_header():
    assert read_request(environ(HTTP_PROXY="http://me:secret@proxy")).header("proxy") is None


def test_names_of_headers_are_not_kept_without_end():
    asked = environ(**{f"HTTP_X_{number}": "v" for number in range(3000)})
    for _ in range(2):
        assert read_request(asked).header("x-2999") == "v"
    assert len(_NAMES) <= 1024


def test_headers_that_are_empty_are_there_unless_they_are_of_a_body_that_is_not():
    request = read_request(environ(HTTP_X_EMPTY="", CONTENT_TYPE="", CONTENT_LENGTH=""))
    assert [pair for pair in request.headers if not pair[1]] == [("x-empty", "")]


def test_a_body_in_chunks_is_read_where_the_server_says_that_it_ends():
    given = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"abc")}
    assert read_request(environ(**given, **{"wsgi.input_terminated": True})).body == b"abc"
    assert read_request(environ(**given)).body == b""


def test_a_body_that_comes_in_parts_is_read_whole():
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 3))

    assert read_request(environ(b"0123456789", **{"wsgi.input": Slow(b"0123456789")})).body == b"0123456789"


@pytest.mark.parametrize(
    ("length", "status", "told"),
    [
        ("ten", 400, "Content-Length is not one number."),
        ("-1", 400, "Content-Length is not one number."),
        ("99", 400, "The request's body ends after 3 of 99 bytes."),
        (str(1 << 40), 413, "longer than 134217728 bytes"),
        ("9" * 30, 413, "longer than"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(length, status, told):
    asked = environ(b"abc", CONTENT_LENGTH=length, PATH_INFO="/v1/models")
    with pytest.raises(BadRequest, match=told) as refused:
        read_request(asked)
    assert refused.value.status == status
    assert refused.value.request is not None
    assert refused.value.request.path == "/v1/models"


# --- out ------------------------------------------------------------------------------------------------


def test_a_plain_answer_has_its_length():
    answered = Answered(saying(json_reply({"a": 1}, headers=(("x-id", "1"),))))
    assert answered.status == "200 OK"
    assert answered.headers == {"content-type": "application/json", "x-id": "1", "content-length": "7"}
    assert answered.pieces == [b'{"a":1}']


def test_pieces_that_are_due_at_once_go_as_one():
    answered = Answered(saying(Reply(200, EVENTS, [Frame(b"data: 1\n\n"), Frame(b"data: 2\n\n")])))
    assert answered.pieces == [b"data: 1\n\ndata: 2\n\n"]
    assert answered.headers["content-length"] == "18"


def test_pieces_stay_apart_where_somebody_wants_to_see_them():
    reply = Reply(200, EVENTS, [Frame(b"da"), Frame(b""), Frame(b"ta: 1\n\n")])
    status, headers, body = write_reply(Request("GET", "http://localhost", "/"), reply, coalesces=False)
    assert (status, headers, list(body)) == ("200 OK", list(EVENTS), [b"da", b"ta: 1\n\n"])
    plain = Reply(200, TEXT, [Frame(b"ab"), Frame(b"c")])
    _, headers, body = write_reply(Request("GET", "http://localhost", "/"), plain, coalesces=False)
    assert (headers[-1], list(body)) == (("content-length", "3"), [b"ab", b"c"])


def test_headers_that_are_the_servers_own_are_left_to_it():
    own = (("connection", "close"), ("transfer-encoding", "chunked"), ("content-length", "99"), ("keep-alive", "1"))
    assert Answered(saying(Reply(200, (*TEXT, *own), [Frame(b"x")]))).headers == dict(TEXT) | {"content-length": "1"}


def test_a_header_is_bytes_as_it_was_received_or_utf_8():
    headers = (*TEXT, ("x-latin", "na\xefve"), ("x-wide", "日"))
    _, sent, _ = write_reply(Request("GET", "http://localhost", "/"), Reply(200, headers, []))
    assert dict(sent)["x-latin"] == "na\xefve"
    assert dict(sent)["x-wide"].encode("latin-1") == "日".encode()


@pytest.mark.parametrize(
    "reply",
    [Reply(99, TEXT, []), Reply(200, (*TEXT, ("x", "a\nb")), []), Reply(200, TEXT, [], reason="a\nb")],
    ids=["status", "header", "reason"],
)
def test_what_cannot_be_sent_is_an_error_that_is_told(reply, caplog):
    answered = Answered(saying(reply))
    assert answered.status == "500 Internal Server Error"
    assert b"cannot be sent" in answered.body
    assert "A request could not be answered" in caplog.text


def test_an_answer_that_fails_is_an_error_that_is_told(caplog):
    def fail(request: Request) -> Reply:
        raise RuntimeError("nobody expected this")

    answered = Answered(fail)
    assert answered.status == "500 Internal Server Error"
    assert b"RuntimeError: nobody expected this" in answered.body
    assert "nobody expected this" in caplog.text


def test_a_request_that_cannot_be_read_is_refused_in_the_shape_of_its_protocol():
    def shaped(request: Request, problem: Any) -> Reply:
        return json_reply({"said": problem.message, "path": request.path}, problem.status)

    started: list[str] = []
    app = Application(saying(json_reply({})), shaped)
    body = b"".join(app(environ(b"abc", CONTENT_LENGTH="x"), lambda status, headers: started.append(status)))
    assert started == ["400 Bad Request"]
    assert body == b'{"said":"Content-Length is not one number.","path":"/"}'


def test_an_answer_to_head_tells_the_length_and_has_no_body():
    for reply, length in [
        (json_reply({"a": 1}), "7"),
        (Reply(200, (*TEXT, ("content-length", "42")), []), "42"),
        (Reply(200, EVENTS, [Frame(b"data: 1\n\n")]), None),
        (paced(Frame(b"later", at=1e9), holds_head=False), None),
    ]:
        answered = Answered(saying(reply), REQUEST_METHOD="HEAD")
        assert (answered.body, answered.headers.get("content-length")) == (b"", length)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_neither_body_nor_length(status):
    answered = Answered(saying(Reply(status, (), [Frame(b"x")])))
    assert (answered.body, answered.headers) == (b"", {})


def test_a_status_that_has_no_name_is_sent_all_the_same():
    assert Answered(saying(Reply(599, TEXT, []))).status == "599 Unknown"
    assert Answered(saying(Reply(299, TEXT, [], reason="Fine"))).status == "299 Fine"


# --- in time --------------------------------------------------------------------------------------------


def test_a_stream_in_time_is_handed_out_piece_by_piece():
    answered = Answered(saying(paced(Frame(b"data: 1\n\n"), Frame(b""), Frame(b"data: 2\n\n"))))
    assert answered.pieces == [b"data: 1\n\n", b"data: 2\n\n"]
    assert "content-length" not in answered.headers


def test_a_plain_answer_in_time_does_not_begin_before_it_is_there():
    waited: list[str] = []
    reply = paced(Frame(b"abc"), holds_head=True)
    frames = reply.frames
    assert isinstance(frames, Paced)
    frames.wait = lambda patience=None: bool(waited.append("waited")) or True  # type: ignore[method-assign]
    body = Application(saying(reply))(environ(), lambda status, headers: waited.append(dict(headers)["content-length"]))
    assert waited == ["waited", "3"]
    assert list(body) == [b"abc"]


def test_a_body_that_is_to_break_off_says_that_it_is_longer():
    """So a server that would end it as if it were whole has to cut the connection."""
    reply = paced(Frame(b"data: 1\n\n"), cut="cut(after_events=1)")
    started: list[Any] = []
    body = iter(Application(saying(reply))(environ(), lambda status, headers: started.append(headers)))
    assert ("content-length", "11") in started[0]
    assert next(body) == b"data: 1\n\n"
    with pytest.raises(CutConnection, match="after_events=1"):
        next(body)


def test_a_body_that_breaks_off_before_it_begins_has_a_byte_for_the_head_to_come_with():
    started: list[Any] = []
    app = Application(saying(paced(cut="cut(after_events=0)")))
    body = iter(app(environ(), lambda status, headers: started.append(headers)))
    assert ("content-length", "2") in started[0]
    assert next(body) == b"\n"
    with pytest.raises(CutConnection, match="after_events=0"):
        next(body)


def test_when_the_client_has_gone_whoever_waits_for_it_is_told():
    left: list[bool] = []
    reply = paced(Frame(b"data: 1\n\n"), Frame(b"data: 2\n\n", at=1e9), on_left=lambda: left.append(True))
    body = validator(Application(saying(reply)))(environ(), lambda status, headers, exc_info=None: None)
    assert next(iter(body)) == b"data: 1\n\n"
    body.close()
    assert left == [True]
    assert reply.frames.ended is not None  # type: ignore[union-attr]


def test_an_answer_that_is_still_made_is_handed_out_while_it_comes():
    live = Live(iter([b"one", b"two"]), lambda: None, since=0.0)
    assert Answered(saying(Reply(200, EVENTS, live, live=True))).pieces == [b"one", b"two"]


def test_the_judge_of_these_tests_finds_what_is_wrong():
    """A test that cannot fail is none."""
    started = validator(lambda asked, start: start("OK OK", []))
    with pytest.raises(AssertionError):
        started(environ(), lambda *given: None)
