"""What was chosen with `llmmock login`, and what is asked when nothing was."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams.base_url import DUMMY_KEY
from pytest_llmmock.upstreams.choice import Choice, choose, chosen, default_upstream, place
from pytest_llmmock.upstreams.home import home


@pytest.fixture
def environ(tmp_path):
    return {"LLMMOCK_HOME": str(tmp_path / "home")}


def test_nothing_is_chosen_at_first(environ):
    assert chosen(environ) == Choice()
    assert not place(environ).exists()


def test_one_choice_leaves_the_others(environ):
    choose(environ, upstream="chatgpt")
    choose(environ, keyring=True)
    assert chosen(environ) == Choice("chatgpt", keyring=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_the_file_is_its_owners_alone(environ):
    choose(environ, upstream="codex")
    assert stat.S_IMODE(place(environ).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"upstream": 1}', '{"keyring": "yes"}'])
def test_a_spoilt_file_is_named_with_what_is_wrong(environ, text):
    place(environ).parent.mkdir()
    place(environ).write_text(text)
    with pytest.raises(UsageError, match=r"config\.json is spoilt: .*Mend it, or remove it"):
        chosen(environ)


def test_what_another_version_wrote_is_no_error(environ):
    place(environ).parent.mkdir()
    place(environ).write_text('{"upstream": "codex", "later": 1}')
    assert chosen(environ) == Choice("codex")


def test_what_was_chosen_comes_before_the_key_of_the_environment(environ):
    keyed = {**environ, "OPENAI_API_KEY": "sk-real"}
    assert default_upstream(environ) == ""
    assert default_upstream(keyed) == "openai"
    choose(environ, upstream="codex")
    assert default_upstream(keyed) == "codex"


def test_our_own_dummy_is_no_key(environ):
    assert default_upstream({**environ, "OPENAI_API_KEY": DUMMY_KEY}) == ""


# --- where it is ------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="each system has a place of its own")
def test_without_a_variable_it_is_where_the_system_keeps_configurations(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert home({}) == tmp_path / "llmmock"


def test_a_variable_names_another_place(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert home({"LLMMOCK_HOME": "~/mine"}) == tmp_path / "mine"
    assert home({"LLMMOCK_HOME": "mine"}) == Path.cwd() / "mine"
