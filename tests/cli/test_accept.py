from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_llmmock.cassettes.library import open_cassette

ASK = """
import json, os, sys, urllib.request
for words in sys.argv[1:]:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": words}]}).encode()
    address = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(address, body, {"content-type": "application/json"})
    urllib.request.urlopen(request).read()
"""


@pytest.fixture
def record(llmmock, standin):
    """Records these words to a cassette, by a command that then fails or not."""

    def record(
        *words: str, fails: bool = False, cassette: str = "cassettes/a.yaml", mode: str = "new_episodes"
    ) -> None:
        code = ASK + ("raise SystemExit(3)" if fails else "")
        options = ["--cassette", cassette, "--mode", mode, "--upstream", standin.base_url]
        llmmock("run", *options, "--", sys.executable, "-c", code, *words, status=3 if fails else 0)

    return record


def answers(folder: Path, cassette: str = "cassettes/a.yaml") -> list[str]:
    interactions = open_cassette(folder / cassette).interactions
    return [each.reply.json()["choices"][0]["message"]["content"] for each in interactions]


def test_what_failed_is_taken_over_and_plays(llmmock, record, tmp_path):
    record("a")
    record("a", "b", fails=True)
    before = (tmp_path / "cassettes/a.yaml").read_bytes()
    assert "1 interaction would be accepted" in llmmock("accept", "--dry-run").stdout
    assert (tmp_path / "cassettes/a.yaml").read_bytes() == before
    done = llmmock("accept").stdout
    assert done == "cassettes/a.yaml: 1 interaction accepted\nllmmock: 1 interaction accepted\n"
    assert answers(tmp_path) == ["a #1", "b #2"]
    assert [path.name for path in tmp_path.rglob("*")] == ["cassettes", "a.yaml"]
    llmmock("run", "--cassette", "cassettes/a.yaml", "--", sys.executable, "-c", ASK, "a", "b")
    assert llmmock("accept").stdout == "llmmock: nothing waits to be accepted\n"


def test_what_there_was_stays_byte_for_byte_and_new_keys_hold(llmmock, record, tmp_path):
    record("a")
    before = (tmp_path / "cassettes/a.yaml").read_bytes()
    record("b", fails=True)
    llmmock("accept")
    after = (tmp_path / "cassettes/a.yaml").read_bytes()
    assert after.startswith(before)


def test_of_what_failed_twice_the_last_is_taken(llmmock, record, tmp_path):
    record("a", fails=True)
    record("a", "b", fails=True)
    llmmock("accept")
    assert answers(tmp_path) == ["a #2", "b #3"]


def test_what_has_been_recorded_since_is_left_out(llmmock, record, tmp_path):
    record("a", fails=True)
    record("a")
    assert "1 left out" in llmmock("accept").stdout
    assert answers(tmp_path) == ["a #2"]


def test_what_was_to_replace_replaces(llmmock, record, tmp_path):
    record("a", "b")
    record("a", fails=True, mode="all")
    assert "1 interaction accepted, 2 replaced" in llmmock("accept", "cassettes/a.yaml").stdout
    assert answers(tmp_path) == ["a #3"]


def test_one_cassette_can_be_picked(llmmock, record, tmp_path):
    record("a", fails=True)
    record("b", fails=True, cassette="cassettes/b.yaml")
    llmmock("accept", "cassettes/b.yaml")
    assert not (tmp_path / "cassettes/a.yaml").exists()
    assert answers(tmp_path, "cassettes/b.yaml") == ["b #2"]


def test_a_cassette_for_which_nothing_waits_is_told(llmmock):
    assert "Nothing waits for a.yaml" in llmmock("accept", "a.yaml", status=1).stderr


def test_a_cassette_of_another_layout_is_told_and_stays(llmmock, record, tmp_path):
    record("a", fails=True)
    text = "version: 1\ninteractions: [{request: {method: GET, uri: http://x/}, response: {status: {code: 200}}}]\n"
    (tmp_path / "cassettes/a.yaml").write_text(text)
    assert "is not in our layout. Take it over first:" in llmmock("accept", status=1).stderr
    assert (tmp_path / "cassettes/a.yaml").read_text() == text
