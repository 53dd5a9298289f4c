"""`llmmock login`, `logout` and `info`, as a user and as a script run them."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sign_in_server import SignInServer, landing

from pytest_llmmock.cli import logins

COMMAND = [sys.executable, "-m", "pytest_llmmock"]
URL = re.compile(r"http://127\.0\.0\.1:\d+/api/accounts/authorize\?\S+")
PATIENCE = 30

BROWSER = """
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=20).read()
except urllib.error.HTTPError as error:
    error.close()
"""


@pytest.fixture
def server() -> Iterator[SignInServer]:
    for package in ("authlib", "joserfc"):
        pytest.importorskip(package, reason="the extra chatgpt is not installed")
    with SignInServer(time.time) as running:
        yield running


@pytest.fixture
def user(llmmock, server, tmp_path):
    """Somebody with a browser that agrees to everything."""
    (tmp_path / "browser.py").write_text(BROWSER)
    llmmock.environment["BROWSER"] = f"{sys.executable} {tmp_path / 'browser.py'} %s"
    llmmock.environment["LLMMOCK_ISSUER"] = server.url
    return llmmock


def info(llmmock) -> dict:
    """What `llmmock info --json` tells; a process takes long."""
    return logins.value(llmmock.environment)


def login(llmmock, upstream) -> dict:
    return next(each for each in info(llmmock)["logins"] if each["upstream"] == upstream)


def seen(server, *texts):
    return [secret for secret in server.secrets for text in texts if secret in text]


# --- without a terminal -----------------------------------------------------------------------------------


def test_a_script_says_which_upstream_and_a_browser_does_the_rest(user, server):
    done = user("login", "--use", "chatgpt")
    assert "Continue with ChatGPT in the browser" in done.stdout
    assert "Signed in as ada@example.org (plan plus)." in done.stdout
    assert "count against your ChatGPT plan" in done.stdout
    assert done.stdout.endswith(
        "From now on servers and the command line ask chatgpt. Tests in process ask whom your code asks.\n"
    )
    assert not seen(server, done.stdout, done.stderr)
    told = user("info", "--json").stdout
    assert info(user)["default_upstream"] == "chatgpt"
    assert login(user, "chatgpt")["account"] == "ada@example.org"
    assert login(user, "chatgpt")["usable"] is True
    assert not seen(server, told)


def test_who_is_signed_in_does_not_sign_in_again_unless_that_is_wanted(user, server):
    user("login", "--use", "chatgpt")
    count = len(server.asked)
    user("login", "--use", "chatgpt")
    assert len(server.asked) == count
    user("login", "--use", "chatgpt", "--again")
    assert server.asked[count][1]["prompt"] == "consent"


def test_with_json_stdout_is_json_and_the_words_are_on_stderr(user, server):
    done = user("login", "--use", "chatgpt", "--json")
    assert json.loads(done.stdout)["default_upstream"] == "chatgpt"
    assert "Continue with ChatGPT" in done.stderr
    assert not seen(server, done.stdout, done.stderr)


def test_without_a_terminal_and_without_a_word_it_says_what_to_say(llmmock):
    done = llmmock("login", status=2)
    assert done.stdout == ""
    assert done.stderr == (
        "llmmock: There is no terminal to ask on. Say which upstream to use: "
        "llmmock login --use codex|chatgpt|openai|URL   (llmmock info shows what there is)\n"
    )


def test_without_terminal_and_browser_the_address_is_shown_and_the_browser_may_come_by_itself(user, server):
    command = [*COMMAND, "login", "--use", "chatgpt", "--no-browser"]
    with subprocess.Popen(
        command,
        cwd=user.folder,
        env={**user.environment, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = ""
        while "Waiting for the browser" not in told:
            told += process.stdout.readline()
        with httpx.Client(follow_redirects=True, timeout=PATIENCE) as browser:
            assert browser.get(URL.search(told)[0]).status_code == 200
        assert "Signed in as ada@example.org" in process.stdout.read()
    assert process.returncode == 0


def test_a_browser_that_does_not_come_back_is_waited_for_only_so_long(user, server):
    user.environment["BROWSER"] = f"{sys.executable} -c pass"
    done = user("login", "--use", "chatgpt", "--timeout", "1", status=1)
    assert done.stderr.startswith("llmmock: The browser did not come back within 1 seconds. Begin again")
    assert info(user)["default_upstream"] is None


def test_a_user_who_declines_has_changed_nothing(user, server):
    server.callback = {"error": "access_denied", "code": None}
    done = user("login", "--use", "chatgpt", status=1)
    assert done.stderr == "llmmock: The sign-in was declined in the browser. Nothing was kept.\n"
    assert info(user)["default_upstream"] is None


def test_without_the_plans_permission_chatgpt_is_not_chosen(user, server):
    server.scope = "openid profile email"
    done = user("login", "--use", "chatgpt", status=1)
    assert "The plan may not be used: the permission was not given" in done.stderr
    assert info(user)["default_upstream"] is None
    assert login(user, "chatgpt")["may_use_plan"] is False


def test_a_sign_in_server_that_is_not_there_is_told(user, server):
    user.environment["LLMMOCK_ISSUER"] = "http://127.0.0.1:9"
    done = user("login", "--use", "chatgpt", status=1)
    assert "127.0.0.1:9 did not answer" in done.stderr


@pytest.mark.parametrize(
    ("use", "why"),
    [
        ("nowhere", "'nowhere' cannot be the default upstream"),
        ("original", "'original' cannot be the default upstream"),
        ("", "'' cannot be the default upstream"),
        ("http://", "has no host"),
        ("https://user:secret@host.example/v1", "without user, password or query"),
        ("https://host.example/v1?key=secret", "without user, password or query"),
    ],
)
def test_what_cannot_be_chosen_is_refused(llmmock, use, why):
    done = llmmock("login", "--use", use, status=2)
    assert why in done.stderr
    assert "secret" not in done.stderr


def test_an_address_is_chosen_as_it_is(llmmock):
    llmmock("login", "--use", "http://127.0.0.1:8000/v1/")
    assert info(llmmock)["default_upstream"] == "http://127.0.0.1:8000/v1"


def test_openai_can_be_chosen_before_there_is_a_key(llmmock):
    done = llmmock("login", "--use", "openai")
    assert "OPENAI_API_KEY is not set: set it before you record." in done.stdout
    assert login(llmmock, "openai")["usable"] is False


def test_a_variable_comes_before_what_was_chosen(llmmock):
    llmmock("login", "--use", "openai")
    llmmock.environment["LLMMOCK_UPSTREAM"] = "http://127.0.0.1:8000/v1"
    assert info(llmmock)["because"] == "LLMMOCK_UPSTREAM"


# --- other tools' logins ----------------------------------------------------------------------------------


@pytest.fixture
def codex(llmmock, tmp_path) -> Path:
    """A file as the Codex CLI writes it."""
    from chatgpt_backend import Backend

    llmmock.environment["CODEX_HOME"] = str(tmp_path / "codex")
    return Backend(lasts=8 * 86400 + 60).login(tmp_path / "codex")


def test_the_login_of_another_tool_is_shown_without_its_tokens(llmmock, codex):
    done = llmmock("info")
    line = next(line for line in done.stdout.splitlines() if line.startswith("codex"))
    assert re.fullmatch(r"codex +the Codex CLI +plan plus, expires in 8 days +~/codex/auth\.json", line)
    tokens = json.loads(codex.read_text())["tokens"].values()
    assert not [token for token in tokens if token in done.stdout + llmmock("info", "--json").stdout]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no login"),
        ('{"tokens": {"access_token": "a\\nb"}}', "holds an access token that is broken"),
        ('{"OPENAI_API_KEY": "sk-private", "tokens": null}', "holds an API key and no login with ChatGPT"),
    ],
)
def test_a_login_that_is_there_and_cannot_be_used_is_told_with_its_reason(llmmock, codex, text, why):
    codex.write_text(text)
    found = login(llmmock, "codex")
    assert found["state"].startswith(why)
    assert (found["of"], found["where"], found["usable"]) == ("the Codex CLI", str(codex), False)
    assert "sk-private" not in str(found)


def test_one_that_has_run_out_and_may_not_be_written_is_not_said_to_be_renewed(llmmock, codex, monkeypatch):
    now = time.time() + 11 * 86400
    state = logins.found(llmmock.environment, now)[0].state
    assert state == "plan plus, expired 2 days ago, renewed when it is used"
    codex.chmod(0o400)
    found = logins.found(llmmock.environment, now)[0]
    assert (found.state, found.usable) == ("plan plus, expired 2 days ago, not renewed, because it is read-only", False)


def test_a_login_without_the_packages_that_renew_it_is_not_usable(user, server, monkeypatch):
    user("login", "--use", "chatgpt")
    monkeypatch.setitem(sys.modules, "joserfc.jwt", None)
    found = login(user, "chatgpt")
    assert found["usable"] is False
    assert "pip install 'pytest-llmmock[chatgpt]'" in found["state"]


def test_logging_out_leaves_other_tools_files_alone(user, server, codex):
    user("login", "--use", "chatgpt")
    before = codex.read_bytes(), codex.stat().st_mtime_ns
    done = user("logout")
    assert done.stdout == "Signed out.\n"
    assert (codex.read_bytes(), codex.stat().st_mtime_ns) == before
    assert len(server.revoked) == 1
    assert info(user)["default_upstream"] is None
    assert login(user, "chatgpt")["state"] == "not signed in"


def test_logging_out_where_nobody_is_signed_in_is_no_error(llmmock):
    assert llmmock("logout").stdout == "Nobody was signed in with `llmmock login --use chatgpt`.\n"
    assert json.loads(llmmock("logout", "--json").stdout) == {"signed_out": False, "revoked": False, "forgotten": False}


def test_a_server_that_cannot_be_told_is_an_error_and_the_login_is_gone_all_the_same(user, server):
    user("login", "--use", "chatgpt")
    server.down = 1
    done = user("logout", status=1)
    assert "Signed out." in done.stdout
    assert "the sign-in server could not be told" in done.stderr
    assert login(user, "chatgpt")["usable"] is False


def test_a_choice_of_another_upstream_outlives_a_logout(user, server):
    user("login", "--use", "chatgpt")
    user("login", "--use", "openai")
    user("logout", "--forget")
    assert info(user)["default_upstream"] == "openai"


# --- in a terminal ----------------------------------------------------------------------------------------


class Terminal:
    """A program in a terminal, and what somebody types there."""

    def __init__(self, arguments: list[str], folder: Path, environ: dict[str, str]) -> None:
        import pty

        self.shown = ""
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=folder,
            env={**environ, "TERM": "dumb", "COLUMNS": "200"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def until(self, words: str) -> str:
        """Wait for these words on the screen; what stood there up to them is taken away."""
        while words not in self.shown:
            assert self._reads(), self.shown
        before, _, self.shown = self.shown.partition(words)
        return before

    def type(self, line: str, end: str = "\n") -> None:
        os.write(self._ours, (line + end).encode())

    def end(self) -> tuple[int, str]:
        while self._reads():
            pass
        os.close(self._ours)
        return self.process.wait(PATIENCE), self.shown

    def _reads(self) -> bool:
        """Whether there was more; not so when the program has ended."""
        assert select.select([self._ours], [], [], PATIENCE)[0], self.shown
        try:
            data = os.read(self._ours, 4096)
        except OSError:
            return False
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@pytest.fixture
def terminal(llmmock):
    pytest.importorskip("pty", reason="there are no such terminals here")
    started = []

    def start(*arguments: str) -> Terminal:
        started.append(Terminal(list(arguments), llmmock.folder, llmmock.environment))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def test_in_a_terminal_it_shows_what_there_is_and_asks(user, server, codex, terminal):
    screen = terminal("login")
    shown = screen.until("Which one from now on?")
    assert "the Codex CLI" in shown
    assert "not signed in" in shown
    screen.type("chatgpt")
    screen.until("Continue with ChatGPT? [Y/n]:")
    screen.type("y")
    status, shown = screen.end()
    assert status == 0
    assert "Signed in as ada@example.org (plan plus)" in shown
    assert not seen(server, shown)


def test_who_does_not_want_to_continue_is_not_sent_anywhere(user, server, terminal):
    screen = terminal("login")
    screen.until("Which one from now on?")
    screen.type("chatgpt")
    screen.until("Continue with ChatGPT?")
    screen.type("n")
    status, shown = screen.end()
    assert status == 1
    assert "Nobody was signed in, and nothing was changed." in shown
    assert server.asked == []


def test_the_address_at_which_another_machines_browser_ended_can_be_pasted(user, server, terminal):
    screen = terminal("login", "--use", "chatgpt", "--no-browser")
    address = URL.search(screen.until("Address, or Enter:"))[0]
    end = landing(address)
    screen.type("")
    screen.until("The browser has not come back yet.")
    screen.type("http://127.0.0.1:1/auth/callback?code=x")
    screen.until("This is not where the browser ended")
    screen.type(re.sub("state=[^&]+", "state=another", end))
    screen.until("its state is another one")
    screen.until("Address, or Enter:")
    screen.type(end)
    status, shown = screen.end()
    assert status == 0, shown
    assert "Signed in as ada@example.org" in shown
    assert not (server.access & {word for word in shown.split() if word})


def test_a_browser_on_the_same_machine_needs_nothing_but_enter(user, server, terminal):
    screen = terminal("login", "--use", "chatgpt", "--no-browser")
    address = URL.search(screen.until("Address, or Enter:"))[0]
    with httpx.Client(follow_redirects=True, timeout=PATIENCE) as browser:
        assert browser.get(address).status_code == 200
    screen.type("")
    assert screen.end()[0] == 0


def test_who_gives_up_has_changed_nothing(user, server, terminal):
    screen = terminal("login", "--use", "chatgpt", "--no-browser")
    screen.until("Address, or Enter:")
    screen.type("\x04", end="")
    status, shown = screen.end()
    assert status == 1
    assert "Traceback" not in shown
    assert login(user, "chatgpt")["usable"] is False


def test_a_spoilt_configuration_is_told_by_every_command(llmmock):
    home = Path(llmmock.environment["LLMMOCK_HOME"])
    home.mkdir()
    (home / "config.json").write_text("{")
    for command in (["info"], ["login", "--use", "openai"], ["logout"]):
        assert "config.json is spoilt" in llmmock(*command, status=2).stderr
    assert "config.json is spoilt" in llmmock("doctor", status=1).stdout
