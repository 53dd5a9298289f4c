from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.format import dumps
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.recorder import _NOT_KEPT, Recorder
from pytest_llmmock.cassettes.recordings import Recordings
from pytest_llmmock.cassettes.scrub import REPLY_HEADERS, REQUEST_HEADERS
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Exchange, Frame, Headers, Reply, Request, Send, frames_of
from pytest_llmmock.errors import BusyError, CutConnection, UpstreamError, UsageError

Chat = Callable[..., Request]
Read = Callable[[Request], Exchange]

TEXT: Headers = (("content-type", "text/plain"),)


def breaking_off() -> Iterator[bytes]:
    yield b"a"
    raise ConnectionError("gone")


def no_network(request: Request) -> Reply:
    raise AssertionError("an upstream of these tests answers by itself")


@dataclass
class Upstream:
    """Answers every request with the same status, headers and chunks, live."""

    chunks: Callable[[], Iterator[bytes]] = lambda: iter([b"Hel", b"lo"])
    status: int = 200
    headers: Headers = TEXT
    live: bool = True
    asked: list[Exchange] = field(default_factory=list)
    closed: int = 0
    NAME: str = "openai"
    BASE_URL: str = "https://api.openai.com/v1"

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        self.asked.append(exchange)
        if not self.live:
            return Reply(self.status, self.headers, frames_of(b"".join(self.chunks())), "Fine")
        content_type = dict(self.headers).get("content-type", "")
        frames = Live(self.chunks(), self._close, since=exchange.clock, content_type=content_type)
        return Reply(self.status, self.headers, frames, "Fine", live=True)

    def _close(self) -> None:
        self.closed += 1


def recorder(upstream: Upstream, *, errors: bool = False) -> tuple[Recorder, Recordings]:
    recordings = Recordings()
    return Recorder(lambda exchange: upstream, no_network, Keys(), recordings, errors=errors), recordings


def words_of(recordings: Recordings) -> list[str]:
    return [each.request.json()["messages"][0]["content"] for each in recordings.interactions]


def test_a_stream_passes_live_and_is_kept_once_it_is_whole(read: Read, chat: Chat) -> None:
    upstream = Upstream()
    records, recordings = recorder(upstream)
    exchange = read(chat())
    reply = records.answer(exchange)
    assert (reply.source, reply.live, upstream.asked) == ("upstream", True, [exchange])
    reader = iter(reply.frames)
    assert [next(reader).data, next(reader).data] == [b"Hel", b"lo"]
    assert recordings.interactions == []
    assert list(reader) == []
    [kept] = recordings.interactions
    assert kept.request == exchange.request
    assert (kept.reply.status, kept.reply.reason, kept.reply.headers) == (200, "Fine", TEXT)
    assert [frame.data for frame in kept.reply.frames] == [b"Hel", b"lo"]
    assert (kept.reply.live, kept.reply.source) == (False, "cassette")
    assert kept.key == Keys().key(exchange)


def test_an_upstream_is_looked_for_when_it_is_asked(read: Read, chat: Chat) -> None:
    def none_chosen(exchange: Exchange) -> Upstream:
        raise UsageError("no upstream was chosen")

    records = Recorder(none_chosen, no_network, Keys(), recordings := Recordings())
    with pytest.raises(UsageError, match="no upstream was chosen"):
        records.answer(read(chat()))
    assert recordings.interactions == []


def test_a_stream_is_kept_when_its_last_event_has_come_and_the_reader_leaves_there(read: Read, chat: Chat) -> None:
    headers = (("content-type", "text/event-stream"),)
    upstream = Upstream(lambda: iter([b"data: 1\n\n", b"data: [DONE]\n\n", b": more"]), headers=headers)
    records, recordings = recorder(upstream)
    reader = iter(records.answer(read(chat())).frames)
    next(reader)
    assert recordings.interactions == []
    next(reader)
    reader.close()  # type: ignore[attr-defined]  # what Python does when the reader drops it
    assert [each.reply.body for each in recordings.interactions] == [b"data: 1\n\ndata: [DONE]\n\n"]


def test_what_came_behind_the_last_event_is_kept_too_and_once(read: Read, chat: Chat) -> None:
    headers = (("content-type", "text/event-stream"),)
    upstream = Upstream(lambda: iter([b"data: [DONE]\n\n", b": more\n\n"]), headers=headers)
    records, recordings = recorder(upstream)
    list(records.answer(read(chat())).frames)
    assert [each.reply.body for each in recordings.interactions] == [b"data: [DONE]\n\n: more\n\n"]


JSON: Headers = (("content-type", "application/json; charset=utf-8"),)


