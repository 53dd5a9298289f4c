"""Batches, as a provider tells of them."""

from __future__ import annotations

from answering import Answering, openai_client

from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.core.prompt import Answer, Delta
from pytest_llmmock.dialects import batches


def test_the_sdk_reads_every_answer_about_batches() -> None:
    told = Delta("item", data={"status": "completed", "output_file_id": "file-2"})

    def answer(exchange: Exchange) -> Answer:
        return Answer((told,) if exchange.operation in ("batches", "batches.retrieve") else (), created=7)

    with openai_client(Answering(answer)) as client:
        made = client.batches.create(
            completion_window="24h", endpoint="/v1/responses", input_file_id="file-1", metadata={"a": "b"}
        )
        found = client.batches.retrieve(made.id)
        listed = client.batches.list(limit=3)
        cancelled = client.batches.cancel(made.id)
    assert (made.status, made.endpoint, made.input_file_id, made.metadata) == (
        "validating",
        "/v1/responses",
        "file-1",
        {"a": "b"},
    )
    assert (made.created_at, made.expires_at) == (7, 7 + 86400)
    assert (found.id, found.status, found.output_file_id) == (made.id, "completed", "file-2")
    assert [each.output_file_id for each in listed.data] == ["file-2"]
    assert (cancelled.id, cancelled.status) == (made.id, "cancelling")


def test_shared_recordings_are_read_and_have_the_fields_that_are_written(
    recorded: list[tuple[str, Exchange, Reply]],
) -> None:
    found = [each for each in recorded if each[1].operation.startswith("batches")]
    assert len(found) > 3
    for file, exchange, reply in found:
        answer = batches.read_reply(reply)
        assert batches.read_reply(batches.write_reply(exchange.prompt, answer)) == answer, file
        if exchange.operation == "batches.create":
            written = batches.write_reply(exchange.prompt, Answer()).json()
            assert set(reply.json()) - {"model", "usage"} == set(written) - {"model", "usage"}, file
