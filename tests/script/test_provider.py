"""Files, batches and models of a provider that is played."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from simulating import Playing, openai_of, url_of

from pytest_llmmock.core.model import Exchange
from pytest_llmmock.core.prompt import Answer, Delta


def hello(exchange: Exchange) -> Answer | None:
    if exchange.operation not in ("chat", "responses"):
        return None
    said = exchange.prompt.messages[-1].text
    return Answer((Delta("text", f"You said {said}"),))


def test_a_file_is_there_until_it_is_deleted() -> None:
    with openai_of(Playing()) as client:
        made = client.files.create(file=("a.txt", b"hello"), purpose="user_data")
        other = client.files.create(file=("b.txt", b"\x00\xff"), purpose="assistants")
        assert client.files.retrieve(made.id) == made
        assert client.files.content(other.id).read() == b"\x00\xff"
        assert [file.id for file in client.files.list()] == [other.id, made.id]
        assert [file.id for file in client.files.list(order="asc", limit=1)] == [made.id, other.id]
        assert [file.id for file in client.files.list(purpose="assistants")] == [other.id]
        assert client.files.delete(made.id).deleted
        assert [file.id for file in client.files.list()] == [other.id]
        for ask in (client.files.retrieve, client.files.content, client.files.delete):
            with pytest.raises(openai.NotFoundError, match=f"No file found with id '{made.id}'"):
                ask(made.id)
    assert (made.filename, made.bytes, made.purpose, made.created_at > 1_700_000_000) == ("a.txt", 5, "user_data", True)


def test_two_providers_know_nothing_of_each_other_and_name_alike() -> None:
    ids = []
    for _ in range(2):
        with openai_of(Playing()) as client:
            assert list(client.files.list()) == []
            ids.append(client.files.create(file=("a.txt", b"hello"), purpose="user_data").id)
    assert ids[0] == ids[1]


def test_an_upload_without_a_file_or_a_purpose_is_refused() -> None:
    with openai_of(Playing()) as client:
        with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'purpose'"):
            client.post("/files", cast_to=object, files={"file": b"x"}, options={"headers": MULTIPART})
        with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'file'"):
            client.post("/files", cast_to=object, body={"purpose": "batch"})


MULTIPART: Any = {"content-type": "multipart/form-data"}


def line(number: int, url: str = "/v1/chat/completions", **body: Any) -> bytes:
    asked = {"model": "gpt-5", "messages": [{"role": "user", "content": f"word {number}"}], **body}
    return json.dumps({"custom_id": f"r{number}", "method": "POST", "url": url, "body": asked}).encode() + b"\n"


def test_a_batch_is_answered_line_by_line() -> None:
    playing = Playing(hello)
    with openai_of(playing) as client:
        lines = line(1) + b"\n" + line(2, "/v1/nowhere") + b"not json\n" + line(3)
        file = client.files.create(file=("in.jsonl", lines), purpose="batch")
        made = client.batches.create(completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id)
        done = client.batches.retrieve(made.id)
        assert done.output_file_id
        assert done.error_file_id
        told = [json.loads(each) for each in client.files.content(done.output_file_id).text.splitlines()]
        wrong = [json.loads(each) for each in client.files.content(done.error_file_id).text.splitlines()]
        assert [batch.id for batch in client.batches.list()] == [made.id]
        assert client.batches.retrieve(made.id) == done
        assert client.files.retrieve(done.output_file_id).purpose == "batch_output"
    assert (made.status, done.status) == ("validating", "completed")
    assert done.request_counts is not None
    assert done.request_counts.model_dump() == {"total": 4, "completed": 2, "failed": 2}
    assert [each["custom_id"] for each in told] == ["r1", "r3"]
    words = [each["response"]["body"]["choices"][0]["message"]["content"] for each in told]
    assert words == ["You said word 1", "You said word 3"]
    assert [each["response"] and each["response"]["status_code"] for each in wrong] == [404, None]
    assert wrong[1]["error"]["code"] == "invalid_json_line"
    assert len(playing.engine.journal.where(operation="chat")) == 2


def test_a_batch_can_be_cancelled_before_it_is_looked_at() -> None:
    with openai_of(Playing(hello)) as client:
        file = client.files.create(file=("in.jsonl", line(1)), purpose="batch")
        made = client.batches.create(completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id)
        cancelled = client.batches.cancel(made.id)
        assert client.batches.retrieve(made.id) == cancelled
        with pytest.raises(openai.NotFoundError, match="No batch found with id 'batch_x'"):
            client.batches.retrieve("batch_x")
        with pytest.raises(openai.BadRequestError, match="No such File object: file-x"):
            client.batches.create(completion_window="24h", endpoint="/v1/embeddings", input_file_id="file-x")
    assert (cancelled.status, cancelled.output_file_id) == ("cancelled", None)
    assert cancelled.cancelled_at


def test_models_are_those_that_are_known_or_all_that_there_are() -> None:
    with openai_of(Playing(recorded="x", named=("o3",))) as client:
        assert [model.id for model in client.models.list()] == ["gpt-5", "llama3", "o3"]
        assert client.models.retrieve("gpt-7").id == "gpt-7"
    with openai_of(Playing(hello, models=("gpt-6", "o*"))) as client:
        assert [model.id for model in client.models.list()] == ["gpt-6"]
        assert client.models.retrieve("o9").id == "o9"
        for ask in (client.models.retrieve, lambda name: client.responses.create(model=name, input="x")):
            with pytest.raises(openai.NotFoundError, match="The model `gpt-5` does not exist") as caught:
                ask("gpt-5")
            assert caught.value.code == "model_not_found"


def test_what_needs_no_model_is_answered() -> None:
    with openai_of(Playing()) as client:
        assert not client.moderations.create(input="x").results[0].flagged
        assert client.responses.input_tokens.count(model="gpt-5", input="word " * 50).input_tokens > 50


def test_other_protocols_are_played_too() -> None:
    import anthropic
    import ollama

    with url_of(Playing(models=("llama3",))) as url:
        server = ollama.Client(url)
        assert [model.model for model in server.list().models] == ["llama3"]
        assert [model.model for model in server.ps().models] == ["llama3"]
        assert "tools" in (server.show("llama3").capabilities or [])
        with pytest.raises(ollama.ResponseError, match="The model `gpt-5` does not exist"):
            server.show("gpt-5")
        server._client.close()
    with url_of(Playing()) as url, anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        messages: Any = [{"role": "user", "content": "word " * 50}]
        assert client.messages.count_tokens(model="claude", messages=messages).input_tokens > 50


def test_anthropics_models_and_files_are_played_in_anthropics_shapes() -> None:
    import anthropic

    models = ("claude-opus", "claude-haiku")
    with (
        url_of(Playing(models=models)) as url,
        anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client,
    ):
        assert [(model.id, model.type, model.lifecycle) for model in client.models.list()] == [
            ("claude-opus", "model", "active"),
            ("claude-haiku", "model", "active"),
        ]
        assert client.models.retrieve("claude-haiku").display_name == "claude-haiku"
        with pytest.raises(anthropic.NotFoundError, match="gpt-5"):
            client.models.retrieve("gpt-5")
        made = [client.beta.files.upload(file=(f"{n}.txt", b"hello", "text/plain")) for n in range(5)]
        assert (made[0].type, made[0].filename, made[0].mime_type, made[0].size_bytes) == (
            *("file", "0.txt", "text/plain"),
            5,
        )
        assert made[0].created_at.year > 2000
        listed = client.beta.files.list(limit=2)
        assert (len(listed.data), listed.has_more) == (2, True)
        assert [file.id for file in listed] == [file.id for file in reversed(made)]
        before = client.beta.files.list(limit=2, extra_query={"before_id": made[0].id})
        assert [file.filename for file in before.data] == ["2.txt", "1.txt"]
        assert client.beta.files.retrieve_metadata(made[1].id) == made[1]
        with pytest.raises(anthropic.BadRequestError, match="is not downloadable"):
            client.beta.files.download(made[1].id)
        assert client.beta.files.delete(made[1].id).type == "file_deleted"
        with pytest.raises(anthropic.NotFoundError, match=made[1].id) as caught:
            client.beta.files.retrieve_metadata(made[1].id)
        assert caught.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]
