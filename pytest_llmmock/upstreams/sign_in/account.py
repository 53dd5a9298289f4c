"""An account of ChatGPT that the user has signed in with, as it is kept."""

from __future__ import annotations

from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer

PLAN_SCOPE = "chatgpt.tokens.use.direct"
"""Without it the sign-in says who somebody is, and pays for nothing."""

SECONDS_BEFORE = 60.0
"""A token with less than this left is replaced before it is used."""


class Tokens(BaseModel):
    """What the sign-in server gave us. No token is ever printed: `SecretStr` shows stars."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    scope: str = ""
    expires_at: float
    """When the access token ends, in seconds since 1970."""
    earliest_refresh_at: float | None = None
    """Before this a refresh is refused, and spoils the refresh token."""
    renewed_at: float = 0.0
    renewed_early: bool = False
    """Whether those before were refused while they should still have been good."""

    @property
    def allows_plan(self) -> bool:
        return PLAN_SCOPE in self.scope.split()

    def is_due(self, now: float) -> bool:
        """Whether they are to be replaced before they are used: at their end, and not before it is allowed."""
        return now >= max(self.expires_at - SECONDS_BEFORE, self.earliest_refresh_at or 0.0)

    def is_worth_renewing(self, now: float) -> bool:
        """Whether others may be taken where these were refused.

        What was renewed for that once is refused for another reason, and to renew it early again would spoil it.
        """
        return self.is_due(now) or not self.renewed_early

    @field_serializer("access_token", "refresh_token", when_used="json")
    def _reveal(self, token: SecretStr | None) -> str | None:
        """Only the store writes JSON of them."""
        return token.get_secret_value() if token else None


class Account(BaseModel):
    """This installation at one sign-in server, and who has signed in."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    issuer: str
    host_id: str = Field(default_factory=lambda: f"urn:uuid:{uuid4()}")
    """Names this installation to the sign-in server; chosen before the first sign-in, and kept."""
    client_id: str = ""
    """What the sign-in server has registered us as, for this user; it outlives a logout."""
    subject: str = ""
    email: str = ""
    plan: str = ""
    tokens: Tokens | None = None

    def without_login(self) -> Account:
        """The same installation, signed out."""
        return self.model_copy(update={"tokens": None})
