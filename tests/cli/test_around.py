"""`llmmock run` and `llmmock record -- COMMAND`, around real commands."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_llmmock import progress
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.cli.around import around
from pytest_llmmock.cli.record import open_deck, recording_settings
from pytest_llmmock.mock import new_server

COMMAND = [sys.executable, "-m", "pytest_llmmock"]

posix = pytest.mark.skipif(os.name == "nt", reason="sends signals")

ASK = """
import sys
from openai import NotFoundError, OpenAI
with OpenAI(max_retries=0) as client:
    for words in sys.argv[1:]:
        try:
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": words}])
        except NotFoundError:
            sys.exit(4)
        print(answer.choices[0].message.content, flush=True)
"""

WAIT = """
import os, signal
def told(number, frame):
    os.write(1, signal.Signals(number).name.encode() + b"\\n")  # it may come while "ready" is being printed
    raise SystemExit(5)
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, told)
print("ready", flush=True)
while True:
    signal.pause()
"""


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-c", code, *words]


def words_in(path: Path) -> list[str]:
    return [each.request.json()["messages"][0]["content"] for each in open_cassette(path).interactions]


def only(folder: Path) -> Path:
    """The one recording that waits there."""
    (path,) = folder.rglob("a.*.yaml")
    return path


@pytest.fixture
def recording(standin) -> list[str]:
    return ["record", "--cassette", "a.yaml", "--upstream", standin.base_url]


def test_record_around_a_command_and_replay_it(llmmock, standin, recording, tmp_path):
    done = llmmock(*recording, "--", *python(ASK, "hello", "bye"))
    assert done.stdout == "hello #1\nbye #2\n"
    assert done.stderr == "llmmock: 2 interactions recorded to a.yaml\n"
    assert llmmock("run", "--cassette", "a.yaml", "--", *python(ASK, "hello", "bye")).stdout == done.stdout
    assert llmmock(*recording, *python(ASK, "hello")).stderr == ""
    assert len(standin.requests) == 2
    assert not (tmp_path / ".llmmock/unsaved").exists() or not any((tmp_path / ".llmmock/unsaved").iterdir())


def test_record_keeps_aside_what_a_failing_command_recorded_and_accept_takes_it(llmmock, recording, tmp_path):
    done = llmmock(*recording, "--", *python(ASK + "raise SystemExit(3)", "hello"), status=3)
    assert ".llmmock/failed" in done.stderr
    assert not (tmp_path / "a.yaml").exists()
    llmmock("accept", "a.yaml")
    assert words_in(tmp_path / "a.yaml") == ["hello"]


def test_record_around_a_command_needs_an_upstream_before_it_begins(llmmock, tmp_path):
    done = llmmock("record", "--cassette", "a.yaml", "--", *python("open('ran', 'w')"), status=2)
    assert "--upstream" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "An upstream is needed, and none was chosen."),
        (["--upstream", "openia"], "There is no upstream 'openia'. Did you mean 'openai'?"),
        (["--upstream", "xai"], "XAI_API_KEY is not set"),
    ],
)
@pytest.mark.parametrize("mode", ["once", "new_episodes", "changed", "all"])
def test_an_upstream_that_will_be_asked_and_cannot_be_is_told_before_run_begins(llmmock, tmp_path, mode, options, told):
    llmmock.environment.pop("XAI_API_KEY", None)
    command = ["run", "--cassette", "a.yaml", "--mode", mode, *options, "--", *python("open('ran', 'w')")]
    assert told in llmmock(*command, status=2).stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "changed"])
def test_where_all_is_recorded_nobody_has_to_say_whom_to_ask(llmmock, recording, mode):
    llmmock(*recording, "--", *python(ASK, "a"))
    assert llmmock("run", "--cassette", "a.yaml", "--mode", mode, "--", *python(ASK, "a")).stdout == "a #1\n"


def test_what_takes_long_is_told_in_lines_and_never_drawn_over_those_of_the_command(standin, tmp_path, monkeypatch):
    stream = """
from openai import OpenAI
with OpenAI(max_retries=0) as client:
    list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], stream=True))