@pytest.mark.parametrize("live", [True, False])
def test_json_that_is_none_is_passed_on_and_not_kept(read: Read, chat: Chat, live: bool) -> None:
    records, recordings = recorder(Upstream(lambda: iter([b'{"text": ', b'"Hel']), headers=JSON, live=live))
    exchange = read(chat())
    assert b"".join(frame.data for frame in records.answer(exchange).frames) == b'{"text": "Hel'
    assert recordings.interactions == []
    assert exchange.trouble == (
        "The upstream answered POST /v1/chat/completions with application/json; charset=utf-8 that is not JSON. "
        'It was passed on and not recorded. It begins: {"text": "Hel'
    )


@pytest.mark.parametrize("body", [b'{"text": "Hi"}', b"", b" \n", b"null"])
def test_json_that_is_json_or_nothing_is_kept(read: Read, chat: Chat, body: bytes) -> None:
    records, recordings = recorder(Upstream(lambda: iter([body]), headers=JSON))
    exchange = read(chat())
    list(records.answer(exchange).frames)
    assert [each.reply.body for each in recordings.interactions] == [body]
    assert exchange.trouble == ""


def test_a_reply_that_is_known_whole_is_kept_at_once(read: Read, chat: Chat) -> None:
    records, recordings = recorder(Upstream(live=False))
    assert records.answer(read(chat())).body == b"Hello"
    assert [each.reply.frames for each in recordings.interactions] == [[Frame(b"Hello")]]


def test_a_recording_tells_where_and_when_it_was_made(read: Read, chat: Chat) -> None:
    records, recordings = recorder(Upstream(live=False))
    records.answer(read(chat()))
    [kept] = recordings.interactions
    assert {**kept.meta, "recorded": ""} == {"operation": "chat", "upstream": "openai", "recorded": ""}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", kept.meta["recorded"])


def test_a_stream_that_breaks_off_is_not_kept(read: Read, chat: Chat) -> None:
    upstream = Upstream(breaking_off)
    records, recordings = recorder(upstream)
    with pytest.raises(ConnectionError):
        list(records.answer(read(chat())).frames)
    assert (recordings.interactions, upstream.closed) == ([], 1)


def cut_off() -> Iterator[bytes]:
    yield b"Hel"
    raise CutConnection(f"The answer of 127.0.0.1:4242 broke off: {GITHUB}.", f"{GITHUB} is gone")


GITHUB = "ghp_" + "aB3dE5gH7j" * 4


@pytest.mark.parametrize("errors", [False, True])
def test_a_stream_that_is_cut_is_kept_with_its_cut_where_errors_are(read: Read, chat: Chat, errors: bool) -> None:
    records, recordings = recorder(Upstream(cut_off), errors=errors)
    exchange = read(chat())
    with pytest.raises(CutConnection):
        list(records.answer(exchange).frames)
    assert [(each.reply.body, each.reply.cut) for each in recordings.interactions] == (
        [(b"Hel", "redacted-secret is gone")] if errors else []
    )
    assert exchange.trouble.endswith("" if errors else f"{GITHUB}. {_NOT_KEPT}")
    assert bool(exchange.trouble) is not errors
    assert [note.startswith("recorded as it broke off: ") for note in exchange.notes] == [True] * errors


def test_a_stream_that_is_left_early_is_not_kept(read: Read, chat: Chat) -> None:
    upstream = Upstream()
    records, recordings = recorder(upstream)
    reader = iter(records.answer(read(chat())).frames)
    next(reader)
    reader.close()  # type: ignore[attr-defined]  # what Python does when the reader drops it
    assert (recordings.interactions, upstream.closed) == ([], 1)


def test_recordings_are_in_the_order_of_asking_whichever_ends_first(read: Read, chat: Chat) -> None:
    records, recordings = recorder(Upstream())
    replies = [records.answer(read(chat(words))) for words in "abcd"]
    readers = [iter(reply.frames) for reply in replies]
    for reader in readers:
        next(reader)
    readers[1].close()  # type: ignore[attr-defined]
    for number in (3, 0, 2):
        list(readers[number])
    assert words_of(recordings) == ["a", "c", "d"]


def test_it_is_told_when_something_was_kept(read: Read, chat: Chat) -> None:
    records, recordings = recorder(Upstream())
    counts: list[int] = []
    recordings.on_keep = lambda: counts.append(len(recordings.interactions))
    replies = [records.answer(read(chat(words))) for words in "ab"]
    assert counts == []
    for reply in replies:
        list(reply.frames)
    assert counts == [1, 2]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_an_error_is_passed_on_and_not_kept(read: Read, chat: Chat, status: int) -> None:
    records, recordings = recorder(Upstream(status=status))
    exchange = read(chat())
    reply = records.answer(exchange)
    assert (reply.status, b"".join(frame.data for frame in reply.frames)) == (status, b"Hello")
    assert recordings.interactions == []
    assert exchange.notes == [f"status {status} was passed on and not recorded"]


