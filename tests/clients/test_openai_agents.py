from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from frameworks import ASKED, HELLO, ROME, Weather, call_then_answer, needs, temperature

pytestmark = needs("agents")


@pytest.fixture(params=["OpenAIChatCompletionsModel", "OpenAIResponsesModel"])
def run(request: pytest.FixtureRequest, answered: Any) -> Any:
    """Runs an agent to its end, plain or streamed; its traces go nowhere."""
    agents = pytest.importorskip("agents")

    def run(streamed: bool = False, **more: Any) -> tuple[Any, list[str]]:
        async def ask() -> tuple[Any, list[str]]:
            async with openai.AsyncOpenAI(max_retries=0) as client:
                model = getattr(agents, request.param)(model="m", openai_client=client)
                agent = agents.Agent(name="guide", model=model, **more)
                quiet = agents.RunConfig(tracing_disabled=True)
                if not streamed:
                    return (await agents.Runner.run(agent, ASKED, run_config=quiet)).final_output, []
                stream = agents.Runner.run_streamed(agent, ASKED, run_config=quiet)
                events = [event async for event in stream.stream_events() if event.type == "raw_response_event"]
                deltas = [each.data.delta for each in events if each.data.type == "response.output_text.delta"]
                return stream.final_output, deltas

        return asyncio.run(ask())

    return run


def test_plain_and_streamed(answered, run):
    answered.reply(HELLO)
    assert run() == (HELLO, [])
    final, deltas = run(streamed=True)
    assert (final, "".join(deltas), len(deltas) > 1) == (HELLO, HELLO, True)


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_are_called_and_their_results_read(answered, run, streamed):
    tool = pytest.importorskip("agents").function_tool(temperature)
    call_then_answer(answered)
    assert run(streamed, tools=[tool])[0] == HELLO
    assert len(answered.requests) == 2


def test_structured_output(answered, run):
    answered.reply(json=ROME.model_dump())
    assert run(output_type=Weather)[0] == ROME
