"""Answers that break off: recorded as they came where errors are, so that replay breaks off there as well."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
import pytest
from holding import FIRST, HEAD, PATIENCE, WHOLE, Holding, chunk
from standin import Standin

from pytest_llmmock import LLMServer, UnmatchedError, use_cassette
from pytest_llmmock.cassettes.library import open_cassette

PATH = "/v1/chat/completions"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}
HALF_JSON = b'{"choices": [{"index": 0, "message": {"role": "assis'


@pytest.fixture
def cut():
    """A provider that closes the connection in the middle of its stream."""
    with Holding(ends=chunk(WHOLE[1])[:-4]) as upstream:
        yield upstream


@pytest.fixture
def standin():
    with Standin() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def read(library: Any, url: str, upstream: Holding | None = None) -> tuple[bytes, type | None]:
    """What came, and what broke it off."""
    came = b""
    with library.Client(timeout=PATIENCE) as client:
        try:
            with client.stream("POST", url + PATH, json=ASKED) as response:
                for piece in response.iter_raw():
                    came += piece
                    if upstream is not None:
                        upstream.release()
        except library.HTTPError as error:
            return came, type(error)
    return came, None


def record(path: Path, upstream: Any, library: Any = httpx2, **settings: Any) -> tuple[bytes, type | None]:
    with use_cassette(path, mode="new_episodes", **{"record_errors": True, **settings}) as mock:
        found = read(library, upstream.url, upstream if isinstance(upstream, Holding) else None)
        assert not mock.requests.last.left
    return found


def replay(path: Path, library: Any = httpx2, **settings: Any) -> tuple[bytes, type | None]:
    with use_cassette(path, **settings):
        return read(library, "http://127.0.0.1:9")


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_a_stream_that_is_cut_breaks_off_at_the_same_place_in_replay(cut, path, name):
    library = import_module(name)
    found = record(path, cut, library)
    assert found == (FIRST + WHOLE[1][: len(found[0]) - len(FIRST)], library.RemoteProtocolError)
    assert found[0].startswith(FIRST)
    assert replay(path, library) == found


@pytest.mark.parametrize("settings", [{"speed": "recorded"}, {"chunking": "hostile=1"}, {"speed": "tps=2000"}])
def test_it_does_so_at_any_speed_and_in_any_pieces(cut, path, settings):
    assert record(path, cut) == replay(path, **settings)


def test_over_http_it_does_so_too(cut, path):
    with LLMServer(path, mode="new_episodes", upstream=cut.url + "/v1", record_errors=True) as server:
        found = read(httpx2, server.url, cut)
    assert found[1] is httpx2.RemoteProtocolError
    with LLMServer(path) as server:
        assert read(httpx2, server.url) == found
    assert replay(path) == found


def test_the_cassette_says_why_and_nothing_of_the_day(cut, path):
    record(path, cut)
    (interaction,) = open_cassette(path).interactions
    assert interaction.reply.cut == (
        "peer closed connection without sending complete message body (incomplete chunked read)"
    )
    line = next(line for line in path.read_text().splitlines() if line.startswith("  llmmock: {"))
    assert f'cut: "{interaction.reply.cut}"' in line
    assert path.read_text().splitlines()[2] == '# 1  chat m, streamed  "hello"  ->  "one two"  broke off'


def test_unless_errors_are_recorded_nothing_is_kept_and_it_is_told_why(cut, path):
    told = r"^The answer of http://127\.0\.0\.1:\d+ broke off: .*\. It was not recorded\. With record_errors it is, "
    with pytest.raises(UnmatchedError, match=told):
        record(path, cut, record_errors=False)
    assert not path.exists()


def test_a_retry_gets_the_next_recording(path, cut):
    found = record(path, cut)
    with Standin() as standin, use_cassette(path, mode="new_episodes"):
        assert read(httpx2, standin.url) == found  # from the cassette
        whole = read(httpx2, standin.url)
    assert whole[1] is None
    with use_cassette(path) as mock:
        assert [read(httpx2, "http://127.0.0.1:9") for _ in range(2)] == [found, whole]
    assert [entry.trouble for entry in mock.requests] == ["", ""]


def test_a_stream_that_stops_coming_is_cut_where_it_stopped(standin, path):
    standin.release.clear()
    came, error = record(path, standin, timeout=0.2)
    standin.release.set()
    assert b'"content":"hello"' in came
    assert error is httpx2.RemoteProtocolError
    assert open_cassette(path).interactions[0].reply.cut == "nothing came for 0.2 seconds"
    assert replay(path) == (came, error)


def test_a_plain_answer_that_is_cut_is_kept_as_far_as_it_came(path, tmp_path):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n"
    with Holding(begins=head + HALF_JSON, ends=b"") as upstream:
        upstream.release()
        found = record(path, upstream)
    assert found == (HALF_JSON, httpx2.RemoteProtocolError)
    assert replay(path) == found
    assert checked(tmp_path).returncode == 0


def test_an_answer_of_which_nothing_came_is_cut_behind_its_head(path):
    with Holding(begins=HEAD, ends=b"") as upstream:
        upstream.release()
        found = record(path, upstream)
    assert found == (b"", httpx2.RemoteProtocolError)
    assert replay(path) == found


def test_an_error_event_in_front_of_a_cut_is_replayed_with_the_cut(path):
    event = b'data: {"error":{"message":"overloaded"}}\n\n'
    with Holding(begins=HEAD + chunk(FIRST) + chunk(event), ends=b"") as upstream:
        found = record(path, upstream)
    assert found == (FIRST + event, httpx2.RemoteProtocolError)
    assert replay(path) == found
    assert len(open_cassette(path).interactions) == 1


def test_who_leaves_before_it_breaks_off_has_left_it(cut, path):
    with use_cassette(path, mode="new_episodes", record_errors=True) as mock:
        with httpx2.Client() as client, client.stream("POST", cut.url + PATH, json=ASKED) as response:
            next(response.iter_raw())
        assert mock.requests.last.left
    assert not path.exists()


def test_what_was_left_early_in_replay_answers_again(cut, path):
    found = record(path, cut)
    with use_cassette(path, chunking="bytes=5"):
        with httpx2.Client() as client, client.stream("POST", cut.url + PATH, json=ASKED) as response:
            next(response.iter_raw())
        assert read(httpx2, cut.url) == found


def test_it_is_not_converted_and_the_miss_says_why(cut, path):
    record(path, cut)
    with pytest.raises(UnmatchedError, match="breaks off before its end, so it cannot be converted"):
        ask_plainly(path, cut.url)


def ask_plainly(path: Path, url: str) -> None:
    with use_cassette(path), httpx2.Client() as client:
        assert client.post(url + PATH, json={**ASKED, "stream": False}).status_code == 404


def test_without_its_line_about_it_it_is_whole(cut, path):
    came, _ = record(path, cut)
    text = path.read_text()
    start = text.index("cut: ")
    path.write_text(text[:start] + text[text.index("timing: ", start) :])
    assert replay(path) == (came, None)


def test_a_fault_on_top_of_it_spoils_no_recording(cut, path):
    found = record(path, cut)
    with use_cassette(path) as mock:
        mock.faults.latency(ttft=0.001)
        assert read(httpx2, cut.url) == found
    with use_cassette(path) as mock:
        mock.faults.server_error()
        assert read(httpx2, cut.url)[1] is None
        assert read(httpx2, cut.url) == found


def test_check_finds_nothing_wrong_with_it(cut, path, tmp_path):
    record(path, cut)
    assert checked(tmp_path).returncode == 0


def test_show_and_diff_tell_of_it(cut, path, tmp_path):
    record(path, cut)
    shown = command(tmp_path, "show", "a.yaml").stdout
    assert "  cut        peer closed connection" in shown
    text = path.read_text()
    start = text.index("cut: ")
    (tmp_path / "b.yaml").write_text(text[:start] + text[text.index("timing: ", start) :])
    told = command(tmp_path, "diff", "a.yaml", "b.yaml")
    assert (told.returncode, "answer.cut" in told.stdout) == (1, True)


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    return command(folder, "check", "a.yaml")


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "pytest_llmmock", *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
