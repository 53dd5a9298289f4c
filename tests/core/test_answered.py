from __future__ import annotations

from pytest_llmmock import dialects
from pytest_llmmock.core.answered import answer_of
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply

EXCHANGE = dialects.read(Request("POST", "http://h.example", "/v1/chat/completions"))
CHUNK = b'data: {"model": "m", "choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n'
STREAM = (("content-type", "text/event-stream"),)


def test_it_is_what_the_dialect_reads_whatever_the_frames_and_the_other_headers():
    frames = [Frame(CHUNK % b"Hel", 0.1), Frame(CHUNK % b"lo", 0.2)]
    reply = Reply(200, (*STREAM, ("x-request-id", "1")), frames)
    other = Reply(200, STREAM, [Frame(reply.body)])
    assert answer_of(EXCHANGE, reply) == EXCHANGE.dialect.read_reply(reply)
    assert answer_of(EXCHANGE, other) is answer_of(EXCHANGE, reply)


def test_another_status_or_body_is_another_answer():
    error, other = {"error": {"message": "busy"}}, {"error": {"message": "gone"}}
    assert answer_of(EXCHANGE, json_reply("busy", 200)) != answer_of(EXCHANGE, json_reply("busy", 503))
    assert answer_of(EXCHANGE, json_reply(other, 503)) != answer_of(EXCHANGE, json_reply(error, 503))


def test_what_is_very_large_is_not_held():
    reply = json_reply({"model": "m", "choices": [{"index": 0, "message": {"content": "x" * (1 << 20)}}]})
    assert answer_of(EXCHANGE, reply).model == "m"
    assert answer_of(EXCHANGE, reply) is not answer_of(EXCHANGE, reply)
