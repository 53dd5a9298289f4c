"""When something was recorded, as it stands in a cassette."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def written(seconds: float) -> str:
    """A time as it stands in a cassette: `2026-11-20T10:30:01.123Z`. As text, later is greater."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recorded_when(value: Any) -> dict[str, str]:
    """What a cassette says of the time that another tool has noted: nothing where it cannot be read."""
    found = value if isinstance(value, datetime) else _read(str(value or ""))
    if found is None:
        return {}
    try:
        return {"recorded": written((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())}
    except (ValueError, OverflowError):
        return {}  # a year that is none in UTC


def _read(text: str) -> datetime | None:
    """In the way of ISO 8601, or in HTTP's, as Ruby VCR writes it."""
    from email.utils import parsedate_to_datetime

    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(text)
        except ValueError:
            continue
    return None
