"""What a browser may come back with: everything else is refused."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from pytest_llmmock.errors import LoginError
from pytest_llmmock.upstreams.sign_in.attempt import FIRST_CLIENT, Attempt, Code, ForeignCallback

ISSUER = "https://sign-in.example"
REDIRECT = "http://127.0.0.1:50123/auth/callback"


@pytest.fixture
def attempt() -> Attempt:
    return Attempt(REDIRECT)


def query(attempt, *more, **changes):
    values = {"code": "c", "state": attempt.state, "client_id": "oaiapp_1", **changes}
    return urlencode([*((name, value) for name, value in values.items() if value is not None), *more])


def test_the_right_state_brings_the_code_and_the_registration(attempt):
    assert attempt.read(query(attempt, scope="any", iss=ISSUER), ISSUER) == Code("c", "oaiapp_1")


def test_each_attempt_has_secrets_of_its_own_and_shows_none(attempt):
    other = Attempt(REDIRECT)
    for name in ("state", "nonce", "verifier"):
        value = getattr(attempt, name)
        assert len(value) >= 43
        assert value != getattr(other, name)
        assert value not in repr(attempt)
    assert len(attempt.verifier) <= 128


@pytest.mark.parametrize("state", ["", "another", "ü", None])
def test_another_state_is_somebody_elses(attempt, state):
    with pytest.raises(ForeignCallback):
        attempt.read(query(attempt, state=state), ISSUER)


def test_two_states_are_somebody_elses_even_when_one_is_right(attempt):
    with pytest.raises(ForeignCallback):
        attempt.read(query(attempt, ("state", "another")), ISSUER)


def test_the_state_is_looked_at_before_an_error_is_believed(attempt):
    with pytest.raises(ForeignCallback):
        attempt.read("error=access_denied&state=another", ISSUER)


@pytest.mark.parametrize("name", ["code", "client_id", "error", "iss"])
def test_a_parameter_that_stands_twice_is_refused(attempt, name):
    with pytest.raises(LoginError, match="the same parameter twice"):
        attempt.read(query(attempt, (name, "1"), (name, "2")), ISSUER)


def test_a_user_who_declines_is_told_so(attempt):
    with pytest.raises(LoginError, match="was declined in the browser"):
        attempt.read(query(attempt, error="access_denied", code=None), ISSUER)


def test_another_error_is_shown_in_quotes_and_cut(attempt):
    with pytest.raises(LoginError) as caught:
        attempt.read(query(attempt, error="\x1b[31m" + "x" * 500), ISSUER)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("client_id", ["", FIRST_CLIENT, None])
def test_a_first_sign_in_has_to_bring_a_registration(attempt, client_id):
    with pytest.raises(LoginError, match="for another registration"):
        attempt.read(query(attempt, client_id=client_id), ISSUER)


def test_a_later_sign_in_is_for_the_same_registration():
    attempt = Attempt(REDIRECT, "oaiapp_1")
    assert attempt.read(query(attempt), ISSUER).client_id == "oaiapp_1"
    with pytest.raises(LoginError, match="llmmock logout --forget"):
        attempt.read(query(attempt, client_id="oaiapp_2"), ISSUER)


@pytest.mark.parametrize("code", ["", None])
def test_without_a_code_nobody_is_signed_in(attempt, code):
    with pytest.raises(LoginError, match="without a code"):
        attempt.read(query(attempt, code=code), ISSUER)


def test_another_sign_in_server_is_refused(attempt):
    with pytest.raises(LoginError, match="another sign-in server"):
        attempt.read(query(attempt, iss="https://evil.example"), ISSUER)


# --- pasted -----------------------------------------------------------------------------------------------


def test_the_address_at_which_another_machines_browser_ended_will_do(attempt):
    assert attempt.read_pasted(f"  {REDIRECT}?{query(attempt)}\n", ISSUER).code == "c"


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:50124/auth/callback",
        "http://localhost:50123/auth/callback",
        "https://127.0.0.1:50123/auth/callback",
        "http://127.0.0.1:50123/other",
        "http://127.0.0.1:50123@evil.example/auth/callback",
        "",
        "nonsense",
        "http://[",
    ],
)
def test_any_other_address_is_refused(attempt, place):
    with pytest.raises(ForeignCallback, match=REDIRECT):
        attempt.read_pasted(f"{place}?{query(attempt)}", ISSUER)


def test_an_address_may_be_pasted_as_browsers_show_it(attempt):
    assert attempt.read_pasted(f"{REDIRECT.removeprefix('http://')}?{query(attempt)}", ISSUER).code == "c"


def test_a_pasted_address_with_another_state_is_refused(attempt):
    with pytest.raises(ForeignCallback):
        attempt.read_pasted(f"{REDIRECT}?{query(attempt, state='another')}", ISSUER)
