"""An upstream with a name: it is sent its own key or none, never a credential that was meant for another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..core.model import Exchange, Headers, Reply, Send
from ..errors import UpstreamError
from .credentials import without_choice, without_foreign, without_keys
from .places import below, place
from .protocols import Protocol, protocol_of, spoken


@dataclass(frozen=True, slots=True)
class Named:
    """Asks what the client asked, as somebody else."""

    NAME: str
    BASE_URL: str
    key: str = field(default="", repr=False)
    speaks: tuple[Protocol, ...] = ("openai",)
    key_header: str = "authorization"
    bearer_for: tuple[str, ...] = ()
    """Operations for which the key is a bearer token all the same."""
    headers: Headers = field(default=(), repr=False)
    """Sent besides, in place of the client's of the same name."""
    defaults: Headers = ()
    """Sent where the client has none of the name."""

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        self._check(exchange)
        request = exchange.sent
        origin, path = place(self.BASE_URL, below(exchange))
        query = without_keys(without_choice(request.query))
        return send(replace(request, origin=origin, path=path, query=query, headers=self._headers(exchange)))

    def _check(self, exchange: Exchange) -> None:
        """Its own error would only say that there is no such address. Raises `UpstreamError`."""
        protocol = protocol_of(exchange)
        if protocol is None or protocol in self.speaks:
            return
        request = exchange.request
        raise UpstreamError(
            f"{request.method} {request.path} is {spoken([protocol])}. The upstream {self.NAME!r} speaks "
            f"{spoken(self.speaks)} and was not asked: for it nothing is translated.\n\nTo fix it:\n"
            f"  * Choose an upstream that speaks {spoken([protocol])}, for this model or for all (docs/upstreams.md).\n"
            f"  * Or let the client speak {spoken(self.speaks)}."
        )

    def _headers(self, exchange: Exchange) -> Headers:
        own = (*self._key_of(exchange), *self.headers)
        names = {name for name, _ in own}
        kept = tuple(pair for pair in without_foreign(exchange.sent.headers, self.NAME) if pair[0] not in names)
        given = {name for name, _ in kept}
        return (*kept, *own, *(pair for pair in self.defaults if pair[0] not in given | names))

    def _key_of(self, exchange: Exchange) -> Headers:
        if not self.key:
            return ()
        bearer = self.key_header == "authorization" or exchange.operation in self.bearer_for
        return (("authorization", f"Bearer {self.key}"),) if bearer else ((self.key_header, self.key),)
