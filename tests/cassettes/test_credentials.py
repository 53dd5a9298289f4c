from __future__ import annotations

import base64
import json

import pytest

from pytest_llmmock.cassettes.credentials import (
    Credential,
    claims,
    is_credential,
    is_likely,
    is_secret,
    of_environment,
    of_message,
    telling,
)
from pytest_llmmock.core.model import Reply, Request

SECRETS = [
    "sk-secret-planted-123",
    "0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d",
    "p4ssw0rd!",
    "correct-horse-battery-staple",
    "sk-dummy",
]
NONE = [
    *("", "short", "llmmock", "not-needed", "placeholder", "test_openai_api_key", "<OPENAI_API_KEY>", "${API_KEY}"),
    *(
        "[REDACTED]",
        "********",
        "xxxxxxxxxxxx",
        "your-api-key-here",
        "12345678",
        "lm-studio",
        "redacted-secret",
        "FILTERED-KEY-1",
    ),
]
ORDINARY = [
    *(
        "customer_id_1",
        "gpt-4o-mini",
        "claude-haiku-4",
        "conversation_created_at",
        "/home/me/.ssh/id_ed25519",
        "~/.key/a1b2c3d4",
    ),
    *("https://h.example/a1b2c3d4e5", "C:\\keys\\a1b2c3d4"),
]


def jwt(payload: object) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "x"}, payload)
    )
    return ".".join([*parts, "c2lnbmF0dXJl"])


def values(found: object) -> set[str]:
    return {credential.value for credential in found}  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", SECRETS)
def test_what_stands_for_a_credential_is_one(value):
    assert is_credential(value)


@pytest.mark.parametrize("value", NONE)
def test_a_word_or_a_name_in_its_place_is_none(value):
    assert not is_credential(value)
    assert not is_likely(value)


@pytest.mark.parametrize("value", ORDINARY)
def test_where_a_credential_only_may_stand_ordinary_values_are_none(value):
    assert not is_likely(value)


def test_of_the_environment_count_the_variables_that_are_named_for_secrets():
    environ = {
        "OPENAI_API_KEY": "sk-secret-planted-123",
        "GITHUB_TOKEN": "ab12cd34ef56ab12cd34",
        "DB_PASSWORD": "p4ssw0rd!",
        "APP_SECRET": "correct-horse-battery-staple",
        "SERVICE_TOKEN": "plain-token-value-123",
        "SERVICE_KEY": "plain-value-of-it-0001",
        "SORT_KEY": "conversation_created_at",
        "PART_KEY": "customer_id_1",
        "PATH": "/a1b2c3d4e5f6:/a1b2c3d4e5f7",
        "MAX_TOKENS": "a1b2c3d4e5f6",
        "OPENAI_ORG_ID": "org-a1b2c3d4e5f6",
    }
    assert values(of_environment(environ)) == {
        *("sk-secret-planted-123", "ab12cd34ef56ab12cd34", "p4ssw0rd!", "correct-horse-battery-staple"),
        *("org-a1b2c3d4e5f6", "plain-token-value-123", "plain-value-of-it-0001"),
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "postgres1"),
        ("MY_TOKEN", "claude-sonnet-4-5"),
        ("OPENAI_TOKEN", "gpt-4o-mini-2024-07-18"),
        ("SPECIAL_TOKEN", "San Francisco 94103"),
        ("LOCATION_SECRET", "europe-west1-b"),
        ("SECRET_KEY", "development1"),
        ("API_KEY", "test1234"),
        ("X_TOKEN", "http://localhost:8080/tok"),
        ("FEATURE_KEY", "enable_new_ui_2024"),
        ("FEATURE_KEY", "enable-new-checkout-2024"),
        ("DATABASE_URL", "postgres://postgres:postgres1@localhost/app"),
    ],
)
def test_settings_that_a_prompt_may_hold_are_no_secrets_of_the_environment(name, value):
    assert values(of_environment({name: value})) == set()


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASS", "hunter2hunter2", "hunter2hunter2"),
        ("PASSPHRASE", "correct-horse-battery-staple", "correct-horse-battery-staple"),
        ("DB_PASSWORD", "Summer2024!", "Summer2024!"),
        ("OPENAI_API_KEY2", "a1b2c3d4e5", "a1b2c3d4e5"),
        ("OPENAI_ADMIN_KEYS", "a1b2c3d4e5,b1b2c3d4e5", "b1b2c3d4e5"),
        ("BASIC_AUTH", "me:a1b2c3d4e5", "a1b2c3d4e5"),
        ("BASIC_AUTH", "Basic " + base64.b64encode(b"me:a1b2c3d4e5").decode(), "a1b2c3d4e5"),
        ("NPM_AUTH", "a1b2c3d4e5", "a1b2c3d4e5"),
        ("CLIENT_SECRET", "abcdefghijkl", "abcdefghijkl"),
        ("CLIENT_SECRET", "qzvkwjxbtrmf", "qzvkwjxbtrmf"),
        ("DATABASE_URL", "postgres://me:p4ss%21word1@h.example/db", "p4ss!word1"),
        ("REDIS_URL", "redis://:a1b2c3d4e5@h.example", "a1b2c3d4e5"),
        ("APP_DSN", "host=h.example password=a1b2c3d4e5 dbname=x", "a1b2c3d4e5"),
        ("HOOK_TOKEN", "https://h.example/aB3dE5gH7jaB3dE5gH7j", "https://h.example/aB3dE5gH7jaB3dE5gH7j"),
        ("A_KEY", "sk-proj-" + "word-" * 6, "sk-proj-" + "word-" * 6),
        ("A_TOKEN", "my-secret-123", "my-secret-123"),
    ],
)
def test_what_the_environment_holds_of_secrets_is_known(name, value, secret):
    assert secret in values(of_environment({name: value}))


