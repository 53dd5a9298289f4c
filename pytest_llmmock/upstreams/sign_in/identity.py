"""Who has signed in: the identity token, verified with joserfc before a word of it is believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from pydantic import SecretStr

from ...errors import LoginError
from .oauth import missing

ALGORITHMS = ("RS256", "ES256")
"""Signatures with a key that only the sign-in server has. Neither `none` nor a shared secret is one."""

_LEEWAY = 60
"""Seconds by which two clocks may differ."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an identity token has to say."""

    issuer: str
    client_id: str
    nonce: str
    now: float

    def claims(self) -> dict[str, Any]:
        """As joserfc takes it."""
        values = {"iss": self.issuer, "aud": self.client_id, "nonce": self.nonce}
        exact = {name: {"essential": True, "value": value} for name, value in values.items()}
        return {**exact, **{name: {"essential": True} for name in ("sub", "exp", "iat")}}


def verify(token: SecretStr, keys: dict[str, Any], expected: Expected) -> dict[str, Any]:
    """The claims of an identity token that is genuine, meant for us, and of this attempt. Raises `LoginError`."""
    try:
        from joserfc import jwt
        from joserfc.errors import ClaimError, JoseError
        from joserfc.jwk import KeySet
    except ImportError:
        raise missing() from None
    try:
        known = KeySet.import_key_set(cast(Any, keys))
        decoded = jwt.decode(token.get_secret_value(), known, algorithms=list(ALGORITHMS))
        jwt.JWTClaimsRegistry(now=int(expected.now), leeway=_LEEWAY, **expected.claims()).validate(decoded.claims)
    except ClaimError as error:
        raise _refused(f"its claim {error.claim!r} is not what it has to be{_clock(error.claim)}") from None
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _refused(f"it is not signed as it has to be ({type(error).__name__})") from None
    if decoded.header.get("kid") not in {key.kid for key in known.keys}:
        raise _refused("it does not name the key that has signed it")
    if decoded.claims["aud"] not in (expected.client_id, [expected.client_id]):
        raise _refused("it is meant for others as well")
    return dict(decoded.claims)


def check_installed() -> None:
    """Raises `LoginError` when joserfc is missing."""
    try:
        import joserfc.jwt  # noqa: F401 - to be there when the browser is back
    except ImportError:
        raise missing() from None


def _refused(why: str) -> LoginError:
    return LoginError(f"The identity token of the sign-in server was refused: {why}. Nothing was kept.")


def _clock(claim: str) -> str:
    return " (is the clock of this machine right?)" if claim in ("exp", "iat", "nbf") else ""
