from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pytest_llmmock.cassettes.library import open_cassette

HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}

APP = """
import sys
from openai import OpenAI
words = sys.argv[1]
answer = OpenAI(max_retries=0).chat.completions.create(model="m", messages=[{"role": "user", "content": words}])
print(answer.choices[0].message.content)
"""


def chat(words, **more):
    return {"model": "m", "messages": [{"role": "user", "content": words}], **more}


def ask(url, words="hello", **more):
    body = chat(words, **more)
    return httpx.post(url + "/v1/chat/completions", json=body, timeout=30)


def record(llmmock, standin, file, *words):
    with llmmock.serving("record", "--cassette", file, "--upstream", standin.base_url) as serving:
        for each in words:
            assert ask(serving.url, each).status_code == 200
    return serving


def test_what_record_recorded_replay_serves(llmmock, standin, tmp_path):
    serving = record(llmmock, standin, "tapes/a.yaml", "hello", "bye")
    assert f"records to tapes/a.yaml from {standin.base_url} (mode new_episodes)" in serving.out
    assert "2 interactions recorded to tapes/a.yaml" in serving.out
    with llmmock.serving("replay", "tapes") as serving:
        assert ask(serving.url, "bye").json()["choices"][0]["message"]["content"] == "bye #2"
        assert ask(serving.url).json()["choices"][0]["message"]["content"] == "hello #1"
        streamed = ask(serving.url, stream=True)
        assert streamed.headers["content-type"].startswith("text/event-stream")
        assert streamed.text.endswith("data: [DONE]\n\n")
    assert len(standin.requests) == 2


def test_the_curl_line_that_replay_prints_works_more_than_once(llmmock, standin):
    record(llmmock, standin, "a.yaml", "it's 5 o'clock, “naïve” $HOME")
    with llmmock.serving("replay", "a.yaml") as serving:
        line = next(line for line in serving.out.splitlines() if "curl" in line).partition("try:")[2]
        for _ in range(2):
            answer = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True).stdout
            assert "o'clock, “naïve” $HOME #1" in answer


def test_replay_without_repeat_plays_each_recording_once(llmmock, standin):
    record(llmmock, standin, "a.yaml", "hello")
    with llmmock.serving("replay", "--no-repeat", "a.yaml") as serving:
        assert ask(serving.url).status_code == 200
        again = ask(serving.url)
    assert again.status_code == 404
    assert "has been played once" in again.json()["error"]["message"]


def test_a_client_picks_one_cassette_by_address_or_by_header(llmmock, standin):
    record(llmmock, standin, "tapes/deep/a.yaml", "hello")
    record(llmmock, standin, "tapes/b.yaml", "hello")
    with llmmock.serving("replay", "tapes") as serving:
        url = serving.url + "/cassette/deep/a/v1/chat/completions"
        assert httpx.post(url, json=HELLO).json()["choices"][0]["message"]["content"] == "hello #1"
        url = serving.url + "/v1/chat/completions"
        picked = httpx.post(url, json=HELLO, headers={"x-llmmock-cassette": "b"})
        assert picked.json()["choices"][0]["message"]["content"] == "hello #2"
        unknown = httpx.post(url, json=HELLO, headers={"x-llmmock-cassette": "deep/aa"})
        assert unknown.status_code == 404
        assert "There is no cassette 'deep/aa'" in unknown.json()["error"]["message"]
        assert "deep/a" in unknown.json()["error"]["message"]


def test_replay_plays_a_provider_without_a_cassette(llmmock):
    with llmmock.serving("replay", "--simulate", "--model", "gpt-5") as serving:
        assert "llmmock plays a provider on http://" in serving.out
        made = httpx.post(serving.url + "/v1/files", data={"purpose": "batch"}, files={"file": ("a", b"hello")}).json()
        content = httpx.get(f"{serving.url}/v1/files/{made['id']}/content")
        assert content.content == b"hello"
        refused = ask(serving.url)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")


def test_replay_tells_its_health(llmmock, standin):
    record(llmmock, standin, "a.yaml", "hello")
    with llmmock.serving("replay", "a.yaml") as serving:
        assert httpx.get(serving.url + "/health").json() == {"status": "ok", "cassettes": 1, "interactions": 1}
        assert httpx.head(serving.url + "/health").status_code == 200
        unknown = httpx.get(serving.url + "/nowhere")
        assert unknown.status_code == 404
        assert "error" in unknown.json()


def test_every_recording_is_on_disk_as_soon_as_its_answer_is_whole(llmmock, standin, tmp_path):
    with llmmock.serving("record", "--cassette", "a.yaml", "--upstream", standin.base_url) as serving:
        ask(serving.url)
        assert "hello #1" in (tmp_path / "a.yaml").read_text()
        ask(serving.url, "streamed", stream=True)
        assert "streamed" in (tmp_path / "a.yaml").read_text()


