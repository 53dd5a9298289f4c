"""The README's first test."""

from openai import OpenAI


def test_plan(llm_mock):
    answer = OpenAI(api_key="test").responses.create(model="gpt-5", input="Plan a day in Rome")
    assert "Colosseum" in answer.output_text
