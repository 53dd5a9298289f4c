"""Where a login is kept, and that nobody else takes part in it."""

from __future__ import annotations

import multiprocessing
import stat
import sys

import pytest
from pydantic import SecretStr
from signing_in import Clock, User

from pytest_llmmock.errors import LoginError
from pytest_llmmock.upstreams.choice import choose
from pytest_llmmock.upstreams.http import Network
from pytest_llmmock.upstreams.sign_in.account import PLAN_SCOPE, Account, Tokens
from pytest_llmmock.upstreams.sign_in.store import Store

ISSUER = "https://sign-in.example"
SECRET = "at_" + "s3cret" * 300


def tokens(access=SECRET, **more):
    return Tokens(access_token=SecretStr(access), refresh_token=SecretStr("rt_" + access), expires_at=1e10, **more)


@pytest.fixture
def environ(tmp_path):
    return {"LLMMOCK_HOME": str(tmp_path / "home")}


@pytest.fixture
def store(environ):
    return Store(environ, ISSUER)


@pytest.fixture
def account():
    return Account(issuer=ISSUER, client_id="oaiapp_1", subject="user-1", tokens=tokens(scope=PLAN_SCOPE))


def test_what_was_written_is_read(store, account):
    store.write(account)
    assert store.read() == account


def test_where_nothing_is_there_is_a_new_installation(store):
    account = store.read()
    assert (account.issuer, account.client_id, account.tokens) == (ISSUER, "", None)
    assert account.host_id.startswith("urn:uuid:")
    assert not store.path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_file_and_folder_with_wider_rights_are_closed(store, account):
    store.path.parent.mkdir(parents=True)
    store.path.parent.chmod(0o755)
    store.path.write_text("{}")
    store.path.chmod(0o644)
    store.write(account)
    assert [stat.S_IMODE(place.stat().st_mode) for place in (store.path, store.path.parent)] == [0o600, 0o700]


def test_each_sign_in_server_has_a_file_of_its_own(environ, account):
    real, other = Store(environ, "https://auth.openai.com"), Store(environ, "http://127.0.0.1:8123")
    assert real.path.name == "chatgpt.json"
    assert other.path.name == "chatgpt-127.0.0.1-8123.json"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"issuer": 1}', '{"issuer": "%s", "tokens": {"access_token": "%s"}}'])
def test_a_spoilt_file_is_told_and_not_shown(store, text):
    store.path.parent.mkdir(parents=True)
    store.path.write_text(text.replace("%s", SECRET))
    with pytest.raises(LoginError) as caught:
        store.read()
    assert str(caught.value) == (
        f"The login in {store.path} is spoilt. Remove the file, and sign in again: llmmock login --use chatgpt"
    )
    assert caught.value.__suppress_context__


def test_a_login_of_another_server_is_not_taken_for_ours(store, account):
    store.write(account.model_copy(update={"issuer": "https://evil.example"}))
    with pytest.raises(LoginError, match="of another sign-in server"):
        store.read()


def test_a_folder_that_cannot_be_made_is_told(tmp_path, account):
    (tmp_path / "file").write_text("")
    with pytest.raises(LoginError, match=r"cannot be kept in .*chatgpt"):
        Store({"LLMMOCK_HOME": str(tmp_path / "file")}, ISSUER).write(account)


def test_no_token_is_shown(account):
    shown = f"{account!r} {account} {account.model_dump()} {account.tokens!r}"
    assert "s3cret" not in shown
    assert "s3cret" in account.model_dump_json()


# --- in the keyring ---------------------------------------------------------------------------------------


@pytest.fixture
def keyring(environ):
    """The system's keyring, in memory; it takes as little as Windows does."""
    keyring = pytest.importorskip("keyring", reason="the extra keyring is not installed")
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordDeleteError, PasswordSetError

    class InMemory(KeyringBackend):
        priority = 1
        entries: dict[tuple[str, str], str]

        def get_password(self, service, username):
            return self.entries.get((service, username))

        def set_password(self, service, username, password):
            if len(password) > 1280:
                raise PasswordSetError("too long")
            self.entries[service, username] = password

        def delete_password(self, service, username):
            if self.entries.pop((service, username), None) is None:
                raise PasswordDeleteError("not there")

    before = keyring.get_keyring()
    backend = InMemory()
    backend.entries = {}
    keyring.set_keyring(backend)
    choose(environ, keyring=True)
    yield backend
    keyring.set_keyring(before)


