"""From a plan to a cassette and back: recorded through the upstream codex, replayed by all three ways in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chatgpt_backend import Backend, identifying

from pytest_llmmock.cassettes.library import open_cassette

TESTS = '''
import json
import pytest
from openai import OpenAI

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "name": "weather", "description": "", "parameters": WEATHER, "strict": False}
MODEL = "gpt-5.6-sol-high"

@pytest.fixture
def client(request):
    with OpenAI(api_key="sk-client", max_retries=0, base_url=getattr(request, "param", None)) as client:
        yield client

def events(client):
    """Two turns: calls of tools, and an answer to their results."""
    one = [event.to_dict() for event in client.responses.create(
        model=MODEL, input="weather", tools=[TOOL], stream=True, temperature=0.3)]
    response = one[-1]["response"]
    results = [{"type": "function_call_output", "call_id": item["call_id"], "output": "sunny"}
               for item in response["output"] if item["type"] == "function_call"]
    two = [event.to_dict() for event in client.responses.create(
        model=MODEL, input=results, tools=[TOOL], stream=True, previous_response_id=response["id"])]
    return one + two

@pytest.mark.llm_cassette("talk")
def test_it(llm_mock, client):
    seen = events(client)
    assert seen[-1]["response"]["output"][-1]["content"][0]["text"] == "sunny #2 of gpt-5.6-sol"
    with open("seen.json", "a") as file:
        file.write(json.dumps(seen) + "\\n")
'''

CHAT = (
    TESTS.partition("def events")[0]
    + '''
NESTED = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}

def events(client):
    """The same in Chat Completions."""
    def ask(messages, **more):
        return [chunk.to_dict() for chunk in client.chat.completions.create(
            model=MODEL, messages=messages, tools=[NESTED], stream=True, **more)]
    said = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "weather"}]
    one = ask(said, temperature=0.3, stream_options={"include_usage": True})
    pieces = [call for chunk in one if chunk["choices"] for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    calls = {}
    for piece in pieces:
        call = calls.setdefault(piece["index"], {"type": "function", "function": {"name": "", "arguments": ""}})
        call["id"] = piece.get("id") or call["id"]
        call["function"]["name"] += piece["function"].get("name") or ""
        call["function"]["arguments"] += piece["function"].get("arguments") or ""
    said.append({"role": "assistant", "content": None, "tool_calls": list(calls.values())})
    said += [{"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in calls.values()]
    assert [json.loads(call["function"]["arguments"])["city"] for call in calls.values()] == ["Paris", "Rome"]
    return one + ask(said)

@pytest.mark.llm_cassette("talk")
def test_it(llm_mock, client):
    seen = events(client)
    words = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in seen if chunk["choices"])
    assert words == "sunny #2 of gpt-5.6-sol"
    with open("seen.json", "a") as file:
        file.write(json.dumps(seen) + "\\n")
'''
)


SILENT = "llmmock: codex demands instructions, and there were none: 'You are a helpful assistant.' was sent"


def over_http(tests: str) -> str:
    server = tests.replace("def test_it(llm_mock, client)", "def test_it(llm_server)")
    return server.replace("seen = events(client)", "with OpenAI(max_retries=0) as client: seen = events(client)")


def by_itself(tests: str) -> str:
    """A program that asks the same."""
    asking = "\nwith OpenAI(max_retries=0) as client:\n    print(json.dumps(events(client)))\n"
    return tests.partition("@pytest.mark")[0] + asking


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as running:
        yield running


@pytest.fixture
def home(project, backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a user's login; the token in it has just ended."""
    home = tmp_path / "codex"
    backend.login(home, lasts=-1)
    for name, value in backend.environ(home).items():
        monkeypatch.setenv(name, value)
    for name in ("CI", "LLMMOCK_CODEX_IN_CI"):
        monkeypatch.delenv(name, raising=False)
    return home


def run(project, *arguments: str):
    return project.runpytest_subprocess("-p", "no:cacheprovider", "-q", *arguments)


