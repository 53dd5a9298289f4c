"""Answers that a function of the test works out."""

from __future__ import annotations

import asyncio
import re
import threading

import pytest
from scripting import asked, chat, replied, said

from pytest_llmmock import ScriptError, error, reply
from pytest_llmmock.core.model import Later, json_reply
from pytest_llmmock.script.source import Script


def calling(function) -> Script:
    script = Script("seed")
    script.for_any().call(function)
    return script


@pytest.mark.parametrize(
    "function",
    [
        lambda request: f"You said {request.text}",
        lambda request: {"text": f"You said {request.text}"},
        lambda request: reply(f"You said {request.text}"),
        lambda request: reply("You said {{ last_message }}", template=True),
    ],
)
def test_a_function_answers_with_a_text_a_dict_or_a_reply(function):
    assert said(calling(function), chat("hi")) == "You said hi"


def test_an_async_function_runs_on_a_loop_of_its_own():
    here = threading.get_ident()

    async def answer(request):
        await asyncio.sleep(0)
        return f"{request.text} {threading.get_ident() != here}"

    assert said(calling(answer), chat("hi")) == "hi True"


def test_an_async_function_is_not_in_the_way_of_a_loop_that_runs_already():
    async def answer(request):
        await asyncio.sleep(0)
        return request.text

    async def main() -> str | None:
        return said(calling(answer), chat("hi"))

    assert asyncio.run(main()) == "hi"


def test_a_function_is_called_where_it_may_take_time():
    called = []
    later = calling(lambda request: called.append(1) or "x").answer(chat())
    assert isinstance(later, Later)
    assert not called
    later.reply()
    assert called


def test_a_function_can_answer_with_an_error_or_with_a_whole_reply():
    assert replied(calling(lambda request: error(429)), chat()).status == 429
    whole = replied(calling(lambda request: json_reply({"a": 1}, 201)), chat())
    assert (whole.status, whole.json(), whole.source) == (201, {"a": 1}, "script")


def test_a_function_knows_for_which_time_it_is_called():
    script = Script()
    script.when(regex=r"(\w+)$").call(lambda request: f"{request.call} {request.regex[1]}")
    assert [said(script, chat(words)) for words in ("a", "a b")] == ["1 a", "2 b"]


def test_what_a_function_raises_is_told_with_its_traceback():
    def broken(request):
        return request.json["nope"]

    with pytest.raises(ScriptError) as caught:
        replied(calling(broken), chat())
    text = str(caught.value)
    assert text.startswith("The function broken() of a rule raised KeyError.\n\nTraceback")
    assert 'return request.json["nope"]' in text
    assert text.endswith("KeyError: 'nope'")
    assert "functions.py" not in text.replace("test_functions.py", "")


def test_what_an_async_function_raises_is_told_too():
    async def broken(request):
        raise ValueError("no")

    with pytest.raises(ScriptError, match=r"raised ValueError\.(.|\n)*raise ValueError\(\"no\"\)"):
        replied(calling(broken), chat())


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "returned None. An answer is a text, a dict of what reply() takes"),
        (5, "returned 5."),
        ({"city": "Rome"}, "A reply has no 'city'"),
        ({"embedding": [1.0]}, "cannot answer this: its reply holds embedding=, and chat takes a text or json="),
    ],
    ids=str,
)
def test_what_is_no_answer_is_told(found, words):
    from pytest_llmmock.errors import LLMMockError

    with pytest.raises(LLMMockError, match=re.escape(words)):
        replied(calling(lambda request: found), chat())


def test_a_function_may_answer_what_is_no_conversation():
    assert replied(calling(lambda request: "words"), asked("/v1/rerank", {})).body == b"words"
