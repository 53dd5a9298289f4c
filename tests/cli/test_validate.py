"""`--validate` of the commands that serve."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request

RULES = "default: {reply: {text: Hello}}\n"

RIGHT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
WRONG = {**RIGHT, "temperature": 3}

TOLD = "The API would refuse POST /v1/chat/completions:\n  'temperature' has to be at most 2, and is 3."


def post(url: str, body: object) -> tuple[int, dict[str, object]]:
    head = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), head)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_replay_answers_as_the_api_would_and_says_why(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    with llmmock.serving("replay", "--rules", "rules.yaml", "--validate") as serving:
        assert post(serving.url, RIGHT)[0] == 200
        status, body = post(serving.url, WRONG)
    assert status == 400
    assert body["error"] == {
        "message": "'temperature' has to be at most 2, and is 3.",
        "type": "invalid_request_error",
        "param": "temperature",
        "code": "integer_above_max_value",
    }
    assert (
        "The API would refuse POST /v1/chat/completions:\n  'temperature' has to be at most 2, and is 3." in serving.err
    )


def test_replay_can_warn_and_is_silent_without_it(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    with llmmock.serving("replay", "--rules", "rules.yaml", "--validate", "warn") as serving:
        assert post(serving.url, WRONG)[0] == 200
    assert "The API would refuse" in serving.err
    with llmmock.serving("replay", "--rules", "rules.yaml") as serving:
        assert post(serving.url, WRONG)[0] == 200
    assert "The API would refuse" not in serving.err


def test_record_asks_nothing_that_is_refused(llmmock, standin, tmp_path):
    llmmock.environment |= {"LLMMOCK_OPENAI_URL": standin.base_url, "OPENAI_API_KEY": "sk-of-the-reader"}
    arguments = ("record", "--cassette", "a.yaml", "--upstream", "openai", "--validate=error")
    with llmmock.serving(*arguments) as serving:
        assert post(serving.url, WRONG)[0] == 400
        assert post(serving.url, RIGHT)[0] == 200
    assert len(standin.requests) == 1
    assert "1 interaction recorded" in serving.out
    assert TOLD in serving.err


CLIENT = """
import json, os, sys, urllib.error, urllib.request
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
body = {"model": "m", "messages": [{"role": "robot", "content": "x"}]}
try:
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"}))
except urllib.error.HTTPError as error:
    print(error.code)
"""


def test_run_tells_at_the_end_and_keeps_the_commands_status(llmmock, tmp_path):
    (tmp_path / "client.py").write_text(CLIENT)
    arguments = ("run", "--cassette", "a.yaml", "--validate=error", "--", sys.executable, "client.py")
    done = llmmock(*arguments)
    assert done.stdout == "400\n"
    assert (
        "llmmock contract: The API would refuse POST /v1/chat/completions:\n  'messages[0].role' cannot be"
        in done.stderr
    )


def test_a_word_that_there_is_not_is_a_wrong_use(llmmock):
    done = llmmock("replay", "--validate=always", status=2)
    assert "'always' is not one of 'off', 'warn', 'error'" in done.stderr
