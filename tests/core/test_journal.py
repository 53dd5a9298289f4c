from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_llmmock.core import journal
from pytest_llmmock.core.journal import Entry, Journal
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Exchange, Reply, Request, frames_of
from pytest_llmmock.core.prompt import Message, Tool, Usage
from pytest_llmmock.errors import UpstreamError

MESSAGES = b'[{"role": "user", "content": "Hello"}]'
BODY = b'{"model": "gpt-5", "messages": %b, "tools": [{"name": "look"}], "stream": true}' % MESSAGES
HEADERS = (("accept", "a"), ("x-two", "1"), ("x-two", "2"))
REQUEST = Request("POST", "http://localhost:1", "/v1/chat/completions", "a=b", HEADERS, BODY)

Read = Callable[[Request], Exchange]


def asking(words: str) -> Request:
    return Request("POST", "http://localhost", "/v1/chat/completions", body=b'{"model": "%b"}' % words.encode())


def test_an_entry_tells_what_was_asked(read: Read) -> None:
    entry = Entry(read(REQUEST), Reply(200, (), frames_of(b"Hi")))
    assert (entry.operation, entry.method, entry.path) == ("chat", "POST", "/v1/chat/completions")
    assert entry.url == "http://localhost:1/v1/chat/completions?a=b"
    assert entry.headers == {"accept": "a", "x-two": "2"}
    assert entry.json["tools"] == [{"name": "look"}]
    assert entry.body == BODY
    assert (entry.model, entry.stream) == ("gpt-5", True)
    assert (entry.messages, entry.tools) == ((Message("user", "Hello"),), (Tool("look"),))


def test_an_entry_tells_what_was_answered(read: Read) -> None:
    exchange = read(REQUEST)
    exchange.interaction = 3
    exchange.notes.append("converted")
    entry = Entry(exchange, Reply(201, (), frames_of(b'{"text": "Hi", "tokens": 5}'), source="script"))
    assert (entry.text, entry.tool_calls, entry.usage) == ("Hi", (), Usage(total=5))
    assert (entry.status, entry.source, entry.interaction) == (201, "script", 3)
    assert (entry.notes, entry.trouble) == (("converted",), "")
    assert entry.started == exchange.started
    assert entry.duration is not None
    assert entry.duration >= 0
    assert repr(entry) == "<chat gpt-5 -> 201 from script>"


def test_a_request_that_is_not_json_has_an_entry_all_the_same(read: Read) -> None:
    entry = Entry(read(Request("GET", "http://localhost", "/v1/files")), Reply(200, (), []))
    assert (entry.json, entry.model, entry.messages, entry.text) == (None, "", (), "")
    assert repr(entry) == "<opaque -> 200 from cassette>"


def test_a_live_answer_grows_until_it_has_ended(read: Read) -> None:
    exchange = read(REQUEST)
    frames = Live([b"He", b"llo"], lambda: None, since=exchange.clock)
    entry = Entry(exchange, Reply(200, (), frames, live=True))
    assert (entry.text, entry.duration) == ("", None)
    reader = iter(frames)
    next(reader)
    assert (entry.text, entry.duration) == ("He", None)
    assert len(list(reader)) == 1
    assert entry.text == "Hello"
    assert entry.duration == frames.ended - exchange.clock  # type: ignore[operator]
    assert entry.answer is entry.answer  # read once


def test_an_entry_tells_whether_the_client_took_all_of_it(read: Read) -> None:
    frames = Live([b"He", b"llo"], lambda: None, since=0)
    live = Entry(read(REQUEST), Reply(200, (), frames, live=True))
    reader = iter(frames)
    next(reader)
    assert not live.whole
    list(reader)
    assert live.whole
    assert Entry(read(REQUEST), Reply(200, (), [])).whole


def test_the_trouble_of_a_stream_that_broke_off_is_why(read: Read) -> None:
    def chunks() -> Iterator[bytes]:
        raise UpstreamError("went away")
        yield b""

    frames = Live(chunks(), lambda: None, since=0)
    entry = Entry(read(REQUEST), Reply(200, (), frames, live=True))
    assert entry.trouble == ""
    with pytest.raises(UpstreamError):
        list(frames)
    assert (entry.trouble, entry.whole) == ("went away", False)


def test_entries_are_kept_in_the_order_of_asking(read: Read) -> None:
    journal = Journal()
    reply = Reply(200, (), [])
    assert all(journal.note(read(asking(words)), reply) is reply for words in ("a", "b", "c"))
    assert [entry.model for entry in journal] == ["a", "b", "c"]
    assert (journal[0].model, journal[-1].model, journal.last.model, len(journal)) == ("a", "c", "c", 3)
    assert [entry.model for entry in journal[1:]] == ["b", "c"]
    assert repr(journal) == (
        "<Journal [<chat a -> 200 from cassette>, <chat b -> 200 from cassette>, <chat c -> 200 from cassette>]>"
    )


def test_the_last_of_nothing_is_an_index_error() -> None:
    with pytest.raises(IndexError, match="There is no last request"):
        _ = Journal().last


def test_entries_are_found_by_what_they_hold(read: Read) -> None:
    journal = Journal()
    for words, status in (("a", 200), ("b", 200), ("a", 404)):
        journal.note(read(asking(words)), Reply(status, (), []))
    assert [entry.status for entry in journal.where(model="a")] == [200, 404]
    assert [entry.model for entry in journal.where(model="a", status=404)] == ["a"]
    assert journal.where(model="c") == []
    with pytest.raises(AttributeError, match="colour"):
        journal.where(colour="red")


def test_a_journal_with_a_limit_keeps_the_latest(read: Read) -> None:
    journal = Journal(limit=2)
    for words in "abc":
        journal.note(read(asking(words)), Reply(200, (), []))
    assert [entry.model for entry in journal] == ["b", "c"]
    journal.clear()
    assert len(journal) == 0


def test_entries_may_be_read_while_requests_come_in(read: Read) -> None:
    journal = Journal()

    def note_and_read(number: int) -> int:
        journal.note(read(asking(str(number))), Reply(200, (), []))
        return len([entry for entry in journal if entry.model])

    with ThreadPoolExecutor(16) as threads:
        counts = list(threads.map(note_and_read, range(400)))
    assert min(counts) >= 1
    assert {entry.model for entry in journal} == {str(number) for number in range(400)}


def test_a_journal_with_a_limit_keeps_no_more_than_so_many_bytes_of_requests(
    monkeypatch: pytest.MonkeyPatch, read: Read
) -> None:
    asked = asking("x" * 1000)
    monkeypatch.setattr(journal, "LARGEST", 3 * len(asked.body))
    limited, unlimited = Journal(100), Journal()
    for _ in range(10):
        for each in (limited, unlimited):
            each.note(read(asked), Reply(200, (), []))
    assert (len(limited), len(unlimited)) == (3, 10)
    limited.note(read(asking("y" * 10_000)), Reply(200, (), []))
    assert len(limited) == 1  # the latest is kept, however large
    for _ in range(3):
        limited.note(read(asked), Reply(200, (), []))
    assert len(limited) == 3
