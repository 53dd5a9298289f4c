from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from frameworks import ASKED, HELLO, ROME, Weather, call_then_answer, needs, temperature

pytestmark = needs("pydantic_ai")


@asynccontextmanager
async def model_of(name: str) -> AsyncIterator[Any]:
    models = pytest.importorskip("pydantic_ai.models.openai")
    providers = pytest.importorskip("pydantic_ai.providers.openai")
    async with openai.AsyncOpenAI(max_retries=0) as client:
        yield getattr(models, name)("m", provider=providers.OpenAIProvider(openai_client=client))


def agent_of(model: Any, **more: Any) -> Any:
    return pytest.importorskip("pydantic_ai").Agent(model, **more)


every_model = pytest.mark.parametrize("name", ["OpenAIChatModel", "OpenAIResponsesModel"])


@every_model
def test_plain_and_streamed(answered, name):
    answered.reply(HELLO)

    async def ask() -> tuple[str, list[str]]:
        async with model_of(name) as model:
            agent = agent_of(model)
            async with agent.run_stream(ASKED) as stream:
                pieces = [piece async for piece in stream.stream_text(delta=True, debounce_by=None)]
            return (await agent.run(ASKED)).output, pieces

    plain, pieces = asyncio.run(ask())
    assert (plain, "".join(pieces), len(pieces) > 1) == (HELLO, HELLO, True)


@every_model
def test_tools_are_called_and_their_results_read(answered, name):
    call_then_answer(answered)

    async def ask() -> str:
        async with model_of(name) as model:
            return (await agent_of(model, tools=[temperature]).run(ASKED)).output

    assert asyncio.run(ask()) == HELLO
    assert len(answered.requests) == 2


@every_model
@pytest.mark.parametrize("way", ["by tool", "by schema"])
def test_structured_output(answered, name, way):
    answered.reply(tool_calls=("final_result", ROME.model_dump())) if way == "by tool" else answered.reply(
        json=ROME.model_dump()
    )

    async def ask() -> Any:
        output = Weather if way == "by tool" else pytest.importorskip("pydantic_ai").NativeOutput(Weather)
        async with model_of(name) as model:
            return (await agent_of(model, output_type=output).run(ASKED)).output

    assert asyncio.run(ask()) == ROME
