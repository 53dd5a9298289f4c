from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from frameworks import ASKED, HELLO, ROME, Weather, call_then_answer, needs, temperature

MODELS = ["openai/m", "ollama_chat/m", "anthropic/claude-x"]
USER = [{"role": "user", "content": ASKED}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "temperature", "description": "?", "parameters": PARAMETERS}}

pytestmark = [
    needs("litellm"),
    pytest.mark.filterwarnings(  # it closes no connection
        "ignore::DeprecationWarning:litellm",
        "ignore:unclosed <s:ResourceWarning",
        "ignore:unclosed transport:ResourceWarning",
        "ignore:Exception ignored in. <:pytest.PytestUnraisableExceptionWarning",
    ),
]


@pytest.fixture
def litellm(answered: Any, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """With the prices that it brings along, and clients of its own: their connections end with the test."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    litellm = pytest.importorskip("litellm")
    monkeypatch.setattr(litellm, "disable_aiohttp_transport", True)
    litellm.in_memory_llm_clients_cache.flush_cache()
    answered.when(operation="ollama.show").reply(json={"capabilities": ["tools"]})
    yield litellm
    litellm.in_memory_llm_clients_cache.flush_cache()
    gc.collect()  # it closes no connection: what is told of that is told here, and not in another test


@pytest.mark.parametrize("model", MODELS)
def test_plain_and_streamed(answered, litellm, model):
    answered.reply(HELLO, usage={"input": 3, "output": 4})
    plain = litellm.completion(model=model, messages=USER)
    assert (plain.choices[0].message.content, plain.usage.total_tokens) == (HELLO, 7)
    chunks = litellm.completion(model=model, messages=USER, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == HELLO


@pytest.mark.parametrize("model", MODELS[:2])  # its client for Anthropic belongs to the first loop that there was
def test_async_plain_and_streamed(answered, litellm, loop, model):
    answered.reply(HELLO)

    async def ask() -> tuple[str, str]:
        plain = await litellm.acompletion(model=model, messages=USER)
        chunks = await litellm.acompletion(model=model, messages=USER, stream=True)
        streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])
        return plain.choices[0].message.content, streamed

    assert loop.run(ask()) == (HELLO, HELLO)


@pytest.mark.parametrize("model", MODELS)
def test_tools_are_called_and_their_results_read(answered, litellm, model):
    call_then_answer(answered)
    first = litellm.completion(model=model, messages=USER, tools=[TOOL]).choices[0].message
    (call,) = first.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Rome"}
    result = {"role": "tool", "tool_call_id": call.id, "content": temperature("Rome")}
    answer = litellm.completion(model=model, messages=[*USER, first.model_dump(), result], tools=[TOOL])
    assert answer.choices[0].message.content == HELLO


def test_structured_output_and_embeddings(answered, litellm):
    answered.when(operation="embeddings").reply(embedding={"dimensions": 8})
    answered.reply(json=ROME.model_dump())
    plain = litellm.completion(model="openai/m", messages=USER, response_format=Weather)
    assert Weather.model_validate_json(plain.choices[0].message.content) == ROME
    assert len(litellm.embedding(model="openai/e", input=["a"]).data[0]["embedding"]) == 8
