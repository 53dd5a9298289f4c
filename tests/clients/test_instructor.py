from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from frameworks import ASKED, ROME, Weather, needs

pytestmark = needs("instructor")

USER = [{"role": "user", "content": ASKED}]
MODES = ["TOOLS", "JSON_SCHEMA"]


@pytest.fixture
def instructor(answered: Any) -> Any:
    return pytest.importorskip("instructor")


def answer(mock: Any, mode: str) -> None:
    said = ROME.model_dump()
    mock.reply(tool_calls=("Weather", said)) if mode == "TOOLS" else mock.reply(json=said, chunks=3)


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_is_made_into_the_model_of_the_application(answered, instructor, mode):
    answer(answered, mode)
    asked: Any = {"model": "m", "messages": USER, "response_model": Weather, "max_retries": 0}
    with openai.OpenAI() as http:
        client = instructor.from_openai(http, mode=getattr(instructor.Mode, mode))
        assert client.chat.completions.create(**asked).model_dump() == ROME.model_dump()

    async def later() -> Weather:
        async with openai.AsyncOpenAI() as http:
            return await instructor.from_openai(http, mode=getattr(instructor.Mode, mode)).create(**asked)

    assert asyncio.run(later()).model_dump() == ROME.model_dump()


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_grows_while_it_is_streamed(answered, instructor, mode):
    answer(answered, mode)
    with openai.OpenAI() as http:
        client = instructor.from_openai(http, mode=getattr(instructor.Mode, mode))
        *some, last = client.create_partial(model="m", messages=USER, response_model=Weather)
    assert (last.city, last.degrees, len(some) > 0) == ("Rome", 21, True)


def test_what_does_not_fit_is_asked_again(answered, instructor):
    answered.reply(tool_calls=("Weather", {"city": "Rome"})).reply(tool_calls=("Weather", ROME.model_dump()))
    with openai.OpenAI() as http:
        client = instructor.from_openai(http)
        found = client.create(model="m", messages=USER, response_model=Weather, max_retries=2)
    assert found.model_dump() == ROME.model_dump()
    assert len(answered.requests) == 2
