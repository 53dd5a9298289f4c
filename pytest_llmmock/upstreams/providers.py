"""Providers that are asked in their own protocol with a key of the environment: an address and a key, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..core.model import Headers, without_user
from ..errors import UsageError
from .credentials import DUMMY_KEY
from .named import Named
from .protocols import Protocol


@dataclass(frozen=True, slots=True)
class Provider:
    """What has to be known of one."""

    address: str
    key: str
    """The variable that holds it, as the provider's own documentation calls it."""
    speaks: tuple[Protocol, ...] = ("openai",)
    needs_key: bool = True
    key_header: str = "authorization"
    bearer_for: tuple[str, ...] = ()
    defaults: Headers = ()


_DASHSCOPE = "https://{}.aliyuncs.com/compatible-mode/v1"

PROVIDERS = {
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": Provider(
        "https://api.anthropic.com/v1",
        "ANTHROPIC_API_KEY",
        ("anthropic", "openai"),
        key_header="x-api-key",
        bearer_for=("chat",),  # what it has of OpenAI's protocol takes the key as OpenAI's clients send it
        defaults=(("anthropic-version", "2023-06-01"),),
    ),
    "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", ("openai", "anthropic")),
    # Each region has keys of its own.
    "qwen": Provider(_DASHSCOPE.format("dashscope-intl"), "DASHSCOPE_API_KEY"),
    "qwen-us": Provider(_DASHSCOPE.format("dashscope-us"), "DASHSCOPE_API_KEY"),
    "qwen-cn": Provider(_DASHSCOPE.format("dashscope"), "DASHSCOPE_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "ollama": Provider("http://127.0.0.1:11434", "OLLAMA_API_KEY", ("ollama", "openai", "anthropic"), needs_key=False),
}
"""Name -> what is known of it."""


def variable_of(name: str) -> str:
    """The variable that holds another address: `LLMMOCK_QWEN_US_URL`."""
    return f"LLMMOCK_{name.upper().replace('-', '_')}_URL"


def key_of(name: str, environ: Mapping[str, str]) -> str:
    """The key of a provider; '' when there is none, or only the one that we gave out ourselves."""
    key = environ.get(PROVIDERS[name].key, "").strip()
    return "" if key == DUMMY_KEY else key


def provider(name: str, environ: Mapping[str, str]) -> Named:
    """The upstream of this name. Raises `UsageError` when its key is missing."""
    known, key = PROVIDERS[name], key_of(name, environ)
    if known.needs_key and not key:
        raise UsageError(_without_key(name, environ))
    return Named(
        NAME=name,
        BASE_URL=_address(name, environ),
        key=key,
        speaks=known.speaks,
        key_header=known.key_header,
        bearer_for=known.bearer_for,
        defaults=known.defaults,
    )


def _address(name: str, environ: Mapping[str, str]) -> str:
    """Raises `UsageError` for one that is none."""
    variable = variable_of(name)
    given = environ.get(variable, "").rstrip("/")
    if given and not (given.startswith(("http://", "https://")) and urlsplit(given).hostname):
        raise UsageError(f"{variable}={without_user(given)!r} is no address. One looks like {PROVIDERS[name].address}.")
    return given or PROVIDERS[name].address


def _without_key(name: str, environ: Mapping[str, str]) -> str:
    ready = [each for each, known in PROVIDERS.items() if key_of(each, environ) or not known.needs_key]
    return (
        f"The upstream {name!r} needs a key, and {PROVIDERS[name].key} is not set. Set it, or choose another upstream: "
        f"{', '.join(ready)} can be asked as it is, and so can a base URL such as http://127.0.0.1:8000/v1."
    )
