"""Logins with ChatGPT that other tools have made: where they are, and what they say of themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from . import token_file

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
"""Under which all of these tools have made their logins, unless they were told otherwise. It is public."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that logs in with ChatGPT."""

    name: str
    renew: str
    """The command by which its user logs in again."""
    variable: str
    """Names its folder."""
    usual: str
    """Its folder below the user's own, where nothing is named."""
    client_ids: tuple[str, ...] = ()
    """Variables that give it another client id."""


TOOLS = (
    Tool("the Codex CLI", "codex login", "CODEX_HOME", ".codex"),
    Tool("ChatMock", "chatmock login", "CHATGPT_LOCAL_HOME", ".chatgpt-local", ("CHATGPT_LOCAL_CLIENT_ID",)),
    Tool(
        "GPTMock",
        "gptmock login",
        "GPTMOCK_HOME",
        ".config/gptmock",
        ("GPTMOCK_CLIENT_ID", "CHATGPT_LOCAL_CLIENT_ID"),
    ),
)
"""In the order in which their logins are looked for."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login that was found. It holds no token: these are read from its file when they are needed."""

    tool: Tool
    path: Path
    client_id: str
    plan: str = ""
    """`plus`, `pro` …; '' when it is not known."""
    expires: float | None = None
    """When its access token ends, in seconds since 1970. Its owner, and we, renew it then."""
    account_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A file in which a tool may have its login, and why there is none that can be used."""

    tool: Tool
    path: Path
    trouble: str


def logins(environ: Mapping[str, str]) -> list[Login]:
    """Every login there is, that which would be used first."""
    return [found for found in _looked_for(environ) if isinstance(found, Login)]


def spoilt(environ: Mapping[str, str]) -> list[Place]:
    """Every place where there is something, and no login that can be used."""
    return [each for each in _looked_for(environ) if isinstance(each, Place) and each.trouble != token_file.ABSENT]


def find_login(environ: Mapping[str, str]) -> Login:
    """The login to use. Raises `UsageError`, which tells where one was looked for."""
    found = logins(environ)
    if found:
        return found[0]
    places = "".join(
        f"\n  {each.path}  ({each.tool.name}): {each.trouble}"
        for each in _looked_for(environ)
        if isinstance(each, Place)
    )
    raise UsageError(
        "The upstream 'codex' needs a login that the Codex CLI, ChatMock or GPTMock has made, and there is none."
        f" Looked for:{places}\nTo fix it:  codex login   or choose another upstream."
    )


def _looked_for(environ: Mapping[str, str]) -> Iterator[Login | Place]:
    for tool in TOOLS:
        folder = _folder(tool, environ)
        path = folder / "auth.json"
        try:
            yield _login(tool, path, environ)
        except UsageError as error:
            yield Place(tool, path, _in_keyring(tool, folder) or str(error))


def _folder(tool: Tool, environ: Mapping[str, str]) -> Path:
    """A folder that is named stands for the usual one: who names another account does not mean his own."""
    named = environ.get(tool.variable)
    if named:
        return Path(named).expanduser()
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return (Path(home) if home else Path.home()) / tool.usual


def _login(tool: Tool, path: Path, environ: Mapping[str, str]) -> Login:
    tokens = token_file.read(path)
    named = (environ.get(variable) for variable in tool.client_ids)
    client_id = next(filter(None, named), CLIENT_ID)
    return Login(tool, path, client_id, tokens.plan, tokens.expires, tokens.account_id)


def _in_keyring(tool: Tool, folder: Path) -> str:
    """What is to be said of a login that the Codex CLI keeps elsewhere than in a file; '' when it does not."""
    if tool is not TOOLS[0] or (folder / "auth.json").exists():
        return ""
    try:
        kept = tomllib.loads((folder / "config.toml").read_text("utf-8")).get("cli_auth_credentials_store")
    except (OSError, ValueError):
        return ""  # no settings, or none that can be read: there is no login all the same
    if kept in (None, "file"):
        return ""
    return (
        f'config.toml says cli_auth_credentials_store = "{kept}", and only files are read. '
        'Set it to "file" and run `codex login`'
    )