"""
    said: list[str] = []

    def echo(text: str, **options: object) -> None:
        said.append(text)
        standin.release.set()

    monkeypatch.setattr(progress, "_SECONDS_UNTIL_TOLD", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("click.echo", echo)
    standin.release.clear()
    deck = open_deck(tmp_path / "a.yaml", recording_settings("all", standin.base_url, {}))
    assert around(deck, python(stream), new_server()) == 0
    asking, done = said
    assert re.fullmatch(rf'llmmock: (asking|answered by) {standin.base_url}: chat m, streamed  "a" · \d+ s\n', asking)
    assert done == f"llmmock: 1 interaction recorded to {tmp_path / 'a.yaml'}"


def test_a_wrong_option_of_record_is_no_command(llmmock):
    assert "No such option" in llmmock("record", "--cassette", "a.yaml", "--prot", "1", status=2).stderr


def test_the_port_of_record_is_any_free_one_unless_it_is_given(llmmock, recording, free_port):
    say = python("import os; print(os.environ['OPENAI_BASE_URL'])")
    assert ":8000/" not in llmmock(*recording, "--", *say).stdout
    assert f":{free_port}/" in llmmock(*recording, "--port", free_port, "--", *say).stdout


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("mode", "asked", "left"),
    [
        ("none", [], ["a", "b"]),
        ("once", [], ["a", "b"]),
        ("new_episodes", ["c"], ["a", "b", "c"]),
        ("changed", ["c"], ["b", "c"]),
        ("all", ["b", "c"], ["b", "c"]),
    ],
)
def test_each_mode_around_a_command(llmmock, standin, recording, tmp_path, mode, asked, left):
    llmmock(*recording, "--", *python(ASK, "a", "b"))
    before = len(standin.requests)
    command = [
        "run",
        "--cassette",
        "a.yaml",
        "--mode",
        mode,
        "--upstream",
        standin.base_url,
        "--",
        *python(ASK, "b", "c"),
    ]
    misses = mode in ("none", "once")
    llmmock(*command, status=4 if misses else 0)
    assert [body["messages"][0]["content"] for body in standin.bodies[before:]] == asked
    assert words_in(tmp_path / "a.yaml") == left


def test_once_records_where_there_is_no_cassette(llmmock, standin, tmp_path):
    command = ["run", "--cassette", "a.yaml", "--mode", "once", "--upstream", standin.base_url, "--", *python(ASK, "a")]
    assert llmmock(*command).stdout == llmmock(*command).stdout == "a #1\n"
    assert words_in(tmp_path / "a.yaml") == ["a"]


SAY = "import os, json; print(json.dumps(dict(os.environ)))"


def test_the_command_finds_the_server_by_its_environment_and_has_all_else_as_it_was(llmmock):
    import json

    llmmock.environment |= {"MY_OWN": "ä b", "OPENAI_API_KEY": "sk-mine", "NO_PROXY": "intern.example"}
    found = json.loads(llmmock("run", "--cassette", "a.yaml", "--", *python(SAY)).stdout)
    root = found["OLLAMA_HOST"]
    assert root.startswith("http://127.0.0.1:")
    assert found["OPENAI_BASE_URL"] == found["OPENAI_API_BASE"] == root + "/v1"
    assert found["ANTHROPIC_BASE_URL"] == root
    assert (found["MY_OWN"], found["OPENAI_API_KEY"], found["ANTHROPIC_API_KEY"]) == ("ä b", "sk-mine", "llmmock")
    assert found["NO_PROXY"] == "intern.example,127.0.0.1,localhost"


def test_what_is_piped_into_the_command_reaches_it(llmmock, tmp_path):
    command = [*COMMAND, "run", "--cassette", "a.yaml", "--", *python("import sys; print(sys.stdin.read().upper())")]
    done = subprocess.run(
        command, cwd=tmp_path, env=llmmock.environment, input="hello", capture_output=True, text=True, check=True
    )
    assert done.stdout == "HELLO\n"


@pytest.mark.parametrize("start", [["run"], ["record", "--upstream", "http://127.0.0.1:9/v1"]], ids=["run", "record"])
def test_a_command_that_is_not_there_is_told_as_a_shell_does(llmmock, tmp_path, start):
    (tmp_path / "data.txt").write_text("no program")
    missing = llmmock(*start, "--cassette", "a.yaml", "--", "no-such-program", status=127)
    assert missing.stderr == "llmmock: no-such-program cannot be run: No such file or directory.\n"
    refused = llmmock(*start, "--cassette", "a.yaml", "--", "./data.txt", status=126)
    assert "./data.txt cannot be run: Permission denied." in refused.stderr


@posix
def test_the_status_of_a_command_that_a_signal_ended_is_as_a_shell_has_it(llmmock):
    llmmock("run", "--cassette", "a.yaml", "--", *python("import os; os.kill(os.getpid(), 9)"), status=128 + 9)


# --- signals --------------------------------------------------------------------------------------------


def started(llmmock, arguments: Sequence[object], **options: object) -> subprocess.Popen[str]:
    """A run whose command says that it is ready."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=llmmock.folder,
        env=llmmock.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "ready\n":
            return process
    raise AssertionError(process.communicate()[1])


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_reaches_the_command_and_what_it_recorded_is_kept(llmmock, recording, tmp_path, name):
    process = started(llmmock, [*recording, "--", *python(ASK + WAIT, "hello")], start_new_session=True)
    process.send_signal(signal.Signals[name])
    out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == (f"{name}\n", 5)
    assert "Traceback" not in err
    assert words_in(only(tmp_path / ".llmmock/failed")) == ["hello"]


