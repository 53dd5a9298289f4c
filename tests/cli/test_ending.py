"""However `llmmock record` ends, what a client has been answered to the end is recorded, and nothing else."""

from __future__ import annotations

import signal
import sys

import httpx
import pytest

from pytest_llmmock.cassettes.growing import AT_ONCE
from pytest_llmmock.cassettes.library import open_cassette

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


def body(words: str, *, stream: bool = False) -> dict:
    return {"model": "m", "messages": [{"role": "user", "content": words}], "stream": stream}


def ask(url: str, words: str, *, stream: bool = False) -> None:
    answer = httpx.post(f"{url}/v1/chat/completions", json=body(words, stream=stream), timeout=60)
    assert answer.status_code == 200
    assert not stream or answer.text.endswith("data: [DONE]\n\n")


def words_in(path) -> list[str]:
    return [each.request.json()["messages"][0]["content"][:9] for each in open_cassette(path).interactions]


@pytest.fixture
def recording(llmmock, standin):
    """`llmmock record`, which is to be ended by a signal."""

    def run(by: signal.Signals = signal.SIGTERM):
        command = ["record", "--cassette", "a.yaml", "--upstream", standin.base_url]
        return llmmock.serving(*command, ends_with=-by if by == signal.SIGKILL else 0)

    return run


def end(serving, by: signal.Signals) -> None:
    serving.process.send_signal(by)
    serving.process.wait(60)


@pytest.mark.parametrize("by", SIGNALS)
@pytest.mark.parametrize("first", ["small", "large" * (AT_ONCE // 5)], ids=["small", "large"])
def test_every_answer_that_a_client_has_is_recorded(recording, standin, tmp_path, by, first):
    asked = [(first, False), ("plain", False), ("streamed", True)]
    with recording(by) as serving:
        for words, stream in asked:
            ask(serving.url, words, stream=stream)
        end(serving, by)
    if by != signal.SIGKILL:
        assert words_in(tmp_path / "a.yaml") == [first[:9], "plain", "streamed"]
        assert [each.name for each in tmp_path.iterdir() if "llmmock" in each.name] == []
    with recording() as serving:  # takes over what it finds
        for words, stream in asked:
            ask(serving.url, words, stream=stream)
    assert len(standin.requests) == 3
    assert words_in(tmp_path / "a.yaml") == [first[:9], "plain", "streamed"]
    assert [each.name for each in tmp_path.iterdir() if "llmmock" in each.name] == []


@pytest.mark.parametrize("by", SIGNALS)
def test_of_an_answer_that_still_comes_nothing_is_recorded(recording, standin, tmp_path, by):
    def ask_until_it_ends(serving) -> None:
        asked = body("streamed", stream=True)
        with httpx.stream("POST", f"{serving.url}/v1/chat/completions", json=asked, timeout=60) as answer:
            pieces = answer.iter_raw()
            assert b"streamed" in next(pieces)
            end(serving, by)
            for _ in pieces:
                pass

    with recording(by) as serving:
        ask(serving.url, "plain")
        standin.release.clear()
        with pytest.raises(httpx.RemoteProtocolError):
            ask_until_it_ends(serving)
    assert words_in(tmp_path / "a.yaml") == ["plain"]
    standin.release.set()
    with recording() as serving:
        ask(serving.url, "streamed", stream=True)
    assert words_in(tmp_path / "a.yaml") == ["plain", "streamed"]
