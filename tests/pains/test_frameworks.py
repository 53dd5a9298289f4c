"""What is built on the SDKs, and needs more of them than a mock has.

Those that our tests do not bring along are tried where they are installed.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pydantic
import pytest
from provider import Answer, as_json, as_stream, completion

from pytest_llmmock import use_cassette


class Plan(pydantic.BaseModel):
    city: str
    stops: list[str]


PLAN = Plan(city="Rome", stops=["Colosseum", "Forum"])


def structured(asked: Any) -> Answer:
    """What was asked for by a schema, plain or streamed in two pieces; by tool where there is one."""
    text = PLAN.model_dump_json()
    if not asked.json().get("stream"):
        return as_json({**completion(text), "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})
    pieces = [{"role": "assistant", "content": text[:9]}, {"content": text[9:]}, {}]
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [
        {**shared, "choices": [{"index": 0, "delta": each, "finish_reason": None if each else "stop"}]}
        for each in pieces
    ]
    return as_stream(*(f"data: {json.dumps(each)}\n\n".encode() for each in chunks), b"data: [DONE]\n\n")


def with_tool(asked: Any) -> Answer:
    """A tool is called once; with its result comes the end."""
    messages = asked.json()["messages"]
    if messages[-1]["role"] == "tool":
        return as_json(completion(f"It is {messages[-1]['content']}."))
    call = {"id": "call_1", "type": "function", "function": {"name": "temperature", "arguments": '{"city": "Rome"}'}}
    return as_json(completion(None, tool_calls=[call]))


def test_openai_parses_what_it_asked_for_by_a_schema(run, provider):
    """Objects of a mock have no `parsed`, because they never were an answer."""
    provider.answer = structured
    for mode in ("once", "none"):
        with run(mode) as app, app.openai() as client:
            asked = {"model": "m", "messages": [{"role": "user", "content": "plan"}], "response_format": Plan}
            assert client.chat.completions.parse(**asked).choices[0].message.parsed == PLAN
            with client.chat.completions.stream(**asked) as stream:
                assert stream.get_final_completion().choices[0].message.parsed == PLAN


def test_langchain_is_replayed_plain_streamed_async_and_by_schema(run, provider):
    """LangChain asks the SDK for raw responses and for `parse`, which mocks of objects do not have."""
    langchain_openai = pytest.importorskip("langchain_openai")
    provider.answer = structured

    def chat(app: Any, **clients: Any) -> Any:
        return langchain_openai.ChatOpenAI(model="m", api_key="k", base_url=app.base_url, max_retries=0, **clients)

    async def later(app: Any) -> str:
        async with openai.DefaultAsyncHttpxClient() as client:
            return (await chat(app, http_async_client=client).ainvoke("plan")).content

    told = []
    for mode in ("once", "none"):
        with run(mode) as app, openai.DefaultHttpxClient() as client:
            model = chat(app, http_client=client)
            answer = model.invoke("plan")
            pieces = [piece.content for piece in model.stream("plan")]
            assert model.with_structured_output(Plan).invoke("plan") == PLAN
            told.append((answer.content, answer.usage_metadata, pieces, asyncio.run(later(app))))
    assert told[0] == told[1]
    assert Plan.model_validate_json("".join(told[1][2])) == PLAN


def test_pydantic_ai_calls_its_tools_in_replay_as_when_recorded(run, provider):
    """An agent that is answered by the last message calls its first tool again and again."""
    pydantic_ai = pytest.importorskip("pydantic_ai")
    openai_provider = pytest.importorskip("pydantic_ai.providers.openai")
    openai_models = pytest.importorskip("pydantic_ai.models.openai")
    provider.answer = with_tool
    called = []

    def temperature(city: str) -> str:
        """How warm it is."""
        called.append(city)
        return "21 degrees"

    async def ask(app: Any) -> str:
        async with app.async_openai() as client:
            model = openai_models.OpenAIChatModel("m", provider=openai_provider.OpenAIProvider(openai_client=client))
            agent = pydantic_ai.Agent(model, tools=[temperature])
            return (await agent.run("How warm is Rome?")).output

    for mode in ("once", "none"):
        with run(mode) as app:
            assert asyncio.run(ask(app)) == "It is 21 degrees."
    assert called == ["Rome", "Rome"]


def in_googles_words(asked: Any) -> Answer:
    """A whole answer, or one in two pieces."""
    parts = [{"candidates": [{"content": {"role": "model", "parts": [{"text": each}]}}]} for each in ("Ro", "me")]
    if "stream" in asked.path:
        return as_stream(*(f"data: {json.dumps(each)}\r\n\r\n".encode() for each in parts))
    return as_json(parts[1])


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # Google's own
def test_google_is_replayed_plain_streamed_and_async(path, provider):
    """What knows one provider's addresses only lets every other client go live."""
    genai = pytest.importorskip("google.genai")
    provider.answer = in_googles_words
    options = genai.types.HttpOptions(base_url="https://google.test", api_version="v1beta")
    asked = {"model": "gemini-9", "contents": "Where to?"}

    async def later(client: Any) -> str:
        async with client.aio as model:
            return (await model.models.generate_content(**asked)).text

    def told() -> tuple[str, list[str], str]:
        with genai.Client(api_key="k", http_options=options) as client:
            plain = client.models.generate_content(**asked).text
            pieces = [piece.text for piece in client.models.generate_content_stream(**asked)]
            return plain, pieces, asyncio.run(later(client))

    with use_cassette(path, mode="once", hosts=["google.test"], upstream=provider.url):
        assert told() == ("me", ["Ro", "me"], "me")
    with use_cassette(path, hosts=["google.test"]):
        assert told() == ("me", ["Ro", "me"], "me")
    assert len(provider.requests) == 3
