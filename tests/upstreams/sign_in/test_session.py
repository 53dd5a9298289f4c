"""A login over time, against a stand-in that refuses what the real server refuses."""

from __future__ import annotations

import base64
import hmac
import json
import stat
import sys
from dataclasses import replace

import pytest
from sign_in_server import EARLIEST, LIFETIME, SignInServer, browse
from signing_in import User

from pytest_llmmock.core.model import Reply, Request
from pytest_llmmock.errors import LoginError, UpstreamError


def test_a_first_sign_in_registers_us_under_our_own_name_and_keeps_what_it_gets(server, user):
    account = user.signs_in()
    first, redeemed = server.asked
    assert first[1]["client_id"] == "dynamic_agent_client"
    assert first[1]["agent_name_hint"] == "pytest-llmmock"
    assert redeemed[1]["client_id"] == account.client_id == next(iter(server.registered))
    assert (account.subject, account.email, account.plan) == ("user-1", "ada@example.org", "plus")
    assert user.session.token(user.send).get_secret_value() in server.access
    assert user.page is not None
    assert user.page.status_code == 200


def test_the_next_sign_in_names_the_registration_and_the_same_host(server, user):
    account = user.signs_in()
    again = user.signs_in(again=True)
    later = server.asked[-2][1]
    assert later["client_id"] == account.client_id == again.client_id
    assert "agent_name_hint" not in later
    assert later["prompt"] == "consent"
    assert server.hosts == {account.host_id}


def test_the_host_is_kept_before_anybody_is_asked(server, user):
    url = user.begins()
    kept = user.session.store.read().host_id
    assert kept.removeprefix("urn:uuid:") in url
    user.begins()
    assert user.session.store.read().host_id == kept


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_the_file_is_its_owners_alone_in_a_folder_that_is_too(user):
    user.signs_in()
    path = user.session.store.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("package", ["authlib.oauth2", "joserfc.jwt"])
