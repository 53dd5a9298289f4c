"""Finding the logins of other tools: where, in which order, and what is said of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from chatgpt_backend import ACCOUNT, EMAIL, Backend, jwt, tokens_in

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams.logins import find_login, logins


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def at(home: Path, **more: object) -> dict[str, str]:
    return {"HOME": str(home), **{name: str(value) for name, value in more.items()}}


# --- where ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "tool"), [(".codex", "the Codex CLI"), (".chatgpt-local", "ChatMock"), (".config/gptmock", "GPTMock")]
)
def test_the_usual_place_of_each_tool_is_looked_at(home, backend, folder, tool):
    path = backend.login(home / folder)
    login = find_login(at(home))
    assert (login.tool.name, login.path) == (tool, path)


@pytest.mark.parametrize(
    ("variable", "tool"),
    [("CODEX_HOME", "the Codex CLI"), ("CHATGPT_LOCAL_HOME", "ChatMock"), ("GPTMOCK_HOME", "GPTMock")],
)
def test_a_tools_folder_can_be_named(home, backend, tmp_path, variable, tool):
    path = backend.login(tmp_path / "elsewhere")
    login = find_login(at(home, **{variable: tmp_path / "elsewhere"}))
    assert (login.tool.name, login.path) == (tool, path)


def test_who_names_a_folder_does_not_mean_the_usual_one(home, backend, tmp_path):
    """Else the plan of another account would be used."""
    backend.login(home / ".codex")
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "work" / "auth.json"))):
        find_login(at(home, CODEX_HOME=tmp_path / "work"))


def test_codex_comes_first_then_chatmock_then_gptmock(home, backend):
    for folder in (".config/gptmock", ".chatgpt-local", ".codex"):
        backend.login(home / folder)
    assert [login.tool.name for login in logins(at(home))] == ["the Codex CLI", "ChatMock", "GPTMock"]


def test_what_cannot_be_used_is_passed_over(home, backend):
    (home / ".codex").mkdir(parents=True)
    (home / ".codex/auth.json").write_text('{"OPENAI_API_KEY": "sk-one", "tokens": null}')
    path = backend.login(home / ".chatgpt-local")
    assert find_login(at(home)).path == path


# --- what is said of them -------------------------------------------------------------------------------


def test_plan_end_and_account_are_read_from_the_tokens(home, backend):
    path = backend.login(home / ".codex", lasts=100)
    stored = json.loads(path.read_text())
    del stored["tokens"]["account_id"]  # ChatMock and old versions: then the id token says it
    path.write_text(json.dumps(stored))
    login = find_login(at(home))
    assert (login.plan, login.account_id) == ("plus", ACCOUNT)
    assert login.expires is not None


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.!!.c", "a..c", "a.W10.c", "", "a.eyJleHAiOiAidGVuIn0.c"])
def test_a_token_that_says_nothing_is_a_login_all_the_same(home, token):
    (home / ".codex").mkdir(parents=True)
    access = token or "opaque"
    stored = {"tokens": {"access_token": access, "id_token": token, "refresh_token": None, "account_id": None}}
    (home / ".codex/auth.json").write_text(json.dumps(stored))
    login = find_login(at(home))
    assert (login.plan, login.account_id, login.expires) == ("", "", None)


def test_nothing_of_a_login_is_shown(home, backend):
    path = backend.login(home / ".codex")
    shown = repr(find_login(at(home)))
    assert "plus" in shown
    assert not [secret for secret in (*tokens_in(path).values(), ACCOUNT, EMAIL) if secret in shown]


@pytest.mark.parametrize("variable", ["GPTMOCK_CLIENT_ID", "CHATGPT_LOCAL_CLIENT_ID"])
def test_a_tool_that_was_given_another_client_id_renews_with_it(home, backend, variable):
    backend.login(home / ".config/gptmock")
    assert find_login(at(home, **{variable: "app_other"})).client_id == "app_other"


def test_a_variable_of_another_tool_changes_no_client_id(home, backend):
    backend.login(home / ".codex")
    assert find_login(at(home, CHATGPT_LOCAL_CLIENT_ID="app_other")).client_id.startswith("app_EM")


# --- where there is none --------------------------------------------------------------------------------


def test_where_there_is_none_it_is_told_what_was_looked_at(home, tmp_path):
    for folder, content in ((".codex", '{"OPENAI_API_KEY": "sk-1", "tokens": null}'), (".config/gptmock", "{")):
        (home / folder).mkdir(parents=True)
        (home / folder / "auth.json").write_text(content)
    with pytest.raises(UsageError) as caught:
        find_login(at(home))
    assert str(caught.value) == (
        "The upstream 'codex' needs a login that the Codex CLI, ChatMock or GPTMock has made, and there is none. "
        "Looked for:\n"
        f"  {home}/.codex/auth.json  (the Codex CLI): holds an API key and no login with ChatGPT; a key is for the "
        "upstream 'openai'\n"
        f"  {home}/.chatgpt-local/auth.json  (ChatMock): is not there\n"
        f"  {home}/.config/gptmock/auth.json  (GPTMock): is not JSON\n"
        "To fix it:  codex login   or choose another upstream."
    )


@pytest.mark.parametrize("content", ["[]", '"text"', '{"tokens": []}', '{"tokens": {"access_token": 7}}', "{}", "null"])
def test_a_file_of_another_shape_holds_no_login(home, content):
    (home / ".codex").mkdir(parents=True)
    (home / ".codex/auth.json").write_text(content)
    with pytest.raises(UsageError, match="the Codex CLI\\): holds no login"):
        find_login(at(home))


@pytest.mark.parametrize("kept", ["keyring", "auto", "ephemeral"])
def test_a_login_in_the_keyring_is_told_and_not_read(home, kept):
    (home / ".codex").mkdir(parents=True)
    (home / ".codex/config.toml").write_text(f'model = "x"\ncli_auth_credentials_store = "{kept}"\n')
    with pytest.raises(UsageError) as caught:
        find_login(at(home))
    assert (
        f'(the Codex CLI): config.toml says cli_auth_credentials_store = "{kept}", and only files are read. '
        'Set it to "file" and run `codex login`'
    ) in str(caught.value)


@pytest.mark.parametrize("settings", ['cli_auth_credentials_store = "file"', "[not toml", ""])
def test_other_settings_of_codex_say_nothing(home, settings):
    (home / ".codex").mkdir(parents=True)
    (home / ".codex/config.toml").write_text(settings)
    with pytest.raises(UsageError, match="the Codex CLI\\): is not there"):
        find_login(at(home))


@pytest.mark.parametrize("token", ["first\nsecond", "first\x00", "first second", "firsté…"])
def test_a_token_that_cannot_be_sent_is_told_and_not_shown(home, token):
    """A client would show it in the error that it raises."""
    path = home / ".codex" / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"tokens": {"access_token": token}}))
    with pytest.raises(UsageError, match=r"\(the Codex CLI\): holds an access token that is broken") as caught:
        find_login(at(home))
    assert "first" not in str(caught.value)


def test_an_account_that_cannot_be_sent_is_none(home, backend):
    path = backend.login(home / ".codex")
    stored = json.loads(path.read_text())
    stored["tokens"]["account_id"] = "a\n…"
    path.write_text(json.dumps(stored))
    assert find_login(at(home)).account_id == ""


@pytest.mark.parametrize("end", [float("inf"), float("nan"), 1e30, -1, True, "soon", None])
def test_an_end_that_is_no_moment_is_not_known(home, backend, end):
    path = backend.login(home / ".codex")
    stored = json.loads(path.read_text())
    stored["tokens"]["access_token"] = jwt(exp=end)
    path.write_text(json.dumps(stored))
    assert find_login(at(home)).expires is None
