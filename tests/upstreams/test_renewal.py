"""Renewing a login that another tool has made, against a sign-in server that refuses used tokens."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chatgpt_backend import ACCOUNT, EMAIL, Backend, tokens_in

from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.errors import UpstreamError
from pytest_llmmock.upstreams import token_file
from pytest_llmmock.upstreams.logins import find_login
from pytest_llmmock.upstreams.renewal import Renewal
from pytest_llmmock.upstreams.token_file import Tokens

PATIENCE = 30


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "codex"


Renew = Callable[[], Renewal]


@pytest.fixture
def renewal(backend: Backend, home: Path) -> Renew:
    return lambda: Renewal(find_login({"CODEX_HOME": str(home)}), backend.issuer, "pytest-llmmock/0")


# --- when -----------------------------------------------------------------------------------------------


def test_a_token_that_holds_is_used_as_it_is(backend, home, network, renewal):
    path = backend.login(home)
    before = path.read_bytes()
    assert renewal().tokens(network.send).access == tokens_in(path)["access_token"]
    assert (backend.refreshes, path.read_bytes()) == ([], before)


@pytest.mark.parametrize("left", [-5, 200])
def test_one_that_ends_within_five_minutes_is_renewed(backend, home, network, renewal, left):
    path = backend.login(home, lasts=left)
    before = tokens_in(path)
    tokens = renewal().tokens(network.send)
    after = tokens_in(path)
    assert tokens.access == after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert len(backend.refreshes) == 1


def test_it_is_asked_as_codex_asks_and_under_our_own_name(backend, home, network, renewal):
    path = backend.login(home, lasts=0)
    used = tokens_in(path)["refresh_token"]
    renewal().tokens(network.send)
    (request,) = backend.refreshes
    assert json.loads(request.body) == {
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "grant_type": "refresh_token",
        "refresh_token": used,
    }
    assert request.header("user-agent") == "pytest-llmmock/0"


def test_a_sign_in_server_that_does_not_answer_is_not_waited_for_as_a_model_is(home, backend, renewal):
    """Whoever needs the login waits as well."""
    backend.login(home, lasts=-5)
    asked: list[Request] = []

    def send(request: Request) -> Reply:
        asked.append(request)
        return backend._token(request)

    renewal().tokens(send)
    assert [request.patience for request in asked] == [30]


def test_what_somebody_else_has_renewed_meanwhile_is_taken(backend, home, network, renewal):
    path = backend.login(home)
    used = renewal().tokens(network.send)
    backend.login(home)
    tokens = renewal().other_than(used, network.send)
    assert tokens.access == tokens_in(path)["access_token"] != used.access
    assert backend.refreshes == []


def test_a_token_without_an_end_is_renewed_when_it_is_refused_only(home, backend, network, renewal):
    path = backend.login(home)
    stored = json.loads(path.read_text())
    stored["tokens"]["access_token"] = "opaque"
    path.write_text(json.dumps(stored))
    renewing = renewal()
    tokens = renewing.tokens(network.send)
    assert (tokens.access, backend.refreshes) == ("opaque", [])
    assert renewing.other_than(tokens, network.send).access != "opaque"


def test_a_token_that_was_just_renewed_is_not_renewed_again_when_it_is_refused(backend, home, network, renewal):
    """It is refused for another reason than its age, and each renewal would put the login at risk."""
    backend.login(home)
    renewing = renewal()
    fresh = renewing.other_than(renewing.tokens(network.send), network.send)
    assert renewing.other_than(fresh, network.send) == fresh
    assert len(backend.refreshes) == 1
    renewing._steady = lambda: time.monotonic() + 301
    assert renewing.other_than(fresh, network.send) != fresh
    assert len(backend.refreshes) == 2


def test_a_clock_that_is_wrong_is_told_and_costs_no_renewal_for_each_request(backend, home, network, renewal):
    path = backend.login(home, lasts=-5)
    backend.lasts = -7200
    renewing = renewal()
    assert [renewing.tokens(network.send).access for _ in range(3)] == [tokens_in(path)["access_token"]] * 3
    assert len(backend.refreshes) == 1
    assert renewing.trouble == (
        f"The login of the Codex CLI ({path}) was renewed, and ends at once by the clock of this machine. "
        "Is the clock right?"
    )


# --- the file -------------------------------------------------------------------------------------------


def test_all_else_in_the_file_stays_and_so_do_its_rights(backend, home, network, renewal):
    agent = {"name": "ä\ud800", "deep": [1, 2.5, None]}
    path = backend.login(home, lasts=0, auth_mode="chatgpt", agent_identity=agent)
    before = json.loads(path.read_text())
    renewal().tokens(network.send)
    after = json.loads(path.read_bytes().decode(errors="surrogatepass"))
    assert list(after) == list(before)
    assert after["last_refresh"] != before["last_refresh"]
    assert after["last_refresh"].endswith("Z")
    changed = {"last_refresh", "tokens"}
    assert {k: v for k, v in after.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}
    assert after["tokens"]["account_id"] == ACCOUNT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in home.iterdir()] == ["auth.json"]


def test_a_link_stays_a_link(backend, home, network, renewal, tmp_path):
    real = backend.login(tmp_path / "real", lasts=0)
    home.mkdir()
    (home / "auth.json").symlink_to(real)
    tokens = renewal().tokens(network.send)
    assert (home / "auth.json").is_symlink()
    assert tokens_in(real)["access_token"] == tokens.access


def test_the_file_is_private_from_its_first_byte_on(backend, home, network, renewal, monkeypatch):
    backend.login(home, lasts=0)
    modes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode)))
    renewal().tokens(network.send)
    assert modes == [0o600]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_read_only_is_not_renewed_and_nothing_is_asked(backend, home, network, renewal, what):
    path = backend.login(home, lasts=-5)
    target = path if what == "file" else home
    target.chmod(0o400 if what == "file" else 0o500)
    try:
        with pytest.raises(UpstreamError) as caught:
            renewal().tokens(network.send)
    finally:
        target.chmod(0o700)
    assert str(caught.value) == (
        f"The login of the Codex CLI ({path}) has run out, and was not renewed because "
        f"{'it' if what == 'file' else 'its folder'} is read-only. "
        "Have its owner renew it: use the Codex CLI once, or log in again:  codex login"
    )
    assert backend.refreshes == []


def test_a_read_only_token_that_still_holds_a_minute_is_used(backend, home, network, renewal):
    path = backend.login(home, lasts=60)
    path.chmod(0o400)
    assert renewal().tokens(network.send).access == tokens_in(path)["access_token"]
    assert backend.refreshes == []


def test_a_file_of_another_user_is_not_written(backend, home, network, renewal, monkeypatch):
    backend.login(home, lasts=-5)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(UpstreamError, match="because it belongs to another user"):
        renewal().tokens(network.send)
    assert backend.refreshes == []


def test_a_disk_that_is_full_does_not_cost_the_login_of_this_run(backend, home, network, renewal, monkeypatch):
    path = backend.login(home, lasts=-5)
    before = path.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    renewing = renewal()
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        tokens = renewing.tokens(network.send)
    assert tokens.access in backend.valid
    assert path.read_bytes() == before
    assert renewing.tokens(network.send) == tokens
    assert len(backend.refreshes) == 1
    assert renewing.trouble == (
        f"The login of the Codex CLI ({path}) was renewed, and cannot be written: No space left on device. "
        "It is used to the end of this run; then log in again:  codex login"
    )


def test_a_login_that_has_gone_is_told(backend, home, network, renewal):
    path = backend.login(home)
    renewing = renewal()
    path.unlink()
    with pytest.raises(UpstreamError) as caught:
        renewing.tokens(network.send)
    assert str(caught.value) == f"The login of the Codex CLI ({path}) is not there. Log in again:  codex login"


def meanwhile(backend: Backend, then: Callable[[], object]) -> Callable[[Request], Reply]:
    """A network in which something happens while the sign-in server is asked."""

    def send(request: Request) -> Reply:
        reply = backend._token(request)
        then()
        return reply

    return send


def test_a_login_that_was_made_while_it_was_renewed_stays(backend, home, renewal):
    """Tools know no lock of ours; two people's tokens in one file would be nobody's."""
    path = backend.login(home, lasts=-5)
    theirs = {"access_token": "at_other", "refresh_token": "rt_other", "id_token": "", "account_id": "other"}
    new = json.dumps({"tokens": theirs})
    renewing = renewal()
    tokens = renewing.tokens(meanwhile(backend, lambda: path.write_text(new)))
    assert path.read_text() == new
    assert (tokens.access, tokens.account_id) == ("at_other", "other")
    assert renewing.trouble == ""


def test_a_login_that_was_ended_while_it_was_renewed_stays_ended(backend, home, renewal):
    path = backend.login(home, lasts=-5)
    ended = json.dumps({"OPENAI_API_KEY": "sk-new", "tokens": None})
    renewing = renewal()
    renewing.tokens(meanwhile(backend, lambda: path.write_text(ended)))
    assert path.read_text() == ended
    assert "was renewed, and cannot be written: holds an API key" in renewing.trouble


def test_what_its_owner_has_renewed_at_the_same_moment_is_taken(backend, home, renewal):
    path = backend.login(home, lasts=-5)

    def send(request: Request) -> Reply:
        backend.login(home)  # the owner has used the same token, a moment sooner
        return backend._token(request)

    tokens = renewal().tokens(send)
    assert tokens.access == tokens_in(path)["access_token"]
    assert tokens.access in backend.valid


def test_a_disk_that_stays_full_does_not_bring_back_a_used_token(backend, home, network, renewal, monkeypatch):
    backend.login(home, lasts=-5)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    renewing = renewal()
    renewing._steady = iter(range(0, 90000, 400)).__next__
    first = renewing.tokens(network.send)
    second = renewing.other_than(first, network.send)
    assert renewing.other_than(second, network.send).access in backend.valid
    assert len(backend.refreshes) == 3


# --- refusals -------------------------------------------------------------------------------------------


def test_a_used_token_ends_the_login_and_it_is_said_whose(backend, home, network, renewal):
    path = backend.login(home, lasts=-5)
    backend.issue()  # somebody else has renewed it and not written it here
    with pytest.raises(UpstreamError) as caught:
        renewal().tokens(network.send)
    assert str(caught.value) == (
        f"The login of the Codex CLI ({path}) has ended: its sign-in server refuses to renew it "
        "(status 401, refresh_token_reused). Log in again:  codex login"
    )


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"error": {"code": "refresh_token_expired"}}, "refresh_token_expired"),
        (401, {"code": "refresh_token_invalidated"}, "refresh_token_invalidated"),
        (400, {"error": "invalid_grant"}, "invalid_grant"),
        (401, {}, ""),
        (401, ["odd"], ""),
    ],
)
def test_permanent_refusals_say_which_login_to_renew(backend, home, network, renewal, status, body, code):
    backend.login(home, lasts=-5)
    backend.down = (status, body)
    with pytest.raises(UpstreamError, match=r"has ended: .*\. Log in again:  codex login$") as caught:
        renewal().tokens(network.send)
    assert f"(status {status}{', ' + code if code else ''})" in str(caught.value)


@pytest.mark.parametrize("status", [302, 403, 429, 500, 503, 200])
def test_other_refusals_are_for_now_and_leave_the_file_alone(backend, home, network, renewal, status):
    path = backend.login(home, lasts=-5)
    before = path.read_bytes()
    backend.down = (status, {"error": {"message": "sk-not-to-be-told " + "x" * 900}})
    with pytest.raises(UpstreamError) as caught:
        renewal().tokens(network.send)
    assert str(caught.value) == (
        f"The login of the Codex CLI ({path}) could not be renewed now (status {status}). "
        "It is unchanged; try again later."
    )
    assert path.read_bytes() == before


def test_a_token_that_still_holds_is_used_while_it_cannot_be_renewed(backend, home, network, renewal):
    path = backend.login(home, lasts=60)
    backend.down = (503, {})
    assert renewal().tokens(network.send).access == tokens_in(path)["access_token"]


def test_without_a_refresh_token_nothing_is_asked(backend, home, network, renewal):
    path = backend.login(home, lasts=-5)
    stored = json.loads(path.read_text())
    stored["tokens"]["refresh_token"] = None
    path.write_text(json.dumps(stored))
    with pytest.raises(UpstreamError, match="was not renewed because it holds no refresh token"):
        renewal().tokens(network.send)
    assert backend.refreshes == []


def test_fields_that_the_server_leaves_out_stay(backend, home, renewal):
    path = backend.login(home, lasts=-5)
    before = tokens_in(path)
    renewal().tokens(lambda request: json_reply({"access_token": "new", "refresh_token": None}))
    assert tokens_in(path) == {**before, "access_token": "new"}


# --- nothing is shown -----------------------------------------------------------------------------------


def test_no_token_is_in_a_traceback_that_shows_values(backend, home, renewal, monkeypatch):
    path = backend.login(home, lasts=-5)
    secrets = [*tokens_in(path).values(), "rt_new", "at_new", EMAIL, ACCOUNT]
    monkeypatch.setattr(token_file, "files", None)  # a mistake of ours, deep inside

    def send(request: Request) -> Reply:
        return json_reply({"access_token": "at_new", "refresh_token": "rt_new"})

    with pytest.raises(AttributeError) as caught:
        renewal().tokens(send)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    ours = {Path(frame.filename).name: str(frame.locals) for frame in stack if frame.filename != __file__}
    assert {"renewal.py", "token_file.py"} <= set(ours)
    assert not [secret for secret in secrets if secret in str(ours)]


def test_tokens_do_not_show_themselves():
    assert repr(Tokens("secret-a", "secret-b", "secret-c", "secret-d")) == "Tokens()"


# --- many at once ---------------------------------------------------------------------------------------


def test_threads_that_need_it_at_once_renew_it_once(backend, home, network, renewal):
    path = backend.login(home, lasts=-5)
    renewing, start, found = renewal(), threading.Barrier(8), []

    def ask() -> None:
        start.wait()
        found.append(renewing.tokens(network.send).access)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tokens_in(path)["access_token"]] * 8
    assert len(backend.refreshes) == 1


def interrupted(command: list[str], backend: Backend) -> Any:
    """A process that gets Ctrl-C while it waits for the sign-in server."""
    answer, asked, go = backend._token, threading.Event(), threading.Event()

    def slow(request: Request) -> Reply:
        asked.set()
        go.wait(PATIENCE)
        return answer(request)

    backend._token = slow  # type: ignore[method-assign]
    process = subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()
    assert asked.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    go.set()
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signal to one process")
def test_a_ctrl_c_does_not_come_between_the_sign_in_server_and_the_file(backend, home):
    """The token was spent when it arrived: what has come for it must not be lost."""
    path = backend.login(home, lasts=-5)
    process = interrupted([sys.executable, "-c", TELLING + PROCESS, str(home), backend.issuer], backend)
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert (out, "KeyboardInterrupt" in error) == ("", True)
    assert len(backend.refreshes) == 1
    assert tokens_in(path)["refresh_token"] == backend._refresh


TELLING = """
import signal

