"""Every exception that pytest-llmmock raises.

::

    LLMMockError
    ├── UsageError             a setting, option, marker or argument is wrong
    ├── CassetteError          a cassette cannot be read or written
    │   └── CassetteFormatError    what the file holds is not a cassette
    ├── UpstreamError          record mode asked an upstream and got no usable answer
    │   ├── BusyError              so many requests wait for an upstream that it was not asked
    │   ├── LoginError             there is no login, it was refused, or it is over
    │   └── TranslationError       what is asked cannot be said in the upstream's protocol
    ├── ScriptError            a reply that was written by hand could not be made
    ├── UnmatchedError         a request had no recording, its upstream no answer, or no way in took it
    ├── ServerError            the local server cannot start
    ├── EgressError            a connection to a model provider was stopped; also a ConnectionError
    └── CutConnection          inside a run of frames: the connection ends here
"""

from __future__ import annotations

import errno


class LLMMockError(Exception):
    """Base of all our exceptions; the text is meant to be read by a person."""


class UsageError(LLMMockError):
    """A setting, option, marker or argument is wrong."""


class CassetteError(LLMMockError):
    """A cassette cannot be read or written."""


class CassetteFormatError(CassetteError):
    """What the file holds is not a cassette that we can read."""


class UpstreamError(LLMMockError):
    """Record mode asked an upstream and got no usable answer."""


class LoginError(UpstreamError):
    """There is no login, it was refused, or it is over: somebody has to sign in."""


class TranslationError(UpstreamError):
    """What is asked cannot be said in the upstream's protocol."""

    def __init__(self, text: str, code: str = "unsupported_by_upstream") -> None:
        super().__init__(text)
        self.code = code


class BusyError(UpstreamError):
    """So many requests wait for an upstream that it was not asked. The client may come again."""

    def __init__(self, text: str, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class ScriptError(LLMMockError):
    """A reply that was written by hand could not be made: its function raised, its template names what is not there."""


class UnmatchedError(LLMMockError):
    """A request had no recording, its upstream no answer, or no way in took it; raised where a cassette is closed."""


class ServerError(LLMMockError):
    """The local server cannot start."""


class EgressError(LLMMockError, ConnectionError):
    """A connection to a model provider was stopped. Clients take it for a connection that was refused."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.ECONNREFUSED, text)

    def __str__(self) -> str:
        return str(self.strerror)


class CutConnection(LLMMockError):
    """Raised while frames are taken: the connection ends here, before the reply is whole.

    Each way in turns it into what its medium does: the server aborts the connection, the in-process
    transport raises the client library's own "incomplete read".
    """

    def __init__(self, text: str, cause: str = "") -> None:
        super().__init__(text)
        self.cause = cause or text
        """The same in short, without what is another one tomorrow."""
