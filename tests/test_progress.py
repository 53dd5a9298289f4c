"""What people see who wait for a recording run."""

from __future__ import annotations

import threading

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.progress import Drawn, Logged, Progress

PATIENCE = 10

ANSWER = json_reply({"choices": [], "usage": {"total_tokens": 1200}})


def asked(words: str = "Plan a day in Rome", at: float = 0.0):
    body = b'{"model": "gpt-5", "messages": [{"role": "user", "content": "%b"}]}' % words.encode()
    exchange = dialects.read(Request("POST", "http://localhost", "/v1/chat/completions", body=body))
    exchange.upstream, exchange.clock = "openai", at
    return exchange


class Shown:
    """A display that notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.told = threading.Event()

    def show(self, text: str, now: float, lasts: float) -> None:
        self.lines.append(text)
        self.told.set()

    def clear(self) -> None:
        self.lines.append("")
        self.told.set()

    @property
    def last(self) -> str:
        return self.lines[-1]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(shown, clock):
    """One whose thread does not look by itself."""
    progress = Progress(shown, clock)
    progress._stopped.set()
    return progress


def test_what_is_asked_is_told_with_how_long_it_has_been(progress, shown, clock):
    progress.asks(asked())
    clock.now = 12.4
    progress.show()
    assert shown.last == 'llmmock: asking openai: chat gpt-5  "Plan a day in Rome" · 12 s'
    clock.now = 125
    progress.show()
    assert shown.last.endswith("· 2 min 5 s")


def test_of_several_the_first_is_told_and_how_many_others_there_are(progress, shown):
    for words in ("one", "two", "three"):
        progress.asks(asked(words))
    progress.show()
    assert shown.last == 'llmmock: asking openai: chat gpt-5  "one" · 0 s · 2 others beside it'


def test_what_was_recorded_so_far_is_told(progress, shown):
    progress.asks(asked("one"))
    for _ in range(2):
        progress.keeps(asked(), ANSWER)
    progress.show()
    assert shown.last.endswith("· 0 s · 2 recorded, 2.4k tokens")
    progress.add(3, 40_000)
    progress.show()
    assert shown.last.endswith("· 5 recorded, 42k tokens")


def test_of_other_processes_it_is_told_what_they_have_recorded(progress, shown, clock):
    progress.add(3, 1200, elsewhere=True)
    clock.now = 61
    progress.show()
    progress.add(4, 0, elsewhere=True)
    progress.show()
    assert shown.lines == [
        "llmmock: 3 recorded, 1.2k tokens · 1 min 1 s",
        "llmmock: 7 recorded, 1.2k tokens · 1 min 1 s",
    ]


def test_an_answer_that_comes_is_told_until_it_has_ended(progress, shown):
    exchange = asked()
    progress.asks(exchange)
    live = Live(iter([b"data: 1\n\n", b"data: 2\n\n"]), lambda: None, since=0.0)
    progress.begins(exchange, Reply(200, (), live, live=True))
    progress.show()
    assert shown.last.startswith("llmmock: answered by openai: chat")
    list(live)
    progress.show()
    assert shown.last == ""


@pytest.mark.parametrize("end", ["plain", "failed", "left"])
def test_what_is_over_is_not_told_any_more(progress, shown, end):
    exchange = asked()
    progress.asks(exchange)
    if end == "plain":
        progress.begins(exchange, ANSWER)
    elif end == "failed":
        progress.fails(exchange)
    else:
        live = Live(iter([b"data: 1\n\n"]), lambda: None, since=0.0)
        progress.begins(exchange, Reply(200, (), live, live=True))
        live.close()
    progress.show()
    assert shown.last == ""


def test_a_thread_shows_it_while_something_is_asked_and_ends_by_itself(shown):
    progress = Progress(shown)
    exchange = asked()
    progress.asks(exchange)
    thread = progress._thread
    assert shown.told.wait(PATIENCE)
    progress.fails(exchange)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert shown.last == ""
    progress.asks(exchange)
    assert progress._thread is not None
    progress.stop()
    assert "llmmock-progress" not in [each.name for each in threading.enumerate()]


# --- on a terminal --------------------------------------------------------------------------------------


def test_a_line_is_drawn_over_the_one_before_and_taken_away():
    written: list[str] = []
    drawn = Drawn(written.append, lambda: 80)
    drawn.clear()
    drawn.show("one", 1.0, 1.0)
    drawn.show("two", 2.0, 2.0)
    drawn.clear()
    drawn.clear()
    assert written == ["\r\x1b[Kone\r", "\r\x1b[Ktwo\r", "\r\x1b[K\r"]


def test_what_is_quick_is_not_shown():
    written: list[str] = []
    Drawn(written.append, lambda: 80).show("one", 0.2, 0.2)
    assert written == []


def test_a_line_that_is_too_long_is_cut_so_that_it_is_one_line():
    written: list[str] = []
    Drawn(written.append, lambda: 30).show("x" * 100, 1.0, 1.0)
    assert written == ["\r\x1b[K" + "x" * 28 + "…\r"]


def test_in_the_middle_of_somebody_elses_line_it_is_the_one_below_and_the_cursor_goes_back():
    written: list[str] = []
    Drawn(written.append, lambda: 80, below=True).show("one", 1.0, 1.0)
    assert written == ["\x1bD\x1b[A\x1b7\x1b[B\r\x1b[Kone\x1b8"]


# --- in a log -------------------------------------------------------------------------------------------


def test_a_log_has_a_line_when_something_takes_long_and_then_only_now_and_then():
    written: list[str] = []
    logged = Logged(written.append)
    for second in range(1, 75):
        logged.show(f"{second} s", float(second), float(second))
    logged.clear()
    assert written == ["10 s\n", "40 s\n", "70 s\n"]


def test_in_the_middle_of_a_line_a_log_begins_a_new_one():
    written: list[str] = []
    Logged(written.append, within=True).show("long", 20.0, 20.0)
    assert written == ["\nlong\n"]
