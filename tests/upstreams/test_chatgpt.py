"""The upstream `chatgpt`: the public API, asked by somebody who has signed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from public_api import CATALOGUE, PublicAPI
from sign_in_server import LIFETIME, SignInServer
from signing_in import Clock, User

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Reply, Request
from pytest_llmmock.errors import LoginError, UpstreamError, UsageError
from pytest_llmmock.upstreams import find


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock) -> Iterator[SignInServer]:
    for package in ("authlib", "joserfc"):
        pytest.importorskip(package, reason="the extra chatgpt is not installed")
    with SignInServer(clock) as running:
        yield running


@pytest.fixture
def api(server) -> Iterator[PublicAPI]:
    with PublicAPI(lambda: server.access) as running:
        yield running


@pytest.fixture
def user(server, api, clock, network, tmp_path: Path) -> Iterator[User]:
    environ = {
        "LLMMOCK_HOME": str(tmp_path / "home"),
        "LLMMOCK_ISSUER": server.url,
        "LLMMOCK_CHATGPT_URL": api.base_url,
    }
    with User(environ, clock, network.send) as user:
        user.signs_in()
        yield user


@pytest.fixture
def ask(user, clock, network):
    upstream = find("chatgpt", user.environ)
    upstream._session._now = clock

    def ask(body: dict, path: str = "/v1/responses", method: str = "POST"):
        request = Request(
            method, "http://localhost", path, headers=JSON, body=json.dumps(body).encode() if body else b""
        )
        exchange = dialects.read(request)
        return exchange, taken(upstream.forward(exchange, network.send))

    return ask


JSON = (("content-type", "application/json"), ("authorization", "Bearer sk-client"))


def taken(reply: Reply) -> Reply:
    for _ in reply.frames:
        pass
    return reply


def words(reply: Reply) -> str:
    return reply.json()["output"][-1]["content"][0]["text"]


def asked(words: str, **more) -> dict:
    return {"model": "gpt-5.6-sol", "input": words, **more}


def test_it_asks_the_public_api_with_the_token_and_our_own_name_and_never_with_the_clients_key(api, ask, server):
    _, reply = ask(asked("Hello"))
    assert (reply.status, words(reply)) == (200, "Hello #1 of gpt-5.6-sol")
    (request,) = api.requests
    headers = dict(request.headers)
    assert headers["authorization"].removeprefix("Bearer ") in server.access
    assert headers["user-agent"].startswith("pytest-llmmock/")
    assert not headers.keys() & {"originator", "chatgpt-account-id", "openai-beta", "session-id"}


def test_what_the_api_refuses_is_left_out_and_told(api, ask):
    more = {"temperature": 0.2, "max_output_tokens": 9, "user": "ada", "metadata": {"a": "b"}, "truncation": "auto"}
    exchange, reply = ask(asked("Hello", **more, text={"verbosity": "low"}))
    assert reply.status == 200
    (body,) = api.bodies
    assert not body.keys() & more.keys()
    assert body["text"] == {"verbosity": "low"}
    assert exchange.notes == ["chatgpt does not take temperature, max_output_tokens, user, truncation: sent without"]
    assert exchange.warnings == [*exchange.notes, "recorded through chatgpt with the ChatGPT plan that is signed in"]


def test_it_is_always_a_stream_that_nobody_keeps(api, ask):
    _, reply = ask(asked("Hello", store=True, stream=False))
    assert (api.bodies[0]["store"], api.bodies[0]["stream"]) == (False, True)
    assert reply.json()["store"] is True


def test_no_instructions_are_made_up_and_a_system_message_is_the_developers(api, ask):
    _, reply = ask({"model": "gpt-5.6-sol", "input": [{"role": "system", "content": "Be brief."}, *asked_by("Hi")]})
    assert reply.status == 200, reply.body
    (body,) = api.bodies
    assert "instructions" not in body
    assert [item["role"] for item in body["input"]] == ["developer", "user"]


def asked_by(text):
    return [{"role": "user", "content": text}]


def test_a_conversation_goes_on_although_nobody_keeps_it(api, ask):
    _, first = ask(asked("Hello"))
    _, second = ask(asked("And now?", previous_response_id=first.json()["id"]))
    assert second.status == 200, second.body
    roles = [item["role"] for item in api.bodies[1]["input"]]
    assert roles == ["user", "assistant", "user"]
    _, kept = ask({}, f"/v1/responses/{first.json()['id']}", "GET")
    assert kept.json()["id"] == first.json()["id"]
    assert len(api.requests) == 2


def test_the_plans_models_are_listed_as_openai_lists_models(ask):
    _, reply = ask({}, "/v1/models", "GET")
    assert [model["id"] for model in reply.json()["data"]] == ["gpt-5.6-sol", "gpt-6-sol"]
    assert len(CATALOGUE) == 3


def test_a_token_that_is_due_is_renewed_first(api, ask, server, clock):
    clock.ahead = LIFETIME
    server.access.clear()
    _, reply = ask(asked("Hello"))
    assert reply.status == 200
    assert len(api.requests) == 1


def test_a_token_that_is_refused_is_renewed_and_asked_with_once_more(api, ask, server, clock):
    server.access.clear()
    for token in server.refresh:
        server.refresh[token] = 0  # it was ended from elsewhere, and may be renewed at once
    _, reply = ask(asked("Hello"))
    assert reply.status == 200
    assert len(api.requests) == 2


def test_a_login_that_is_refused_twice_is_an_error_and_not_asked_a_third_time(api, ask, server, clock):
    server.access.clear()
    for token in server.refresh:
        server.refresh[token] = 0
    api.tokens = tuple
    _, reply = ask(asked("Hello"))
    assert reply.status == 401
    assert "refuses the login (invalid_token), also after it was renewed" in reply.json()["error"]["message"]
    assert len(api.requests) == 2
    _, again = ask(asked("Hello again"))
    assert (again.status, len(api.requests)) == (401, 3)


def test_a_login_that_cannot_be_renewed_says_who_has_to_do_what(api, ask, server):
    server.access.clear()
    with pytest.raises(LoginError, match="Sign in: llmmock login --use chatgpt"):
        ask(asked("Hello"))
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("said", "status", "code", "told", "again"),
    [
        ("limit", 429, "subscription_sharing_usage_limit_exceeded", "https://chatgpt.com/settings/usage tells", False),
        ("not eligible", 403, "subscription_sharing_user_not_eligible", "--llm-upstream=openai", False),
        ("scope", 403, "chatpass_v2_scope_not_authorized", "llmmock login --use chatgpt --again", False),
        ("unavailable", 503, "subscription_sharing_usage_unavailable", "try again later", True),
        ("odd", 400, None, "something odd", True),
        ("nothing", 500, None, "answered with status 500 and no reason", True),
    ],
)
def test_an_error_keeps_its_status_and_code_and_says_what_to_do(ask, said, status, code, told, again):
    _, reply = ask(asked(said))
    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (status, code)
    assert told in error["message"]
    assert (("x-should-retry", "false") in reply.headers) is not again


def test_a_limit_that_is_reached_inside_a_stream_says_the_same(ask):
    _, reply = ask(asked("used up inside"))
    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (429, "subscription_sharing_usage_limit_exceeded")
    assert "https://chatgpt.com/settings/usage tells" in error["message"]
    assert ("x-should-retry", "false") in reply.headers


def test_a_tool_that_no_plan_pays_for_is_named(ask):
    _, reply = ask(asked("Hello", tools=[{"type": "image_generation"}]))
    error = reply.json()["error"]
    assert (reply.status, error["param"]) == (400, "tools[0].type")
    assert "A ChatGPT plan does not pay for what was asked" in error["message"]


def test_a_login_does_not_follow_a_redirect(api, ask):
    api.status = 307
    with pytest.raises(UpstreamError, match=r"sends the request elsewhere.*LLMMOCK_CHATGPT_URL"):
        ask(asked("Hello"))
    assert len(api.requests) == 1


def test_a_stream_that_breaks_off_is_not_whole(ask):
    _, reply = ask(asked("fail"))
    assert reply.status >= 400


# --- before it is asked -----------------------------------------------------------------------------------


def test_where_nobody_has_signed_in_it_says_so_before_anything_is_asked(tmp_path):
    with pytest.raises(UsageError, match=r"The upstream 'chatgpt' cannot be asked\. Nobody is signed in"):
        find("chatgpt", {"LLMMOCK_HOME": str(tmp_path)})


def test_it_is_not_used_in_ci_unless_somebody_says_so(user):
    with pytest.raises(UsageError, match="'chatgpt' answers with the ChatGPT plan of a person"):
        find("chatgpt", {**user.environ, "CI": "true"})
    assert find("chatgpt", {**user.environ, "CI": "true", "LLMMOCK_CHATGPT_IN_CI": "1"}).NAME == "chatgpt"


@pytest.mark.parametrize("variable", ["LLMMOCK_CHATGPT_URL", "LLMMOCK_ISSUER"])
def test_a_login_is_sent_to_no_address_where_others_read_along(user, variable):
    with pytest.raises(UsageError, match=f"{variable}=http://api.example"):
        find("chatgpt", {**user.environ, variable: "http://api.example"})


def test_a_login_of_one_sign_in_server_is_none_of_another(user):
    with pytest.raises(UsageError, match="Nobody is signed in"):
        find("chatgpt", {**user.environ, "LLMMOCK_ISSUER": "https://other.example"})


def test_a_chat_is_translated_there_and_back(api, ask):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    _, reply = ask({"model": "gpt-5.6-sol", "messages": messages, "max_tokens": 9}, "/v1/chat/completions")
    assert reply.json()["choices"][0]["message"]["content"] == "Hello #1 of gpt-5.6-sol"
    assert api.bodies[0]["instructions"] == "Be brief."


def test_what_no_plan_pays_for_is_not_asked(api, ask):
    with pytest.raises(UpstreamError, match="Record this with another upstream"):
        ask({"model": "m", "input": "x"}, "/v1/embeddings")
    assert api.requests == []
