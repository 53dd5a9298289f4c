"""Which requests can be asked in Responses, and what becomes of those that cannot."""

from __future__ import annotations

import pytest
from responding import asked

from pytest_llmmock import dialects
from pytest_llmmock.core.engine import Engine
from pytest_llmmock.core.journal import Journal
from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.errors import TranslationError
from pytest_llmmock.upstreams.translation import as_responses


def test_a_request_of_responses_stays_as_it_is() -> None:
    items = [{"role": "user", "content": "Hi"}]
    found = as_responses(asked("responses", input=items, instructions="x", max_output_tokens=5, store=True))
    assert found.body == {
        "model": "gpt-5",
        "input": items,
        "instructions": "x",
        "max_output_tokens": 5,
        "stream": True,
        "store": False,
    }


def test_a_text_becomes_a_list_of_one_message() -> None:
    (said,) = as_responses(asked("responses")).body["input"]
    assert said == {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


def test_what_cannot_be_translated_is_refused_with_what_can_be() -> None:
    exchange = dialects.read(Request("POST", "http://x", "/v1/embeddings", body=b'{"input": "Hi"}'))
    with pytest.raises(TranslationError) as caught:
        as_responses(exchange)
    assert str(caught.value).startswith(
        "This upstream speaks Responses only, and POST /v1/embeddings cannot be translated. What can be: responses, "
    )


def test_the_client_of_what_is_refused_gets_a_400_in_its_protocol() -> None:
    class Translating:
        def answer(self, exchange: Exchange) -> Reply | None:
            as_responses(exchange)
            return None

    troubles: list[str] = []
    engine = Engine(dialects.read, [Translating()], lambda exchange: "", Journal(), troubles.append)
    reply = engine.handle(asked(n=2).request)
    assert (reply.status, reply.source) == (400, "upstream")
    assert reply.json()["error"]["code"] == "unsupported_by_upstream"
    assert troubles == [reply.json()["error"]["message"]]
