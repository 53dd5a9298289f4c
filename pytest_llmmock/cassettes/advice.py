"""What is told of how to mend a miss. Every test has one, and hardly any a miss: what explains it is loaded then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """How the user of this way in mends a miss."""

    record: str
    """The command or argument that records what is missing."""
    ignore: str
    """The argument that leaves paths out, with `{paths}` where they stand."""
    normalise: str
    """The argument that makes kinds of values the same, with `{names}` where they stand."""
    repeat: str = ""
    """The argument that plays the last recording of a request again; '' where that is done anyhow."""
