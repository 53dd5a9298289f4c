"""The keyring of the system, through the package `keyring` (extra `keyring`).

Windows takes 1,280 characters in an entry, and tokens are longer: a text is kept in pieces. Its head is written last,
so a reader finds the old text or the new one, never a mixture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex
from types import ModuleType

from ...errors import LoginError

SERVICE = "llmmock"

_PIECE = 1000


def read(name: str) -> str:
    """The text of this name; '' where there is none. Raises `LoginError`."""
    with _opened() as keyring:
        pieces = [keyring.get_password(SERVICE, each) for each in _pieces(keyring, name)]
    if None in pieces:
        raise LoginError(f"The keyring has lost a part of {name!r}. Sign in again: llmmock login --use chatgpt --again")
    return "".join(pieces)


def write(name: str, text: str) -> None:
    """Keep a text in place of the one before. Raises `LoginError`."""
    generation = token_hex(4)
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    with _opened() as keyring:
        before = _pieces(keyring, name)
        for each, piece in zip(_named(name, generation, len(pieces)), pieces, strict=True):
            keyring.set_password(SERVICE, each, piece)
        keyring.set_password(SERVICE, name, json.dumps({"generation": generation, "pieces": len(pieces)}))
        _delete(keyring, before)


def remove(name: str) -> None:
    """Forget a text. Raises `LoginError`."""
    with _opened() as keyring:
        pieces = _pieces(keyring, name)
        _delete(keyring, [name, *pieces] if pieces else [])


def name() -> str:
    """Which keyring it is, for people. Raises `LoginError`."""
    with _opened() as keyring:
        return str(keyring.get_keyring().name)


def _pieces(keyring: ModuleType, name: str) -> list[str]:
    """The entries that hold the pieces of a text."""
    head = keyring.get_password(SERVICE, name)
    if not head:
        return []
    values = json.loads(head)
    return _named(name, values["generation"], values["pieces"])


def _named(name: str, generation: str, count: int) -> list[str]:
    return [f"{name} {generation} {number}" for number in range(count)]


def _delete(keyring: ModuleType, names: list[str]) -> None:
    for each in names:
        with suppress(keyring.errors.PasswordDeleteError):  # it is gone already
            keyring.delete_password(SERVICE, each)


@contextmanager
def _opened() -> Iterator[ModuleType]:
    """The package, and what goes wrong with it in words. Raises `LoginError`."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise LoginError(
            "Tokens are to be in the keyring of the system, and the package keyring is missing. "
            "Install it: pip install 'pytest-llmmock[keyring]'"
        ) from None
    try:
        yield keyring
    except keyring.errors.KeyringError as error:
        raise LoginError(
            f"The keyring of the system cannot be used: {error or type(error).__name__}. "
            "Unlock it, or keep tokens in a file: llmmock login --no-keyring"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise LoginError(f"The keyring's entry of {SERVICE!r} is not ours ({type(error).__name__}).") from None
