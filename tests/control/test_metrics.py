"""Figures in Prometheus' text format."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from controlled import Controlled, chat
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock import dialects
from pytest_llmmock.control.metrics import Metrics, family, metrics_reply
from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.core.pacing import Paced
from pytest_llmmock.core.prompt import Answer
from pytest_llmmock.dialects import chat as chat_dialect

SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"')
ESCAPES = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}

Found = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """What the text says; anything that the format does not know fails."""
    assert text.endswith("\n")
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            assert re.fullmatch(r"# HELP [a-z_]+ [^\\\n]+|# TYPE [a-z_]+ (?:counter|gauge|histogram)", line)
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        labels = {
            name: re.sub(r"\\.", lambda one: ESCAPES[one[0]], text) for name, text in LABEL.findall(found[2] or "")
        }
        yield found[1], labels, float(found[3])


def read(text: str) -> Found:
    return {(name, frozenset(labels.items())): value for name, labels, value in samples(text)}


def told(found: Found, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def counted() -> tuple[Controlled, Metrics]:
    server, metrics = Controlled(), Metrics()
    server.deck.on_reply = metrics.note
    server.deck.script.when(contains="hi").reply("Hello", usage={"input": 3, "output": 4})
    return server, metrics


def test_answers_are_counted_by_operation_source_and_status() -> None:
    server, metrics = counted()
    for words in ("hi", "hi", "nobody knows"):
        server.words(words)
    found = read(metrics.text())
    assert told(found, "llmmock_requests_total", operation="chat", source="script", status="200") == 2
    assert told(found, "llmmock_requests_total", operation="chat", source="unmatched", status="404") == 1
    assert told(found, "llmmock_unmatched_total") == 1
    assert told(found, "llmmock_tokens_total", operation="chat", direction="input") == 6
    assert told(found, "llmmock_tokens_total", operation="chat", direction="output") == 8
    assert told(found, "llmmock_request_seconds_count") == 3
    assert told(found, "llmmock_request_seconds_bucket", le="+Inf") == 3
    assert told(found, "llmmock_request_seconds_sum") > 0
    buckets = [value for (name, _), value in found.items() if name == "llmmock_request_seconds_bucket"]
    assert buckets == sorted(buckets)


def test_a_stream_is_open_until_it_ends() -> None:
    metrics = Metrics()
    asked = dialects.read(chat("slow", stream=True))
    paced = Paced(Reply(200, (), [Frame(b"data: [DONE]\n\n")]), asked.clock, holds_head=False)
    metrics.note(asked, Reply(200, (), paced, source="cassette"))
    found = read(metrics.text())
    assert told(found, "llmmock_open_streams") == 1
    assert told(found, "llmmock_request_seconds_count") == 0
    list(paced)
    found = read(metrics.text())
    assert told(found, "llmmock_open_streams") == 0
    assert told(found, "llmmock_requests_total", operation="chat", source="cassette", status="200") == 1


def test_what_is_counted_is_not_kept_until_somebody_looks() -> None:
    server, metrics = counted()
    for _ in range(200):
        server.words("hi")
    assert len(metrics._waiting) < 64
    assert told(read(metrics.text()), "llmmock_request_seconds_count") == 200


def reads_of(monkeypatch: pytest.MonkeyPatch) -> list[Reply]:
    """The replies of chats that are read."""
    read_reply, found = chat_dialect.read_reply, list[Reply]()

    def note(reply: Reply) -> Answer:
        found.append(reply)
        return read_reply(reply)

    monkeypatch.setattr(chat_dialect, "read_reply", note)
    return found


def costing(tokens: int) -> dict[str, object]:
    message = {"role": "assistant", "content": "Hello"}
    usage = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}
    return {"object": "chat.completion", "choices": [{"index": 0, "message": message}], "usage": usage}


def test_what_a_recording_costs_is_read_once_and_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = reads_of(monkeypatch)
    server, metrics = Controlled((chat("a"), costing(5)), (chat("b"), costing(7)), repeat=True), Metrics()
    server.deck.on_reply = metrics.note
    for words in ("a", "b", "a", "b", "b"):
        assert server.words(words) == "Hello"
    assert reads == []
    for times in (1, 2):
        found = read(metrics.text())
        assert told(found, "llmmock_tokens_total", operation="chat", direction="input") == times * (5 + 7 + 5 + 7 + 7)
        assert len(reads) == 2
        for words in ("a", "b", "a", "b", "b"):
            server.words(words)


@pytest.mark.parametrize("given", [{"speed": "recorded"}, {"chunking": "bytes=7"}, {"speed": "ttft=0.001"}])
def test_a_recording_that_comes_in_pieces_is_read_once_too(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    reads = reads_of(monkeypatch)
    server, metrics = Controlled((chat("a"), costing(5)), repeat=True, **given), Metrics()
    server.deck.on_reply = metrics.note
    for _ in range(3):
        b"".join(frame.data for frame in server.handle(chat("a")).frames)
    assert told(read(metrics.text()), "llmmock_tokens_total", operation="chat", direction="input") == 15
    assert len(reads) == 1


def test_what_a_client_left_costs_nothing() -> None:
    server, metrics = Controlled((chat("a"), costing(5)), repeat=True, speed="ttft=60"), Metrics()
    server.deck.on_reply = metrics.note
    reply = server.handle(chat("a"))
    assert isinstance(reply.frames, Paced)
    reply.frames.close()
    found = read(metrics.text())
    assert told(found, "llmmock_request_seconds_count") == 1
    assert told(found, "llmmock_tokens_total", operation="chat", direction="input") == 0


def test_what_a_fault_takes_away_is_not_counted() -> None:
    server, metrics = Controlled((chat("a"), costing(5)), repeat=True), Metrics()
    server.deck.on_reply = metrics.note
    server.deck.faults.truncate()
    server.handle(chat("a"))
    found = read(metrics.text())
    assert told(found, "llmmock_request_seconds_count") == 1
    assert told(found, "llmmock_tokens_total", operation="chat", direction="input") == 0


def test_no_more_is_remembered_of_what_recordings_cost_than_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_llmmock.control.metrics._REMEMBERED", 200)
    server, metrics = Controlled((chat("a"), costing(5)), (chat("b"), costing(7)), repeat=True), Metrics()
    server.deck.on_reply = metrics.note
    for words in "abab":
        server.words(words)
    assert told(read(metrics.text()), "llmmock_tokens_total", operation="chat", direction="input") == 24
    assert len(metrics._tokens._played) < 2


def test_the_reply_says_which_format_it_has() -> None:
    reply = metrics_reply(Metrics())
    assert reply.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert told(read(reply.body.decode()), "llmmock_open_streams") == 0


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text('\\"n\n{},= ', max_size=12)
labels = st.dictionaries(st.sampled_from(["operation", "source", "status"]), texts, max_size=3)


@given(st.lists(labels, max_size=4, unique_by=lambda each: frozenset(each.items())))
def test_whatever_a_label_holds_is_read_back(given_labels: list[dict[str, str]]) -> None:
    values = {tuple(each.items()): float(number) for number, each in enumerate(given_labels)}
    text = "".join(f"{line}\n" for line in family("some_total", "counter", "Help.", values))
    assert read(text) == {("some_total", frozenset(each)): value for each, value in values.items()}


@given(labels)
def test_prometheus_own_reader_reads_it_too(given_labels: dict[str, str]) -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not installed")
    text = "".join(f"{line}\n" for line in family("some_total", "counter", "Help.", {tuple(given_labels.items()): 1.0}))
    (found,) = parser.text_string_to_metric_families(text)
    assert [sample.labels for sample in found.samples] == [given_labels]


def test_prometheus_own_reader_reads_all_figures() -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not installed")
    server, metrics = counted()
    server.words("hi")
    kinds = {found.name: found.type for found in parser.text_string_to_metric_families(metrics.text())}
    assert kinds == {
        "llmmock_requests": "counter",
        "llmmock_tokens": "counter",
        "llmmock_unmatched": "counter",
        "llmmock_open_streams": "gauge",
        "llmmock_request_seconds": "histogram",
    }
