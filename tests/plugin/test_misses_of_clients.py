"""What clients make of a miss: their own exception carries our text, without a retry, and the test fails with it.

Clients that are not among our extras are tried where they are installed: `tox -e clients`.
"""

from __future__ import annotations

import shutil
import sys
from textwrap import indent

import pytest

ASK = 'model="m", messages=[{"role": "user", "content": "hello"}]'

CLIENTS = {
    "openai": (
        f"with openai.OpenAI(api_key='k') as client: client.chat.completions.create({ASK})",
        "openai.NotFoundError",
    ),
    "openai, streamed": (
        f"with openai.OpenAI(api_key='k') as client: list(client.chat.completions.create({ASK}, stream=True))",
        "openai.NotFoundError",
    ),
    "openai, responses": (
        "with openai.OpenAI(api_key='k') as client: client.responses.create(model='m', input='hello')",
        "openai.NotFoundError",
    ),
    "openai, raw": (
        f"with openai.OpenAI(api_key='k') as client: client.chat.completions.with_raw_response.create({ASK})",
        "openai.NotFoundError",
    ),
    "openai, async": (
        f"""
async def ask():
    async with openai.AsyncOpenAI(api_key='k') as client:
        await client.chat.completions.create({ASK})
asyncio.run(ask())""",
        "openai.NotFoundError",
    ),
    "openai, async, streamed": (
        f"""
async def ask():
    async with openai.AsyncOpenAI(api_key='k') as client:
        async with client.chat.completions.stream({ASK}) as stream:
            async for event in stream:
                pass
asyncio.run(ask())""",
        "openai.NotFoundError",
    ),
    "openai, in a task": (
        f"""
async def ask():
    async with openai.AsyncOpenAI(api_key='k') as client:
        await asyncio.create_task(client.chat.completions.create({ASK}))
asyncio.run(ask())""",
        "openai.NotFoundError",
    ),
    "anthropic": (
        f"with anthropic.Anthropic(api_key='k') as client: client.messages.create({ASK}, max_tokens=9)",
        "anthropic.NotFoundError",
    ),
    "anthropic, streamed": (
        f"""
with anthropic.Anthropic(api_key='k') as client:
    with client.messages.stream({ASK}, max_tokens=9) as stream:
        stream.get_final_text()""",
        "anthropic.NotFoundError",
    ),
    "anthropic, async": (
        f"""
async def ask():
    async with anthropic.AsyncAnthropic(api_key='k') as client:
        await client.messages.create({ASK}, max_tokens=9)
asyncio.run(ask())""",
        "anthropic.NotFoundError",
    ),
    "ollama": (f"with ollama.Client() as client: client.chat({ASK})", "ollama._types.ResponseError"),
    "ollama, streamed": (
        f"with ollama.Client() as client: list(client.chat({ASK}, stream=True))",
        "ollama._types.ResponseError",
    ),
    "langchain_openai": ("langchain_openai.ChatOpenAI(model='m', api_key='k').invoke('hello')", "*NotFoundError"),
    "langchain_openai, streamed": (
        "list(langchain_openai.ChatOpenAI(model='m', api_key='k').stream('hello'))",
        "*NotFoundError",
    ),
    "langchain_openai, async": (
        "asyncio.run(langchain_openai.ChatOpenAI(model='m', api_key='k').ainvoke('hello'))",
        "*NotFoundError",
    ),
    "litellm": (
        "litellm.completion('openai/m', [{'role': 'user', 'content': 'hello'}], api_key='k')",
        "litellm.exceptions.NotFoundError",
    ),
    "litellm, streamed": (
        "list(litellm.completion('openai/m', [{'role': 'user', 'content': 'hello'}], api_key='k', stream=True))",
        "litellm.exceptions.NotFoundError",
    ),
    "pydantic_ai": (
        "pydantic_ai.Agent('openai-chat:m').run_sync('hello')",
        "pydantic_ai.exceptions.Model*Error",
    ),
}
"""What a test does, and the exception that comes of it. The first word is the package that it needs."""

OURS = ("openai", "anthropic", "ollama")

PROJECT = """
    import asyncio
    import openai
    import pytest
    import {package}

    def test_it({fixture}, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        with pytest.raises(Exception) as caught:
{code}
        raised = type(caught.value)
        print("RAISED", raised.__module__ + "." + raised.__qualname__)
        print("SAID", " ".join(str(caught.value).split()))
        print("ASKED", len({fixture}.requests))
"""


@pytest.mark.parametrize("fixture", ["llm_mock", "llm_server"])
@pytest.mark.parametrize("name", CLIENTS)
def test_the_clients_own_exception_carries_our_text_and_the_test_fails_with_it(project, name, fixture):
    package = name.partition(",")[0]
    pytest.importorskip(package)
    code, exception = CLIENTS[name]
    project.makepyfile(test_app=PROJECT.format(package=package, fixture=fixture, code=indent(code.strip(), " " * 12)))
    run = project.runpytest_inprocess if package in OURS else project.runpytest_subprocess
    result = run("-s", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            f"*RAISED {exception}",
            "SAID *There are no recordings to answer this request from: the cassette does not exist.*To fix it:*",
            "ASKED 1",
            "*ERROR at teardown of test_it*",
            "llmmock: There are no recordings to answer this request from: the cassette does not exist.",
            "To fix it:",
            '  * If the request is new or changed on purpose, record it:  pytest --llm-record "test_app.py::test_it"',
        ]
    )


MULTIPROCESSING = """
    import multiprocessing
    from openai import OpenAI

    def work():
        with OpenAI() as client:
            client.models.list()

    def test_it(llm_server):
        process = multiprocessing.get_context("spawn").Process(target=work)
        process.start()
        process.join(60)
        assert process.exitcode == 1
"""

CURL = """
    import json, subprocess

    def test_it(llm_server):
        done = subprocess.run(["curl", "-s", llm_server.base_url + "/models"], capture_output=True, check=True)
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "no_recording"
        assert error["message"].startswith("There are no recordings")
"""


@pytest.mark.parametrize("code", [MULTIPROCESSING, CURL], ids=["multiprocessing", "curl"])
def test_a_miss_in_another_process_fails_the_test(project, code):
    if code is CURL and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    project.makepyfile(test_app=code)
    result = project.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["llmmock: There are no recordings to answer this request from*", "  GET /v1/models"])


def test_the_error_of_the_standalone_server_is_what_the_sdk_prints(project):
    app = "from openai import OpenAI; OpenAI(max_retries=0).models.list()"
    ours = (sys.executable, "-m", "pytest_llmmock", "run", "--cassette", "none.yaml")
    done = project.run(*ours, "--", sys.executable, "-c", app)
    assert done.ret != 0
    done.stderr.fnmatch_lines("openai.NotFoundError: *There are no recordings to answer this request from*")
