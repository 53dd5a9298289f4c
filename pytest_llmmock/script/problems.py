"""Errors as a provider would send them: `error(429, retry_after=1)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.model import Headers, Problem
from ..errors import UsageError

USUAL: Mapping[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "The request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "You may not use this."),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model '{model}' does not exist or you do not have access to it.",
    ),
    409: ("invalid_request_error", None, "The resource was changed by another request."),
    413: ("invalid_request_error", "request_too_large", "The request is too large."),
    422: ("invalid_request_error", None, "The request is well formed, and cannot be processed."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for {model}. Try again later."),
    500: ("server_error", None, "The server had an error while processing your request."),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
    529: ("server_error", None, "Overloaded."),
}
"""Status -> type, code and message, where a test names none. Dialects say it in their own words."""

_TRIED_AGAIN = (408, 409, 429)


@dataclass(frozen=True, slots=True)
class Failing:
    """An error that is answered."""

    status: int
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    type: str | None = None
    template: bool = False
    place: str = ""

    def problem(self, model: str, message: str | None) -> Problem:
        """For a request to this model; `message` is the text, rendered."""
        kind, code, usual = USUAL.get(self.status) or USUAL[500 if self.status >= 500 else 400]
        return Problem(
            self.status,
            message if message is not None else usual.format(model=model or "this model"),
            self.code or code,
            self.type or kind,
            headers=self._headers(),
        )

    def _headers(self) -> Headers:
        """SDKs that know `retry-after-ms` do not wait; what a server would say of seconds stands beside it."""
        told = () if self.retry_after is None else (("retry-after", f"{self.retry_after:g}"),)
        again = self.status in _TRIED_AGAIN or self.status >= 500
        return (*told, *((("retry-after-ms", "1"),) if again or told else ()))


def error(
    status: int,
    code: str | None = None,
    message: str | None = None,
    retry_after: float | None = None,
    *,
    type: str | None = None,
    template: bool = False,
) -> Failing:
    """An error, for a function that a rule calls. Raises `UsageError`."""
    if not isinstance(status, int) or not 400 <= status <= 599:
        raise UsageError(f"error({status!r}): an error has a status from 400 to 599.")
    if retry_after is not None and not retry_after >= 0:
        raise UsageError(f"error(retry_after={retry_after!r}): that is below 0.")
    return Failing(status, code, message, retry_after, type, template)
