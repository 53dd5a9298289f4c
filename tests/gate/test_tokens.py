"""Keys that are asked for, and what comes of wrong ones."""

from __future__ import annotations

import hmac

import pytest
from clocks import Clock

from pytest_llmmock.errors import UsageError
from pytest_llmmock.gate import tokens as module
from pytest_llmmock.gate.tokens import LockOut, Tokens, read_lock_out, read_tokens

KEY, OTHER = "sk-right-1", "sk-right-2"


def keys(*given: str, lock_out: LockOut | None = None, clock: Clock | None = None) -> Tokens:
    return Tokens(given, "dummy", lock_out, clock or Clock())


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", f"Bearer {KEY}"),
        ("authorization", f"bearer   {KEY} "),
        ("x-api-key", KEY),
        ("api-key", KEY),
        ("api-key", OTHER),
    ],
)
def test_a_key_is_taken_from_each_of_its_headers(header: tuple[str, str]) -> None:
    assert keys(KEY, OTHER).refusal((("accept", "*/*"), header)) is None


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ((), "You didn't provide an API key."),
        ((("x-goog-api-key", KEY),), "You didn't provide an API key."),
        ((("authorization", f"Basic {KEY}"),), "You didn't provide an API key."),
        ((("authorization", KEY),), "You didn't provide an API key."),
        ((("authorization", "Bearer "),), "Incorrect API key provided."),
        ((("authorization", f"Bearer {KEY}x"),), "Incorrect API key provided."),
        ((("x-api-key", KEY[:-1]),), "Incorrect API key provided."),
        ((("x-api-key", KEY.upper()),), "Incorrect API key provided."),
        ((("x-api-key", "\ud800é"),), "Incorrect API key provided."),
    ],
)
def test_without_a_right_key_nobody_is_let_in(headers: tuple[tuple[str, str], ...], told: str) -> None:
    problem = keys(KEY).refusal(headers)
    assert problem is not None
    assert (problem.status, problem.code, problem.headers) == (
        401,
        "invalid_api_key",
        (("www-authenticate", "Bearer"),),
    )
    assert problem.message.startswith(told)
    assert KEY not in problem.message


def test_without_keys_everybody_is_let_in() -> None:
    assert keys().refusal(()) is None
    assert keys().fits(())


def test_every_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(given: bytes, token: bytes) -> bool:
        compared.append(token)
        return hmac.compare_digest(given, token)

    monkeypatch.setattr(module, "compare_digest", compare)
    assert keys(KEY, OTHER).fits((("api-key", KEY),))
    assert compared == [KEY.encode(), OTHER.encode()]  # the first one fitted


def test_a_right_key_is_hidden_and_nothing_else_is() -> None:
    headers = (
        ("authorization", f"bearer {KEY}"),
        ("x-api-key", "wrong"),
        ("api-key", OTHER),
        ("x-note", KEY),
    )
    assert keys(KEY, OTHER).hidden(headers) == (
        ("authorization", "Bearer dummy"),
        ("x-api-key", "wrong"),
        ("api-key", "dummy"),
        ("x-note", KEY),
    )
    untouched = (("authorization", "Bearer wrong"),)
    assert keys(KEY).hidden(untouched) is untouched


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "The token is empty."),
        (("sk-1", ""), "Token 2 of 2 is empty."),
        ("a b", "The token holds a space, or a sign that a header cannot carry."),
        ("schlüssel", "The token holds a space, or a sign that a header cannot carry."),
    ],
)
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(value: str | tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_tokens(value)
    assert str(caught.value) == f"{told} Say one that a client can send, such as sk-test-1."


# --- lock-out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", None),
        ("5/60s", LockOut(5, 60)),
        ("3 / 10m", LockOut(3, 600)),
        ("1/1h", LockOut(1, 3600)),
        ("2/7", LockOut(2, 7)),
    ],
)
def test_a_lock_out_is_read(text: str, read: LockOut | None) -> None:
    assert read_lock_out(text) == read


@pytest.mark.parametrize("text", ["5", "0/60s", "5/0s", "5/60d", "-1/5s", "many"])
def test_another_lock_out_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"Say failures/time, such as 5/60s or 3/10m\."):
        read_lock_out(text)


def test_after_so_many_wrong_keys_nobody_is_let_in_for_a_while() -> None:
    clock = Clock()
    locked = keys(KEY, lock_out=LockOut(2, 60), clock=clock)
    right, wrong = (("api-key", KEY),), (("api-key", "x"),)
    assert locked.refusal(wrong).status == 401  # type: ignore[union-attr]
    clock.go(20)
    assert locked.refusal(wrong).status == 401  # type: ignore[union-attr]
    problem = locked.refusal(right)
    assert problem is not None
    assert (problem.status, problem.code, problem.headers) == (429, "too_many_auth_failures", (("retry-after", "40"),))
    clock.go(39)
    assert locked.refusal(right) is not None
    clock.go(1)
    assert locked.refusal(right) is None
    assert locked.refusal(wrong).status == 401  # type: ignore[union-attr]  # one of the two is still remembered
    assert locked.refusal(right) is not None
    locked.reset()
    assert locked.refusal(right) is None


def test_without_a_lock_out_wrong_keys_are_not_remembered() -> None:
    open_ended = keys(KEY)
    for _ in range(100):
        open_ended.refusal(())
    assert len(open_ended._failures) <= 1
