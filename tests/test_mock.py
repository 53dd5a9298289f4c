"""`use_cassette` and `LLMServer`, as they are used without pytest."""

from __future__ import annotations

import gzip
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from standin import SECRET, Standin

from pytest_llmmock import CassetteError, CassetteFormatError, LLMServer, UnmatchedError, UsageError, use_cassette
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.core.codings import unpacked
from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.errors import EgressError
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.inbound.transport import MODULES
from pytest_llmmock.mock import client_environment, default_upstream, environment
from pytest_llmmock.upstreams import CHOICES

VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_API_BASE", "OLLAMA_HOST", "OLLAMA_API_BASE")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment gets into these tests."""
    others = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "ANTHROPIC_API_KEY", "NO_PROXY", "no_proxy")
    for name in (*VARIABLES, *others, "LLMMOCK_UPSTREAM", "LLMMOCK_UPSTREAM_API_KEY", "LLMMOCK_RECORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tapes" / "a.yaml"


def ask(url: str, words: str = "hello", **more: Any) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": words}], **more}
    headers = {"authorization": f"Bearer {SECRET}"}
    return httpx.post(url + "/v1/chat/completions", json=body, headers=headers, timeout=30)


def said(response: httpx.Response) -> str:
    return response.json()["choices"][0]["message"]["content"]


def record(path: Path, standin: Standin, *words: str) -> None:
    with use_cassette(path, mode="new_episodes"):
        for each in words:
            assert ask(standin.url, each).status_code == 200


def words_in(path: Path) -> list[str]:
    """What was asked in the interactions of a cassette."""
    return [each.request.json()["messages"][0]["content"] for each in open_cassette(path).interactions]


@contextmanager
def ending_in(error: type[Exception], match: str | None = None) -> Iterator[pytest.ExceptionInfo[Any]]:
    """A block that runs to its last line, behind which this is raised."""
    with pytest.raises(error, match=match) as caught:
        yield caught


Opened = Callable[..., Any]


def in_process(path: Path, standin: Standin, **settings: Any) -> Any:
    return use_cassette(path, **settings)


def over_http(path: Path, standin: Standin, **settings: Any) -> Any:
    return LLMServer(path, **({"upstream": standin.base_url} | settings))


@pytest.fixture(params=[in_process, over_http])
def opened(request: pytest.FixtureRequest, path: Path, standin: Standin) -> Opened:
    """Opens the cassette by one of the two ways in. `address` says where to ask then."""
    return lambda **settings: request.param(path, standin, **settings)


def address(mock: Any, standin: Standin) -> str:
    return mock.url if isinstance(mock, LLMServer) else standin.url


# --- replay ---------------------------------------------------------------------------------------------


def test_what_was_recorded_is_replayed_and_nothing_is_asked(opened, path, standin):
    record(path, standin, "hello")
    before = path.read_bytes()
    with opened() as mock:
        assert said(ask(address(mock, standin))) == "hello #1"
        assert [entry.source for entry in mock.requests] == ["cassette"]
        assert (len(mock.cassette), len(mock.cassette.played), mock.cassette.path) == (1, 1, path)
    assert len(standin.requests) == 1
    assert path.read_bytes() == before


def test_a_miss_raises_at_the_end_of_the_block_although_the_code_swallowed_it(opened, path, standin):
    reached = []
    with ending_in(UnmatchedError) as caught, opened() as mock:
        answer = ask(address(mock, standin))
        reached.append((answer.status_code, answer.headers["x-should-retry"], answer.json()["error"]["code"]))
    assert reached == [(404, "false", "no_recording")]
    told = str(caught.value)
    assert told.startswith("There are no recordings to answer this request from: the cassette does not exist.\n")
    assert f"Cassette: {path}   (does not exist)" in told
    assert 'record it:  mode="new_episodes"' in told
    assert answer_is_the_explanation(mock, told)
    assert standin.requests == []
    assert not path.exists()


def answer_is_the_explanation(mock: Any, told: str) -> bool:
    return mock.requests.last.trouble == told


def test_each_miss_is_told_once(opened, standin):
    with ending_in(UnmatchedError) as caught, opened() as mock:
        for words in ("one", "two", "one"):
            ask(address(mock, standin), words)
    assert str(caught.value).count('chat m  "one"') == 1
    assert str(caught.value).count('chat m  "two"') == 1


def test_a_connection_that_was_stopped_raises_at_the_end_although_the_code_swallowed_it(opened):
    with ending_in(UnmatchedError) as caught, opened():
        for _ in range(2):
            with suppress(ConnectionError):
                socket.getaddrinfo("api.openai.com", 443, flags=socket.AI_NUMERICHOST)
    assert str(caught.value).count("A connection to a model provider was stopped") == 1


@pytest.mark.parametrize("settings", [{"egress": "allow"}, {"mode": "all"}, {"ignore_hosts": ["*.openai.com"]}])
def test_nothing_is_stopped_when_it_is_allowed_or_something_records(opened, settings):
    with opened(**settings), pytest.raises(socket.gaierror):
        socket.getaddrinfo("api.openai.com", 443, flags=socket.AI_NUMERICHOST)


def test_a_miss_does_not_hide_the_exception_that_ends_the_block(opened, standin):
    with ending_in(ZeroDivisionError), opened() as mock:
        ask(address(mock, standin))
        raise ZeroDivisionError


def test_a_request_that_was_played_already_is_a_miss_unless_it_is_to_repeat(opened, path, standin):
    record(path, standin, "hello")
    with ending_in(UnmatchedError, match="has been played once"), opened() as mock:
        ask(address(mock, standin))
        ask(address(mock, standin))
    with opened(repeat=True) as mock:
        assert {said(ask(address(mock, standin))) for _ in range(3)} == {"hello #1"}


def test_a_cassette_is_named_by_text_too(path, standin):
    record(path, standin, "hello")
    with use_cassette(str(path)):
        assert said(ask(standin.url)) == "hello #1"


# --- record ---------------------------------------------------------------------------------------------


def test_new_episodes_replays_and_appends_what_is_missing(opened, path, standin):
    record(path, standin, "one")
    with opened(mode="new_episodes") as mock:
        assert said(ask(address(mock, standin), "one")) == "one #1"
        assert said(ask(address(mock, standin), "two")) == "two #2"
        assert words_in(path) == ["one"]
        assert [entry.source for entry in mock.requests] == ["cassette", "upstream"]
    assert words_in(path) == ["one", "two"]


class Unpacking(Standin):
    """A provider that takes compressed requests."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def handle(self, request: Request) -> Reply:
        self.sent.append(request.body)
        return super().handle(unpacked(request))


@pytest.mark.parametrize("open_it", [in_process, over_http])
def test_a_compressed_request_is_recorded_by_what_it_says_and_sent_on_as_it_came(path, open_it):
    def ask_packed(url: str, level: int) -> httpx.Response:
        body = b'{"model": "m", "messages": [{"role": "user", "content": "packed words"}]}'
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        sent.append(gzip.compress(body, level))
        return httpx.post(url + "/v1/chat/completions", content=sent[-1], headers=headers)

    sent: list[bytes] = []
    with Unpacking() as upstream:
        with open_it(path, upstream, mode="new_episodes") as mock:
            assert said(ask_packed(address(mock, upstream), 9)) == "packed words #1"
            assert mock.requests.last.messages[0].text == "packed words"
        assert upstream.sent == sent
        with open_it(path, upstream, repeat=True) as mock:
            assert said(ask_packed(address(mock, upstream), 1)) == "packed words #1"  # other bytes, and the same words
            assert said(ask(address(mock, upstream), "packed words")) == "packed words #1"
        assert len(upstream.sent) == 1
    assert "content: packed words" in path.read_text()
    assert "content-encoding" not in path.read_text()


def test_once_records_where_there_is_no_cassette_and_only_replays_where_there_is(opened, path, standin):
    with opened(mode="once") as mock:
        assert said(ask(address(mock, standin), "one")) == "one #1"
    with ending_in(UnmatchedError), opened(mode="once") as mock:
        assert said(ask(address(mock, standin), "one")) == "one #1"
        assert ask(address(mock, standin), "two").status_code == 404
    assert words_in(path) == ["one"]
    assert len(standin.requests) == 1


def test_all_asks_again_and_replaces_the_cassette(opened, path, standin):
    record(path, standin, "one", "two")
    with opened(mode="all") as mock:
        assert said(ask(address(mock, standin), "one")) == "one #3"
    assert words_in(path) == ["one"]


@pytest.mark.parametrize("mode", ["new_episodes", "once", "all"])
def test_an_exception_leaves_the_cassette_as_it_was(opened, path, standin, mode):
    if mode != "once":
        record(path, standin, "one")
    before = path.read_bytes() if path.exists() else None
    with ending_in(ZeroDivisionError), opened(mode=mode) as mock:
        ask(address(mock, standin), "two")
        raise ZeroDivisionError
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize("host", ["127.provider.example", "127.0.0.1.provider.example"])
def test_a_name_that_only_begins_like_this_machine_is_another_host(path, host):
    with ending_in(UnmatchedError, match=re.escape(host)), use_cassette(path, hosts=[host]):
        with httpx.Client() as client:  # as the path of a server of ours, which is let through on this machine
            assert client.get(f"http://{host}/t1-abcd/v1/models").status_code == 404
        with pytest.raises(EgressError, match=host), socket.create_connection((host, 80), timeout=1):
            raise AssertionError("the connection was made")


def test_an_upstream_that_does_not_answer_is_told_at_the_end_and_the_rest_is_kept(path, standin):
    settings = {"mode": "new_episodes", "upstream": "http://127.0.0.1:1/v1"}
    record(path, standin, "one")
    with (
        ending_in(UnmatchedError, match=r"The upstream http://127\.0\.0\.1:1 did not answer"),
        LLMServer(path, **settings) as server,
    ):
        assert said(ask(server.url, "one")) == "one #1"
        assert ask(server.url, "two").status_code == 502
    assert words_in(path) == ["one"]


def test_recording_all_anew_does_not_replace_a_whole_cassette_by_half_of_one(opened, path, standin):
    """The second request finds no upstream, so what was recorded is no recording of this code."""
    record(path, standin, "one", "two")
    before = path.read_bytes()
    with ending_in(UnmatchedError), opened(mode="all") as mock:
        assert ask(address(mock, standin), "one").status_code == 200
        assert ask(address(mock, standin), "html").status_code == 502
    assert path.read_bytes() == before


def test_an_upstreams_error_is_passed_on_and_recorded_only_when_that_is_wanted(opened, path, standin):
    with opened(mode="once") as mock:
        assert ask(address(mock, standin), "refuse").status_code == 429
    assert not path.exists()
    with opened(mode="once", record_errors=True) as mock:
        assert ask(address(mock, standin), "refuse").status_code == 429
    with opened() as mock:
        assert ask(address(mock, standin), "refuse").status_code == 429
    assert len(standin.requests) == 2


def test_no_key_gets_into_the_cassette(opened, path, standin):
    with opened(mode="once") as mock:
        ask(address(mock, standin))
    assert standin.requests[0].header("authorization") == f"Bearer {SECRET}"
    assert SECRET not in path.read_text()


OTHER = "another-a1b2c3d4e5f6"


def ask_with(key: str, mock: Any, standin: Standin, words: str, **more: Any) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": words}], **more}
    url = address(mock, standin) + "/v1/chat/completions"
    return httpx.post(url, json=body, headers={"authorization": f"Bearer {key}"}, timeout=30)


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_is_said_is_in_no_file_and_another_developers_is_answered_by_it(opened, path, standin, stream):
    with opened(mode="once") as mock:
        assert SECRET in ask_with(SECRET, mock, standin, f"my key is {SECRET}", stream=stream).text.replace('"', "")
    assert SECRET not in path.read_text()
    assert words_in(path) == ["my key is redacted-secret"]
    with opened() as mock:
        assert ask_with(OTHER, mock, standin, f"my key is {OTHER}", stream=stream).status_code == 200
    assert len(standin.requests) == 1


def test_a_key_that_is_used_only_later_is_in_no_file_either(opened, path, standin):
    for mode in ("once", "none"):
        with opened(mode=mode) as mock:
            assert ask_with(SECRET, mock, standin, f"the other is {OTHER}").status_code == 200
            assert ask_with(OTHER, mock, standin, "hello").status_code == 200
        assert OTHER not in path.read_text()
        assert words_in(path) == ["the other is redacted-secret", "hello"]
    assert len(standin.requests) == 2


def test_a_value_that_cannot_be_known_otherwise_can_be_named(opened, path, standin):
    for mode in ("once", "none"):
        with opened(mode=mode) as mock:
            mock.secrets.add("Jo Doe of Elm Street")
            assert ask_with(SECRET, mock, standin, "I am Jo Doe of Elm Street").status_code == 200
    assert words_in(path) == ["I am redacted-secret"]


def test_a_secret_in_what_was_recorded_before_goes_when_more_is_recorded(path, standin):
    record(path, standin, "a", "b", "c")
    path.write_text(path.read_text().replace("content: b\n", "content: AKIAB2C3D4E5F6G7H8I9\n"))
    record(path, standin, "d")
    assert words_in(path) == ["a", "redacted-secret", "c", "d"]


def test_what_is_still_streaming_when_the_block_ends_is_not_recorded(path, standin):
    with use_cassette(path, mode="once"), httpx.Client() as client:
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        with client.stream("POST", standin.base_url + "/chat/completions", json=body) as response:
            next(response.iter_raw())
    assert not path.exists()


def test_requests_at_once_are_recorded_in_the_order_of_asking(path, standin):
    """The first one is answered last."""
    second_is_done = threading.Event()
    first_was_asked = threading.Event()

    def handle(request: Request) -> Reply:
        words = request.json()["messages"][0]["content"]
        if words == "first":
            first_was_asked.set()
            assert second_is_done.wait(10)
        return json_reply({"choices": [{"message": {"content": words}}]})

    with Server(handle) as upstream, use_cassette(path, mode="once"):
        first = threading.Thread(target=ask, args=(upstream.url, "first"))
        first.start()
        assert first_was_asked.wait(10)
        ask(upstream.url, "second")
        second_is_done.set()
        first.join(10)
    assert words_in(path) == ["first", "second"]


# --- the server -----------------------------------------------------------------------------------------


def test_a_server_tells_clients_by_the_environment_and_puts_it_back(path, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://before.example/v1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-own")
    before = dict(os.environ)
    with LLMServer(path) as server:
        assert os.environ["OPENAI_BASE_URL"] == server.base_url == server.url + "/v1"
        assert os.environ["OLLAMA_HOST"] == os.environ["ANTHROPIC_BASE_URL"] == server.url
        assert os.environ["OPENAI_API_KEY"] == "llmmock"
        assert os.environ["ANTHROPIC_API_KEY"] == "sk-own"
        assert server.env == {name: os.environ[name] for name in server.env}
    assert dict(os.environ) == before


def test_an_exception_puts_the_environment_back_too(path):
    before = dict(os.environ)
    with ending_in(ZeroDivisionError), LLMServer(path):
        assert os.environ["OPENAI_BASE_URL"] != before.get("OPENAI_BASE_URL")
        raise ZeroDivisionError
    assert dict(os.environ) == before


def test_in_process_the_environment_is_not_touched(path):
    before = dict(os.environ)
    with use_cassette(path) as mock:
        assert mock.env == {}
        assert dict(os.environ) == before


def test_a_server_is_gone_behind_its_block(path):
    with LLMServer(path) as server:
        url = server.url
    with pytest.raises(httpx.ConnectError):
        ask(url)


def test_two_servers_at_once_answer_each_from_its_own_cassette(tmp_path, standin):
    for name in ("a", "b"):
        record(tmp_path / f"{name}.yaml", standin, name)
    with LLMServer(tmp_path / "a.yaml") as a, LLMServer(tmp_path / "b.yaml") as b:
        assert (said(ask(a.url, "a")), said(ask(b.url, "b"))) == ("a #1", "b #2")
        assert os.environ["OPENAI_BASE_URL"] == b.base_url
        assert (len(a.requests), len(b.requests)) == (1, 1)


def test_a_server_on_a_running_server_takes_a_prefix_and_leaves_it_with_410(path, standin):
    record(path, standin, "hello")
    with Server() as running:
        with LLMServer(path, server=running) as mock:
            assert re.fullmatch(re.escape(running.url) + r"/t1-[0-9a-f]{4}", mock.url)
            assert said(ask(mock.url)) == "hello #1"
        assert ask(mock.url).status_code == 410


@pytest.mark.parametrize("library", MODULES)
def test_a_cassette_in_process_does_not_take_what_is_sent_to_a_server_of_ours(tmp_path, standin, library):
    """All in process is taken "except our own server" (interface §1): the address was given out for HTTP."""
    record(tmp_path / "server.yaml", standin, "hello")
    client = pytest.importorskip(library)
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    with LLMServer(tmp_path / "server.yaml") as server, use_cassette(tmp_path / "empty.yaml") as mock:
        answer = client.post(server.base_url + "/chat/completions", json=body)
        counts = (answer.status_code, len(server.requests), len(mock.requests))
        mock.requests.clear()
    assert counts == (200, 1, 0)


# --- the upstream of a server -----------------------------------------------------------------------------


def test_a_server_without_an_upstream_lists_the_choices_when_it_needs_one(path, standin):
    choices = (
        "An upstream is needed, and none was chosen. Name one with --llm-upstream (pytest), --upstream "
        "(llmmock) or LLMMOCK_UPSTREAM: a base URL such as http://127.0.0.1:8000/v1, or 'openai', which is the default "
        "when OPENAI_API_KEY is set. `llmmock login` shows what there is, and chooses one from now on."
    )
    record(path, standin, "one")
    with ending_in(UnmatchedError) as caught, LLMServer(path, mode="new_episodes") as server:
        assert said(ask(server.url, "one")) == "one #1"
        refused = ask(server.url, "two")
        assert (refused.status_code, refused.json()["error"]["message"]) == (500, choices)
    assert str(caught.value) == choices


def test_with_a_key_openai_is_the_upstream_of_a_server(path, standin, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("LLMMOCK_OPENAI_URL", standin.base_url)
    with LLMServer(path, mode="once") as server:
        assert said(ask(server.url)) == "hello #1"
    assert [each.meta["upstream"] for each in open_cassette(path).interactions] == ["openai"]


@pytest.mark.parametrize("key", [None, "", "llmmock"])
def test_a_key_that_is_none_chooses_no_upstream(key):
    with pytest.raises(UsageError, match=r"^An upstream is needed"):
        default_upstream({} if key is None else {"OPENAI_API_KEY": key})
    assert default_upstream({"OPENAI_API_KEY": "sk-real"}) == "openai"


def test_in_process_the_upstream_is_where_the_client_was_going(path, standin, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    record(path, standin, "hello")
    (interaction,) = open_cassette(path).interactions
    assert interaction.meta["upstream"] == "original"
    assert interaction.request.origin == standin.url
    assert standin.requests[0].header("authorization") == f"Bearer {SECRET}"


def test_in_process_another_upstream_can_be_chosen(path, standin):
    with use_cassette(path, mode="once", upstream=standin.base_url):
        assert said(ask("https://api.openai.com")) == "hello #1"
    (interaction,) = open_cassette(path).interactions
    assert interaction.request.url == "https://api.openai.com/v1/chat/completions"


# --- wrong settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"matchon": ["body"]}, "{}: there is no setting 'matchon'. Did you mean 'match_on'?"),
        ({"zzz": 1}, "{}: there is no setting 'zzz'. Known are: mode, upstream, "),
        ({"mode": "sometimes"}, "{}: mode='sometimes' is not possible. "),
        ({"repeat": "perhaps"}, "{}: repeat='perhaps' is not possible. "),
        ({"match_on": ["mood"]}, "match_on has 'mood', which is not a matcher. Known are: "),
        ({"ignore": ["a..b"]}, "ignore='a..b' is not a path such as 'metadata.*', "),
        ({"mode": "once", "upstream": "nowhere"}, f"There is no upstream 'nowhere'. An upstream is {CHOICES}."),
        ({"mode": "once", "upstream": "openai"}, "The upstream 'openai' needs a key, and OPENAI_API_KEY is not set."),
        ({"mode": "once", "upstream": "http://"}, "The upstream 'http://' has no host. "),
    ],
)
def test_a_wrong_setting_is_told_before_anything_is_opened(opened, path, settings, told):
    before = dict(os.environ)
    with pytest.raises(UsageError) as caught, opened(**settings):
        pytest.fail("the block must not run")
    place = "LLMServer" if "LLMServer" in str(caught.value) else "use_cassette"
    assert str(caught.value).startswith(told.format(place))
    assert dict(os.environ) == before
    assert not path.exists()


@pytest.mark.parametrize("name", ["a.json", "a.yaml.gz", "a.har"])
@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_only_yaml_is_recorded_to(tmp_path, name, mode):
    with (
        pytest.raises(CassetteError, match=r"can be replayed but not recorded to: .* `llmmock import"),
        use_cassette(tmp_path / name, mode=mode),
    ):
        pytest.fail("the block must not run")


def test_a_file_that_is_no_cassette_is_refused_and_left_alone(opened, path):
    path.parent.mkdir()
    path.write_text("- 1\n")
    with pytest.raises(CassetteFormatError, match="is not a cassette that can be read"), opened(mode="new_episodes"):
        pytest.fail("the block must not run")
    assert path.read_text() == "- 1\n"


# --- the environment ------------------------------------------------------------------------------------


def test_variables_are_set_for_a_block_and_put_back(monkeypatch):
    monkeypatch.setenv("LLMMOCK_TEST_OLD", "before")
    monkeypatch.delenv("LLMMOCK_TEST_NEW", raising=False)
    with ending_in(KeyError), environment({"LLMMOCK_TEST_OLD": "inside", "LLMMOCK_TEST_NEW": "inside"}):
        assert (os.environ["LLMMOCK_TEST_OLD"], os.environ["LLMMOCK_TEST_NEW"]) == ("inside", "inside")
        raise KeyError
    assert os.environ["LLMMOCK_TEST_OLD"] == "before"
    assert "LLMMOCK_TEST_NEW" not in os.environ


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "127.0.0.1,localhost"),
        ("intern.example", "intern.example,127.0.0.1,localhost"),
        (" localhost , a ", "localhost,a,127.0.0.1"),
        ("localhost,127.0.0.1", "localhost,127.0.0.1"),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_proxy_of_the_environment_is_kept_off_our_server(name, before, after):
    assert client_environment("http://127.0.0.1:1", {name: before})[name] == after


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"])
def test_a_key_is_given_only_where_there_is_none(name):
    assert client_environment("http://x", {})[name] == "llmmock"
    assert client_environment("http://x", {name: ""})[name] == "llmmock"
    assert name not in client_environment("http://x", {name: "sk-own"})


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_API_KEY"])
def test_where_a_key_is_asked_for_clients_are_given_it(name):
    assert client_environment("http://x", {name: "sk-own"}, ("sk-1", "sk-2"))[name] == "sk-1"