def test_record_without_an_upstream_lists_the_choices(llmmock):
    told = llmmock("record", "--cassette", "a.yaml", status=2).stderr
    assert "An upstream is needed" in told
    assert "--upstream" in told


def test_a_port_in_use_is_one_readable_error(llmmock, standin):
    record(llmmock, standin, "a.yaml", "hello")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = llmmock("replay", "a.yaml", "--port", port, status=1).stderr
    assert told.startswith(f"llmmock: The server cannot listen on 127.0.0.1, port {port}")
    assert "--port" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "There is no cassette and no folder at"),
        ("", "It is empty."),
        ("version: 1\ninteractions:\n- request:\n    method: PO", "is not a cassette that can be read"),
        ("just words", "not a cassette"),
        ('{"broken": ', "begins like JSON and is not"),
    ],
)
def test_a_cassette_that_cannot_be_read_is_one_readable_error(llmmock, tmp_path, content, told):
    if content is not None:
        (tmp_path / "a.yaml").write_text(content)
    assert told in llmmock("replay", "a.yaml", "--port", 0, status=1).stderr


def test_a_folder_without_cassettes_is_one_readable_error(llmmock, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "There are no cassettes in empty" in llmmock("replay", "empty", "--port", 0, status=1).stderr


def test_run_records_and_replays_around_a_command(llmmock, standin, tmp_path):
    app = [sys.executable, "-c", APP, "hello"]
    recorded = llmmock("run", "--cassette", "a.yaml", "--mode", "once", "--upstream", standin.base_url, "--", *app)
    assert recorded.stdout == "hello #1\n"
    assert "1 interaction recorded to a.yaml" in recorded.stderr
    assert llmmock("run", "--cassette", "a.yaml", "--", *app).stdout == "hello #1\n"
    assert len(standin.requests) == 1


def test_run_exits_with_the_status_of_its_command(llmmock):
    llmmock("run", "--cassette", "a.yaml", "--", sys.executable, "-c", "raise SystemExit(7)", status=7)


def test_run_fails_when_a_request_had_no_recording_although_the_command_succeeded(llmmock):
    code = (
        "import urllib.request, os\n"
        "try: urllib.request.urlopen(os.environ['OPENAI_BASE_URL'] + '/models')\n"
        "except Exception: pass"
    )
    told = llmmock("run", "--cassette", "a.yaml", "--", sys.executable, "-c", code, status=1).stderr
    assert "There are no recordings to answer this request from" in told
    assert "GET /v1/models" in told


def only(folder):
    """The one recording that waits there."""
    (path,) = folder.rglob("a.*.yaml")
    return path


def test_run_keeps_aside_what_a_failing_command_recorded(llmmock, standin, tmp_path):
    app = [sys.executable, "-c", APP + "\nraise SystemExit(3)", "hello"]
    llmmock("run", "--cassette", "a.yaml", "--mode", "once", "--upstream", standin.base_url, "--", *app, status=3)
    assert not Path(tmp_path, "a.yaml").exists()
    assert "hello #1" in only(tmp_path / ".llmmock/failed").read_text()


def test_run_tells_when_there_is_no_such_command(llmmock):
    assert "cannot be run" in llmmock("run", "--cassette", "a.yaml", "--", "no-such-program", status=127).stderr


def test_a_cassette_that_cannot_be_written_is_told_and_the_client_has_its_answer(llmmock, standin, tmp_path):
    command = ["record", "--cassette", "a/b.yaml", "--upstream", standin.base_url]
    with llmmock.serving(*command, ends_with=1) as serving:
        (tmp_path / "a").write_text("a file where a folder is needed")
        assert ask(serving.url).json()["choices"][0]["message"]["content"] == "hello #1"
    assert serving.err.count("The cassette a/b.yaml cannot be") == 2  # at once, and at the end
    assert "Traceback" not in serving.err


def test_cassettes_of_the_same_name_are_all_served(llmmock, standin):
    record(llmmock, standin, "one/x.yaml", "from one")
    record(llmmock, standin, "two/x.yaml", "from two")
    with llmmock.serving("replay", "one", "two") as serving:
        assert "2 interactions of 2 cassettes" in serving.out
        assert ask(serving.url, "from one").status_code == ask(serving.url, "from two").status_code == 200
        picked = httpx.post(serving.url + "/cassette/two/x/v1/chat/completions", json=chat("from two"))
        assert picked.status_code == 200


def test_record_tells_when_an_answer_breaks_off_or_is_not_json(llmmock, standin):
    with llmmock.serving("record", "--cassette", "a.yaml", "--upstream", standin.base_url) as serving:
        assert ask(serving.url, "not json").text == "{broken"
        with pytest.raises(httpx.RemoteProtocolError):
            ask(serving.url, "break off", stream=True)
    assert "that is not JSON" in serving.err
    assert "broke off" in serving.err
    assert "nothing recorded" in serving.out


def test_a_password_in_the_upstreams_address_is_not_shown(llmmock, standin):
    address = standin.base_url.replace("http://", "http://me:s3cret@")
    with llmmock.serving("record", "--cassette", "a.yaml", "--upstream", address) as serving:
        assert ask(serving.url).status_code == 200
    assert "s3cret" not in serving.out + serving.err + (llmmock.folder / "a.yaml").read_text()


def test_run_that_is_terminated_ends_its_command_and_keeps_what_it_recorded(llmmock, standin, tmp_path):
    code = APP + "\nprint('asked', flush=True)\nimport signal; signal.pause()"
    options = ["run", "--cassette", "a.yaml", "--mode", "once", "--upstream", standin.base_url]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_llmmock", *options, "--", sys.executable, "-c", code, "hello"],
        cwd=tmp_path,
        env=llmmock.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "asked" not in process.stdout.readline():
        pass
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + 15
    assert "hello #1" in only(tmp_path / ".llmmock/failed").read_text()


def test_a_path_that_no_file_can_have_is_one_readable_error(llmmock):
    assert "name too long" in llmmock("replay", "a" * 300, "--port", 0, status=1).stderr


def test_two_that_record_to_one_file_lose_nothing_of_each_other(llmmock, standin, tmp_path):
    command = ["record", "--cassette", "a.yaml", "--upstream", standin.base_url]
    with llmmock.serving(*command) as one, llmmock.serving(*command) as other:
        for serving, words in ((one, "a1"), (other, "b1"), (one, "a2"), (other, "b2")):
            assert ask(serving.url, words).status_code == 200
    text = (tmp_path / "a.yaml").read_text()
    assert [words for words in ("a1", "b1", "a2", "b2") if f"{words} #" in text] == ["a1", "b1", "a2", "b2"]
    assert text.count("\n- request:") == 4


def test_record_in_mode_changed_leaves_what_was_asked_once_each_and_drops_the_rest(llmmock, standin, tmp_path):
    command = ["record", "--cassette", "a.yaml", "--upstream", standin.base_url]
    with llmmock.serving(*command) as serving:
        for words in ("a", "b", "c"):
            ask(serving.url, words)
    with llmmock.serving(*command, "--mode", "changed") as serving:
        for words in ("a", "new", "c", "last"):
            assert ask(serving.url, words, stream=words == "new").status_code == 200
        assert (tmp_path / "a.yaml").read_text().count("\n- request:") == 5  # nothing is dropped while it serves
    found = [each.request.json()["messages"][0]["content"] for each in open_cassette(tmp_path / "a.yaml").interactions]
    assert found == ["a", "new", "c", "last"]


LEAVING = """
from openai import OpenAI
with OpenAI(max_retries=0) as client:
    messages = [{"role": "user", "content": "hello"}]
    with client.chat.completions.create(model="m", messages=messages, stream=True) as stream:
        print(next(stream).choices[0].delta.content)
"""


@pytest.mark.parametrize("wanted", [True, False])
def test_a_stream_that_a_command_has_left_is_recorded_where_that_is_wanted(llmmock, standin, tmp_path, wanted):
    options = ["--record-abandoned"] if wanted else []
    if not wanted:
        standin.release.clear()  # else all of it may have come before the client leaves
    ask = [sys.executable, "-c", LEAVING]
    recording = ["--mode", "new_episodes", "--upstream", standin.base_url]
    done = llmmock("run", "--cassette", "a.yaml", *recording, *options, "--", *ask)
    assert done.stdout == "hello\n"
    assert (tmp_path / "a.yaml").exists() == wanted
    if wanted:
        assert "llmmock: 1 interaction recorded to a.yaml" in done.stderr
        assert llmmock("run", "--cassette", "a.yaml", "--", *ask).stdout == "hello\n"
        assert len(standin.requests) == 1


def test_record_reads_to_the_end_what_its_clients_have_left(llmmock, standin, tmp_path):
    standin.release.clear()
    arguments = ["record", "--cassette", "a.yaml", "--upstream", standin.base_url, "--record-abandoned"]
    with llmmock.serving(*arguments) as serving:
        body = chat("hello", stream=True)
        with httpx.stream("POST", serving.url + "/v1/chat/completions", json=body, timeout=30) as response:
            next(response.iter_raw())
        serving.process.terminate()
        line = serving.process.stderr.readline()
        while "still to be read" not in line:
            assert line, "it has not said that it waits"
            line = serving.process.stderr.readline()
        standin.release.set()
        assert serving.process.wait(30) == 0
    assert "1 interaction recorded to a.yaml" in serving.out
    [kept] = open_cassette(tmp_path / "a.yaml").interactions
    assert kept.reply.body.endswith(b"data: [DONE]\n\n")


def test_errors_are_recorded_where_that_is_wanted(llmmock, standin, tmp_path):
    arguments = ["record", "--cassette", "a.yaml", "--upstream", standin.base_url, "--record-errors"]
    with llmmock.serving(*arguments) as serving:
        assert ask(serving.url, "refuse").status_code == 429
    [kept] = open_cassette(tmp_path / "a.yaml").interactions
    assert kept.reply.status == 429


KEY = "sk-right-0123456789-abcdefgh"
GATE = ("--auth-token", KEY, "--auth-token", "sk-2", "--limits", "rpm=2", "--cors-origin", "http://page.example")


def test_replay_asks_for_a_key_and_sets_limits(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text("default: Hello")
    with llmmock.serving("replay", "--rules", "rules.yaml", *GATE, "--lock-out", "9/60s") as serving:
        url = serving.url + "/v1/chat/completions"
        assert ask(serving.url).status_code == 401
        origin = {"origin": "http://page.example"}
        answers = [httpx.post(url, json=HELLO, headers={"api-key": "sk-2", **origin}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"http://page.example"}
        assert httpx.get(serving.url + "/health").status_code == 200
        assert 'status="429"} 1' in httpx.get(serving.url + "/metrics").text
        journal = httpx.get(serving.url + "/__llmmock__/journal", headers={"x-api-key": KEY}).text
        assert httpx.get(serving.url + "/__llmmock__/journal").status_code == 401
    assert KEY not in serving.out + serving.err + journal


def test_a_key_of_the_environment_keeps_it_out_of_the_list_of_processes(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text("default: Hello")
    llmmock.environment["LLMMOCK_AUTH_TOKEN"] = KEY
    with llmmock.serving("replay", "--rules", "rules.yaml") as serving:
        assert ask(serving.url).status_code == 401
        assert httpx.get(serving.url + "/v1/models", headers={"api-key": KEY}).status_code == 404


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--limits", "rmp=3", "There is no limit 'rmp'. Did you mean"),
        ("--lock-out", "often", "There is no lock-out 'often'."),
        ("--cors-origin", "page", "'page' is not an origin."),
        ("--auth-token", "", "auth_token is not possible. The token is empty."),
    ],
)
@pytest.mark.parametrize("command", [("replay",), ("record", "--cassette", "a.yaml"), ("run", "--cassette", "a.yaml")])
def test_a_wrong_option_is_told_before_anything_is_served(llmmock, command, option, value, told):
    rest = ["--", "true"] if command[0] == "run" else []
    assert told in llmmock(*command, option, value, *rest, status=2).stderr


def test_record_is_controlled_and_tells_its_health(llmmock, standin):
    options = ("--cassette", "a.yaml", "--upstream", standin.base_url, "--auth-token", KEY)
    with llmmock.serving("record", *options) as serving:
        with httpx.Client(headers={"authorization": f"Bearer {KEY}"}) as client:
            rule = {"when": {"contains": "scripted"}, "reply": "by rule"}
            assert client.post(serving.url + "/__llmmock__/rules", json=rule).status_code == 200
            for words, said in (("scripted", "by rule"), ("hello", "hello #1")):
                answer = client.post(serving.url + "/v1/chat/completions", json=chat(words)).json()
                assert answer["choices"][0]["message"]["content"] == said
            entries = client.get(serving.url + "/__llmmock__/journal").json()["entries"]
            assert [entry["source"] for entry in entries] == ["script", "upstream"]
        assert httpx.get(serving.url + "/health").json() == {"status": "ok", "cassettes": 1, "interactions": 1}
        assert 'source="upstream",status="200"} 1' in httpx.get(serving.url + "/metrics").text
    assert len(standin.requests) == 1
    assert standin.requests[0].header("authorization") is None
    assert "1 interaction recorded" in serving.out


def test_run_gives_its_command_the_key_and_answers_by_rules(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text("default: 'You said: {{ last_message }}'")
    app = [sys.executable, "-c", APP, "hello"]
    options = ("--cassette", "a.yaml", "--rules", "rules.yaml", "--auth-token", KEY, "--on-miss", "rules")
    done = llmmock("run", *options, "--", *app)
    assert done.stdout == "You said: hello\n"
    assert KEY not in done.stderr


def test_replay_lists_models_for_each_effort(llmmock):
    with llmmock.serving("replay", "--simulate", "--model", "o3", "--expose-reasoning-models") as serving:
        listed = httpx.get(serving.url + "/v1/models").json()["data"]
    assert [model["id"] for model in listed] == ["o3", "o3-minimal", "o3-low", "o3-medium", "o3-high"]