@pytest.mark.parametrize(("status", "errors"), [(204, False), (307, False), (399, False), (400, True), (503, True)])
def test_what_is_no_error_is_kept_and_with_errors_everything_is(
    read: Read, chat: Chat, status: int, errors: bool
) -> None:
    records, recordings = recorder(Upstream(status=status), errors=errors)
    exchange = read(chat())
    list(records.answer(exchange).frames)
    assert [each.reply.status for each in recordings.interactions] == [status]
    assert exchange.notes == []


PAGE = b"<!doctype html>\n<html><title>Sign\n  in</title>" + b"x" * 5000


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("content_type", ["text/html", "Text/HTML; charset=utf-8"])
def test_a_web_page_is_refused_with_its_beginning(read: Read, chat: Chat, live: bool, content_type: str) -> None:
    upstream = Upstream(lambda: iter([PAGE]), headers=(("content-type", content_type),), live=live)
    records, recordings = recorder(upstream)
    with pytest.raises(UpstreamError) as caught:
        records.answer(read(chat()))
    assert str(caught.value).startswith(
        f"The upstream answered POST /v1/chat/completions with a web page (status 200, {content_type}) where JSON is "
        "due; nothing was recorded. Is its address right? The page begins: <!doctype html> <html><title>Sign in</title>"
    )
    assert len(str(caught.value)) < 450
    assert recordings.interactions == []
    assert upstream.closed == int(live)


def test_where_anything_may_be_answered_a_web_page_is_kept(read: Read, chat: Chat) -> None:
    records, recordings = recorder(Upstream(lambda: iter([PAGE]), headers=(("content-type", "text/html"),)))
    list(records.answer(read(chat(path="/v1/files/1/content"))).frames)
    assert [each.reply.body for each in recordings.interactions] == [PAGE]


SECRETS = ["authorization", "cookie", "set-cookie", "openai-organization", "openai-project", "x-api-key", "api-key"]
NAMES = st.sampled_from(SECRETS) | st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-_."), min_size=1)
EXACT = {name for name in (*REQUEST_HEADERS, *REPLY_HEADERS) if "*" not in name}


def is_secret(name: str) -> bool:
    return name not in EXACT and not name.startswith(("x-ratelimit-", "anthropic-ratelimit-"))


@given(names=st.lists(NAMES.filter(is_secret), min_size=1), live=st.booleans())
def test_no_other_header_and_no_credential_of_an_address_is_ever_written(
    read: Read, chat: Chat, names: list[str], live: bool
) -> None:
    secrets = tuple((name, "s3cr3t-value") for name in names)
    asked = chat()
    origin, query = "https://u:s3cr3t-value@h.example", "key=s3cr3t-value&a=b"
    request = Request("POST", origin, asked.path, query, secrets, asked.body)
    records, recordings = recorder(Upstream(headers=(*secrets, *TEXT), live=live))
    list(records.answer(read(request)).frames)
    data = dumps(recordings.interactions)
    assert b"s3cr3t-value" not in data
    assert b"https://h.example/v1/chat/completions?a=b" in data
    assert all(name.encode() not in data for name in SECRETS)


def test_what_is_scrubbed_matches_the_live_request_that_is_not(read: Read, chat: Chat) -> None:
    asked = chat()
    headers = (*asked.headers, ("authorization", "Bearer s3cr3t"))
    request = Request("POST", "https://u:p@h.example", asked.path, "key=s3cr3t&b=%2F&a=", headers, asked.body)
    records, recordings = recorder(Upstream(live=False))
    records.answer(read(request))
    [kept] = recordings.interactions
    assert kept.request != request
    assert kept.key == Keys().key(read(kept.request)) == Keys().key(read(request))


@dataclass
class Forwarding:
    """Asks the network, with a key of its own."""

    key: str = "own-a1b2c3d4e5f6"
    NAME: str = "openai"
    BASE_URL: str = "https://api.openai.com/v1"

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        return send(replace(exchange.request, headers=(("authorization", f"Bearer {self.key}"),)))


def echoing(request: Request) -> Reply:
    said = (
        f"{dict(request.headers)['authorization']} of theirs-z9y8x7w6v5 in org-a1b2c3d4e5f6a1b2c3d4e5f6, s=c0c1c2c3c4c5"
    )
    headers = (*TEXT, ("set-cookie", "s=c0c1c2c3c4c5; path=/"))
    return Reply(200, headers, frames_of(said.encode()))


