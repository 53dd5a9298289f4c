from __future__ import annotations

import pytest

from pytest_llmmock.core.providers import HOSTS, PATTERNS, is_provider, matches


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com",
        "api.anthropic.com",
        "my-team.openai.azure.com",
        "europe-west4-aiplatform.googleapis.com",
        "bedrock-runtime.eu-central-1.amazonaws.com",
    ],
)
def test_providers_are_known(host: str) -> None:
    assert is_provider(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "openai.com",
        "api.openai.com.example.org",
        "notapi.openai.com",
        "openai.azure.com",
        "my-team.openai.azure.com.example.org",
        "s3.eu-central-1.amazonaws.com",
        "www.googleapis.com",
    ],
)
def test_hosts_that_only_look_like_providers_are_not(host: str) -> None:
    assert not is_provider(host)


@pytest.mark.parametrize("host", sorted(HOSTS | set(PATTERNS)))
def test_hosts_are_written_as_they_are_compared(host: str) -> None:
    assert host == host.lower().strip()
    assert not set(host) & set(":/@ ")
    assert "*" in host or host not in PATTERNS


def test_a_pattern_stands_for_any_name_and_a_name_for_itself() -> None:
    assert matches("models.corp.example", ("localhost", "*.corp.example"))
    assert matches("localhost", ("localhost", "*.corp.example"))
    assert not matches("corp.example", ("localhost", "*.corp.example"))
    assert not matches("localhost", ())