def test_with_the_keyring_no_token_is_in_the_file(keyring, environ, account):
    store = Store(environ, ISSUER)
    store.write(account)
    assert "s3cret" not in store.path.read_text()
    assert "s3cret" in "".join(keyring.entries.values())
    assert Store(environ, ISSUER).read() == account


def test_a_shorter_login_leaves_nothing_of_a_longer_one(keyring, environ, account):
    store = Store(environ, ISSUER)
    store.write(account)
    store.write(account.model_copy(update={"tokens": tokens("short")}))
    assert "s3cret" not in "".join(keyring.entries.values())
    assert store.read().tokens == tokens("short")


def test_signing_out_and_forgetting_leave_nothing_in_the_keyring(keyring, environ, account):
    for leave in (lambda store: store.write(account.without_login()), lambda store: store.forget()):
        store = Store(environ, ISSUER)
        store.write(account)
        leave(store)
        assert keyring.entries == {}
        assert store.read().tokens is None


def test_a_keyring_that_breaks_off_while_writing_keeps_the_old_login(keyring, environ, account, monkeypatch):
    from keyring.errors import KeyringError

    store = Store(environ, ISSUER)
    store.write(account)
    keep = keyring.set_password

    def locks_itself(*entry):
        """Before the head, which is the shortest."""
        if len(entry[2]) < 300:
            raise KeyringError("locked")
        keep(*entry)

    monkeypatch.setattr(keyring, "set_password", locks_itself)
    with pytest.raises(LoginError, match="The keyring of the system cannot be used: locked"):
        store.write(account.model_copy(update={"tokens": tokens("new" * 400)}))
    monkeypatch.undo()
    assert store.read() == account


def test_a_lost_part_is_told(keyring, environ, account):
    store = Store(environ, ISSUER)
    store.write(account)
    part = next(name for name in keyring.entries if name[1].endswith(" 0"))
    del keyring.entries[part]
    with pytest.raises(LoginError, match="has lost a part of"):
        store.read()


@pytest.mark.parametrize("head", ["no json", "[]", '{"pieces": 1}'])
def test_an_entry_that_is_not_ours_is_told(keyring, environ, account, head):
    store = Store(environ, ISSUER)
    store.write(account.without_login())
    keyring.entries["llmmock", f"chatgpt {ISSUER}"] = head
    with pytest.raises(LoginError, match="is not ours"):
        store.read()


def test_a_keyring_where_none_is_says_how_to_do_without(environ, account):
    keyring = pytest.importorskip("keyring", reason="the extra keyring is not installed")
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        choose(environ, keyring=True)
        with pytest.raises(LoginError, match="llmmock login --no-keyring"):
            Store(environ, ISSUER).write(account)
    finally:
        keyring.set_keyring(before)


def test_without_the_package_it_says_what_to_install(environ, account, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    choose(environ, keyring=True)
    with pytest.raises(LoginError, match=r"pip install 'pytest-llmmock\[keyring\]'"):
        Store(environ, ISSUER).write(account)


# --- two processes ----------------------------------------------------------------------------------------


def test_two_processes_that_need_a_new_token_at_once_renew_it_once(server, user, clock):
    user.signs_in()
    clock.ahead = 3600.0
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2)
    with context.Pool(2, _join, (together,)) as pool:
        one, other = pool.starmap(_token, [(user.environ, clock.ahead)] * 2)
    assert one == other
    assert one in server.access
    assert [form["grant_type"] for name, form in server.asked if name == "token"].count("refresh_token") == 1
    assert user.session.token(user.send).get_secret_value() == one


_together = None


def _join(barrier):
    global _together
    _together = barrier


def _token(environ, ahead):
    clock, network = Clock(), Network()
    clock.ahead = ahead
    user = User(environ, clock, network.send)
    session = user.session
    spent = session.store.read().tokens
    _together.wait(30)
    try:
        assert spent is not None
        return session.token(network.send).get_secret_value()
    finally:
        network.close()
