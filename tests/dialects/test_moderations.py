"""What is found in texts and pictures: nothing, unless it is told."""

from __future__ import annotations

import typing

import pytest
from answering import Answering, openai_client
from openai.types import moderation

from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.core.prompt import Answer, Delta
from pytest_llmmock.dialects import moderations


def names_of(model: typing.Any) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_the_categories_are_those_of_the_sdk() -> None:
    assert set(moderations.CATEGORIES) == names_of(moderation.Categories) == names_of(moderation.CategoryScores)
    fields = moderation.CategoryAppliedInputTypes.model_fields
    pictures = {field.alias or name for name, field in fields.items() if "image" in str(field.annotation)}
    assert pictures == {name for name, looked_at in moderations.CATEGORIES.items() if looked_at}


@pytest.mark.parametrize(
    ("given", "count"), [("hello", 1), (["a", "b", "c"], 3), ([{"type": "text", "text": "a"}, {"type": "text"}], 1)]
)
def test_nothing_is_found_in_each_input(given: typing.Any, count: int) -> None:
    with openai_client(Answering(Answer())) as client:
        found = client.moderations.create(model="omni-moderation-latest", input=given)
    assert (len(found.results), found.model) == (count, "omni-moderation-latest")
    result = found.results[0]
    assert not result.flagged
    assert not any(result.categories.model_dump().values())
    assert set(result.category_applied_input_types.model_dump(by_alias=True)) == set(moderations.CATEGORIES)
    assert all(0 < score < 0.01 for score in result.category_scores.model_dump().values())


def test_what_is_told_is_found() -> None:
    told = [{"categories": {"violence": True}}, {"category_scores": {"hate": 0.75}}]
    answer = Answer(tuple(Delta("item", data=value) for value in told))
    with openai_client(Answering(answer)) as client:
        one, other, last = client.moderations.create(input=["a", "b", "c"]).results
    assert (one.flagged, one.categories.violence, one.categories.hate) == (True, True, False)
    assert one.category_scores.violence > 0.9
    assert (other.categories.hate, other.category_scores.hate, other.flagged) == (True, 0.75, True)
    assert last == other


def test_words_that_are_json_tell_it_too() -> None:
    told = Answer((Delta("text", '{"results": [{"flagged": true}], "id": "modr-1"}'),))
    with openai_client(Answering(told)) as client:
        found = client.moderations.create(input="x")
    assert (found.id, found.results[0].flagged) == ("modr-1", True)


def test_shared_recordings_have_the_fields_that_are_written(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation == "moderations"]
    assert found
    for file, exchange, reply in found:
        written = moderations.write_reply(exchange.prompt, Answer()).json()
        real = reply.json()
        assert set(real) == set(written), file
        known = {"category_applied_input_types"}
        assert set(real["results"][0]) == set(written["results"][0]) - known, file
        if exchange.prompt.model.startswith("text-"):
            assert set(real["results"][0]["categories"]) == set(written["results"][0]["categories"]), file