def test_neither_the_clients_key_nor_the_upstreams_nor_a_session_is_kept_where_it_is_echoed(
    read: Read, chat: Chat
) -> None:
    recordings = Recordings()
    records = Recorder(lambda exchange: Forwarding(), echoing, Keys(), recordings)
    request = replace(chat("I am theirs-z9y8x7w6v5"), headers=(("x-api-key", "theirs-z9y8x7w6v5"),))
    assert b"own-a1b2c3d4e5f6" in records.answer(read(request)).body
    [kept] = recordings.interactions
    assert words_of(recordings) == ["I am redacted-secret"]
    assert kept.reply.body == b"Bearer redacted-secret of redacted-secret in redacted-organization, s=redacted-secret"


def test_a_key_is_computed_from_what_is_known_when_it_is_asked_as_in_replay(read: Read, chat: Chat) -> None:
    recordings = Recordings()
    records = Recorder(lambda exchange: Forwarding(), echoing, Keys(), recordings)
    records.answer(read(chat("my session is c0c1c2c3c4c5")))
    [kept] = recordings.interactions
    assert words_of(recordings) == ["my session is redacted-secret"]
    assert kept.key == Keys().key(read(chat("my session is c0c1c2c3c4c5")))


# --- what an upstream says beside its answer --------------------------------------------------------------


class Telling(Upstream):
    """Could not ask as it was asked, and has credentials that stand in no header."""

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        exchange.notes.append("sent without temperature")
        exchange.credentials = (("authorization", "Bearer rt_9fQ2Zk4Vw8Lm1Xr6Tb3Nc7"),)
        self.chunks = lambda: iter([b"rt_9fQ2Zk4Vw8Lm1Xr6Tb3Nc7"])
        return super().forward(exchange, send)


def test_what_it_could_not_ask_stands_in_the_cassette_and_in_the_journal(read: Read, chat: Chat) -> None:
    records, recordings = recorder(Telling())
    exchange = read(chat())
    exchange.notes.append("a note of somebody else")
    list(records.answer(exchange).frames)
    assert recordings.interactions[0].meta["notes"] == ["sent without temperature"]
    assert exchange.notes == ["a note of somebody else", "sent without temperature"]


def test_credentials_that_stand_in_no_header_are_not_written(read: Read, chat: Chat) -> None:
    records, recordings = recorder(Telling())
    exchange = read(chat())
    list(records.answer(exchange).frames)
    assert recordings.interactions[0].reply.body == b"redacted-secret"
    assert exchange.credentials == ()


class Notes:
    """Notes what it sees."""

    def __init__(self, refuses: bool = False) -> None:
        self.seen: list[str] = []
        self._refuses = refuses

    def asks(self, exchange: Exchange) -> None:
        self.seen.append(f"asks {exchange.upstream}")
        if self._refuses:
            raise UpstreamError("not to be asked")

    def begins(self, exchange: Exchange, reply: Reply) -> None:
        self.seen.append(f"begins {reply.body!r}")

    def fails(self, exchange: Exchange) -> None:
        self.seen.append("fails")

    def keeps(self, exchange: Exchange, reply: Reply) -> None:
        self.seen.append(f"keeps {reply.body!r}")


def test_a_witness_sees_what_is_asked_when_its_answer_begins_and_that_it_is_whole(read: Read, chat: Chat) -> None:
    notes = Notes()
    records = Recorder(lambda exchange: Upstream(), no_network, Keys(), Recordings(), witnesses=[notes])
    frames = records.answer(read(chat("hi"))).frames
    assert notes.seen == ["asks openai", "begins b''"]
    list(frames)
    assert notes.seen[2:] == ["keeps b'Hello'"]


def test_a_witness_may_refuse_and_nothing_is_sent(read: Read, chat: Chat) -> None:
    notes, upstream = Notes(refuses=True), Upstream()
    records = Recorder(lambda exchange: upstream, no_network, Keys(), recordings := Recordings(), witnesses=[notes])
    with pytest.raises(UpstreamError, match="not to be asked"):
        records.answer(read(chat("hi")))
    assert notes.seen == ["asks openai", "fails"]
    assert (upstream.asked, recordings.interactions) == ([], [])


def test_where_too_many_wait_the_client_is_told_to_come_again_and_it_is_no_trouble(read: Read, chat: Chat) -> None:
    class Full(Upstream):
        def forward(self, exchange: Exchange, send: Send) -> Reply:
            raise BusyError("too many wait", 2)

    records, recordings = recorder(Full())
    exchange = read(chat("hi"))
    reply = records.answer(exchange)
    assert (reply.status, reply.source, dict(reply.headers)["retry-after"]) == (429, "upstream", "2")
    assert reply.json()["error"]["message"] == "too many wait"
    assert (exchange.upstream, exchange.trouble, exchange.notes) == ("", "", ["too many wait"])
    assert not recordings.interactions
