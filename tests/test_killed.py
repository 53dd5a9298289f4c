"""A run that records is killed whenever it touches a file: no answer is lost, no file is half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from standin import Standin

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes.library import open_cassette

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

WORDS = ["one", "two", "three"]

RUN = """
import json, os, signal, sys
from pathlib import Path
import httpx
from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes import growing
from pytest_llmmock.cli.record import open_deck, recording_settings
from pytest_llmmock.core.model import Request

# What is imported on first use, imported once instead of in each of the processes.
import pydantic, yaml, pytest_llmmock.cassettes.foreign, pytest_llmmock.dialects.chat, pytest_llmmock.settings

WATCHED = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree"}
url, words = sys.argv[1], json.loads(sys.argv[2])


class Killer:
    '''Ends this process, as kill -9 does, when it touches a file for the nth time.'''

    def __init__(self, moment):
        self.left = moment
        os.fsync = lambda descriptor: self.touch()  # between the writing of a file and its renaming

    def touch(self):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(self, event, arguments):
        if event in WATCHED:
            self.touch()


def body(word):
    return {"model": "m", "messages": [{"role": "user", "content": word}], "stream": word == "two"}


def as_a_test(path):
    with use_cassette(path, mode="new_episodes"):
        for word in words:
            client.post(url + "/chat/completions", json=body(word), headers={"content-type": "application/json"})
            yield word


def as_llmmock_record(path):
    '''What the command does between its server and its end.'''
    deck = open_deck(Path(path), recording_settings("new_episodes", url, {}), at_once=True)
    engine = deck.engine(lambda: url)
    deck.on_keep(lambda: None if deck.writes_later else deck.save(alone=False))
    for word in words:
        said = json.dumps(body(word)).encode()
        headers = (("content-type", "application/json"),)
        reply = engine.handle(Request("POST", "http://localhost", "/v1/chat/completions", "", headers, said))
        list(reply.frames)
        yield word
        if word == "two" and deck.writes_later:
            deck.save(alone=False)  # now and then
    deck.save()
    deck.close()


def as_llmmock_record_to_a_large_one(path):
    growing.AT_ONCE = 0
    yield from as_llmmock_record(path)


def record(folder, moment):
    seen = os.open(f"{folder}.seen", os.O_CREAT | os.O_WRONLY)
    sys.addaudithook(Killer(moment).hook)
    for word in globals()[sys.argv[3]](f"{folder}/a.yaml"):
        os.write(seen, word.encode() + b" ")


client = httpx.Client()
with use_cassette("nothing.yaml"):
    pass  # checks settings, which takes a while the first time
for moment in range(1, 1000):
    child = os.fork()
    if child == 0:
        record(str(moment), moment)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        print(moment)
        break
"""


@pytest.fixture(scope="module", params=["as_a_test", "as_llmmock_record", "as_llmmock_record_to_a_large_one"])
def killed(tmp_path_factory, request):
    """A folder for each moment of the run, as the killed process left it."""
    folder = tmp_path_factory.mktemp("killed")
    with Standin() as standin:
        command = [sys.executable, "-c", RUN, standin.base_url, json.dumps(WORDS), request.param]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        yield standin, folder, int(done.stdout)


@pytest.fixture
def client():
    with httpx.Client() as client:
        yield client


def seen(folder: Path) -> list[str]:
    """What the client had been answered to the end."""
    return folder.with_suffix(".seen").read_text().split()


def asked(interactions) -> list[str]:
    return [each.request.json()["messages"][0]["content"] for each in interactions]


def test_there_are_many_moments(killed):
    _, folder, moments = killed
    assert moments > 20
    assert seen(folder / str(moments)) == WORDS
    assert {tuple(seen(folder / str(moment))) for moment in range(1, moments)} == {
        tuple(WORDS[:count]) for count in range(len(WORDS) + 1)
    }


def test_every_file_is_whole_and_every_answer_is_in_one(killed):
    _, folder, moments = killed
    for moment in range(1, moments + 1):
        place = folder / str(moment)
        kept = [each for path in place.rglob("*.yaml") for each in open_cassette(path).interactions]
        assert set(seen(place)) <= set(asked(kept)), moment
        assert all(each.reply.body.endswith((b"}", b"[DONE]\n\n")) for each in kept), moment


def test_the_next_run_asks_for_nothing_that_was_answered_and_leaves_nothing_behind(killed, client):
    standin, folder, moments = killed
    for moment in range(1, moments + 1):
        place = folder / str(moment)
        before = len(standin.requests)
        with use_cassette(place / "a.yaml", mode="new_episodes"):
            for word in WORDS:
                body = {"model": "m", "messages": [{"role": "user", "content": word}], "stream": word == "two"}
                assert client.post(standin.base_url + "/chat/completions", json=body).status_code == 200
        assert len(standin.requests) - before <= len(WORDS) - len(seen(place)), moment
        assert asked(open_cassette(place / "a.yaml").interactions) == WORDS, moment
        assert {path.name for path in place.rglob("*")} <= {"a.yaml", ".llmmock", ".gitignore"}, moment
