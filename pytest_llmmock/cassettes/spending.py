"""Keeps to a budget: a request that comes when it is spent is not sent."""

from __future__ import annotations

from contextlib import suppress

from ..core.answered import answer_of
from ..core.model import Exchange, Reply
from ..core.summary import shape, tokens
from ..errors import UpstreamError
from .budget import Budget, Ledger, Spent, one_more, with_tokens


class Spending:
    """Sees what an upstream is asked and answers, and counts.

    A request counts when it is asked, tokens when the provider has counted them, which is at the end of an answer.
    """

    def __init__(self, budget: Budget, ledger: Ledger) -> None:
        self._budget = budget
        self._ledger = ledger

    def asks(self, exchange: Exchange) -> None:
        """Raises `UpstreamError` when the budget is spent."""
        spent = self._ledger.change(lambda so_far: so_far if so_far.reaches(self._budget) else one_more(so_far))
        if spent.reaches(self._budget):
            raise UpstreamError(_explained(exchange, self._budget, spent))

    def begins(self, exchange: Exchange, reply: Reply) -> None:
        """What it costs is known at the end."""

    def fails(self, exchange: Exchange) -> None:
        """It was asked all the same."""

    def keeps(self, exchange: Exchange, reply: Reply) -> None:
        count = tokens(exchange.spent or answer_of(exchange, reply).usage)
        if count:
            with suppress(OSError):  # the disk is full: the recording's own error tells
                self._ledger.change(lambda so_far: with_tokens(so_far, count))


def _explained(exchange: Exchange, budget: Budget, spent: Spent) -> str:
    request = exchange.request
    more = budget.twice()
    return "\n".join(
        [
            "The budget of this recording run is spent, and this request was not sent.",
            "",
            f"  {request.method} {request.path}   {shape(exchange)}".rstrip(),
            "",
            f"Budget: {budget}   spent: {spent}",
            "",
            "To fix it:",
            f"  * If more may be asked, raise it:  --llm-budget={more} (pytest), --budget {more} (llmmock), "
            "LLMMOCK_BUDGET.",
            "  * Or run it again: what was recorded is replayed, and only the rest is asked for. What a failed test "
            "has recorded is replayed after `llmmock accept`.",
        ]
    )
