"""The tool `llm`: as a library, and as a command that is given the address of a server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from frameworks import ASKED, HELLO, ROME, Weather, call_then_answer, needs, temperature

from pytest_llmmock import LLMServer

pytestmark = needs("llm")


@pytest.fixture
def llm(answered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    llm = pytest.importorskip("llm")
    llm.get_key("")  # makes its folder before it is asked
    return llm


def model_of(llm: Any, mock: Any, way: str = "get_model") -> Any:
    model = getattr(llm, way)("gpt-4o-mini")
    model.key = "test"
    model.api_base = mock.base_url if isinstance(mock, LLMServer) else None
    return model


def test_plain_streamed_and_async(answered, llm):
    answered.reply(HELLO)
    model = model_of(llm, answered)
    assert model.prompt(ASKED, stream=False).text() == HELLO
    pieces = list(model.prompt(ASKED))
    assert ("".join(pieces), len(pieces) > 2) == (HELLO, True)

    async def later() -> str:
        return await model_of(llm, answered, "get_async_model").prompt(ASKED).text()

    assert asyncio.run(later()) == HELLO


def test_tools_are_called_and_their_results_read(answered, llm):
    call_then_answer(answered)
    assert model_of(llm, answered).chain(ASKED, tools=[temperature]).text() == HELLO
    assert len(answered.requests) == 2


def test_structured_output(answered, llm):
    answered.reply(json=ROME.model_dump())
    said = model_of(llm, answered).prompt(ASKED, schema=Weather).text()
    assert Weather.model_validate_json(said) == ROME


MODELS = """
- model_id: mine
  model_name: m
  api_base: {url}
  api_key_name: openai
  can_stream: true
  supports_schema: true
  supports_tools: true
"""


def test_the_command_asks_the_server_that_its_file_of_models_names(tmp_path):
    pytest.importorskip("llm")

    def run(*words: str) -> str:
        environ = {**os.environ, "LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "test"}
        command = [sys.executable, "-m", "llm", *words]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with LLMServer(tmp_path / "none.yaml") as server:
        (tmp_path / "extra-openai-models.yaml").write_text(MODELS.format(url=server.base_url))
        server.when(contains="JSON").reply(json=ROME.model_dump())
        server.when(tool="llm_version").reply(tool_calls=("llm_version", {}), times=1)
        server.reply(HELLO)
        assert run("-m", "mine", ASKED) == HELLO
        assert run("-m", "mine", "--no-stream", ASKED) == HELLO
        assert json.loads(run("-m", "mine", "--schema", "city str, degrees int", "As JSON")) == ROME.model_dump()
        assert run("-m", "mine", "-T", "llm_version", ASKED) == HELLO
        assert [entry.stream for entry in server.requests] == [True, False, True, True, True]
