"""Which upstream a request goes to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from pytest_llmmock.errors import UpstreamError, UsageError
from pytest_llmmock.upstreams import UPSTREAMS, find
from pytest_llmmock.upstreams.providers import PROVIDERS
from pytest_llmmock.upstreams.routing import Routes, lines, read

KEYS = {provider.key: "k" for provider in PROVIDERS.values()}


@dataclass
class Registry:
    """Finds upstreams, and notes which were looked for."""

    default: str = "openai"
    looked_for: list[str] = field(default_factory=list)

    def find(self, name):
        self.looked_for.append(name)
        return find(name, KEYS)

    def routes(self, **models):
        patterns = {pattern.replace("_", "*"): name for pattern, name in models.items()}
        return Routes(lambda: find(self.default, KEYS), patterns, self.find, UPSTREAMS)


@pytest.fixture
def goes(asked):
    """The name of the upstream to which a model, or a query, leads."""

    def goes(routes, model="m", query="", path="/v1/chat/completions"):
        return routes(asked(path, body=json.dumps({"model": model}).encode(), query=query)).NAME

    return goes


MODELS = {"grok_": "xai", "qwen_": "qwen", "qwen3-coder_": "openrouter", "qwen3-coder-plus": "qwen-us", "_": "groq"}


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("grok-4", "xai"),
        ("GROK-4", "xai"),
        ("qwen-max", "qwen"),
        ("qwen3-coder-flash", "openrouter"),
        ("qwen3-coder-plus", "qwen-us"),
        ("llama", "groq"),
        ("", "openai"),
    ],
)
def test_the_most_specific_pattern_for_the_model_wins(goes, model, name):
    assert goes(Registry().routes(**MODELS), model) == name
    assert goes(Registry().routes(**dict(reversed(MODELS.items()))), model) == name


def test_without_a_pattern_that_fits_it_is_the_default(goes):
    assert goes(Registry().routes(grok_="xai"), "gpt-5") == "openai"
    assert goes(Registry().routes(), "grok-4") == "openai"


def test_what_the_request_names_comes_before_its_model(goes):
    assert goes(Registry().routes(grok_="xai"), "grok-4", query="a=1&provider=groq") == "groq"


def test_an_upstream_is_looked_up_when_the_first_request_goes_there_and_once(goes):
    registry = Registry()
    routes = registry.routes(grok_="xai", qwen_="qwen")
    assert registry.looked_for == []
    for _ in range(2):
        goes(routes, "grok-4")
    assert registry.looked_for == ["xai"]


def test_a_request_that_names_what_there_is_not_is_told(goes):
    with pytest.raises(UpstreamError) as caught:
        goes(Registry().routes(), query="provider=xia")
    assert str(caught.value).startswith(
        "The request asks for ?provider=xia, and was not sent. There is no upstream 'xia'. Did you mean 'xai'? "
    )


@pytest.mark.parametrize("address", ["http://evil.example/v1", "https%3A%2F%2Fevil.example"])
def test_a_request_names_no_address_or_anybody_could_have_keys_sent_there(goes, address):
    with pytest.raises(UpstreamError, match="A request names an upstream, and no address"):
        goes(Registry().routes(), query=f"provider={address}")


def test_where_the_client_is_going_anyhow_a_parameter_of_that_name_may_be_its_own(goes):
    assert goes(Registry(default="original").routes(), query="provider=hf-inference") == "original"
    assert goes(Registry(default="original").routes(), query="provider=xai") == "xai"


def test_a_line_is_read():
    assert read(" grok-* = xai ") == ("grok-*", "xai")
    assert read("a=b=c") == ("a=b", "c")


@pytest.mark.parametrize("text", ["grok", "=xai", "grok-*="])
def test_a_line_of_another_form_is_refused(text):
    with pytest.raises(UsageError, match=r"is not of the form PATTERN=UPSTREAM, such as grok-\*=xai"):
        read(text)


def test_lines_stand_below_each_other_or_with_commas_between():
    assert lines("\na=b\n c=d \n") == lines("a=b, c=d,") == lines(["a=b", " c=d"]) == ["a=b", "c=d"]
