"""`llmmock replay` serves what is at an address, and no other command takes one."""

from __future__ import annotations

import httpx
import pytest

from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.core.model import Request, json_reply


def recording(words):
    request = Request("POST", "https://api.openai.com", "/v1/things", body=words.encode())
    return Interaction.of(Recorded(request, json_reply({"said": words})))


@pytest.fixture
def address(tmp_path):
    pytest.importorskip("fsspec", reason="comes with the extra [remote]")
    library.save(tmp_path / "store/deep/a.yaml", [recording("one")])
    library.save(tmp_path / "store/b.yaml", [recording("two")])
    return f"file://{tmp_path}/store"


def test_what_is_at_an_address_is_served(llmmock, address):
    with llmmock.serving("replay", address) as serving:
        assert "replays 2 interactions of 2 cassettes" in serving.out
        assert httpx.post(f"{serving.url}/v1/things", content="one").json() == {"said": "one"}
        picked = httpx.post(f"{serving.url}/cassette/deep/a/v1/things", content="two")
        assert picked.status_code == 404
        assert f"Cassette: {address}/deep/a.yaml" in picked.json()["error"]["message"]


def test_a_single_cassette_at_an_address_is_served(llmmock, address):
    with llmmock.serving("replay", f"{address}/deep/a.yaml") as serving:
        assert httpx.post(f"{serving.url}/cassette/a/v1/things", content="one").json() == {"said": "one"}


def test_an_address_with_nothing_is_told(llmmock, address):
    done = llmmock("replay", f"{address}/nothing", status=1)
    assert f"There are no cassettes at {address}/nothing: files that end in" in done.stderr


@pytest.mark.parametrize("command", [("record", "--upstream", "ollama", "--cassette"), ("ls",), ("check",), ("show",)])
def test_other_commands_take_no_address(llmmock, command):
    done = llmmock(*command, "s3://bucket/a.yaml", status=1)
    assert (
        "s3://bucket/a.yaml is an address. Only `llmmock replay` reads cassettes from one" in done.stdout + done.stderr
    )
    assert list(llmmock.folder.glob("s3*")) == []
