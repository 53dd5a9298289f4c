"""The address to which the browser comes back: it is taken once, from the right place, and tells nobody anything."""

from __future__ import annotations

from urllib.parse import urlencode

import httpx
import pytest
from sign_in_server import browse, landing
from signing_in import PATIENCE

from pytest_llmmock.errors import LoginError


def ask(url, **more):
    with httpx.Client(timeout=PATIENCE) as client:
        return client.request(more.pop("method", "GET"), url, **more)


@pytest.fixture
def back(user) -> str:
    """Where the sign-in server has sent the browser."""
    return landing(user.begins())


def test_it_listens_on_this_machine_only(user):
    assert user.redirect_uri.startswith("http://127.0.0.1:")
    assert user.loopback._listener.socket.getsockname()[0] == "127.0.0.1"


def test_the_page_holds_no_secret_and_lets_nobody_in(server, user, back):
    page = ask(back)
    assert page.status_code == 200
    assert "Go back to the terminal" in page.text
    assert not [secret for secret in (*server.secrets, user.attempt.state) if secret in page.text + str(page.headers)]
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "access-control-allow-origin" not in page.headers


def test_a_second_callback_is_turned_away_and_the_first_one_counts(user, back):
    assert ask(back).status_code == 200
    assert ask(back.replace("code=", "code=stolen")).status_code == 410
    assert user.comes_back().subject == "user-1"


@pytest.mark.parametrize("path", ["/", "/auth/callback/", "/auth", "/success", "/auth/%63allback"])
def test_another_path_is_nothing(user, back, path):
    assert ask(back.replace("/auth/callback", path)).status_code == 404
    assert user.callback.wait(0) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS"])
def test_another_method_is_refused(user, back, method):
    assert ask(back, method=method).status_code == 405
    assert user.callback.wait(0) is None


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_host_is_somebody_elses_page_that_points_here(user, back, host):
    """DNS rebinding: a name that was another machine's a moment ago is this one's now."""
    assert ask(back, headers={"host": host}).status_code == 421
    assert user.callback.wait(0) is None


def test_a_wrong_state_does_not_end_the_attempt(user, back):
    """Any page that is open in the browser can come here; it must not be able to keep the real one out."""
    wrong = ask(f"{user.redirect_uri}?{urlencode({'code': 'stolen', 'state': 'x', 'client_id': 'oaiapp_evil'})}")
    assert wrong.status_code == 400
    assert user.callback.wait(0) is None
    assert ask(back).status_code == 200
    assert user.comes_back().subject == "user-1"


def test_the_callback_of_another_attempt_is_refused(user):
    earlier = landing(user.begins())
    user.begins()
    assert ask(earlier).status_code == 400
    assert user.callback.wait(0) is None


def test_a_refusal_ends_the_attempt(server, user):
    server.callback = {"error": "access_denied", "code": None}
    page = browse(user.begins())
    assert page.status_code == 400
    with pytest.raises(LoginError, match="declined"):
        user.callback.wait(PATIENCE)


def test_before_it_is_expected_nobody_is_let_in(user):
    assert ask(user.redirect_uri).status_code == 421
    assert user.callback.wait(0) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": "dynamic_agent_client"}, "for another registration"),
        ({"client_id": ["oaiapp_1", "oaiapp_2"]}, "the same parameter twice"),
        ({"iss": "https://evil.example"}, "another sign-in server"),
        ({"code": None}, "without a code"),
    ],
)
def test_what_is_not_as_it_has_to_be_ends_the_attempt_and_keeps_nothing(server, user, changes, words):
    server.callback = changes
    browse(user.begins())
    with pytest.raises(LoginError, match=words):
        user.comes_back()
    assert user.session.store.read().client_id == ""
