"""Files: uploaded, listed, read, deleted."""

from __future__ import annotations

import openai
import pytest
from answering import Answering, openai_client

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta
from pytest_llmmock.dialects import files

TOLD = Delta("item", data={"id": "file-1", "filename": "a.jsonl", "bytes": 12, "purpose": "batch", "created_at": 5})


def test_what_is_uploaded_is_known_to_its_answer() -> None:
    answering = Answering(Answer())
    with openai_client(answering) as client:
        made = client.files.create(file=("a.jsonl", b'{"x": 1}\n'), purpose="batch")
        again = client.files.create(file=("b.jsonl", b'{"x": 1}\n'), purpose="batch")
    assert (made.filename, made.bytes, made.purpose, made.status) == ("a.jsonl", 9, "batch", "processed")
    assert made.id.startswith("file-")
    assert made.id != again.id
    prompt = answering.asked[0].prompt
    assert (prompt.action, prompt.options) == ("create", {"purpose": "batch"})
    assert prompt.messages[0].parts[0].content == b'{"x": 1}\n'


def test_the_sdk_reads_every_answer_about_files() -> None:
    content = Delta("file", data=b"\x00\xff")

    def answer(exchange: Exchange) -> Answer:
        return Answer((content if exchange.operation == "files.content" else TOLD,))

    with openai_client(Answering(answer)) as client:
        assert client.files.retrieve("file-1").filename == "a.jsonl"
        assert [(each.id, each.created_at) for each in client.files.list()] == [("file-1", 5)]
        deleted = client.files.delete("file-1")
        assert client.files.content("file-1").read() == b"\x00\xff"
    assert (deleted.id, deleted.deleted, deleted.object) == ("file-1", True, "file")


def test_words_are_the_content_of_a_file_and_else_the_fields_of_its_object() -> None:
    prompt = files.read_request(Request("GET", "", "/v1/files/file-9/content"))
    assert files.write_reply(prompt, Answer((Delta("text", "Hé"),))).body == "Hé".encode()
    prompt = files.read_request(Request("GET", "", "/v1/files/file%209"))
    made = files.write_reply(prompt, Answer((Delta("text", '{"filename": "x"}'),))).json()
    assert (made["id"], made["filename"], made["object"]) == ("file 9", "x", "file")


def test_an_error_is_an_error() -> None:
    failed = Answering(Answer((Delta("error", "gone", name="x"),)))
    with openai_client(failed) as client, pytest.raises(openai.InternalServerError, match="gone"):
        client.files.list()


def test_shared_recordings_are_read_and_have_the_fields_that_are_written(
    recorded: list[tuple[str, Exchange, Reply]],
) -> None:
    found = [each for each in recorded if each[1].operation.startswith("files") and b"size_bytes" not in each[2].body]
    assert len(found) > 8
    for file, exchange, reply in found:
        answer = files.read_reply(reply)
        assert answer.deltas or b"file_deleted" in reply.body, file
        if exchange.operation in ("files.create", "files.retrieve"):
            known = {"expires_at", "status_details"}  # which older answers have not
            assert set(reply.json()) - known <= set(files.write_reply(exchange.prompt, Answer()).json()), file
        again = dialects.dialect_of(exchange.operation).write_reply(exchange.prompt, answer)
        assert names(files.read_reply(again)) == names(answer), file


def names(answer: Answer) -> list[object]:
    """What is told, without the fields that older answers have not."""
    return [(d.kind, *map(d.data.get, ("id", "filename"))) if d.kind == "item" else d for d in answer.deltas]
