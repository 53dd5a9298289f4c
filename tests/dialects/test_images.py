"""Pictures for OpenAI's clients."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import openai
import pytest
from answering import Answering, openai_client
from decoding import decoded

from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Prompt, Usage
from pytest_llmmock.dialects import images

PNG = b"\x89PNG told"
TOLD = Answer((Delta("image", data=PNG),))


def test_a_picture_is_made_up_in_the_size_that_was_asked_for() -> None:
    with openai_client(Answering(Answer())) as client:
        found = client.images.generate(
            model="gpt-image-1", prompt="a cat", size="1024x1536", quality="low", background="transparent", n=2
        )
    assert found.data is not None
    one, other = (b64decode(image.b64_json or "") for image in found.data)
    assert decoded(one)[:3] == (1024, 1536, 4)
    assert one != other
    assert (found.size, found.quality, found.background, found.output_format) == (
        "1024x1536",
        "low",
        "transparent",
        "png",
    )
    assert found.usage is not None
    assert (found.usage.output_tokens, found.usage.input_tokens_details.text_tokens) == (2 * 408, 2)
    assert found.usage.total_tokens == found.usage.input_tokens + found.usage.output_tokens


def test_older_models_tell_where_a_picture_is() -> None:
    with openai_client(Answering(Answer())) as client:
        one = client.images.generate(model="dall-e-3", prompt="a cat", size="256x256")
        packed = client.images.generate(model="dall-e-3", prompt="a cat", size="256x256", response_format="b64_json")
    assert one.data is not None
    assert packed.data is not None
    assert (one.usage, one.data[0].b64_json) == (None, None)
    assert one.data[0].url == f"data:image/png;base64,{packed.data[0].b64_json}"


def test_what_was_told_is_shown() -> None:
    elsewhere = Answer((Delta("image", "https://x/a.png"), Delta("usage", usage=Usage(input=5, output=7))))
    with openai_client(Answering(TOLD)) as client:
        found = client.images.generate(model="gpt-image-1", prompt="a cat", n=2)
    with openai_client(Answering(elsewhere)) as client:
        there = client.images.generate(model="gpt-image-1", prompt="a cat")
    assert [b64decode(image.b64_json or "") for image in found.data or ()] == [PNG, PNG]
    assert [image.url for image in there.data or ()] == ["https://x/a.png"]
    assert there.usage is not None
    assert (there.usage.input_tokens, there.usage.output_tokens) == (5, 7)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # variations, by openai 3
def test_pictures_that_are_given_are_parts_of_what_was_asked() -> None:
    files = [("a.png", b"\x89PNGa", "image/png"), ("b.png", b"\x89PNGb", "image/png")]
    with openai_client(answering := Answering(Answer())) as client:
        found = client.images.edit(
            model="gpt-image-1",
            image=files,
            mask=("m.png", b"\x89PNGm", "image/png"),
            prompt="a hat",
            size="64x64",
            n=1,
        )
        client.images.create_variation(image=files[0], size="256x256")
    assert found.usage is not None
    assert found.usage.input_tokens_details.image_tokens > 0
    edit, variation = (exchange.prompt for exchange in answering.asked)
    assert (edit.model, edit.messages[0].text, edit.action) == ("gpt-image-1", "a hat", "edits")
    assert [part.content for part in edit.messages[0].parts] == [b"\x89PNGa", b"\x89PNGb", b"\x89PNGm"]
    assert edit.options == {"size": "64x64", "n": "1"}
    assert (variation.action, len(variation.messages[0].parts)) == ("variations", 1)


def test_pictures_may_be_named_in_json() -> None:
    body = b'{"prompt": "a hat", "images": [{"image_url": "https://x/a.png"}], "mask": {"file_id": "file-1"}}'
    prompt = images.read_request(Request("POST", "", "/v1/images/edits", body=body))
    assert [(part.kind, part.url) for part in prompt.messages[0].parts] == [("image", "https://x/a.png"), ("mask", "")]
    assert images.read_request(Request("POST", "", "/v1/images/edits", body=images.write_request(prompt))) == prompt


def test_a_picture_becomes_clear_step_by_step() -> None:
    with openai_client(Answering(TOLD)) as client:
        stream = client.images.generate(
            model="gpt-image-1", prompt="a cat", size="64x64", stream=True, partial_images=2
        )
        events = list(stream)
        edited = list(client.images.edit(model="gpt-image-1", prompt="a", image=b"\x89PNG", stream=True))
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert [event.partial_image_index for event in events[:2]] == [0, 1]  # type: ignore[union-attr]
    assert b64decode(events[-1].b64_json) == PNG
    assert events[-1].usage.output_tokens > 0  # type: ignore[union-attr]
    assert [event.type for event in edited] == ["image_edit.completed"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"size": "huge"}, "size='huge' is not possible"),
        ({"output_format": "bmp"}, "output_format='bmp' cannot be made"),
    ],
)
def test_what_cannot_be_made_is_refused(asked: dict[str, Any], why: str) -> None:
    with openai_client(Answering(Answer())) as client, pytest.raises(openai.BadRequestError, match=why):
        client.images.generate(model="gpt-image-1", prompt="a cat", **asked)


def test_an_error_is_an_error_streamed_or_not() -> None:
    failed = Answering(Answer((Delta("error", "no ink"),)))
    with openai_client(failed) as client, pytest.raises(openai.InternalServerError, match="no ink"):
        client.images.generate(prompt="a")
    with openai_client(failed) as client, pytest.raises(openai.APIError, match="no ink"):
        list(client.images.generate(prompt="a", stream=True))


def test_a_picture_is_the_same_streamed_and_at_once() -> None:
    asked, streamed = Prompt("gpt-image-1"), Prompt("gpt-image-1", stream=True)
    whole, stream = images.write_reply(asked, TOLD), images.write_reply(streamed, TOLD)
    assert images.read_reply(whole).deltas == images.read_reply(stream).deltas
    gathered, spread = images.convert(asked, stream), images.convert(streamed, whole)
    assert gathered is not None
    assert spread is not None
    assert gathered.json() == whole.json()
    assert spread.body == stream.body


def test_many_pictures_and_addresses_have_no_stream() -> None:
    two = images.write_reply(Prompt("gpt-image-1", options={"n": 2, "size": "8x8"}), Answer())
    there = images.write_reply(Prompt("dall-e-3", options={"size": "8x8"}), Answer())
    assert images.convert(Prompt(stream=True), two) is images.convert(Prompt(stream=True), there) is None


def test_shared_recordings_are_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation.startswith("images")]
    assert len(found) > 1
    for file, exchange, reply in found:
        assert exchange.prompt.messages[0].text, file
        shown = [delta for delta in images.read_reply(reply).deltas if delta.kind == "image"]
        assert shown, file
        assert all(delta.text or delta.data for delta in shown), file
