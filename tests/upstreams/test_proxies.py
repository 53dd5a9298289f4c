"""Programs that people run between their application and a provider, as upstreams: LiteLLM's proxy, another llmmock."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from openai import OpenAI
from programs import free_port, program
from standin import Standin

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes.library import open_cassette

OPENAI = "https://api.openai.com/v1"
"""Where the clients believe to go."""


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


@contextmanager
def another_llmmock(standin: Standin, folder: Path) -> Iterator[str]:
    port = free_port()
    options = ["--cassette", str(folder / "theirs.yaml"), "--upstream", standin.base_url, "--port", str(port)]
    with program([sys.executable, "-u", "-m", "pytest_llmmock", "record", *options], "stop with Ctrl-C"):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def litellm(standin: Standin, folder: Path) -> Iterator[str]:
    """Its proxy, which asks the stand-in with a key that only it has, and wants one of its own."""
    if importlib.util.find_spec("litellm") is None or importlib.util.find_spec("fastapi") is None:
        pytest.skip("litellm[proxy] is not there")
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n"
        "- model_name: m\n"
        f"  litellm_params: {{model: openai/m, api_base: '{standin.base_url}', api_key: sk-only-the-proxy-has-it}}\n"
        "general_settings: {master_key: sk-litellm-0123456789}\n"
    )
    port = free_port()
    command = [str(Path(sys.executable).with_name("litellm")), "--config", str(config), "--host", "127.0.0.1"]
    network = {"NO_PROXY": "127.0.0.1,localhost", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    with program([*command, "--port", str(port), "--telemetry", "False"], "Uvicorn running", **network):
        yield f"http://127.0.0.1:{port}/v1"


PROXIES = {"another llmmock": another_llmmock, "litellm": litellm}


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_recording_through_a_proxy_is_replayed_without_it(standin, tmp_path, monkeypatch, proxy):
    monkeypatch.setenv("KEY_OF_THE_PROXY", "sk-litellm-0123456789")
    path = tmp_path / "ours.yaml"
    asked = {"model": "m", "messages": [{"role": "user", "content": "one two"}]}

    def answers(client: OpenAI) -> list[str]:
        plain = client.chat.completions.create(**asked).choices[0].message.content
        pieces = client.chat.completions.create(**asked, stream=True)
        return [plain, "".join(each.choices[0].delta.content or "" for each in pieces if each.choices)]

    with PROXIES[proxy](standin, tmp_path) as url:
        own = {"mine": {"url": url, "key_env": "KEY_OF_THE_PROXY"}}
        with (
            use_cassette(path, mode="new_episodes", upstream="mine", upstreams=own) as mock,
            OpenAI(
                api_key="sk-of-the-client-0123456789", base_url="https://api.openai.com/v1", max_retries=0
            ) as client,
        ):
            recorded = answers(client)
            assert [entry.upstream for entry in mock.requests] == ["mine", "mine"]
    assert [each.partition(" #")[0] for each in recorded] == ["one two", "one two"]  # LiteLLM also asks by itself
    with use_cassette(path), OpenAI(api_key="k", base_url=OPENAI) as client:
        assert answers(client) == recorded
    assert [each.meta["upstream"] for each in open_cassette(path).interactions] == ["mine", "mine"]
    written = path.read_text()
    assert "0123456789" not in written
    assert "sk-only-the-proxy-has-it" not in written
    keys = {request.header("authorization") for request in standin.requests}
    assert "Bearer sk-of-the-client-0123456789" not in keys


def test_another_llmmock_hears_which_upstream_is_meant_for_it(standin, tmp_path):
    """The parameter is for the first one that is asked: it is not sent on."""
    with another_llmmock(standin, tmp_path) as url:
        reply = httpx.post(
            f"{url}/chat/completions?provider=xai", json={"model": "m", "messages": []}, headers={"x-trace": "1"}
        )
    assert reply.status_code in (500, 502)
    assert "XAI_API_KEY is not set" in reply.json()["error"]["message"]
    assert standin.requests == []
