"""Responses that are kept, and conversations that go on from them."""

from __future__ import annotations

import openai
import pytest
from simulating import Playing, openai_of

from pytest_llmmock import dialects
from pytest_llmmock.core.conversations import Conversations
from pytest_llmmock.core.model import Exchange, Request, json_reply
from pytest_llmmock.core.prompt import Answer, Delta


def says_what_it_heard(exchange: Exchange) -> Answer | None:
    """All that was said so far, by whom."""
    if exchange.operation != "responses":
        return None
    words = [f"{message.role[0]}:{message.text}" for message in exchange.prompt.messages]
    return Answer((Delta("text", " ".join(words).replace("u:call", "")), *called(exchange)))


def called(exchange: Exchange) -> list[Delta]:
    last = exchange.prompt.messages[-1]
    return [Delta("tool_call", "{}", id="call_1", name="look")] if last.text == "call" else []


def test_a_conversation_goes_on_from_a_plain_answer_and_from_a_streamed_one() -> None:
    with openai_of(Playing(says_what_it_heard)) as client:
        one = client.responses.create(model="gpt-5", input="a", instructions="be brief")
        *_, last = client.responses.create(model="gpt-5", input="b", previous_response_id=one.id, stream=True)
        assert last.type == "response.completed"
        two = last.response
        three = client.responses.create(
            model="gpt-5", input=[{"role": "user", "content": "c"}], previous_response_id=two.id
        )
    assert one.output_text == "s:be brief u:a"
    assert two.output_text == "u:a a:s:be brief u:a u:b"
    assert three.output_text == f"u:a a:{one.output_text} u:b a:{two.output_text} u:c"
    assert (two.previous_response_id, three.previous_response_id) == (one.id, two.id)
    assert len({one.id, two.id, three.id}) == 3


def test_calls_and_their_results_are_part_of_a_conversation() -> None:
    playing = Playing(says_what_it_heard)
    with openai_of(playing) as client:
        one = client.responses.create(model="gpt-5", input="call")
        output = [{"type": "function_call_output", "call_id": "call_1", "output": "seen"}]
        client.responses.create(model="gpt-5", input=output, previous_response_id=one.id)  # type: ignore[arg-type]
    messages = playing.engine.journal.last.messages
    assert [(message.role, message.text, bool(message.tool_calls)) for message in messages] == [
        ("user", "call", False),
        ("assistant", "", True),
        ("tool", "seen", False),
    ]


def test_a_kept_response_can_be_asked_for_cancelled_and_deleted() -> None:
    with openai_of(Playing(says_what_it_heard)) as client:
        made = client.responses.create(model="gpt-5", input="a", metadata={"k": "v"})
        more = client.responses.create(model="gpt-5", input="b", previous_response_id=made.id)
        assert client.responses.retrieve(made.id).model_dump() == made.model_dump()
        *_, last = client.responses.retrieve(made.id, stream=True)
        assert last.response.output_text == made.output_text  # type: ignore[union-attr]
        items = list(client.responses.input_items.list(more.id, order="asc"))
        assert [item.type for item in items] == ["message", "message", "message"]
        assert [item.role for item in items] == ["user", "assistant", "user"]  # type: ignore[union-attr]
        assert [item.id for item in client.responses.input_items.list(more.id, limit=1)][::-1] == [i.id for i in items]
        assert client.responses.cancel(made.id).status == client.responses.retrieve(made.id).status == "cancelled"
        client.responses.delete(made.id)
        for ask in (client.responses.retrieve, client.responses.delete, client.responses.cancel, gone_on(client)):
            with pytest.raises(
                openai.NotFoundError, match=f"Previous response with id '{made.id}' not found"
            ) as caught:
                ask(made.id)
            assert caught.value.code == "previous_response_not_found"


def gone_on(client: openai.OpenAI):  # type: ignore[no-untyped-def]
    return lambda id: client.responses.create(model="gpt-5", input="b", previous_response_id=id)


def test_what_is_not_to_be_stored_is_not() -> None:
    with openai_of(Playing(says_what_it_heard)) as client:
        made = client.responses.create(model="gpt-5", input="a", store=False)
        with pytest.raises(openai.NotFoundError, match="not found"):
            client.responses.retrieve(made.id)


def test_a_conversation_that_was_recorded_is_no_concern_of_ours() -> None:
    with openai_of(Playing(says_what_it_heard, recorded="resp_old")) as client:
        found = client.responses.create(model="gpt-5", input="b", previous_response_id="resp_old")
    assert found.output_text == "u:b"


def test_a_conversation_is_made_shorter_with_all_that_was_said() -> None:
    def rule(exchange: Exchange) -> Answer | None:
        return Answer() if exchange.operation == "responses.compact" else says_what_it_heard(exchange)

    with openai_of(Playing(rule)) as client:
        one = client.responses.create(model="gpt-5", input="a")
        found = client.responses.compact(model="gpt-5", previous_response_id=one.id, input="b")
    assert [item.type for item in found.output] == ["message", "message", "compaction"]


def test_an_id_that_is_no_text_is_no_id() -> None:
    body = b'{"model": "gpt-5", "input": "a", "previous_response_id": ["resp_1"]}'
    reply = Playing(says_what_it_heard).handle(Request("POST", "http://x", "/v1/responses", body=body))
    assert reply.json()["output"][0]["content"][0]["text"] == "u:a"


def test_items_are_told_in_full_however_they_were_asked() -> None:
    with openai_of(Playing(says_what_it_heard)) as client:
        said = [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": [{"type": "input_text", "text": "c"}]},
        ]
        made = client.responses.create(model="gpt-5", input=said)  # type: ignore[arg-type]
        told = client.responses.input_items.list(made.id, order="asc").to_dict()["data"]
    assert [(item["type"], item["content"][0]["type"], item["content"][0]["text"]) for item in told] == [
        ("message", "input_text", "a"),
        ("message", "output_text", "b"),
        ("message", "input_text", "c"),
    ]


def test_what_was_deleted_does_not_come_back() -> None:
    """A recording may tell of it once more."""
    kept = Conversations()
    asked = dialects.read(Request("POST", "http://x", "/v1/responses", body=b'{"input": "a"}'))
    reply = json_reply({"id": "resp_1", "status": "completed", "output": [{"id": "msg_1", "type": "message"}]})
    kept.keep(asked, reply)
    assert kept.before("resp_1") is not None
    assert kept.item("msg_1") == {"id": "msg_1", "type": "message"}
    assert kept.answer(dialects.read(Request("DELETE", "http://x", "/v1/responses/resp_1"))) is not None
    kept.keep(asked, reply)
    assert (kept.before("resp_1"), kept.item("msg_1")) == (None, None)