@posix
def test_a_command_that_ends_well_on_a_signal_has_its_recordings_in_the_cassette(llmmock, recording, tmp_path):
    code = ASK + WAIT.replace("SystemExit(5)", "SystemExit(0)")
    process = started(llmmock, [*recording, "--", *python(code, "hello")], start_new_session=True)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert words_in(tmp_path / "a.yaml") == ["hello"]


TWICE = """
import os, signal, sys
came = []
signal.signal(signal.SIGINT, lambda *_: came.append(1))
print("ready", flush=True)
while not came:
    signal.pause()
os.write(1, b"asked to stop\\n")
sys.stdin.readline()
print("came", len(came), flush=True)
"""


@posix
def test_ctrl_c_on_a_terminal_reaches_the_command_once(llmmock, tmp_path):
    """The terminal sends it to all in its foreground: passed on, it would come twice, and end what is tidying up."""
    pty = pytest.importorskip("pty")
    command = [*COMMAND, "run", "--cassette", "a.yaml", "--", *python(TWICE)]
    child, ours = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(command[0], command, llmmock.environment)
    seen = read_until(ours, b"ready")
    os.write(ours, b"\x03")
    seen += read_until(ours, b"asked to stop")
    os.write(ours, b"\n")
    seen += read_until(ours, b"came ")
    _, status = os.waitpid(child, 0)
    os.close(ours)
    assert b"came 1" in seen, seen
    assert os.waitstatus_to_exitcode(status) == 0


def read_until(terminal: int, mark: bytes) -> bytes:
    seen = b""
    while not (mark in seen and seen.endswith(b"\n")):
        assert select.select([terminal], [], [], 30)[0], seen
        seen += os.read(terminal, 4096)
    return seen


@posix
def test_what_nohup_has_ignored_stays_ignored_for_the_command(llmmock, tmp_path):
    code = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    nohup = shutil.which("nohup")
    if nohup is None:
        pytest.skip("there is no nohup")
    command = [nohup, *COMMAND, "run", "--cassette", "a.yaml", "--", *python(code)]
    done = subprocess.run(command, cwd=tmp_path, env=llmmock.environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


# --- another language -----------------------------------------------------------------------------------

FETCH = """
const ask = async (words, stream) => {
  const answer = await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
    method: "POST",
    headers: {"content-type": "application/json", authorization: "Bearer " + process.env.OPENAI_API_KEY},
    body: JSON.stringify({model: "m", messages: [{role: "user", content: words}], stream}),
  });
  return stream ? await answer.text() : (await answer.json()).choices[0].message.content;
};
(async () => { console.log(await ask("ciao", false)); console.log(await ask("in pieces", true)); })();
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node")
def test_a_program_in_another_language_is_recorded_and_replayed(llmmock, standin, recording, tmp_path):
    (tmp_path / "app.js").write_text(FETCH)
    recorded = llmmock(*recording, "--", "node", "app.js")
    assert recorded.stdout.startswith("ciao #1\ndata: ")
    assert "2 interactions recorded to a.yaml" in recorded.stderr
    assert llmmock("run", "--cassette", "a.yaml", "--", "node", "app.js").stdout == recorded.stdout
    assert len(standin.requests) == 2