@pytest.mark.parametrize("value", ["test1234", "postgres1", "abcdefghijkl"])
def test_what_a_request_is_made_with_is_a_secret_whatever_it_looks_like(value):
    request = Request("GET", "https://h.example", "/", headers=(("authorization", f"Bearer {value}"),))
    assert values(of_message(request)) == {value}


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *(("key", True), ("api_key", True), ("X-Amz-Signature", True), ("access_token", True)),
        *(("sort_key", False), ("cache_key", False), ("page_token", False), ("pageToken", False)),
    ],
)
def test_parameters_are_known_by_their_name(name, secret):
    assert is_secret(name) is secret


@pytest.mark.parametrize(
    ("header", "value", "known"),
    [
        ("authorization", "Bearer a1b2c3d4e5", {"a1b2c3d4e5"}),
        ("authorization", "a1b2c3d4e5 with words", {"a1b2c3d4e5 with words"}),
        (
            "authorization",
            "Basic dXNlcm5hbWU6aHVudGVyMmh1bnRlcjI=",
            {"dXNlcm5hbWU6aHVudGVyMmh1bnRlcjI=", "hunter2hunter2"},
        ),
        ("proxy-authorization", "Bearer a1b2c3d4e5", {"a1b2c3d4e5"}),
        ("x-api-key", "a1b2c3d4e5", {"a1b2c3d4e5"}),
        ("api-key", "a1b2c3d4e5", {"a1b2c3d4e5"}),
        ("x-goog-api-key", "a1b2c3d4e5", {"a1b2c3d4e5"}),
        ("cookie", "theme=dark; session=a1b2c3d4e5f6", {"a1b2c3d4e5f6"}),
        ("openai-organization", "user-jxm65ijkzc1qrfhc0ij8moic", {"user-jxm65ijkzc1qrfhc0ij8moic"}),
        ("chatgpt-account-id", "3f2b8c1e-9d4a-4b6f-8e2d-1a2b3c4d5e6f", {"3f2b8c1e-9d4a-4b6f-8e2d-1a2b3c4d5e6f"}),
        ("openai-organization", "acme-labs", set()),
        ("authorization", "Bearer not-needed", set()),
        ("x-request-id", "a1b2c3d4e5f6a1b2c3d4e5f6", set()),
    ],
)
def test_a_request_tells_its_credentials(header, value, known):
    assert values(of_message(Request("GET", "https://h.example", "/", headers=((header, value),)))) == known


def test_an_address_tells_its_user_and_its_parameters():
    request = Request(
        "GET", "https://me:p4ss%21word1@h.example", "/", "a=a1b2c3d4e5&api_key=b1b2c3d4e5&sig=c1%2Fc2c3c4c5"
    )
    assert values(of_message(request)) == {"p4ss!word1", "b1b2c3d4e5", "c1/c2c3c4c5"}


def test_a_reply_tells_the_session_and_the_account():
    headers = (
        ("set-cookie", "__cf_bm=K.tOa1b2c3d4e5; path=/; expires=Fri, 20-Nov-26 10:00:00 GMT"),
        ("openai-project", "proj_dKobscVY9YJxeEaDJen54e3d"),
    )
    assert values(of_message(Reply(200, headers, []))) == {"K.tOa1b2c3d4e5", "proj_dKobscVY9YJxeEaDJen54e3d"}


def test_a_token_tells_who_its_user_is():
    payload = {
        "email": "jo@firm.example",
        "sub": "auth0|a1b2c3d4e5f6a1b2",
        "name": "Jo Doe",
        "exp": 1800000000,
        "https://api.openai.com/auth": {
            "chatgpt_account_id": "3f2b8c1e-9d4a-4b6f-8e2d-1a2b3c4d5e6f",
            "organizations": [{"id": "org-a1b2c3d4e5f6a1b2c3d4e5f6", "title": "Personal"}],
        },
    }
    assert set(claims(jwt(payload))) == {
        Credential("jo@firm.example", "e-mail", "redacted-email@example.com"),
        Credential("auth0|a1b2c3d4e5f6a1b2", "account", "redacted-account"),
        Credential("3f2b8c1e-9d4a-4b6f-8e2d-1a2b3c4d5e6f", "account", "redacted-account"),
        Credential("org-a1b2c3d4e5f6a1b2c3d4e5f6", "account", "redacted-account"),
    }


@pytest.mark.parametrize("token", ["", "eyJ", "eyJhbGci.eyJub25l.x", "eyJh.eyJ\u00e9.x", jwt([1])])
def test_a_token_that_cannot_be_read_tells_nothing(token):
    assert list(claims(token)) == []


def test_the_same_credentials_need_not_be_looked_at_twice():
    one = Request("GET", "https://h.example", "/a", headers=(("accept", "a"), ("api-key", "k")))
    other = Request("POST", "https://h.example", "/b", headers=(("api-key", "k"), ("accept", "b")), body=b"x")
    assert telling(one) == telling(other)
    assert telling(Request("GET", "https://h.example", "/a", headers=(("api-key", "l"),))) != telling(one)