def test_without_the_extra_nobody_is_sent_anywhere(server, user, monkeypatch, package):
    """Else the code, and our registration with it, would be lost behind the browser."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LoginError, match=r"pip install 'pytest-llmmock\[chatgpt\]'"):
        user.begins()
    assert server.asked == []
    assert not user.session.store.path.exists()


def test_no_token_is_seen_in_texts_pages_or_addresses(server, user):
    account = user.signs_in()
    session = user.session
    shown = f"{account!r} {account} {account.tokens} {session.token(user.send)} {user.attempt!r} {user.begins()}"
    shown += user.page.text + str(user.page.url.copy_remove_param("code")) + str(account.model_dump())
    assert not [secret for secret in server.secrets if secret in shown]


# --- over time --------------------------------------------------------------------------------------------


def forms(server, kind):
    return [form for name, form in server.asked if name == "token" and form["grant_type"] == kind]


def test_a_token_is_used_until_it_is_due_and_replaced_then(server, user, clock):
    user.signs_in()
    first = user.session.token(user.send)
    clock.ahead = LIFETIME - 61
    assert user.session.token(user.send) == first
    assert not forms(server, "refresh_token")
    clock.ahead = LIFETIME - 59
    second = user.session.token(user.send)
    assert second != first
    assert second.get_secret_value() in server.access
    assert [form.keys() for form in forms(server, "refresh_token")] == [
        {"grant_type", "client_id", "refresh_token", "resource"}
    ]


def test_a_refresh_waits_for_the_moment_that_the_server_has_named(server, user, clock):
    server.answer = {"earliest_refresh_at": int(clock() + LIFETIME + 100)}
    user.signs_in()
    clock.ahead = LIFETIME + 50
    user.session.token(user.send)
    assert not forms(server, "refresh_token")


@pytest.mark.parametrize("factor", [1, 1000])
def test_the_moment_may_be_told_in_seconds_and_in_milliseconds(server, user, clock, factor):
    server.answer = {"earliest_refresh_at": int(clock() + EARLIEST) * factor}
    user.signs_in()
    clock.ahead = LIFETIME
    user.session.token(user.send)
    assert len(forms(server, "refresh_token")) == 1


def test_refresh_tokens_rotate_and_each_is_used_once(server, user, clock):
    user.signs_in()
    for _ in range(3):
        clock.ahead += LIFETIME
        user.session.token(user.send)
    used = [form["refresh_token"] for form in forms(server, "refresh_token")]
    assert len(set(used)) == 3


def test_what_another_process_has_renewed_is_taken_and_not_renewed_again(server, user, clock):
    user.signs_in()
    one, other = user.session, user.session
    spent = one.token(user.send)
    clock.ahead = LIFETIME
    renewed = one.renewed(spent, user.send)
    assert other.renewed(spent, user.send) == renewed
    assert len(forms(server, "refresh_token")) == 1


def test_what_another_process_has_renewed_too_long_ago_is_renewed_again(server, user, clock):
    user.signs_in()
    one, other = user.session, user.session
    first = one.token(user.send)
    clock.ahead = LIFETIME
    second = other.token(user.send)
    clock.ahead = 2 * LIFETIME
    third = one.token(user.send)
    assert len({each.get_secret_value() for each in (first, second, third)}) == 3
    assert len(forms(server, "refresh_token")) == 2


def test_a_token_in_use_is_not_read_again_for_every_request(user, monkeypatch):
    """A keyring may ask its owner each time."""
    user.signs_in()
    session = user.session
    token = session.token(user.send)
    monkeypatch.setattr(session.store, "read", lambda: pytest.fail("the store was read"))
    assert session.token(user.send) == token
    assert session.credentials()


def test_a_token_that_was_refused_early_is_renewed_once_and_then_somebody_has_to_sign_in(server, user):
    """The server spends a refresh token that comes too early: nothing else is left to try."""
    user.signs_in()
    session = user.session
    with pytest.raises(LoginError) as caught:
        session.renewed(session.token(user.send), user.send)
    assert str(caught.value) == (
        "The login is over: the sign-in server refused the renewal of the login (status 400, invalid_grant). "
        "Sign in: llmmock login --use chatgpt"
    )
    with pytest.raises(LoginError, match=r"^Nobody is signed in with ChatGPT"):
        user.session.token(user.send)
    assert user.session.store.read().client_id in server.registered


def test_a_token_that_is_refused_for_another_reason_than_its_age_does_not_cost_the_login(server, user, clock):
    """What was renewed for a refusal, and is refused as well, is kept until it is due: in every process."""
    user.signs_in()
    server.refresh = dict.fromkeys(server.refresh, 0)  # an early refresh that goes well
    fresh = user.session.renewed(user.session.token(user.send), user.send)
    for _ in range(2):
        assert user.session.renewed(fresh, user.send) == fresh
    clock.ahead = LIFETIME
    assert user.session.renewed(fresh, user.send) != fresh
    assert not server.spent & set(server.refresh)


def test_a_server_that_does_not_answer_is_not_waited_for_as_a_model_is(server, user, clock):
    asked: list[Request] = []

    def send(request: Request) -> Reply:
        asked.append(request)
        return user.send(request)

    user.signs_in()
    clock.ahead = LIFETIME
    session = user.session
    session.token(send)
    session.end(send)
    assert {request.path.rpartition("/")[2] for request in asked} == {"openid-configuration", "token", "revoke"}
    assert {request.patience for request in asked} == {30}


def test_a_server_that_is_down_costs_no_login(server, user, clock):
    user.signs_in()
    clock.ahead = LIFETIME
    server.down = 1
    with pytest.raises(UpstreamError, match=r"not able to answer now \(status 503\).*The login is kept"):
        user.session.token(user.send)
    assert user.session.token(user.send).get_secret_value() in server.access


def test_a_server_that_cannot_be_reached_costs_no_login(server, user, clock):
    user.signs_in()
    before = user.session.store.read()
    clock.ahead = LIFETIME
    server._server.stop()
    with pytest.raises(UpstreamError, match="did not answer"):
        user.session.token(user.send)
    assert user.session.store.read() == before


def test_a_registration_that_is_gone_says_how_to_begin_anew(server, user, clock):
    user.signs_in()
    clock.ahead = LIFETIME
    server.registered.clear()
    with pytest.raises(LoginError, match=r"does not know this installation any more \(status 401, invalid_client\)"):
        user.session.token(user.send)
    assert user.session.store.read().tokens is not None


def test_where_nothing_can_be_kept_nothing_is_refreshed(server, user, clock, monkeypatch):
    user.signs_in()
    clock.ahead = LIFETIME
    session = user.session

    def full(*args, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pytest_llmmock.files.write", full)
    with pytest.raises(LoginError, match=r"cannot be kept in .*No space left on device"):
        session.token(user.send)
    assert not forms(server, "refresh_token")


def test_a_renewal_without_a_new_refresh_token_or_scope_keeps_those_that_are_there(server, user, clock):
    user.signs_in()
    before = user.session.store.read().tokens
    clock.ahead = LIFETIME
    server.answer = {"refresh_token": None, "scope": None}
    user.session.token(user.send)
    after = user.session.store.read().tokens
    assert (after.refresh_token, after.scope) == (before.refresh_token, before.scope)
    assert after.access_token != before.access_token


# --- permission -------------------------------------------------------------------------------------------


def test_without_the_plans_permission_who_signed_in_is_known_and_no_model_is_asked(server, user):
    server.scope = "openid profile email offline_access"
    account = user.signs_in()
    assert account.email == "ada@example.org"
    with pytest.raises(LoginError, match=r"may not use the plan: chatgpt\.tokens\.use\.direct was not granted"):
        user.session.token(user.send)


def test_a_permission_that_is_taken_back_counts_from_the_renewal_on(server, user, clock):
    user.signs_in()
    clock.ahead = LIFETIME
    server.scope = "openid"
    with pytest.raises(LoginError, match="may not use the plan"):
        user.session.token(user.send)


# --- out --------------------------------------------------------------------------------------------------


def test_signing_out_revokes_and_forgets_the_tokens_and_keeps_who_we_are(server, user):
    account = user.signs_in()
    token = account.tokens.refresh_token.get_secret_value()
    assert user.session.end(user.send) is None
    assert server.revoked == {token}
    assert user.session.store.read() == account.without_login()
    assert token not in user.session.store.path.read_text()


def test_signing_out_without_the_server_forgets_all_the_same_and_says_what_is_left(server, user):
    user.signs_in()
    server.down = 1
    trouble = user.session.end(user.send)
    assert "could not be told" in str(trouble)
    assert user.session.store.read().tokens is None


def test_forgetting_removes_the_registration_too(server, user):
    user.signs_in()
    user.session.end(user.send, forget=True)
    assert not user.session.store.path.exists()
    user.signs_in()
    assert len(server.registered) == 2


def test_signing_out_where_nobody_is_signed_in_asks_nobody(server, user):
    assert user.session.end(user.send) is None
    assert server.asked == []


# --- what comes back and is not right -----------------------------------------------------------------------


def refused(user, words):
    with pytest.raises(LoginError, match=words):
        user.signs_in()
    account = user.session.store.read()
    assert (account.client_id, account.tokens) == ("", None)


def test_a_token_of_another_nonce_is_refused(server, user):
    server.claims = {"nonce": "another"}
    refused(user, "its claim 'nonce' is not what it has to be")


@pytest.mark.parametrize("audience", ["someone-else", ["someone-else"], [], None])
def test_a_token_for_another_audience_is_refused(server, user, audience):
    server.claims = {"aud": audience}
    refused(user, "its claim 'aud' is not")


def test_a_token_for_others_as_well_is_refused(server, user, monkeypatch):
    sign = server._sign
    server.sign = lambda claims: sign({**claims, "aud": [*claims["aud"], "someone-else"]})
    refused(user, "it is meant for others as well")


def test_a_token_for_us_alone_may_name_us_without_a_list(server, user):
    sign = server._sign
    server.sign = lambda claims: sign({**claims, "aud": claims["aud"][0]})
    assert user.signs_in().subject == "user-1"


def test_a_token_of_another_issuer_is_refused(server, user):
    server.claims = {"iss": server.url + "/"}
    refused(user, "its claim 'iss' is not")


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -61), ("iat", 90)])
def test_a_token_of_another_time_is_refused_and_the_clock_is_named(server, user, clock, claim, seconds):
    server.claims = {claim: int(clock()) + seconds}
    refused(user, rf"its claim '{claim}' is not what it has to be \(is the clock of this machine right\?\)")


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "nonce", "aud", "iss"])
def test_a_token_that_leaves_something_out_is_refused(server, user, claim):
    sign = server._sign
    server.sign = lambda claims: sign({name: value for name, value in claims.items() if name != claim})
    refused(user, "was refused: its claim")


def test_a_token_that_nobody_has_signed_is_refused(server, user):
    server.sign = lambda claims: f"{_part({'alg': 'none', 'kid': server.key.kid})}.{_part(claims)}."
    refused(user, "it is not signed as it has to be")


def test_a_token_that_was_signed_with_the_public_key_as_a_secret_is_refused(server, user):
    """joserfc would not make such a token either."""

    def sign(claims):
        signed = f"{_part({'alg': 'HS256', 'kid': server.key.kid})}.{_part(claims)}"
        mac = hmac.digest(server.key.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    server.sign = sign
    refused(user, "it is not signed as it has to be")


def test_a_token_that_was_signed_with_another_key_of_the_same_name_is_refused(server, user):
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    other = RSAKey.generate_key(2048)
    server.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": server.key.kid}, claims, other)
    refused(user, "it is not signed as it has to be")


def test_a_token_whose_claims_were_changed_is_refused(server, user):
    sign = server._sign

    def change(claims):
        head, _, signature = sign(claims).split(".")
        return f"{head}.{_part({**claims, 'sub': 'user-2'})}.{signature}"

    server.sign = change
    refused(user, "it is not signed as it has to be")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ä.ö.ü", "." * 5, None])
def test_what_is_no_token_is_refused(server, user, token):
    server.answer = {"id_token": token}
    refused(user, "identity token")


def test_a_token_that_names_no_key_is_refused(server, user):
    from joserfc import jwt

    server.sign = lambda claims: jwt.encode({"alg": "RS256"}, claims, server.key)
    refused(user, "identity token of the sign-in server was refused")


def _part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_key_on_an_elliptic_curve_will_do(clock, network, tmp_path):
    with SignInServer(clock, key="EC") as server:
        environ = {"LLMMOCK_HOME": str(tmp_path), "LLMMOCK_ISSUER": server.url}
        with User(environ, clock, network.send) as user:
            assert user.signs_in().subject == "user-1"


def test_somebody_else_does_not_take_the_place_of_who_was_signed_in(server, user):
    account = user.signs_in()
    server.claims = {"sub": "user-2"}
    with pytest.raises(LoginError, match="signed in as somebody else than before"):
        user.signs_in()
    assert user.session.store.read() == account


@pytest.mark.parametrize("answer", [{"token_type": "mac"}, {"access_token": None}, {"access_token": 7}])
def test_an_answer_that_cannot_be_used_is_refused(server, user, answer):
    server.answer = answer
    refused(user, "sign-in server")


def test_a_code_with_another_verifier_is_refused_by_the_server(server, user):
    url = user.begins()
    user.attempt = replace(user.attempt, verifier="another" * 8)
    browse(url)
    with pytest.raises(LoginError, match="status 400, invalid_grant"):
        user.comes_back()


def test_a_code_with_another_redirect_is_refused_by_the_server(server, user):
    browse(user.begins())
    user.attempt = replace(user.attempt, redirect_uri="http://127.0.0.1:1/auth/callback")
    with pytest.raises(LoginError, match="status 400, invalid_grant"):
        user.comes_back()


@pytest.mark.parametrize("redirect", ["http://localhost:9/auth/callback", "https://127.0.0.1:9/auth/callback"])
def test_the_stand_in_sends_no_browser_elsewhere(server, user, redirect):
    _, _, url = user.session.begin(redirect, user.send)
    assert browse(url).status_code == 400
