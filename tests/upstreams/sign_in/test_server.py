"""What a sign-in server tells of itself: it is believed only where a login may be sent."""

from __future__ import annotations

import pytest

from pytest_llmmock.core.model import Reply, json_reply
from pytest_llmmock.errors import LoginError, UsageError
from pytest_llmmock.upstreams.sign_in.server import discover, issuer_of

ISSUER = "https://sign-in.example"
TOLD = {
    "issuer": ISSUER,
    "authorization_endpoint": ISSUER + "/authorize",
    "token_endpoint": ISSUER + "/token",
    "revocation_endpoint": ISSUER + "/revoke",
    "jwks_uri": "https://keys.example/jwks",
}


def discovered(told, status=200):
    asked = []

    def send(request):
        asked.append(request.url)
        return json_reply(told, status)

    server = discover(ISSUER, send)
    assert asked == [ISSUER + "/.well-known/openid-configuration"]
    return server


def test_its_addresses_are_those_that_it_tells():
    server = discovered(TOLD)
    assert (server.issuer, server.token, server.keys) == (ISSUER, ISSUER + "/token", "https://keys.example/jwks")


def test_a_slash_at_the_end_of_its_name_is_no_other_server():
    assert discovered({**TOLD, "issuer": ISSUER + "/"}).issuer == ISSUER + "/"


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None, 1])
def test_who_calls_himself_otherwise_is_not_believed(issuer):
    with pytest.raises(LoginError, match="says that it is another one"):
        discovered({**TOLD, "issuer": issuer})


@pytest.mark.parametrize("field", [name for name in TOLD if name != "issuer"])
@pytest.mark.parametrize("url", ["http://sign-in.example/x", "ftp://127.0.0.1", "http://[", "", None, 7])
def test_no_login_is_sent_where_others_read_along(field, url):
    with pytest.raises(LoginError, match=rf"as its {field}: no login is sent there"):
        discovered({**TOLD, field: url})


@pytest.mark.parametrize(("told", "status"), [([], 200), ("x", 200), (TOLD, 404), (TOLD, 302)])
def test_an_answer_without_addresses_names_the_variable(told, status):
    with pytest.raises(LoginError, match=f"status {status} and no JSON object. Is LLMMOCK_ISSUER right"):
        discovered(told, status)


def test_a_web_page_is_no_answer():
    with pytest.raises(LoginError, match="no JSON object"):
        discover(ISSUER, lambda request: Reply(200, (("content-type", "text/html"),), []))


def test_the_server_is_openais_unless_a_variable_names_another():
    assert issuer_of({}) == "https://auth.openai.com"
    assert issuer_of({"LLMMOCK_ISSUER": "http://127.0.0.1:1/"}) == "http://127.0.0.1:1"
    with pytest.raises(UsageError, match="LLMMOCK_ISSUER=http:"):
        issuer_of({"LLMMOCK_ISSUER": "http://sign-in.example"})
