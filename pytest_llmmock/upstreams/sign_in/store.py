"""Our own store of logins: a file that only its owner reads, and with `keyring` the tokens in the system's keyring."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from pydantic import ValidationError

from ... import files
from ...errors import LoginError
from ..choice import chosen
from ..home import FILE_MODE, home, make_private
from . import vault
from .account import Account, Tokens
from .server import ISSUER


class Store:
    """The account at one sign-in server."""

    def __init__(self, environ: Mapping[str, str], issuer: str) -> None:
        self.issuer = issuer
        self.path = home(environ) / "logins" / f"{_name(issuer)}.json"
        self.uses_keyring = chosen(environ).keyring

    def read(self) -> Account:
        """What is kept; a new installation where there is nothing. Raises `LoginError`."""
        try:
            account = Account.model_validate_json(self.path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return Account(issuer=self.issuer)
        except OSError as error:
            raise LoginError(f"The login in {self.path} cannot be read: {error.strerror or error}.") from None
        except ValidationError:
            raise LoginError(
                f"The login in {self.path} is spoilt. Remove the file, and sign in again: llmmock login --use chatgpt"
            ) from None
        if account.issuer != self.issuer:
            raise LoginError(f"The login in {self.path} is of another sign-in server. Remove the file.")
        return account if account.tokens else account.model_copy(update={"tokens": self._from_keyring(account)})

    def _from_keyring(self, account: Account) -> Tokens | None:
        if not (self.uses_keyring and account.client_id):
            return None
        text = vault.read(self._entry)
        try:
            return Tokens.model_validate_json(text) if text else None
        except ValidationError:
            raise LoginError(
                "The login in the keyring is spoilt. Sign in again: llmmock login --use chatgpt --again"
            ) from None

    def write(self, account: Account) -> None:
        """Keep it. Raises `LoginError`."""
        in_file = account
        if self.uses_keyring:
            self._to_keyring(account.tokens)
            in_file = account.without_login()
        try:
            make_private(self.path.parent)
            files.write(self.path, in_file.model_dump_json(indent=2).encode() + b"\n", mode=FILE_MODE)
        except OSError as error:
            raise self._unwritable(error) from None

    def _to_keyring(self, tokens: Tokens | None) -> None:
        if tokens is None:
            vault.remove(self._entry)
        else:
            vault.write(self._entry, tokens.model_dump_json())

    def drop_from_keyring(self) -> None:
        """Raises `LoginError`."""
        vault.remove(self._entry)

    def forget(self) -> None:
        """Remove all, also what the sign-in server has registered us as. Raises `LoginError`."""
        if self.uses_keyring:
            vault.remove(self._entry)
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others that sign in, refresh or sign out here waiting. Raises `LoginError`."""
        lock = files.locked_for_all(self.path)
        try:
            lock.__enter__()
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    @property
    def location(self) -> str:
        """Where the tokens are, for people."""
        return f"the keyring ({vault.name()})" if self.uses_keyring else str(self.path)

    @property
    def _entry(self) -> str:
        return f"chatgpt {self.issuer}"

    def _unwritable(self, error: OSError) -> LoginError:
        return LoginError(f"The login cannot be kept in {self.path}: {error.strerror or error}.")


def _name(issuer: str) -> str:
    """A stand-in's login never takes the place of the real one."""
    if issuer == ISSUER:
        return "chatgpt"
    return "chatgpt-" + re.sub(r"[^a-z0-9.-]+", "-", urlsplit(issuer).netloc.lower())
