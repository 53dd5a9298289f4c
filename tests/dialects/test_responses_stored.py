"""Responses that are kept: asked for again, cancelled, deleted; what they were asked; what one would take."""

from __future__ import annotations

from answering import Answering, openai_client

from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.core.prompt import Answer, Delta, Prompt, Usage
from pytest_llmmock.dialects import responses, responses_stored


def said(words: str, **more: str) -> Delta:
    content = [{"type": "input_text", "text": words}]
    return Delta("item", data={"type": "message", "role": "user", "content": content, **more})


ITEMS = (said("Hi", id="msg_1"), said("again"))


def test_the_sdk_reads_a_kept_response() -> None:
    with openai_client(Answering(Answer((Delta("text", "Hello"),), "gpt"))) as client:
        found = client.responses.retrieve("resp_1")
        events = list(client.responses.retrieve("resp_1", stream=True))
        cancelled = client.responses.cancel("resp_1")
        client.responses.delete("resp_1")
    assert (found.id, found.output_text, found.status) == ("resp_1", "Hello", "completed")
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert (cancelled.id, cancelled.status) == ("resp_1", "cancelled")


def test_a_response_that_is_told_whole_stays_as_it_is() -> None:
    kept = responses.write_reply(Prompt("gpt"), Answer((Delta("text", "Hello"),), id="resp_1")).json()
    with openai_client(Answering(Answer((Delta("item", data=kept),)))) as client:
        assert client.responses.retrieve("resp_1").model_dump(mode="json", exclude_unset=True) == kept
        *_, last = client.responses.retrieve("resp_1", stream=True)
    assert last.type == "response.completed"
    assert last.response.output_text == "Hello"


def test_the_sdk_reads_what_a_response_was_asked() -> None:
    with openai_client(Answering(Answer(ITEMS))) as client:
        found = list(client.responses.input_items.list("resp_1"))
    assert [item.content[0].text for item in found] == ["Hi", "again"]  # type: ignore[union-attr]
    assert found[0].id == "msg_1"
    assert all(item.id for item in found)


def test_the_sdk_reads_how_many_tokens_it_would_take() -> None:
    told = Answer((Delta("usage", usage=Usage(input=16)),))
    with openai_client(Answering(told)) as client:
        assert client.responses.input_tokens.count(model="gpt", input="Hi").input_tokens == 16
    with openai_client(Answering(Answer())) as client:
        assert client.responses.input_tokens.count(model="gpt", input="word " * 100).input_tokens > 100


def test_the_sdk_reads_a_conversation_made_shorter() -> None:
    with openai_client(Answering(Answer((Delta("text", "greetings"),)))) as client:
        found = client.responses.compact(
            model="gpt-5", input=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
        )
    assert (found.object, [item.type for item in found.output]) == ("response.compaction", ["message", "compaction"])
    assert found.usage.input_tokens > 0


def test_shared_recordings_are_read_and_written_again(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation.startswith("responses.")]
    assert len(found) > 6
    for file, exchange, reply in found:
        assert exchange.dialect is responses_stored
        answer = responses_stored.read_reply(reply)
        assert answer.deltas, file
        again = responses_stored.write_reply(exchange.prompt, answer)
        if exchange.operation in ("responses.input_items", "responses.input_tokens"):
            assert again.json() == reply.json(), file
        elif exchange.operation == "responses.compact":
            assert set(reply.json()) == set(again.json()), file
        else:
            assert responses_stored.read_reply(again).text == answer.text, file
