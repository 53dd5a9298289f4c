"""An interaction parses what is asked of it, and no more."""

from __future__ import annotations

import pytest

from pytest_llmmock.cassettes import format
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.errors import CassetteFormatError

RECORDED = Recorded(
    Request("POST", "https://api.openai.com", "/v1/chat/completions", body=b'{"model":"gpt-5"}'),
    Reply(
        200, (("content-type", "text/event-stream"),), [Frame(b"data: a\n\n", 0.5), Frame(b"data: b\n\n", 0.75)], "OK"
    ),
)


def written(recorded: Recorded = RECORDED) -> bytes:
    return format.dumps([Interaction.of(recorded, "0" * 32)])


def test_who_plays_a_reply_does_not_parse_the_request():
    text = written().replace(b"    uri: ", b"    uri: [")
    (interaction,) = format.loads(text)
    assert interaction.reply == RECORDED.reply
    with pytest.raises(CassetteFormatError, match="not YAML"):
        _ = interaction.request


def test_the_reply_is_the_same_before_and_after_the_request_was_looked_at():
    (interaction,) = format.loads(written())
    before = interaction.reply
    assert interaction.request.path == "/v1/chat/completions"
    assert interaction.reply == before == RECORDED.reply


def test_what_is_rewritten_is_played_as_it_is_then():
    (interaction,) = format.loads(written())
    assert interaction.reply.status == 200
    interaction.rewrite(Recorded(RECORDED.request, Reply(500, (), [Frame(b"no")])))
    assert interaction.reply.status == 500


def test_a_reply_that_needs_what_stands_in_the_request_is_read_with_it():
    text = written().replace(b"model: gpt-5", b"model: &word gpt-5").replace(b"message: OK", b"message: *word ")
    (interaction,) = format.loads(text)
    assert interaction.reply.reason == "gpt-5"


def test_what_is_wrong_with_a_reply_is_told_with_its_place():
    (interaction,) = format.loads(written().replace(b"code: 200", b"code: none"))
    interaction.place = "a.yaml, interaction 1"
    with pytest.raises(CassetteFormatError, match=r"a\.yaml, interaction 1: its response has no `status`"):
        _ = interaction.reply
