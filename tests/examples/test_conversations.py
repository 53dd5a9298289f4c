"""What users of the OpenAI SDK do, replayed from recordings of a real server."""

from __future__ import annotations

import asyncio
import json

from openai import AsyncOpenAI, OpenAI

QUESTION = [{"role": "user", "content": "Plan a day in Rome"}]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city, now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_chat(llm_mock):
    answer = OpenAI(api_key="test").chat.completions.create(model="gpt-5", messages=QUESTION)
    assert "Trastevere" in answer.choices[0].message.content
    assert answer.usage.total_tokens == llm_mock.requests.last.usage.total


def test_chat_streamed(llm_mock):
    stream = OpenAI(api_key="test").chat.completions.create(
        model="gpt-5", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == llm_mock.requests.last.text
    assert "café, carbonara" in text
    assert chunks[-1].usage.total_tokens > 0


def test_chat_async(llm_mock):
    async def ask():
        async with AsyncOpenAI(api_key="test") as client:
            plain = client.chat.completions.create(model="gpt-5", messages=QUESTION)
            stream = client.chat.completions.create(model="gpt-5", messages=QUESTION, stream=True)
            answer, chunks = await asyncio.gather(plain, stream)
            return answer.choices[0].message.content, [chunk async for chunk in chunks]

    text, chunks = asyncio.run(ask())
    assert text == "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def test_tools(llm_mock):
    answer = OpenAI(api_key="test").chat.completions.create(model="gpt-4.1", messages=QUESTION, tools=[WEATHER])
    cities = [json.loads(call.function.arguments)["city"] for call in answer.choices[0].message.tool_calls]
    assert cities == ["Rome", "Oslo"]
    assert [call.name for call in llm_mock.requests.last.tool_calls] == ["get_weather", "get_weather"]


def test_tools_streamed(llm_mock):
    stream = OpenAI(api_key="test").chat.completions.create(
        model="gpt-4.1", messages=QUESTION, tools=[WEATHER], stream=True
    )
    calls = [call for chunk in stream for choice in chunk.choices for call in choice.delta.tool_calls or []]
    assert calls[0].function.name == "get_weather"


def test_responses_streamed(llm_mock):
    with OpenAI(api_key="test").responses.stream(model="gpt-5-mini", input="Plan a day in Rome") as stream:
        kinds = [event.type for event in stream]
        assert "Colosseum" in stream.get_final_response().output_text
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_embeddings(llm_mock):
    answer = OpenAI(api_key="test").embeddings.create(
        model="text-embedding-3-small", input="Rome", encoding_format="float"
    )
    assert len(answer.data[0].embedding) == 8


def test_models(llm_mock):
    assert "gpt-5" in [model.id for model in OpenAI(api_key="test").models.list()]
