"""`llmmock logout`: end the sign-in with ChatGPT, here and at the sign-in server."""

from __future__ import annotations

import os
import sys

import click

from ..upstreams.choice import choose, chosen
from ..upstreams.http import Network
from ..upstreams.sign_in.session import Session
from .printing import print_json, tell


@click.command(short_help="Sign out of ChatGPT.")
@click.option("--forget", is_flag=True, help="Forget the registration too, to sign in as somebody else.")
@click.option("--json", "as_json", is_flag=True, help="An object instead of a sentence.")
def command(forget: bool, as_json: bool) -> None:
    """Revoke the login that `llmmock login --use chatgpt` has made, and forget it.

    Logins of the Codex CLI, ChatMock and GPTMock are theirs, and stay. Exits with 1 when the sign-in server could not
    be told: then the login is forgotten here all the same.
    """
    session = Session.of(os.environ)
    was = session.store.read().tokens is not None
    network = Network()
    try:
        trouble = session.end(network.send, forget=forget)
    finally:
        network.close()
    if chosen(os.environ).upstream == "chatgpt":
        choose(os.environ, upstream="")
    if as_json:
        print_json({"signed_out": was, "revoked": was and trouble is None, "forgotten": forget})
    else:
        click.echo("Signed out." if was else "Nobody was signed in with `llmmock login --use chatgpt`.")
    tell([trouble] if trouble else [])
    sys.exit(1 if trouble else 0)
