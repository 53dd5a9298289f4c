"""`llmmock login`: choose where recordings come from, and sign in with ChatGPT where that takes it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import click

from ..errors import LoginError, UsageError
from ..upstreams import CHOICES, UPSTREAMS
from ..upstreams.base_url import at
from ..upstreams.choice import choose, has_key
from ..upstreams.logins import find_login
from ..upstreams.sign_in.account import Account
from ..upstreams.sign_in.session import Session
from . import logins
from .info import print_found
from .printing import print_json, wrapped
from .signing_in import sign_in

PLAN = (
    "Requests that are recorded through {name!r} count against your ChatGPT plan, and are for tests of your own on "
    "this machine: not for other people, not for other programs, not for CI. {doubt}; an API key leaves no such "
    "question."
)

DOUBTS = {
    "chatgpt": "OpenAI lets a connected app use a plan for what the app itself does, and has not said whether "
    "recording tests is that",
    "codex": "It is the login of another tool at an address that OpenAI has not documented for others",
}

Say = Callable[[str], object]


@click.command(short_help="Choose where recordings come from; sign in with ChatGPT.")
@click.option("--use", metavar="NAME|URL", help="codex, chatgpt, openai, another upstream's name, or a base URL.")
@click.option("--no-browser", is_flag=True, help="Show the address to open; take the one where the browser ends.")
@click.option("--again", is_flag=True, help="Sign in anew, and be asked for the plan's permission.")
@click.option("--keyring/--no-keyring", default=None, help="Keep tokens in the keyring of the system, or in a file.")
@click.option(
    "--timeout", default=600.0, show_default=True, type=click.FloatRange(1), metavar="SECONDS", help="For the browser."
)
@click.option("--json", "as_json", is_flag=True, help="An object at the end, and all words on stderr.")
def command(
    use: str | None, no_browser: bool, again: bool, keyring: bool | None, timeout: float, as_json: bool
) -> None:
    """Show the logins that there are, and choose which upstream servers and the command line ask from now on.

    Logins of the Codex CLI, ChatMock and GPTMock are used as they are. `chatgpt` signs in with a browser, under our own
    name. Without a terminal, `--use` says which.
    """

    def say(text: str) -> None:
        click.echo(wrapped(text, sys.stderr if as_json else sys.stdout), err=as_json)

    if keyring is not None:
        _move(keyring)
    if use is None and keyring is not None and not _is_terminal():
        say("Tokens are kept in " + Session.of(os.environ).store.location)
    else:
        name = _known(use) if use is not None else _asked(say)
        _prepare(name, say, browser=not no_browser, again=again, agreed=use is not None, timeout=timeout)
        choose(os.environ, upstream=name)
        say(f"From now on servers and the command line ask {name}. Tests in process ask whom your code asks.")
        if os.environ.get("LLMMOCK_UPSTREAM"):
            say("But LLMMOCK_UPSTREAM is set, and comes before it.")
    if as_json:
        print_json(logins.value(os.environ))


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _move(keyring: bool) -> None:
    """Take the tokens along to where they are kept from now on. Raises `LoginError`."""
    before = Session.of(os.environ).store
    if before.uses_keyring == keyring:
        return
    account = before.read()
    with before.locked():
        choose(os.environ, keyring=keyring)
        try:
            Session.of(os.environ).store.write(account)
        except LoginError:
            choose(os.environ, keyring=not keyring)
            raise
        if before.uses_keyring and account.tokens:
            before.drop_from_keyring()


# --- which ------------------------------------------------------------------------------------------------


def _asked(say: Say) -> str:
    """Raises `UsageError` where nobody can be asked."""
    if not _is_terminal():
        raise UsageError(
            "There is no terminal to ask on. Say which upstream to use: "
            "llmmock login --use codex|chatgpt|openai|URL   (llmmock info shows what there is)"
        )
    ways = logins.found(os.environ)
    print_found(ways)
    now = logins.default(os.environ)
    say(f"\nDefault upstream: {now.upstream or '-'} ({now.why})")
    names = [name for name in ("codex", "chatgpt", "openai") if name in UPSTREAMS]
    usual = now.upstream or next((each.upstream for each in ways if each.usable), None)
    told = click.prompt(f"Which one from now on? {', '.join(names)}, another name, or a base URL", default=usual)
    return _known(told.strip())


def _known(name: str) -> str:
    """Raises `UsageError` for what is no upstream, and for an address with a password in it."""
    if name.startswith(("http://", "https://")):
        at(name, {})
        parts = urlsplit(name)
        if "@" in parts.netloc or parts.query:
            raise UsageError(
                "A default upstream is an address without user, password or query: it is kept in a file. "
                "Give the key in LLMMOCK_UPSTREAM_API_KEY."
            )
        return name.rstrip("/")
    if name not in UPSTREAMS or name == "original":
        raise UsageError(f"{name!r} cannot be the default upstream. It is {CHOICES.replace('original, ', '')}.")
    return name


# --- make it fit for use ----------------------------------------------------------------------------------


def _prepare(name: str, say: Say, *, browser: bool, again: bool, agreed: bool, timeout: float) -> None:
    """Make sure that it can be asked. Raises `LoginError` and `UsageError`."""
    if name in DOUBTS:
        say(PLAN.format(name=name, doubt=DOUBTS[name]))
    if name == "codex":
        login = find_login(os.environ)
        say(f"The login of {login.tool.name} is used: {login.path}")
    elif name == "chatgpt":
        _with_chatgpt(say, browser=browser, again=again, agreed=agreed, timeout=timeout)
    elif name == "openai" and not has_key(os.environ):
        say("OPENAI_API_KEY is not set: set it before you record.")


def _with_chatgpt(say: Say, *, browser: bool, again: bool, agreed: bool, timeout: float) -> None:
    session = Session.of(os.environ)
    account = session.store.read()
    if again or account.tokens is None or not account.tokens.allows_plan:
        if not agreed and not click.confirm("Continue with ChatGPT?", default=True):
            raise LoginError("Nobody was signed in, and nothing was changed.")
        account = sign_in(session, say, browser=browser, again=again or account.tokens is not None, seconds=timeout)
    say(f"Signed in as {_who(account)}. Tokens are kept in {session.store.location}; `llmmock logout` ends it.")
    if account.tokens is None or not account.tokens.allows_plan:
        raise LoginError(
            "The plan may not be used: the permission was not given in the browser. "
            "To give it: llmmock login --use chatgpt --again"
        )


def _who(account: Account) -> str:
    plan = f" (plan {account.plan})" if account.plan else ""
    return (account.email or account.subject) + plan
