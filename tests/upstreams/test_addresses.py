"""Where a login may be sent."""

from __future__ import annotations

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams.addresses import address

USUAL = "https://chatgpt.com/backend-api/codex"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", USUAL),
        ("https://gateway.example/codex/", "https://gateway.example/codex"),
        ("http://127.0.0.1:8123/backend-api/codex", "http://127.0.0.1:8123/backend-api/codex"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1/x", "http://[::1]:1/x"),
    ],
)
def test_https_and_this_machine_are_taken(given, used):
    assert address({"LLMMOCK_CODEX_URL": given}, "LLMMOCK_CODEX_URL", USUAL) == used


@pytest.mark.parametrize(
    "given",
    [
        "http://chatgpt.com/backend-api/codex",
        "http://127.0.0.1.evil.example/",
        "http://127.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example/",
        "http://192.168.0.7/codex",
        "http://0.0.0.0/codex",
        "ftp://127.0.0.1/",
        "chatgpt.com",
        "https://",
        "https://host.example/?next=x",
        "HTTP://evil.example",
    ],
)
def test_any_other_is_refused(given):
    with pytest.raises(UsageError) as caught:
        address({"LLMMOCK_CODEX_URL": given}, "LLMMOCK_CODEX_URL", USUAL)
    assert str(caught.value).endswith(
        ": a login is only sent to an https address, or over http to this machine (127.0.0.1, localhost)."
    )


def test_a_password_in_an_address_is_not_told():
    with pytest.raises(UsageError) as caught:
        address({"X": "http://somebody:secret@host.example"}, "X", USUAL)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_plain_http_does_not_go_through_a_proxy(proxy):
    environ = {"X": "http://127.0.0.1:1", proxy: "http://proxy.example:3128"}
    with pytest.raises(UsageError, match=r"a proxy of the environment would get the login.*NO_PROXY=127\.0\.0\.1"):
        address(environ, "X", USUAL)
    assert address({**environ, "NO_PROXY": "a.example, 127.0.0.1"}, "X", USUAL) == "http://127.0.0.1:1"
    assert address({**environ, "no_proxy": "*"}, "X", USUAL) == "http://127.0.0.1:1"
    assert address({proxy: environ[proxy]}, "X", USUAL) == USUAL