def tell(*arguments):
    print("interrupted", flush=True)
    raise KeyboardInterrupt

signal.signal(signal.SIGINT, tell)
"""

PROCESS = """
import sys
from pytest_llmmock.upstreams.http import Network
from pytest_llmmock.upstreams.logins import find_login
from pytest_llmmock.upstreams.renewal import Renewal

network = Network()
renewal = Renewal(find_login({"CODEX_HOME": sys.argv[1]}), sys.argv[2], "pytest-llmmock/0")
print("ready", flush=True)
sys.stdin.readline()
print(renewal.tokens(network.send).access)
network.close()
"""


@pytest.mark.parametrize(
    "folders",
    [
        ("same", "same"),
        pytest.param(
            ("one", "another"),
            marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no folders"),
        ),
    ],
)
def test_processes_that_need_it_at_once_renew_it_once_and_lose_none(backend, home, tmp_path, folders):
    """Their temporary folders may be others: in a container, in a job, behind ssh."""
    path = backend.login(home, lasts=-5)
    command = [sys.executable, "-c", PROCESS, str(home), backend.issuer]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = []
    for folder in folders:
        (tmp_path / folder).mkdir(exist_ok=True)
        environ = {**os.environ, "TMPDIR": str(tmp_path / folder)}
        started.append(subprocess.Popen(command, env=environ, text=True, **pipes))
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:  # both have imported everything: now they start together
        process.stdin.write("\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=60) for process in started]
    assert [error for _, error in ended] == ["", ""]
    assert [out.strip() for out, _ in ended] == [tokens_in(path)["access_token"]] * 2
    assert len(backend.refreshes) == 1
    assert tokens_in(path)["access_token"] in backend.valid
    assert find_login({"CODEX_HOME": str(home)}).expires > time.time()
