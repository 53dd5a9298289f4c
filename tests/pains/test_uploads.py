"""Files that are sent: their boundary is another in every run."""

from __future__ import annotations

import openai
import pytest
from provider import as_json

FILE = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "a.jsonl", "purpose": "batch"}


def upload(app, name: str = "a.jsonl", content: bytes = b"a\r\n\x00\xff") -> str:
    with app.openai(max_retries=0) as client:
        return client.files.create(file=(name, content), purpose="batch").id


def transcribe(app, content: bytes) -> str:
    with app.openai(max_retries=0) as client:
        return client.audio.transcriptions.create(file=("a.wav", content), model="whisper-1").text


def boundaries(provider) -> set[str]:
    return {asked.headers["content-type"] for asked in provider.requests}


def test_an_upload_is_found_though_its_boundary_differs(run, provider):
    """A form is compared as bytes, so the boundary alone makes every upload a miss."""
    provider.answer = lambda asked: as_json(FILE)
    with run("all") as app:
        upload(app)
        upload(app)
    assert len(boundaries(provider)) == 2
    with run() as app:
        assert [upload(app), upload(app)] == ["file-1", "file-1"]


@pytest.mark.parametrize(
    "change", [{"name": "b.jsonl"}, {"content": b"a\r\n\x00\xfe"}], ids=lambda change: next(iter(change))
)
def test_another_file_is_another_request(run, missing, provider, change):
    """Where the whole body is left out for the sake of the boundary, any file is answered by any recording."""
    provider.answer = lambda asked: as_json(FILE)
    with run("once") as app:
        upload(app)
    with missing() as (app, _), pytest.raises(openai.NotFoundError):
        upload(app, **change)


def test_sounds_are_told_apart_by_what_is_in_them(run, provider):
    """Two sounds of one name get one answer where only names and sizes are compared."""
    provider.answer = lambda asked: as_json({"text": f"said #{len(provider.requests)}"})
    with run("once") as app:
        assert [transcribe(app, b"RIFF1"), transcribe(app, b"RIFF2")] == ["said #1", "said #2"]
    with run() as app:
        assert [transcribe(app, b"RIFF2"), transcribe(app, b"RIFF1")] == ["said #2", "said #1"]