@pytest.mark.parametrize("tests", [TESTS, CHAT], ids=["responses", "chat"])
def test_tools_and_streams_are_recorded_and_replayed_by_all_ways_in(project, backend, home, monkeypatch, tests):
    project.makepyfile(test_app=tests)
    recording = run(project, "--llm-record", "--llm-upstream=codex")
    recording.assert_outcomes(passed=1)
    recording.stdout.fnmatch_lines(
        [
            "llmmock: 0 replayed, 2 recorded, 0 unmatched",
            "llmmock: codex does not take temperature: sent without",
            *([SILENT] if tests == TESTS else []),
            "llmmock: recorded through codex with the ChatGPT plan (plus) of the login of the Codex CLI",
        ],
        consecutive=True,
    )
    assert (len(backend.requests), len(backend.refreshes)) == (2, 1)
    cassette = project.path / "cassettes" / "talk.yaml"
    text = cassette.read_text()
    assert not [secret for secret in identifying(backend, home / "auth.json") if secret in text]

    (home / "auth.json").unlink()
    for name in backend.environ(home):
        monkeypatch.delenv(name)
    run(project).assert_outcomes(passed=1)
    project.makepyfile(test_app=over_http(tests))
    run(project).assert_outcomes(passed=1)
    lines = [*(project.path / "seen.json").read_text().splitlines(), asked_of_a_server(project, cassette, tests)]
    seen = [json.loads(line) for line in lines]
    assert len(seen) == 4
    assert all(each == seen[0] for each in seen[1:])
    assert len(backend.requests) == 2


def asked_of_a_server(project, cassette: Path, tests: str) -> str:
    """What a program sees that asks `llmmock replay`."""
    (project.path / "ask.py").write_text(by_itself(tests))
    command = [sys.executable, "-m", "pytest_llmmock", "replay", str(cassette), "--port", "0"]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "OPENAI_API_KEY": "x"}
    with subprocess.Popen(command, cwd=project.path, env=environ, stdout=subprocess.PIPE, text=True) as server:
        try:
            banner = iter(server.stdout.readline, "")
            environ["OPENAI_BASE_URL"] = next(line for line in banner if "OpenAI base URL" in line).split()[-1]
            asking = [sys.executable, "ask.py"]
            done = subprocess.run(asking, cwd=project.path, env=environ, capture_output=True, text=True, check=False)
        finally:
            server.terminate()
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_plan_that_is_used_up_fails_the_test_with_the_time_of_its_reset(project, backend, home):
    project.makepyfile(
        test_app="""
        from openai import OpenAI

        def test_it(llm_mock):
            with OpenAI(api_key="x") as client:
                client.responses.create(model="gpt-5.6-sol", input="limit")
        """
    )
    result = run(project, "--llm-record", "--llm-upstream=codex")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*RateLimitError*It resets at 20*, in 2 h*"])
    result.stdout.fnmatch_lines(["*1 error of the upstream not recorded*"])
    assert len(backend.requests) == 1  # the SDK does not try again


def test_in_ci_the_test_fails_before_anything_is_asked(project, backend, home, monkeypatch):
    monkeypatch.setenv("CI", "true")
    project.makepyfile(test_app=TESTS)
    result = run(project, "--llm-record", "--llm-upstream=codex")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*it is not used in CI (CI is set)*"])
    assert (backend.requests, backend.refreshes) == ([], [])


def test_what_is_set_in_the_ini_file_reaches_the_backend(project, backend, home):
    project.makeini("[pytest]\nllm_upstream = codex\nllm_reasoning_effort = low\nllm_web_search = true\n")
    project.makepyfile(
        test_app="""
        from openai import OpenAI

        def test_it(llm_server):
            with OpenAI(max_retries=0) as client:
                client.responses.create(model="gpt-5.6-sol", input="hello", instructions="x")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    (body,) = backend.bodies
    assert (body["reasoning"], body["tools"]) == ({"effort": "low"}, [{"type": "web_search"}])
    (interaction,) = open_cassette(project.path / "cassettes/test_app/test_it.yaml").interactions
    assert interaction.meta["upstream"] == "codex"
    assert interaction.reply.json()["output"][0]["type"] == "reasoning"


def test_llmmock_run_does_the_same(project, backend, home):
    """Around a program that records, and once more around it without a login."""
    (project.path / "ask.py").write_text(
        "from openai import OpenAI\n"
        'with OpenAI() as client: print(client.responses.create(model="x", input="hi").output_text)'
    )
    command = [sys.executable, "-m", "pytest_llmmock", "run", "--cassette", "c.yaml"]
    asking = ["--", sys.executable, "ask.py"]
    options = ["--mode=once", "--upstream=codex", "--debug-model=gpt-6-sol", "--reasoning-effort=low"]
    outputs = []
    for more in (options, []):
        done = subprocess.run(
            [*command, *more, *asking], cwd=project.path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        outputs.append((done.stdout, done.stderr))
    assert [out for out, _ in outputs] == ["hi #1 of gpt-6-sol\n"] * 2
    assert "llmmock: codex was asked for gpt-6-sol (debug_model)" in outputs[0][1]
    assert outputs[1][1] == ""
